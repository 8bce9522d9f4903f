#include "sim/scene/ambience_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "sim/room/in_range.h"
#include "sim/source/dry_signal.h"
#include "sim/source/sound_classes.h"

namespace auricle::sim {
namespace {

// As the noise floor's.
constexpr double kMaxSlopeDb = 6.0;

// Of the file, or of the part of it that is the recording.
double Seconds(const Recording& recording) {
  const double end = recording.end_seconds > 0.0 ? recording.end_seconds : recording.seconds;
  return std::min(end, recording.seconds) - recording.start_seconds;
}

// One class and its recordings that are long enough, with their weights.
struct BedClass {
  std::vector<int> recordings;
  std::vector<double> weights;
};

absl::StatusOr<std::vector<BedClass>> FindBeds(const v1::AmbienceSpec& spec, const SourceBank& bank, Split split,
                                               std::span<const int> heard) {
  std::vector<BedClass> beds;
  for (const std::string& name : spec.classes()) {
    const int class_index = FindSoundClass(name);
    if (class_index < 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("ambience.classes names \"%s\", which is not in the vocabulary", name));
    }
    if (std::ranges::find(heard, class_index) != heard.end()) continue;
    BedClass bed;
    for (const RecordingGroup& group : bank.groups(class_index, split)) {
      for (int index : group.recordings) {
        const Recording& recording = bank.recordings()[static_cast<size_t>(index)];
        if (Seconds(recording) < kLeastBedSeconds) continue;
        bed.recordings.push_back(index);
        // A group counts once, however many clips it was cut into.
        bed.weights.push_back(recording.weight / static_cast<double>(group.recordings.size()));
      }
    }
    if (!bed.recordings.empty()) beds.push_back(std::move(bed));
  }
  return beds;
}

}  // namespace

absl::Status Validate(const PlannedAmbience& ambience) {
  if (ambience.kind == v1::AMBIENCE_KIND_UNSPECIFIED || !v1::AmbienceKind_IsValid(ambience.kind)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("ambience.kind = %d is none of AmbienceKind's", static_cast<int>(ambience.kind)));
  }
  constexpr double kLowestDbfs = -200.0;
  if (absl::Status s = CheckInRange("ambience.level_dbfs", ambience.level_dbfs, kLowestDbfs, 0.0); !s.ok()) return s;
  return CheckInRange("ambience.slope_db", ambience.slope_db, 0.0, kMaxSlopeDb);
}

absl::StatusOr<std::optional<PlannedAmbience>> DrawAmbience(const v1::AmbienceSpec& spec, const SourceBank& bank,
                                                            Split split, std::span<const int> heard,
                                                            const Random& random) {
  const absl::StatusOr<std::vector<BedClass>> beds = FindBeds(spec, bank, split, heard);
  if (!beds.ok()) return beds.status();
  Random whole = random.Fork("whole");
  if (!whole.Chance(spec.probability())) return std::nullopt;

  PlannedAmbience ambience;
  // Below the direct sound of the nominal source at 1 m.
  const double nominal_db = 20.0 * std::log10(kDryRms / (4.0 * std::numbers::pi));
  ambience.level_dbfs = nominal_db - whole.Uniform(spec.below_db().min(), spec.below_db().max());
  ambience.key = whole.Bits();
  constexpr std::array kKinds = {v1::AMBIENCE_KIND_NOISE, v1::AMBIENCE_KIND_SPEECH_SHAPED, v1::AMBIENCE_KIND_RECORDING};
  const std::array weights = {spec.noise_weight(), spec.speech_shaped_weight(), spec.recording_weight()};
  ambience.kind = kKinds[whole.Weighted(weights)];
  if (ambience.kind == v1::AMBIENCE_KIND_NOISE) ambience.slope_db = whole.Uniform(0.0, kMaxSlopeDb);
  if (ambience.kind == v1::AMBIENCE_KIND_RECORDING) {
    if (beds->empty()) {
      ambience.kind = v1::AMBIENCE_KIND_SPEECH_SHAPED;
    } else {
      const BedClass& bed = (*beds)[whole.Index(beds->size())];
      ambience.recording = bed.recordings[whole.Weighted(bed.weights)];
    }
  }
  return ambience;
}

}  // namespace auricle::sim
