#include "sim/question/tasks.h"

namespace auricle::sim {
namespace {

constexpr v1::QuestionLevel kL1 = v1::QUESTION_LEVEL_ATOMIC;
constexpr v1::QuestionLevel kL2 = v1::QUESTION_LEVEL_RELATIONAL;
constexpr v1::QuestionLevel kL3 = v1::QUESTION_LEVEL_COGNITIVE;

constexpr TaskInfo kTasks[] = {
    {Task::kDetectSources, "detect_sources", kL1, false, "which sounds are there"},
    {Task::kCountSources, "count_sources", kL1, false, "how many sounds, in all or on one side"},
    {Task::kDetectTime, "detect_time", kL1, false, "from when to when a sound is heard"},
    {Task::kEstimateAzimuth, "estimate_azimuth", kL1, true, "horizontal direction of a sound"},
    {Task::kEstimateElevation, "estimate_elevation", kL1, true, "angle above or below ear level"},
    {Task::kEstimateDistance, "estimate_distance", kL1, false, "metres to a sound"},
    {Task::kEstimateReverberation, "estimate_reverberation", kL1, false, "reverberation time of the room"},
    {Task::kEstimateRoomSize, "estimate_room_size", kL1, false, "volume of the room, or open air"},
    {Task::kClassifyMotion, "classify_motion", kL1, true, "how a moving sound moves"},
    {Task::kIdentifySourceByDirection, "identify_source_by_direction", kL2, false, "what sounds from a direction"},
    {Task::kIdentifySourceByLocation, "identify_source_by_location", kL2, false,
     "what sounds from a direction at a distance"},
    {Task::kBindIdentityLocationDistance, "bind_identity_location_distance", kL2, false,
     "identity, direction and distance of one sound together"},
    {Task::kRelativeLeftRight, "relative_left_right", kL2, true, "left and right of two sounds"},
    {Task::kRelativeDirectionBetweenObjects, "relative_direction_between_objects", kL2, true,
     "direction of one sound as seen from another"},
    {Task::kCompareElevation, "compare_elevation", kL2, true, "which of two sounds is higher"},
    {Task::kCompareDistance, "compare_distance", kL2, false, "which of two sounds is closer, and by how much"},
    {Task::kTemporalOrder, "temporal_order", kL2, false, "which of two sounds starts first, and by how much"},
    {Task::kOnsetFromLocation, "onset_from_location", kL2, false, "when the sound from a direction starts"},
    {Task::kAngularSeparation, "angular_separation", kL2, true, "angle between two sounds"},
    {Task::kListenerRotation, "listener_rotation", kL3, true, "where a sound is after the listener turns"},
    {Task::kListenerTranslation, "listener_translation", kL3, true, "where a sound is after the listener walks"},
    {Task::kSourceRemoval, "source_removal", kL3, false, "what remains when one sound is taken away"},
    {Task::kCompoundCondition, "compound_condition", kL3, false, "which sound meets two conditions"},
    {Task::kMultiHop, "multi_hop", kL3, true, "where the nearest, farthest, first or last sound is"},
    {Task::kSceneAbduction, "scene_abduction", kL3, false, "which place and sounds explain what is heard"},
    {Task::kMotionPrediction, "motion_prediction", kL3, true, "where a moving sound will be"},
};

}  // namespace

std::span<const TaskInfo> AllTasks() { return kTasks; }

const TaskInfo& InfoOf(Task task) { return kTasks[static_cast<int>(task)]; }

const TaskInfo* FindTask(std::string_view name) {
  for (const TaskInfo& info : kTasks) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace auricle::sim
