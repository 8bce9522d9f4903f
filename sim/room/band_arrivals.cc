#include "sim/room/band_arrivals.h"

#include <algorithm>
#include <cmath>

#include "model/audio/fft.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/room/band_arrivals.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sum += weight * in: `count` complex numbers, parts interleaved, and as many real weights.
void AddWeightedKernel(const float* weight, const float* in, float* sum, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    hn::Vec<decltype(d)> re, im, sum_re, sum_im;
    hn::LoadInterleaved2(d, in + 2 * k, re, im);
    hn::LoadInterleaved2(d, sum + 2 * k, sum_re, sum_im);
    const auto w = hn::LoadU(d, weight + k);
    hn::StoreInterleaved2(hn::MulAdd(w, re, sum_re), hn::MulAdd(w, im, sum_im), d, sum + 2 * k);
  }
  for (; k < count; ++k) {
    sum[2 * k] += weight[k] * in[2 * k];
    sum[2 * k + 1] += weight[k] * in[2 * k + 1];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(AddWeightedKernel);

constexpr int kChannels = audio::kFoaChannels;
// Arrivals handed to the kernel at a time: small enough for the first-level cache.
constexpr size_t kBatch = 128;

size_t RingFrames(int sample_rate) {
  return std::max<size_t>(kDelayTaps, static_cast<size_t>(kRingSeconds * sample_rate));
}

}  // namespace

BandArrivals::BandArrivals(int sample_rate, size_t frames)
    : sample_rate_(sample_rate),
      bands_(BandsBelowNyquist(sample_rate)),
      buffer_(bands_ * kChannels, frames, RingFrames(sample_rate)),
      n_fft_(audio::FastFftLength(buffer_.stride + RingFrames(sample_rate))),
      weights_(BandWeights(n_fft_, sample_rate)) {
  delays_.reserve(kBatch);
  gains_.reserve(kBatch * static_cast<size_t>(buffer_.channels));
}

void BandArrivals::Add(double delay, Vec3 unit, const std::array<float, kBands>& gains) {
  std::array<float, kChannels> foa;
  std::ranges::transform(FoaGains(unit), foa.begin(), [](double g) { return static_cast<float>(g); });
  for (int band = 0; band < bands_; ++band) {
    for (float g : foa) gains_.push_back(gains[static_cast<size_t>(band)] * g);
  }
  delays_.push_back(delay);
  if (delays_.size() == kBatch) Flush();
}

void BandArrivals::Flush() {
  AddArrivals(delays_, gains_, buffer_);
  delays_.clear();
  gains_.clear();
}

absl::Status BandArrivals::AddTo(audio::FoaClip& clip) {
  Flush();
  const size_t bins = audio::FftBins(n_fft_);
  absl::StatusOr<std::vector<audio::Complex>> spectra =
      audio::ForwardFft(buffer_.samples, static_cast<size_t>(buffer_.channels), n_fft_);
  std::ranges::fill(buffer_.samples, 0.0f);
  if (!spectra.ok()) return spectra.status();
  std::vector<audio::Complex> sum(kChannels * bins, audio::Complex(0.0f, 0.0f));
  for (int band = 0; band < bands_; ++band) {
    // A band has weight in one stretch of bins only.
    const std::span<const float> row(weights_.data() + static_cast<size_t>(band) * bins, bins);
    const auto heard = [](float w) { return w != 0.0f; };
    const size_t first = static_cast<size_t>(std::ranges::find_if(row, heard) - row.begin());
    size_t end = bins;
    while (end > first && !heard(row[end - 1])) --end;
    for (int c = 0; c < kChannels; ++c) {
      const audio::Complex* in = spectra->data() + static_cast<size_t>(band * kChannels + c) * bins + first;
      audio::Complex* out = sum.data() + static_cast<size_t>(c) * bins + first;
      HWY_DYNAMIC_DISPATCH(AddWeightedKernel)
      (row.data() + first, reinterpret_cast<const float*>(in), reinterpret_cast<float*>(out), end - first);
    }
  }
  absl::StatusOr<std::vector<float>> signals = audio::InverseFft(sum, kChannels, n_fft_);
  if (!signals.ok()) return signals.status();
  const size_t frames = std::min(clip.frames(), n_fft_ - buffer_.lead);
  for (int c = 0; c < kChannels; ++c) {
    const float* in = signals->data() + static_cast<size_t>(c) * n_fft_ + buffer_.lead;
    float* out = clip.channel(c).data();
    for (size_t i = 0; i < frames; ++i) out[i] += in[i];
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> BandArrival(int sample_rate, size_t frames, double delay,
                                               const std::array<float, kBands>& gains) {
  // As long as the arrival and its ringing need, which may be less than `frames`.
  const size_t ring = RingFrames(sample_rate);
  const size_t length = std::min(frames, static_cast<size_t>(delay) + kDelayTaps + ring);
  ArrivalBuffer buffer(1, length, ring);
  const float one = 1.0f;
  AddArrivals({&delay, 1}, {&one, 1}, buffer);
  const size_t n_fft = audio::FastFftLength(buffer.stride), bins = audio::FftBins(n_fft);
  absl::StatusOr<std::vector<audio::Complex>> spectrum = audio::ForwardFft(buffer.samples, 1, n_fft);
  if (!spectrum.ok()) return spectrum.status();
  for (size_t k = 0; k < bins; ++k) {
    const BandShare share = BandShareAt(static_cast<double>(k) * sample_rate / static_cast<double>(n_fft));
    const float low = gains[static_cast<size_t>(share.lower)], high = gains[static_cast<size_t>(share.lower + 1)];
    (*spectrum)[k] *= low + static_cast<float>(share.upper_share) * (high - low);
  }
  absl::StatusOr<std::vector<float>> signal = audio::InverseFft(*spectrum, 1, n_fft);
  if (!signal.ok()) return signal.status();
  std::vector<float> arrival(frames, 0.0f);
  std::copy_n(signal->begin() + static_cast<std::ptrdiff_t>(buffer.lead), length, arrival.begin());
  return arrival;
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
