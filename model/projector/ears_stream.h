// The ears on a live stream: audio in pieces of any size, and at any moment what has been heard so far.
//
// Work is done once per chunk of EarsConfig::chunk_tokens (0.4 s), as soon as the 0.4 s that its convolutions look
// ahead are there; a snapshot adds the unfinished end, the slots and the projector. Snapshot equals Ears::Encode of the
// same samples to float rounding (<= 1e-4 in every valid output), however the audio was cut.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/projector/ears.h"

namespace auricle::model {

// Values: a copy goes its own way from there on (tensors are shared until they change). One thread at a time.
class EarsStream {
 public:
  // Shares the modules of `ears`.
  explicit EarsStream(const Ears& ears);

  // Appends audio [4, n] float32, AmbiX, 16 kHz. INVALID_ARGUMENT: shape, type, NaN or infinity; nothing is taken then.
  absl::Status Feed(const torch::Tensor& audio);

  // Everything heard so far, but for what is left after the last whole 0.1 s; a batch of one clip.
  // `from_seconds` leaves out what lies before (rounded down to a whole chunk; see first_token_of). The tokens that
  // stay still know what came before them. FAILED_PRECONDITION when less than 0.1 s is there, or from_seconds lies
  // behind it.
  absl::StatusOr<Heard> Snapshot(double from_seconds = 0) const;

  // Token at which Snapshot(from_seconds) begins: EvidenceOptions::start_seconds is this / kTokensPerSecond.
  int64_t first_token_of(double from_seconds) const;

  // Samples fed.
  int64_t samples() const { return samples_; }

 private:
  // Encodes the chunks up to token `end`, whose lookahead is there.
  void Advance(int64_t end);
  // First frame that the convolutions see of the next token.
  int64_t ContextBegin() const;
  // Feature frames [frames_, end) from the audio kept, [10, end - frames_, mels].
  torch::Tensor NextFrames(int64_t end) const;

  EarsNetwork network_;
  Projector projector_;
  FoaFeatures extract_;

  int64_t samples_ = 0;
  int64_t audio_begin_ = 0;                  // sample of the stream at which audio_ begins
  std::array<std::vector<float>, 4> audio_;  // what frames from frames_ on still need
  int64_t frames_ = 0;                       // feature frames computed for good
  int64_t features_begin_ = 0;               // frame at which features_ begins, a multiple of 10
  torch::Tensor features_;              // [10, frames_ - features_begin_, mels]: the tokens that are listened to again
  int64_t tokens_ = 0;                  // tokens encoded for good, whole chunks
  EarsNetworkImpl::LocalTokens local_;  // [1, tokens_, D] each
  torch::Tensor fused_;                 // [1, tokens_, D]
  FusionCache cache_;
};

}  // namespace auricle::model
