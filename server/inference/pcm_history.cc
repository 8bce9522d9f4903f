#include "server/inference/pcm_history.h"

#include <algorithm>
#include <cstring>

namespace auricle::server {
namespace {

constexpr size_t kBlockBytes = 64 << 10;  // a multiple of every frame size

}  // namespace

PcmHistory::PcmHistory(size_t frame_bytes, uint64_t max_frames) : frame_bytes_(frame_bytes), max_frames_(max_frames) {}

void PcmHistory::Append(absl::string_view pcm) {
  while (!pcm.empty()) {
    if (blocks_.empty() || blocks_.back().used == kBlockBytes) {
      blocks_.push_back(
          Block{.bytes = std::shared_ptr<char[]>(new char[kBlockBytes]), .used = 0, .first_frame = end_frame_});
    }
    Block& block = blocks_.back();
    const size_t count = std::min(pcm.size(), kBlockBytes - block.used);
    std::memcpy(block.bytes.get() + block.used, pcm.data(), count);
    block.used += count;
    end_frame_ += count / frame_bytes_;
    pcm.remove_prefix(count);
  }
  while (blocks_.size() > 1 && end_frame_ - blocks_[1].first_frame >= max_frames_) blocks_.pop_front();
}

uint64_t PcmHistory::first_frame() const { return end_frame_ > max_frames_ ? end_frame_ - max_frames_ : 0; }

std::vector<Bytes> PcmHistory::Slice(uint64_t first, uint64_t last) const {
  std::vector<Bytes> pieces;
  for (const Block& block : blocks_) {
    const uint64_t block_end = block.first_frame + block.used / frame_bytes_;
    const uint64_t from = std::max(first, block.first_frame), to = std::min(last, block_end);
    if (from >= to) continue;
    pieces.push_back(Bytes{.owner = block.bytes,
                           .view = absl::string_view(block.bytes.get() + (from - block.first_frame) * frame_bytes_,
                                                     (to - from) * frame_bytes_)});
  }
  return pieces;
}

}  // namespace auricle::server
