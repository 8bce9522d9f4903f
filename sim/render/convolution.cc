#include "sim/render/convolution.h"

#include <algorithm>

#include "model/audio/fft.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/render/convolution.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sum += a * b, `count` complex numbers, parts interleaved.
void MultiplyAddKernel(const float* a, const float* b, float* sum, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    hn::Vec<decltype(d)> ar, ai, br, bi, sr, si;
    hn::LoadInterleaved2(d, a + 2 * k, ar, ai);
    hn::LoadInterleaved2(d, b + 2 * k, br, bi);
    hn::LoadInterleaved2(d, sum + 2 * k, sr, si);
    sr = hn::NegMulAdd(ai, bi, hn::MulAdd(ar, br, sr));
    si = hn::MulAdd(ai, br, hn::MulAdd(ar, bi, si));
    hn::StoreInterleaved2(sr, si, d, sum + 2 * k);
  }
  for (; k < count; ++k) {
    sum[2 * k] += a[2 * k] * b[2 * k] - a[2 * k + 1] * b[2 * k + 1];
    sum[2 * k + 1] += a[2 * k] * b[2 * k + 1] + a[2 * k + 1] * b[2 * k];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(MultiplyAddKernel);

constexpr size_t kBlock = 4096, kFft = 2 * kBlock, kBins = kBlock + 1;
constexpr size_t kChannels = audio::kFoaChannels;

// [channels, blocks, kBins]: the transforms of each channel's blocks, zero-padded to kFft. `planar` is [channels, n].
absl::StatusOr<std::vector<audio::Complex>> TransformBlocks(std::span<const float> planar, size_t channels,
                                                            size_t blocks) {
  const size_t n = planar.size() / channels, row = blocks * kBlock;
  std::vector<float> rows(channels * row, 0.0f);
  for (size_t c = 0; c < channels; ++c) std::copy_n(planar.begin() + c * n, std::min(n, row), rows.begin() + c * row);
  return audio::ForwardFft(rows, channels * blocks, kFft);
}

// sum += a * b, bin by bin.
void MultiplyAdd(const audio::Complex* a, const audio::Complex* b, audio::Complex* sum) {
  HWY_DYNAMIC_DISPATCH(MultiplyAddKernel)
  (reinterpret_cast<const float*>(a), reinterpret_cast<const float*>(b), reinterpret_cast<float*>(sum), kBins);
}

}  // namespace

absl::StatusOr<std::vector<float>> ConvolveFoa(std::span<const float> signal, const audio::FoaClip& response,
                                               size_t frames) {
  const size_t taps = response.frames();
  if (signal.empty() || taps == 0)
    return absl::InvalidArgumentError("signal and response must have one sample or more");
  std::vector<float> out(kChannels * frames, 0.0f);
  if (frames == 0) return out;
  const auto blocks_of = [](size_t n) { return (n + kBlock - 1) / kBlock; };
  // What lies past `frames` is not computed.
  const size_t out_blocks = std::min(blocks_of(frames), blocks_of(signal.size() + taps - 1));
  const size_t in_blocks = std::min(blocks_of(signal.size()), out_blocks),
               parts = std::min(blocks_of(taps), out_blocks);

  absl::StatusOr<std::vector<audio::Complex>> in = TransformBlocks(signal, 1, in_blocks);
  if (!in.ok()) return in.status();
  absl::StatusOr<std::vector<audio::Complex>> filters = TransformBlocks(response.samples, kChannels, parts);
  if (!filters.ok()) return filters.status();
  std::vector<audio::Complex> products(out_blocks * kBins);
  for (size_t c = 0; c < kChannels; ++c) {
    const audio::Complex* filter = filters->data() + c * parts * kBins;
    // Output block n is the sum over partitions p of input block n - p through partition p; its second half runs over
    // into block n + 1.
    std::ranges::fill(products, audio::Complex(0.0f, 0.0f));
    for (size_t n = 0; n < out_blocks; ++n) {
      for (size_t p = n < in_blocks ? 0 : n - in_blocks + 1; p < std::min(parts, n + 1); ++p) {
        MultiplyAdd(in->data() + (n - p) * kBins, filter + p * kBins, products.data() + n * kBins);
      }
    }
    absl::StatusOr<std::vector<float>> pieces = audio::InverseFft(products, out_blocks, kFft);
    if (!pieces.ok()) return pieces.status();
    float* channel = out.data() + c * frames;
    for (size_t n = 0; n < out_blocks; ++n) {
      const size_t at = n * kBlock, count = std::min(kFft, frames - at);
      const float* piece = pieces->data() + n * kFft;
      for (size_t i = 0; i < count; ++i) channel[at + i] += piece[i];
    }
  }
  return out;
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
