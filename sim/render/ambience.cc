#include "sim/render/ambience.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "model/audio/fft.h"
#include "sim/render/noise_floor.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/geometry.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

// --- speech-shaped noise ---

// Byrne et al. 1994, males and females combined: centre of the third-octave band, Hz; its level where all bands
// together have 70 dB.
constexpr std::array<std::pair<double, double>, 25> kSpeechBands = {{
    {63, 38.6},   {80, 43.5},    {100, 54.4},   {125, 57.7},   {160, 56.8},  {200, 60.2},  {250, 60.3},
    {315, 59.0},  {400, 62.1},   {500, 62.1},   {630, 60.5},   {800, 56.8},  {1000, 53.7}, {1250, 53.0},
    {1600, 52.0}, {2000, 48.7},  {2500, 48.1},  {3150, 46.8},  {4000, 45.6}, {5000, 44.5}, {6300, 44.3},
    {8000, 43.7}, {10000, 43.4}, {12500, 41.3}, {16000, 40.7},
}};

// Power density at a frequency, decibels: a third octave is wider in proportion to its centre, and between centres the
// density is a straight line over log frequency. Beyond the ends it goes on as between the last two bands.
double SpeechDensityDb(double hz) {
  const auto density = [](size_t band) {
    return kSpeechBands[band].second - 10.0 * std::log10(kSpeechBands[band].first);
  };
  size_t upper = 1;
  while (upper + 1 < kSpeechBands.size() && kSpeechBands[upper].first < hz) ++upper;
  const double low = std::log(kSpeechBands[upper - 1].first), high = std::log(kSpeechBands[upper].first);
  const double share = (std::log(hz) - low) / (high - low);
  return density(upper - 1) + share * (density(upper) - density(upper - 1));
}

// --- recorded beds ---

// The recording's end is faded into its beginning over this, or a quarter of it.
constexpr double kLoopFadeSeconds = 0.5;
constexpr size_t kPiece = 4096;  // frames

// Vertices of a dodecahedron on the unit sphere (Coxeter, "Regular polytopes", section 3.7).
std::array<Vec3, kBedDirections> Dodecahedron() {
  std::array<Vec3, kBedDirections> vertices;
  const double a = 1.0 / std::numbers::sqrt3, b = a / std::numbers::phi, c = a * std::numbers::phi;
  size_t n = 0;
  for (double s : {-1.0, 1.0}) {
    for (double t : {-1.0, 1.0}) {
      for (double u : {-1.0, 1.0}) vertices[n++] = {s * a, t * a, u * a};
      vertices[n++] = {0.0, s * b, t * c};
      vertices[n++] = {s * b, t * c, 0.0};
      vertices[n++] = {s * c, 0.0, t * b};
    }
  }
  return vertices;
}

// Three columns of a rotation, uniform over all of them: a normal quaternion is (Shoemake 1992).
std::array<Vec3, 3> DrawRotation(Random& random) {
  double w = random.Normal(), x = random.Normal(), y = random.Normal(), z = random.Normal();
  const double norm = std::sqrt(w * w + x * x + y * y + z * z);
  w /= norm, x /= norm, y /= norm, z /= norm;
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)},
           {2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)},
           {2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)}}};
}

// A signal without seam, with kDelayTaps samples of itself before and after.
struct Loop {
  size_t frames = 0;
  std::vector<float> samples;  // [kDelayTaps + frames + kDelayTaps]
};

Loop MakeLoop(std::span<const float> recording, int sample_rate) {
  const size_t fade = std::min(static_cast<size_t>(kLoopFadeSeconds * sample_rate), recording.size() / 4);
  Loop loop = {.frames = recording.size() - fade, .samples = {}};
  std::vector<float> once(recording.begin(), recording.begin() + static_cast<std::ptrdiff_t>(loop.frames));
  for (size_t i = 0; i < fade; ++i) {
    // Equal power: the two have nothing in common.
    const double angle = 0.5 * std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(fade);
    once[i] = static_cast<float>(std::sin(angle) * recording[i] + std::cos(angle) * recording[loop.frames + i]);
  }
  loop.samples.reserve(loop.frames + 2 * kDelayTaps);
  loop.samples.assign(once.end() - kDelayTaps, once.end());
  loop.samples.insert(loop.samples.end(), once.begin(), once.end());
  loop.samples.insert(loop.samples.end(), once.begin(), once.begin() + kDelayTaps);
  return loop;
}

// Adds the loop as heard from `direction`, playing from `start` (samples of the loop) on.
void AddDirection(const Loop& loop, double start, double speed, Vec3 direction, audio::FoaClip& bed) {
  const std::array<double, 4> gains = FoaGains(direction);
  std::array<double, kPiece> positions;
  std::array<float, kPiece> piece;
  const double length = static_cast<double>(loop.frames);
  for (size_t at = 0; at < bed.frames(); at += kPiece) {
    const size_t n = std::min(kPiece, bed.frames() - at);
    const double first = std::fmod(start + speed * static_cast<double>(at), length);
    double past = 0.0;
    for (size_t i = 0; i < n; ++i) {
      const double position = first + speed * static_cast<double>(i);
      if (position - past >= length) past += length;
      positions[i] = kDelayTaps + position - past;
    }
    ReadAt(loop.samples, std::span<const double>(positions).first(n), std::span<float>(piece).first(n));
    for (size_t c = 0; c < audio::kFoaChannels; ++c) {
      const float gain = static_cast<float>(gains[c]);
      float* out = bed.channel(static_cast<int>(c)).data() + at;
      for (size_t i = 0; i < n; ++i) out[i] += gain * piece[i];
    }
  }
}

}  // namespace

absl::Status AddSpeechShapedNoise(double level_dbfs, uint64_t key, audio::FoaClip& clip) {
  if (clip.frames() == 0) return absl::OkStatus();
  // One period of a periodic signal: every bin is drawn for itself, and what is cut off is stationary as well.
  const size_t n_fft = audio::FastFftLength(clip.frames());
  const size_t bins = audio::FftBins(n_fft);
  std::vector<float> weights(bins, 0.0f);
  double power = 0.0;  // of a bin's two signs, over all bins
  for (size_t k = 1; k < bins; ++k) {
    const double hz = static_cast<double>(k) * clip.sample_rate / static_cast<double>(n_fft);
    const double amplitude = std::pow(10.0, SpeechDensityDb(hz) / 20.0);
    weights[k] = static_cast<float>(amplitude);
    // Half of the variance of X[k] is in its real part, half in the other; the last bin is real.
    power += (k + 1 < bins ? 4.0 : 1.0) * amplitude * amplitude;
  }
  // The inverse transform divides by n_fft.
  const double gain = std::pow(10.0, level_dbfs / 20.0) * static_cast<double>(n_fft) / std::sqrt(power);
  const Random streams(key);
  std::vector<float> drawn(2 * bins);
  std::vector<audio::Complex> spectrum(bins);
  for (int c = 0; c < audio::kFoaChannels; ++c) {
    FillNoise(streams.Fork(static_cast<uint64_t>(c)).Bits(), drawn);
    const float scale = static_cast<float>(c == audio::kW ? gain : gain / std::numbers::sqrt3);
    for (size_t k = 0; k < bins; ++k) {
      const float weight = scale * weights[k];
      spectrum[k] = {weight * drawn[2 * k], k + 1 < bins ? weight * drawn[2 * k + 1] : 0.0f};
    }
    const absl::StatusOr<std::vector<float>> noise = audio::InverseFft(spectrum, 1, n_fft);
    if (!noise.ok()) return noise.status();
    const std::span<float> out = clip.channel(c);
    for (size_t i = 0; i < out.size(); ++i) out[i] += (*noise)[i];
  }
  return absl::OkStatus();
}

absl::Status AddRecordedBed(std::span<const float> recording, double level_dbfs, uint64_t key, audio::FoaClip& clip) {
  const double seconds = static_cast<double>(recording.size()) / clip.sample_rate;
  if (seconds < kLeastLoopSeconds) {
    return absl::InvalidArgumentError(
        absl::StrFormat("ambience.recording: %.3f s long, a bed needs %g s or more", seconds, kLeastLoopSeconds));
  }
  const Loop loop = MakeLoop(recording, clip.sample_rate);
  Random random(key);
  const std::array<Vec3, 3> axes = DrawRotation(random);
  // Places of the loop and speeds are spread evenly, in orders that have nothing to do with each other or with the
  // directions.
  std::vector<double> starts, speeds;
  for (int k = 0; k < kBedDirections; ++k) {
    starts.push_back((k + random.Uniform()) / kBedDirections * static_cast<double>(loop.frames));
    speeds.push_back(1.0 + kBedSpeedSpread * (2.0 * (k + random.Uniform()) / kBedDirections - 1.0));
  }
  random.Shuffle(starts);
  random.Shuffle(speeds);
  audio::FoaClip bed = audio::MakeSilentClip(clip.frames(), clip.sample_rate);
  const std::array<Vec3, kBedDirections> directions = Dodecahedron();
  for (size_t k = 0; k < kBedDirections; ++k) {
    const Vec3 d = directions[k];
    AddDirection(loop, starts[k], speeds[k], d.x * axes[0] + d.y * axes[1] + d.z * axes[2], bed);
  }
  double energy = 0.0;
  for (float sample : bed.channel(audio::kW)) energy += static_cast<double>(sample) * sample;
  if (!(energy > 0.0)) return absl::InvalidArgumentError("ambience.recording: silent");
  const float gain =
      static_cast<float>(std::pow(10.0, level_dbfs / 20.0) / std::sqrt(energy / static_cast<double>(bed.frames())));
  for (size_t i = 0; i < clip.samples.size(); ++i) clip.samples[i] += gain * bed.samples[i];
  return absl::OkStatus();
}

absl::Status AddAmbience(const PlannedAmbience& ambience, const SourceBank& bank, audio::FoaClip& clip) {
  if (absl::Status s = Validate(ambience); !s.ok()) return s;
  if (ambience.kind == v1::AMBIENCE_KIND_NOISE) {
    AddNoiseFloor(ambience.level_dbfs, ambience.slope_db, ambience.key, clip);
    return absl::OkStatus();
  }
  if (ambience.kind == v1::AMBIENCE_KIND_SPEECH_SHAPED) {
    return AddSpeechShapedNoise(ambience.level_dbfs, ambience.key, clip);
  }
  const absl::StatusOr<std::shared_ptr<const std::vector<float>>> dry =
      bank.LoadDry(ambience.recording, clip.sample_rate);
  if (!dry.ok()) return dry.status();
  return AddRecordedBed(**dry, ambience.level_dbfs, ambience.key, clip);
}

}  // namespace auricle::sim
