// Noise on what frozen ears heard, while a decoder learns from it.
//
// Ears know the recordings that they learned from far better than new ones (of training clips in new rooms four in five
// classes are right, of new clips two in five). A decoder that learns from the former believes the most probable class
// blindly. With noise on its evidence it learns to weigh the next ones too.
#pragma once

#include <ATen/core/Generator.h>

#include "model/encoder/ears_network.h"

namespace auricle::train {

struct HearingNoise {
  double class_logits = 3;  // largest standard deviation on the class logits, [0, 20]
  double embeddings =
      1;  // largest on slot embeddings, semantic and fused tokens, in units of each vector's root mean square, [0, 5]
};

// Each clip draws its own two strengths, uniform from 0 up to those. Directions, distances, times and the room stay as
// they were heard: those carry over to new recordings. All draws come from `generator` (CPU).
model::EarsOutput AddHearingNoise(model::EarsOutput heard, const HearingNoise& noise, at::Generator generator);

}  // namespace auricle::train
