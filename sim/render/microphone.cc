#include "sim/render/microphone.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "model/audio/fft.h"
#include "sim/render/convolution.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

// The filters of aliasing end this long before and after their middle; those of the largest array have rung out by
// then.
constexpr double kFilterSeconds = 0.004;
constexpr double kMu = 255.0;

// Every frame times a matrix.
void Multiply(const Matrix4& matrix, audio::FoaClip& clip) {
  std::array<std::array<float, 4>, 4> m;
  for (size_t row = 0; row < 4; ++row) {
    for (size_t column = 0; column < 4; ++column) m[row][column] = static_cast<float>(matrix[row][column]);
  }
  float *w = clip.channel(0).data(), *y = clip.channel(1).data();
  float *z = clip.channel(2).data(), *x = clip.channel(3).data();
  for (size_t i = 0; i < clip.frames(); ++i) {
    const float a = w[i], b = y[i], c = z[i], d = x[i];
    w[i] = m[0][0] * a + m[0][1] * b + m[0][2] * c + m[0][3] * d;
    y[i] = m[1][0] * a + m[1][1] * b + m[1][2] * c + m[1][3] * d;
    z[i] = m[2][0] * a + m[2][1] * b + m[2][2] * c + m[2][3] * d;
    x[i] = m[3][0] * a + m[3][1] * b + m[3][2] * c + m[3][3] * d;
  }
}

Matrix4 Product(const Matrix4& a, const Matrix4& b) {
  Matrix4 product{};
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      for (size_t k = 0; k < 4; ++k) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

// --- aliasing ---

// Of one path from channel to channel: gain over frequency is `gain` times what has rolled off (`lost`) or not, `delay`
// samples late.
struct AliasingPath {
  bool lost = false;
  double gain = 0.0;
  double delay = 0.0;
};

// The impulse response of a path, 2 half + 1 samples, time 0 in the middle.
absl::StatusOr<std::vector<float>> DesignPath(const AliasingPath& path, double aliasing_hz, int sample_rate,
                                              size_t half) {
  const size_t n_fft = audio::FastFftLength(8 * half);
  std::vector<audio::Complex> spectrum(audio::FftBins(n_fft));
  for (size_t k = 0; k < spectrum.size(); ++k) {
    const double turn = static_cast<double>(k) / static_cast<double>(n_fft);
    const double ratio = turn * sample_rate / aliasing_hz;
    const double kept = 1.0 / std::sqrt(1.0 + std::pow(ratio, 4.0));
    const double size = path.gain * (path.lost ? ratio * ratio * kept : kept);
    spectrum[k] =
        static_cast<float>(size) * std::polar(1.0f, static_cast<float>(-2.0 * std::numbers::pi * turn * path.delay));
  }
  spectrum.back() = spectrum.back().real();
  absl::StatusOr<std::vector<float>> circular = audio::InverseFft(spectrum, 1, n_fft);
  if (!circular.ok()) return circular.status();
  std::vector<float> taps(2 * half + 1);
  for (size_t i = 0; i < taps.size(); ++i) {
    const double window =
        0.5 - 0.5 * std::cos(std::numbers::pi * static_cast<double>(i + 1) / static_cast<double>(half + 1));
    taps[i] = static_cast<float>(window) * (*circular)[(i + n_fft - half) % n_fft];
  }
  return taps;
}

absl::Status Alias(double radius_m, const Random& random, audio::FoaClip& clip) {
  const double aliasing_hz = AliasingHz(radius_m);
  const size_t half = static_cast<size_t>(std::ceil(kFilterSeconds * clip.sample_rate));
  const size_t taps = 2 * half + 1;
  std::array<audio::FoaClip, 4> responses;  // of every channel that goes in: what it gives to the four that come out
  for (audio::FoaClip& response : responses) response = audio::MakeSilentClip(taps, clip.sample_rate);
  for (size_t to : {audio::kY, audio::kZ, audio::kX}) {
    Random drawn = random.Fork(to);
    // A random share of each of the other three; their powers in a diffuse field, 1 of W and 1/3 of the others, add up
    // to the 1/3 that a first-order channel has.
    std::array<double, 4> shares{};
    double norm = 0.0;
    for (size_t from = 0; from < 4; ++from) {
      if (from == to) continue;
      shares[from] = drawn.Normal();
      norm += shares[from] * shares[from];
    }
    const double width = 2.0 * radius_m / kSpeedOfSound * clip.sample_rate;
    for (size_t from = 0; from < 4; ++from) {
      AliasingPath path = {.lost = false, .gain = 1.0, .delay = 0.0};
      if (from != to) {
        path = {.lost = true,
                .gain = shares[from] / std::sqrt(norm) / (from == audio::kW ? std::numbers::sqrt3 : 1.0),
                .delay = drawn.Uniform(-width, width)};
      }
      absl::StatusOr<std::vector<float>> designed = DesignPath(path, aliasing_hz, clip.sample_rate, half);
      if (!designed.ok()) return designed.status();
      std::ranges::copy(*designed, responses[from].channel(static_cast<int>(to)).begin());
    }
  }
  std::vector<FoaConvolution> parts;
  parts.reserve(responses.size());
  for (int from = 0; from < audio::kFoaChannels; ++from) {
    parts.push_back({.signal = clip.channel(from), .start = 0, .response = &responses[static_cast<size_t>(from)]});
  }
  const size_t frames = clip.frames() + half;
  const absl::StatusOr<std::vector<float>> sum = ConvolveFoaSum(parts, frames);
  if (!sum.ok()) return sum.status();
  for (int c : {audio::kY, audio::kZ, audio::kX}) {
    const auto from = sum->begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(c) * frames + half);
    std::copy(from, from + static_cast<std::ptrdiff_t>(clip.frames()), clip.channel(c).begin());
  }
  return absl::OkStatus();
}

// --- capsules and converters ---

void MisplaceCapsules(const PlannedMicrophone& microphone, audio::FoaClip& clip) {
  std::array<Vec3, kCapsules> axes = CapsuleAxes();
  if (microphone.tilts) {
    for (size_t i = 0; i < kCapsules; ++i) axes[i] = Tilted(axes[i], (*microphone.tilts)[i]);
  }
  Matrix4 heard = CapsulesFromChannels(axes);
  if (microphone.gain_db) {
    for (size_t i = 0; i < kCapsules; ++i) {
      for (double& gain : heard[i]) gain *= std::pow(10.0, (*microphone.gain_db)[i] / 20.0);
    }
  }
  Multiply(Product(ChannelsFromCapsules(), heard), clip);
}

// Adds the capsules' noise, encoded, and returns its share of W.
std::vector<float> AddSelfNoise(double level_dbfs, const Random& random, audio::FoaClip& clip) {
  audio::FoaClip noise = audio::MakeSilentClip(clip.frames(), clip.sample_rate);
  for (int i = 0; i < kCapsules; ++i) FillNoise(random.Fork(static_cast<uint64_t>(i)).Bits(), noise.channel(i));
  Matrix4 encoder = ChannelsFromCapsules();
  for (auto& row : encoder) {
    for (double& gain : row) gain *= std::pow(10.0, level_dbfs / 20.0);
  }
  Multiply(encoder, noise);
  for (size_t i = 0; i < clip.samples.size(); ++i) clip.samples[i] += noise.samples[i];
  const std::span<const float> w = std::as_const(noise).channel(audio::kW);
  return {w.begin(), w.end()};
}

// The level at which capsules end; nothing where there is no signal.
std::optional<double> Clip(double overload_db, audio::FoaClip& clip) {
  audio::FoaClip capsules = clip;
  Multiply(CapsulesFromChannels(CapsuleAxes()), capsules);
  float peak = 0.0f;
  for (float sample : capsules.samples) peak = std::max(peak, std::abs(sample));
  if (!(peak > 0.0f)) return std::nullopt;
  const double limit = peak * std::pow(10.0, -overload_db / 20.0);
  const float top = static_cast<float>(limit);
  for (float& sample : capsules.samples) sample = std::clamp(sample, -top, top);
  Multiply(ChannelsFromCapsules(), capsules);
  clip = std::move(capsules);
  return 20.0 * std::log10(limit);
}

float CodeLinear(float sample, int bits) {
  const float steps = std::ldexp(1.0f, bits - 1);
  // The default rounding of the processor: half-way cases to even.
  return std::clamp(std::nearbyint(sample * steps), -steps, steps - 1.0f) / steps;
}

float CodeMuLaw(float sample) {
  const double size = std::min(std::abs(static_cast<double>(sample)), 1.0);
  const double compressed = std::log1p(kMu * size) / std::log1p(kMu);
  const double coded = CodeLinear(static_cast<float>(compressed), 8);
  const double expanded = std::expm1(coded * std::log1p(kMu)) / kMu;
  return static_cast<float>(std::copysign(expanded, sample));
}

}  // namespace

std::array<Vec3, kCapsules> CapsuleAxes() {
  const double a = 1.0 / std::numbers::sqrt3;
  return {{{a, a, a}, {a, -a, -a}, {-a, a, -a}, {-a, -a, a}}};
}

Vec3 Tilted(Vec3 axis, const CapsuleTilt& tilt) {
  const double azimuth = AzimuthDeg(axis), elevation = ElevationDeg(axis);
  const Vec3 up = UnitVector(azimuth, elevation + 90.0), left = UnitVector(azimuth + 90.0, 0.0);
  const double angle = Radians(tilt.angle_deg), towards = Radians(tilt.towards_deg);
  return std::cos(angle) * axis + std::sin(angle) * (std::cos(towards) * up + std::sin(towards) * left);
}

Matrix4 CapsulesFromChannels(const std::array<Vec3, kCapsules>& axes) {
  Matrix4 matrix;
  for (size_t i = 0; i < kCapsules; ++i) {
    matrix[i] = {0.5, 0.5 * axes[i].y, 0.5 * axes[i].z, 0.5 * axes[i].x};
  }
  return matrix;
}

Matrix4 ChannelsFromCapsules() {
  const std::array<Vec3, kCapsules> axes = CapsuleAxes();
  Matrix4 matrix;
  for (size_t i = 0; i < kCapsules; ++i) {
    matrix[audio::kW][i] = 0.5;
    matrix[audio::kY][i] = 1.5 * axes[i].y;
    matrix[audio::kZ][i] = 1.5 * axes[i].z;
    matrix[audio::kX][i] = 1.5 * axes[i].x;
  }
  return matrix;
}

double AliasingHz(double array_radius_m) { return kSpeedOfSound / (std::numbers::pi * array_radius_m); }

absl::StatusOr<MicrophoneEffect> ApplyMicrophone(const PlannedMicrophone& microphone, audio::FoaClip& clip) {
  if (absl::Status s = Validate(microphone); !s.ok()) return s;
  MicrophoneEffect effect;
  if (clip.frames() == 0) return effect;
  const Random streams(microphone.key);
  if (microphone.array_radius_m) {
    if (absl::Status s = Alias(*microphone.array_radius_m, streams.Fork("aliasing"), clip); !s.ok()) return s;
  }
  if (microphone.gain_db || microphone.tilts) MisplaceCapsules(microphone, clip);
  if (microphone.self_noise_dbfs) {
    effect.noise_w = AddSelfNoise(*microphone.self_noise_dbfs, streams.Fork("self-noise"), clip);
  }
  if (microphone.overload_db) effect.clipping_dbfs = Clip(*microphone.overload_db, clip);
  if (microphone.coding) {
    if (effect.noise_w.empty()) effect.noise_w.assign(clip.frames(), 0.0f);
    const SampleCoding coding = *microphone.coding;
    for (int c = 0; c < audio::kFoaChannels; ++c) {
      const std::span<float> channel = clip.channel(c);
      for (size_t i = 0; i < channel.size(); ++i) {
        const float coded =
            coding.law == v1::SAMPLE_LAW_MU_LAW ? CodeMuLaw(channel[i]) : CodeLinear(channel[i], coding.bits);
        if (c == audio::kW) effect.noise_w[i] += coded - channel[i];
        channel[i] = coded;
      }
    }
  }
  return effect;
}

}  // namespace auricle::sim
