#include "sim/render/convolution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

// The defining sum, in double.
double At(std::span<const float> x, std::span<const float> h, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < h.size() && k <= n; ++k) {
    if (n - k < x.size()) sum += static_cast<double>(h[k]) * x[n - k];
  }
  return sum;
}

TEST(ConvolveFoa, EqualsTheDefiningSumForLengthsAroundTheBlock) {
  for (size_t signal_frames : {1u, 100u, 4095u, 4096u, 4097u, 13000u}) {
    for (size_t taps : {1u, 37u, 4096u, 4097u, 9000u}) {
      std::vector<float> x(signal_frames);
      FillNoise(signal_frames, x);
      audio::FoaClip h = audio::MakeSilentClip(taps, 16000);
      FillNoise(taps + 77, h.samples);
      const size_t full = signal_frames + taps - 1;
      for (size_t frames : {full, full / 2 + 1, full + 50}) {
        const auto y = ConvolveFoa(x, h, frames);
        ASSERT_TRUE(y.ok()) << y.status();
        ASSERT_EQ(y->size(), 4 * frames);
        const double scale = std::sqrt(static_cast<double>(std::min(signal_frames, taps)));
        for (int c = 0; c < 4; ++c) {
          for (size_t n = 0; n < frames; n += 1 + frames / 60) {
            EXPECT_NEAR((*y)[c * frames + n], n < full ? At(x, h.channel(c), n) : 0.0, 2e-5 * scale)
                << signal_frames << " " << taps << " " << n;
          }
        }
      }
    }
  }
}

TEST(ConvolveFoaSum, AddsPartsWhereTheyBegin) {
  const std::vector<size_t> starts = {0, 3, 4095, 5000, 9000}, lengths = {6000, 1, 4100, 9000, 500},
                            taps = {5000, 70, 4096, 1, 4200};
  constexpr size_t kFrames = 9400;  // the last parts run over
  std::vector<std::vector<float>> signals;
  std::vector<audio::FoaClip> responses;
  for (size_t i = 0; i < starts.size(); ++i) {
    signals.emplace_back(lengths[i]);
    FillNoise(i, signals.back());
    responses.push_back(audio::MakeSilentClip(taps[i], 16000));
    FillNoise(50 + i, responses.back().samples);
  }
  std::vector<FoaConvolution> parts;
  for (size_t i = 0; i < starts.size(); ++i) {
    parts.push_back({.signal = signals[i], .start = starts[i], .response = &responses[i]});
  }
  const auto y = ConvolveFoaSum(parts, kFrames);
  ASSERT_TRUE(y.ok()) << y.status();
  for (int c = 0; c < 4; ++c) {
    for (size_t n = 0; n < kFrames; n += 31) {
      double want = 0;
      for (size_t i = 0; i < starts.size(); ++i) {
        if (n >= starts[i] && n - starts[i] < lengths[i] + taps[i] - 1) {
          want += At(signals[i], responses[i].channel(c), n - starts[i]);
        }
      }
      EXPECT_NEAR((*y)[c * kFrames + n], want, 5e-3) << n;
    }
  }
  EXPECT_EQ(ConvolveFoaSum({}, 10).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ConvolveFoa, RefusesEmptyInput) {
  const audio::FoaClip h = audio::MakeSilentClip(10, 16000);
  EXPECT_EQ(ConvolveFoa({}, h, 10).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ConvolveFoa(std::vector<float>(5, 1.0f), audio::MakeSilentClip(0, 16000), 10).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::sim
