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

size_t BlocksOf(size_t frames) { return (frames + kBlock - 1) / kBlock; }

// [channels, blocks, kBins]: the transforms of each channel's blocks, zero-padded to kFft, after `lead` zeros. `planar`
// is [channels, n].
absl::StatusOr<std::vector<audio::Complex>> TransformBlocks(std::span<const float> planar, size_t channels,
                                                            size_t blocks, size_t lead = 0) {
  const size_t n = planar.size() / channels, row = blocks * kBlock;
  std::vector<float> rows(channels * row, 0.0f);
  for (size_t c = 0; c < channels; ++c)
    std::copy_n(planar.begin() + c * n, std::min(n, row - lead), rows.begin() + c * row + lead);
  return audio::ForwardFft(rows, channels * blocks, kFft);
}

// What is known of one part before the sum: its spectra, and where they belong.
struct PreparedPart {
  size_t first_block = 0;  // of the sum
  size_t in_blocks = 0, filter_blocks = 0;
  std::vector<audio::Complex> in;       // [in_blocks, kBins]
  std::vector<audio::Complex> filters;  // [channels, filter_blocks, kBins]
  size_t end_block() const { return first_block + in_blocks + filter_blocks; }
};

// sum += a * b, bin by bin.
void MultiplyAdd(const audio::Complex* a, const audio::Complex* b, audio::Complex* sum) {
  HWY_DYNAMIC_DISPATCH(MultiplyAddKernel)
  (reinterpret_cast<const float*>(a), reinterpret_cast<const float*>(b), reinterpret_cast<float*>(sum), kBins);
}

}  // namespace

absl::StatusOr<std::vector<float>> ConvolveFoa(std::span<const float> signal, const audio::FoaClip& response,
                                               size_t frames) {
  const FoaConvolution part = {.signal = signal, .start = 0, .response = &response};
  return ConvolveFoaSum({&part, 1}, frames);
}

absl::StatusOr<std::vector<float>> ConvolveFoaSum(std::span<const FoaConvolution> parts, size_t frames) {
  if (parts.empty()) return absl::InvalidArgumentError("parts is empty: at least one convolution");
  std::vector<float> out(kChannels * frames, 0.0f);
  std::vector<PreparedPart> prepared;
  size_t out_blocks = 0;
  for (const FoaConvolution& part : parts) {
    const size_t taps = part.response->frames();
    if (part.signal.empty() || taps == 0)
      return absl::InvalidArgumentError("signal and response must have one sample or more");
    // What lies past `frames` is not computed.
    if (part.start >= frames) continue;
    const size_t first = part.start / kBlock, lead = part.start % kBlock;
    const size_t blocks = std::min(BlocksOf(frames) - first, BlocksOf(lead + part.signal.size() + taps - 1));
    PreparedPart p = {.first_block = first,
                      .in_blocks = std::min(BlocksOf(lead + part.signal.size()), blocks),
                      .filter_blocks = std::min(BlocksOf(taps), blocks),
                      .in = {},
                      .filters = {}};
    out_blocks = std::max(out_blocks, first + blocks);
    absl::StatusOr<std::vector<audio::Complex>> in = TransformBlocks(part.signal, 1, p.in_blocks, lead);
    if (!in.ok()) return in.status();
    absl::StatusOr<std::vector<audio::Complex>> filters =
        TransformBlocks(part.response->samples, kChannels, p.filter_blocks);
    if (!filters.ok()) return filters.status();
    p.in = *std::move(in);
    p.filters = *std::move(filters);
    prepared.push_back(std::move(p));
  }
  if (out_blocks == 0) return out;

  std::vector<audio::Complex> products(out_blocks * kBins);
  for (size_t c = 0; c < kChannels; ++c) {
    // Output block n is the sum over partitions p of input block n - p through partition p; its second half runs over
    // into block n + 1.
    std::ranges::fill(products, audio::Complex(0.0f, 0.0f));
    for (const PreparedPart& part : prepared) {
      const audio::Complex* filter = part.filters.data() + c * part.filter_blocks * kBins;
      for (size_t n = 0; n < std::min(out_blocks, part.end_block()) - part.first_block; ++n) {
        audio::Complex* sum = products.data() + (part.first_block + n) * kBins;
        for (size_t p = n < part.in_blocks ? 0 : n - part.in_blocks + 1; p < std::min(part.filter_blocks, n + 1); ++p) {
          MultiplyAdd(part.in.data() + (n - p) * kBins, filter + p * kBins, sum);
        }
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
