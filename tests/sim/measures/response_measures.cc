#include "tests/sim/measures/response_measures.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "model/audio/fft.h"
#include "sim/room/echogram.h"
#include "sim/room/response.h"

namespace auricle::sim {

double BandErrorDb(std::span<const float> got, std::span<const float> want, int rate, double low_hz, double high_hz) {
  const size_t n = audio::FastFftLength(2 * want.size());
  const auto spectrum = [&](std::span<const float> x) {
    std::vector<float> padded(n, 0.0f);
    std::copy_n(x.begin(), std::min(x.size(), want.size()), padded.begin());
    return *audio::ForwardFft(padded, 1, n);
  };
  const auto g = spectrum(got), w = spectrum(want);
  double difference = 0, energy = 0;
  for (size_t k = 0; k < w.size(); ++k) {
    const double hz = static_cast<double>(k) * rate / static_cast<double>(n);
    if (hz < low_hz || hz >= high_hz) continue;
    difference += std::norm(g[k] - w[k]);
    energy += std::norm(w[k]);
  }
  return 10 * std::log10(difference / energy);
}

double ErrorDb(const audio::FoaClip& got, const audio::FoaClip& want, size_t frames) {
  double difference = 0, energy = 0;
  for (int c = 0; c < audio::kFoaChannels; ++c) {
    for (size_t i = 0; i < frames; ++i) {
      difference += std::pow(got.channel(c)[i] - want.channel(c)[i], 2);
      energy += std::pow(want.channel(c)[i], 2);
    }
  }
  return 10 * std::log10(difference / energy);
}

double DelayByPhaseSlope(std::span<const float> x, int rate, double near) {
  double st = 0, sp = 0, stt = 0, stp = 0, n = 0;
  for (double hz = 200; hz <= 4000; hz += 50) {
    std::complex<double> sum = 0;
    const double step = 2 * std::numbers::pi * hz / rate;
    // Rotated by the expected delay, so that the phase left over never wraps.
    for (size_t i = 0; i < x.size(); ++i)
      sum += static_cast<double>(x[i]) * std::polar(1.0, -step * (static_cast<double>(i) - near));
    const double phase = std::arg(sum);
    st += step, sp += phase, stt += step * step, stp += step * phase, n += 1;
  }
  return near - (n * stp - st * sp) / (n * stt - st * st);
}

PlaneWave MeasurePlaneWave(const audio::FoaClip& response) {
  double w = 0, xyz = 0;
  std::array<double, 3> intensity{};
  for (size_t n = 0; n < response.frames(); ++n) {
    const double omni = response.channel(audio::kW)[n];
    w += omni * omni;
    for (int c = 1; c < audio::kFoaChannels; ++c) {
      const double v = response.channel(c)[n];
      xyz += v * v;
      intensity[static_cast<size_t>(c) - 1] += omni * v;
    }
  }
  return {.energy_ratio = xyz / w,
          .intensity = 1.0 / w * Vec3{intensity[audio::kX - 1], intensity[audio::kY - 1], intensity[audio::kZ - 1]}};
}

BandedRoom SameInEveryBand(const Shoebox& room) {
  BandedRoom banded = {.size_m = room.size_m};
  banded.absorption.fill(room.absorption);
  return banded;
}

absl::StatusOr<std::array<std::array<double, 4>, 4>> LateFieldCovariance(uint64_t keys) {
  const Shoebox room = {.size_m = {5, 4, 3}, .absorption = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1}};
  std::array<std::array<double, 4>, 4> covariance{};
  for (uint64_t key = 0; key < keys; ++key) {
    const auto response = RenderRoom(SameInEveryBand(room), {1, 1, 1}, {3, 2.5, 1.7}, {.high_pass_hz = 0, .key = key});
    if (!response.ok()) return response.status();
    const size_t first = static_cast<size_t>(1.05 * TimeOfImages(room, 1000) * 16000);
    for (size_t i = first; i < response->foa.frames(); ++i) {
      for (int a = 0; a < 4; ++a) {
        for (int b = 0; b < 4; ++b)
          covariance[a][b] += static_cast<double>(response->foa.channel(a)[i]) * response->foa.channel(b)[i];
      }
    }
  }
  return covariance;
}

}  // namespace auricle::sim
