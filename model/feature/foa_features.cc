#include "model/feature/foa_features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "model/feature/mel.h"

namespace auricle::model {
namespace {

constexpr int kSampleRate = 16000;
constexpr int kChannels = 10;
// Products per bin, padded to whole SIMD registers: WW, WX, WY, WZ, XX, YY, ZZ, XY, XZ, YZ, 0, 0.
constexpr int kLanes = 12;

// Frames transformed at a time: their samples and spectra stay in the second-level cache.
constexpr int64_t kBlockFrames = 64;

// Row and column of the covariances in channels 4..9.
constexpr std::array<std::array<int, 2>, 6> kPairs = {{{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}}};

// Real parts of the ten products of one bin.
inline void Products(std::complex<float> w, std::complex<float> y, std::complex<float> z, std::complex<float> x,
                     float* out) {
  const auto dot = [](std::complex<float> a, std::complex<float> b) {
    return a.real() * b.real() + a.imag() * b.imag();
  };
  out[0] = dot(w, w);
  out[1] = dot(w, x);
  out[2] = dot(w, y);
  out[3] = dot(w, z);
  out[4] = dot(x, x);
  out[5] = dot(y, y);
  out[6] = dot(z, z);
  out[7] = dot(x, y);
  out[8] = dot(x, z);
  out[9] = dot(y, z);
  out[10] = 0;
  out[11] = 0;
}

}  // namespace

FoaFeatures::FoaFeatures(int mels) : mels_(mels), stft_({.padding = EdgePadding::kZero}) {
  const torch::Tensor filters =
      MelFilters(mels, stft_.config().fft_size, kSampleRate, 0, kSampleRate / 2, MelScale::kHtk, MelNorm::kPeak);
  const auto dense = filters.accessor<double, 2>();
  for (int m = 0; m < mels; ++m) {
    Band band;
    for (int k = 0; k < stft_.bins(); ++k) {
      if (dense[m][k] == 0) continue;
      if (band.weights.empty()) band.first_bin = k;
      band.weights.resize(k - band.first_bin + 1, 0.0f);
      band.weights.back() = static_cast<float>(dense[m][k]);
    }
    bands_.push_back(std::move(band));
  }
}

torch::Tensor FoaFeatures::operator()(const torch::Tensor& audio) const {
  if (audio.dim() == 2) return (*this)(audio.unsqueeze(0)).squeeze(0);
  TORCH_CHECK(audio.dim() == 3 && audio.size(1) == 4, "audio must be [batch, 4, samples]");
  TORCH_CHECK(audio.scalar_type() == torch::kFloat32 && audio.device().is_cpu(), "audio must be float32 on the CPU");
  const int64_t frames = audio.size(2) / stft_.config().hop;
  TORCH_CHECK(frames >= 1, "audio must hold at least ", stft_.config().hop, " samples");
  const torch::NoGradGuard no_grad;
  const int64_t batch = audio.size(0);
  torch::Tensor features = torch::empty({batch, kChannels, frames, mels_});
  const int64_t plane = frames * mels_;
  for (int64_t b = 0; b < batch; ++b) {
    const torch::Tensor padded = stft_.Pad(audio[b]);
    float* clip = features.data_ptr<float>() + b * kChannels * plane;
    for (int64_t first = 0; first < frames; first += kBlockFrames) {
      const int64_t count = std::min<int64_t>(kBlockFrames, frames - first);
      Fill(stft_.Transform(padded, first, count).contiguous(), clip + first * mels_, plane);
    }
  }
  return features;
}

void FoaFeatures::Fill(const torch::Tensor& spectra, float* out, int64_t plane) const {
  const int64_t frames = spectra.size(1), bins = spectra.size(2);
  const auto* spectrum = reinterpret_cast<const std::complex<float>*>(spectra.data_ptr<c10::complex<float>>());
  const float floor = static_cast<float>(kPowerFloor);
  const float log_floor = std::log(floor);
  std::vector<float> products(bins * kLanes);
  for (int64_t f = 0; f < frames; ++f) {
    const auto* w = spectrum + (0 * frames + f) * bins;
    const auto* y = spectrum + (1 * frames + f) * bins;
    const auto* z = spectrum + (2 * frames + f) * bins;
    const auto* x = spectrum + (3 * frames + f) * bins;
    for (int64_t k = 0; k < bins; ++k) Products(w[k], y[k], z[k], x[k], &products[k * kLanes]);
    for (int m = 0; m < mels_; ++m) {
      const Band& band = bands_[m];
      float sum[kLanes] = {};
      const float* product = &products[band.first_bin * kLanes];
      for (const float weight : band.weights) {
        for (int lane = 0; lane < kLanes; ++lane) sum[lane] += weight * product[lane];
        product += kLanes;
      }
      float* cell = out + f * mels_ + m;
      cell[0] = static_cast<float>(kPowerScale) * (std::log(sum[0] + floor) - log_floor);
      const float inverse = 1.0f / (0.5f * (sum[0] + sum[4] + sum[5] + sum[6]) + floor);
      for (int c = 1; c < kChannels; ++c) cell[c * plane] = sum[c] * inverse;
    }
  }
}

torch::Tensor FeatureRotation(const torch::Tensor& map) {
  TORCH_CHECK(map.dim() == 2 && map.size(0) == 3 && map.size(1) == 3, "map must be [3, 3]");
  const torch::Tensor exact = map.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto m = exact.accessor<double, 2>();
  torch::Tensor rotation = torch::zeros({kChannels, kChannels});
  auto r = rotation.accessor<float, 2>();
  r[0][0] = 1;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) r[1 + i][1 + j] = static_cast<float>(m[i][j]);
  }
  // C' = M C M^T on the six independent entries of the symmetric C.
  for (int row = 0; row < 6; ++row) {
    const auto [a, b] = kPairs[row];
    for (int column = 0; column < 6; ++column) {
      const auto [c, d] = kPairs[column];
      const double both = c == d ? m[a][c] * m[b][c] : m[a][c] * m[b][d] + m[a][d] * m[b][c];
      r[4 + row][4 + column] = static_cast<float>(both);
    }
  }
  return rotation;
}

torch::Tensor RotateFeatures(const torch::Tensor& features, const torch::Tensor& map) {
  TORCH_CHECK(features.dim() >= 3 && features.size(-3) == kChannels, "features must be [..., 10, frames, mels]");
  const torch::Tensor rotation = FeatureRotation(map).to(features.device(), features.scalar_type());
  return torch::matmul(rotation, features.flatten(-2)).view_as(features);
}

torch::Tensor YawReflectionMap(double yaw_deg, bool mirror_y, bool mirror_z) {
  const double yaw = yaw_deg * std::numbers::pi / 180.0;
  const double y_sign = mirror_y ? -1.0 : 1.0;
  torch::Tensor map = torch::zeros({3, 3}, torch::kFloat64);
  auto m = map.accessor<double, 2>();
  m[0][0] = std::cos(yaw);
  m[0][1] = -std::sin(yaw) * y_sign;
  m[1][0] = std::sin(yaw);
  m[1][1] = std::cos(yaw) * y_sign;
  m[2][2] = mirror_z ? -1.0 : 1.0;
  return map;
}

}  // namespace auricle::model
