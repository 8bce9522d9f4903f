// From the network's tensors to the structured evidence: a Scene message.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "model/encoder/ears_network.h"

namespace auricle::model {

// One class of the vocabulary, in the order of the class logits.
struct SoundClass {
  std::string name;   // "dog"
  std::string label;  // "a dog barking"
};

struct EvidenceOptions {
  double exist_threshold = 0.5;     // (0, 1)
  double activity_on = 0.5;         // a span starts where activity rises to this ...
  double activity_off = 0.35;       // ... and ends where it falls below this; (0, activity_on]
  double min_span_seconds = 0.2;    // shorter spans are dropped (the strongest stays when none is left)
  double max_gap_seconds = 0.2;     // shorter gaps are closed
  double duplicate_angle_deg = 15;  // same class, closer than this, overlapping in time: one source
  bool tracks = false;              // fill Source.frames
  double start_seconds = 0;         // of the first token on the audio's own clock; added to every time, >= 0
};

// The scene that clip `item` of the batch holds. `duration_seconds` is the true length of what was heard; spans are cut
// to it.
// INVALID_ARGUMENT: class table not as long as the class logits, item out of range, option out of range.
absl::StatusOr<v1::Scene> PerceivedScene(const EarsOutput& heard, int64_t item, const std::vector<SoundClass>& classes,
                                         double duration_seconds, const EvidenceOptions& options = {});

}  // namespace auricle::model
