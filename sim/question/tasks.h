// The tasks of the benchmark: one table, after the three levels of TWNM (arXiv 2601.02954).
#ifndef SIM_QUESTION_TASKS_H_
#define SIM_QUESTION_TASKS_H_

#include <span>
#include <string_view>

#include "auricle/v1/question.pb.h"

namespace auricle::sim {

enum class Task {
  // L1 atomic: one attribute of one source or of the room.
  kDetectSources,
  kCountSources,
  kDetectTime,
  kEstimateAzimuth,
  kEstimateElevation,
  kEstimateDistance,
  kEstimateReverberation,
  kEstimateRoomSize,
  kClassifyMotion,
  // L2 relational: attributes bound to one source, or two sources compared.
  kIdentifySourceByDirection,
  kIdentifySourceByLocation,
  kBindIdentityLocationDistance,
  kRelativeLeftRight,
  kRelativeDirectionBetweenObjects,
  kCompareElevation,
  kCompareDistance,
  kTemporalOrder,
  kOnsetFromLocation,
  kAngularSeparation,
  // L3 cognitive: imagined changes, several hops.
  kListenerRotation,
  kListenerTranslation,
  kSourceRemoval,
  kCompoundCondition,
  kMultiHop,
  kSceneAbduction,
  kMotionPrediction,
};

struct TaskInfo {
  Task task;
  std::string_view name;  // as in Question.task, "estimate_azimuth"
  v1::QuestionLevel level;
  // The options of its multiple choice differ in direction alone: without the directional channels (Y = Z = X = 0) an
  // honest listener is at chance (25 %).
  bool direction;
  std::string_view summary;  // one line for people
};

// All tasks in the order of the enum. Never changes at run time.
std::span<const TaskInfo> AllTasks();

const TaskInfo& InfoOf(Task task);

// nullptr for an unknown name.
const TaskInfo* FindTask(std::string_view name);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_TASKS_H_
