// The last seconds of a stream's PCM, as it came. Older audio is forgotten.
//
// Bytes lie in blocks that are never moved: appending costs what is appended, and a slice shares the blocks instead of
// copying them. A slice stays readable while the history goes on, in another thread too: appending only writes bytes
// past the end of every slice that was taken.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/inference/audio_intake.h"

namespace auricle::server {

// Not thread-safe itself.
class PcmHistory {
 public:
  // frame_bytes: 8 or 16. max_frames >= 1: how much is remembered at least; memory is at most a block more.
  PcmHistory(size_t frame_bytes, uint64_t max_frames);

  // Whole frames.
  void Append(absl::string_view pcm);

  // Frames [first_frame, end_frame) are remembered; end_frame is also the count of all frames that ever came.
  uint64_t first_frame() const;
  uint64_t end_frame() const { return end_frame_; }

  // Frames [first, last), first_frame() <= first < last <= end_frame(). Pieces hold whole frames.
  std::vector<Bytes> Slice(uint64_t first, uint64_t last) const;

 private:
  struct Block {
    std::shared_ptr<char[]> bytes;
    size_t used = 0;
    uint64_t first_frame = 0;
  };

  const size_t frame_bytes_;
  const uint64_t max_frames_;
  uint64_t end_frame_ = 0;
  std::deque<Block> blocks_;
};

}  // namespace auricle::server
