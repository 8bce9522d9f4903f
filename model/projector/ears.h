// The ears: from a waveform to evidence and audio tokens. The edge where LibTorch's exceptions become Status.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "model/encoder/ears_network.h"
#include "model/encoder/evidence.h"
#include "model/feature/foa_features.h"
#include "model/projector/projector.h"

namespace auricle::model {

struct Heard {
  EarsOutput perceived;  // batch of the clips, in order
  AudioTokens tokens;
};

// Thread-safe once built, as long as nobody trains the modules: Encode runs without gradient, in eval mode.
class Ears {
 public:
  // Shares the modules. Switches them to eval mode.
  Ears(EarsNetwork network, Projector projector);

  // Clips [4, T_i] float32, AmbiX, 16 kHz, each of at least 1600 samples (0.1 s); what is left after the last whole
  // 0.1 s is not heard. INVALID_ARGUMENT names the clip and what is wrong with it.
  absl::StatusOr<Heard> Encode(const std::vector<torch::Tensor>& clips) const;

  const EarsConfig& config() const { return network_->config(); }
  const EarsNetwork& network() const { return network_; }
  const Projector& projector() const { return projector_; }

 private:
  EarsNetwork network_;
  Projector projector_;
  FoaFeatures features_;
};

}  // namespace auricle::model
