// The one judge of answers: reward in training, score in the benchmark, check in the server.
#ifndef SIM_QUESTION_VERIFIER_H_
#define SIM_QUESTION_VERIFIER_H_

#include <string_view>

#include "auricle/v1/question.pb.h"

namespace auricle::sim {

// Tolerances of open answers (AnswerKey in question.proto).
inline constexpr double kAzimuthToleranceDeg = 20.0;
inline constexpr double kElevationToleranceDeg = 10.0;
inline constexpr double kAngleToleranceDeg = 20.0;
inline constexpr double kDistanceToleranceM = 1.0;  // or the fraction of the truth, whichever is larger
inline constexpr double kDistanceToleranceFraction = 0.3;
inline constexpr double kOnsetToleranceS = 0.4;
inline constexpr double kReverberationToleranceS = 0.1;  // or the fraction of the truth
inline constexpr double kReverberationToleranceFraction = 0.3;
inline constexpr double kSpanIou = 0.5;
inline constexpr double kVolumeToleranceFactor = 1.5;

// Longer answers are judged by their first bytes.
inline constexpr size_t kMaxAnswerBytes = 4096;

// Judges `answer` against question.key(). Multiple choice: exactly one letter or one option's text must be claimed.
// Open: read in the type of the key; where an answer claims several values, all must hold, so hedging does not pay.
// Words for direction ("front-left") stand for their 45 degree sector. `parsed` is false, and the reward 0, where
// nothing of the needed type was found or the question carries no key. Case and white space do not matter. Any bytes
// are accepted; linear time. Thread-safe.
v1::Verdict Verify(const v1::Question& question, std::string_view answer);

// True where a key in seconds is a reverberation time and not an onset.
bool IsReverberationTask(std::string_view task);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_VERIFIER_H_
