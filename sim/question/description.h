// A scene in dense English: the target of alignment training, and the words of structured evidence.
#ifndef SIM_QUESTION_DESCRIPTION_H_
#define SIM_QUESTION_DESCRIPTION_H_

#include <string>

#include "auricle/v1/scene.pb.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// "I hear a dog barking at 40 degrees left, 10 degrees up, 2.1 m away, from 0.5 to 2.3 s; ... The room is medium,
// about 70 m3, reverberation 0.4 s." Sources by onset; of a truth the audible ones, of perceived evidence those with
// confidence of at least one half. With a generator one of several wordings is drawn, else the first is used.
std::string DescribeScene(const v1::Scene& truth_or_perceived, Random* random = nullptr);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_DESCRIPTION_H_
