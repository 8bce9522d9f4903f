#include "sim/render/moving_path.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "sim/room/fractional_delay.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/render/moving_path.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
//
#include "hwy/contrib/math/math-inl.h"

#ifndef SIM_RENDER_MOVING_PATH_CUBIC_
#define SIM_RENDER_MOVING_PATH_CUBIC_
namespace auricle::sim {

// Samples of a control step come in multiples of this.
inline constexpr size_t kStepUnit = 16;
// Bands side by side, a row a vector or two.
inline constexpr size_t kRow = 8;
static_assert(kBands <= kRow);

// A PathColour ready for the kernel: a row of each.
struct ColourRows {
  std::array<float, kRow> reflection{}, air_nepers{}, omni_share{};
};

// c[0] + x c[1] + x^2 c[2] + x^3 c[3] for x in [0, 1], by values and slopes (for the whole interval) at both ends.
template <typename T>
struct HermiteCubic {
  std::array<T, 4> c;
  HermiteCubic(T value0, T slope0, T value1, T slope1)
      : c{value0, slope0, T{3} * (value1 - value0) - T{2} * slope0 - slope1,
          slope0 + slope1 - T{2} * (value1 - value0)} {}
};

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// out[i] += gain(i / count) * values[i]; count a multiple of kStepUnit.
void AddWeightedKernel(const float* values, const HermiteCubic<float>& gain, size_t count, float* out) {
  const hn::CappedTag<float, kStepUnit> d;
  const size_t lanes = hn::Lanes(d);
  const auto c0 = hn::Set(d, gain.c[0]), c1 = hn::Set(d, gain.c[1]), c2 = hn::Set(d, gain.c[2]),
             c3 = hn::Set(d, gain.c[3]), unit = hn::Set(d, 1.0f / static_cast<float>(count));
  for (size_t i = 0; i < count; i += lanes) {
    const auto x = hn::Mul(hn::Iota(d, static_cast<float>(i)), unit);
    const auto g = hn::MulAdd(hn::MulAdd(hn::MulAdd(c3, x, c2), x, c1), x, c0);
    hn::StoreU(hn::MulAdd(g, hn::LoadU(d, values + i), hn::LoadU(d, out + i)), d, out + i);
  }
}

// rows[i] = reflection exp(-air distance[i]) (share + (1 - share) cosine[i]), `count` rows of kRow.
void ColourKernel(const ColourRows& colour, const float* distances, const float* cosines, size_t count, float* rows) {
  const hn::CappedTag<float, kRow> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t b = 0; b < kRow; b += lanes) {
    const auto reflection = hn::LoadU(d, colour.reflection.data() + b);
    const auto air = hn::LoadU(d, colour.air_nepers.data() + b);
    const auto share = hn::LoadU(d, colour.omni_share.data() + b);
    const auto rest = hn::Sub(hn::Set(d, 1.0f), share);
    for (size_t i = 0; i < count; ++i) {
      const auto through_air = hn::Exp(d, hn::Neg(hn::Mul(air, hn::Set(d, distances[i]))));
      const auto pattern = hn::MulAdd(rest, hn::Set(d, cosines[i]), share);
      hn::StoreU(hn::Mul(hn::Mul(reflection, through_air), pattern), d, rows + i * kRow + b);
    }
  }
}

// out[i] = the sum over bands of (from[b] + (first + i) slope[b]) bands[b][i].
void MixBandsKernel(const float* const* bands, size_t band_count, const float* from, const float* slope, float first,
                    size_t count, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto x = hn::Iota(d, first + static_cast<float>(i));
    auto sum = hn::Zero(d);
    for (size_t b = 0; b < band_count; ++b) {
      const auto gain = hn::MulAdd(x, hn::Set(d, slope[b]), hn::Set(d, from[b]));
      sum = hn::MulAdd(gain, hn::LoadU(d, bands[b] + i), sum);
    }
    hn::StoreU(sum, d, out + i);
  }
  for (; i < count; ++i) {
    const float x = first + static_cast<float>(i);
    out[i] = 0.0f;
    for (size_t b = 0; b < band_count; ++b) out[i] += (from[b] + x * slope[b]) * bands[b][i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(AddWeightedKernel);
HWY_EXPORT(ColourKernel);
HWY_EXPORT(MixBandsKernel);

constexpr double kPathStep = 0.001;  // seconds
constexpr double kFourPi = 4.0 * std::numbers::pi;
constexpr size_t kChannels = audio::kFoaChannels;
// Signals are looked through for silence in pieces of this many samples.
constexpr size_t kPiece = 128;

// About two milliseconds.
size_t ControlStep(int sample_rate) {
  return kStepUnit * std::max<size_t>(1, static_cast<size_t>(std::lround(sample_rate * 0.002 / kStepUnit)));
}

// The path at one control time. Slopes are changes a control step.
struct Control {
  double emission, emission_slope;  // samples of the signal
  std::array<float, kChannels> gains, gain_slopes;
  Vec3 unit;  // from the listener to where the source is heard
  double distance_m;
};

struct Weight {
  double value;
  double slope;  // a metre
};

Weight FadeWeight(const DistanceFade& fade, double distance) {
  if (distance <= fade.from_m) return {1.0, 0.0};
  if (distance >= fade.to_m) return {0.0, 0.0};
  const double rate = 0.5 * std::numbers::pi / (fade.to_m - fade.from_m), angle = rate * (distance - fade.from_m);
  return {std::cos(angle), -rate * std::sin(angle)};
}

// At 0, step, 2 step, ... samples of `out`, up to its end or the first one past it.
std::vector<Control> FindControls(const SampledPath& source, const SampledPath& listener, const DistanceFade& fade,
                                  const audio::FoaClip& out) {
  const int sample_rate = out.sample_rate;
  const size_t step = ControlStep(sample_rate), count = (out.frames() + step - 1) / step + 1;
  std::vector<Control> controls(count);
  const double seconds = static_cast<double>(step) / sample_rate;
  const auto at = [&](double t) { return source.At(t); };
  double emission = -Norm(source.At(0.0).place_m - listener.At(0.0).place_m) / kSpeedOfSound;
  for (size_t k = 0; k < count; ++k) {
    const double now = static_cast<double>(k) * seconds;
    const Motion here = listener.At(now);
    emission = EmissionSeconds(at, here.place_m, now, emission);
    const Motion there = source.At(emission);
    const Vec3 to_source = there.place_m - here.place_m;
    const double distance = Norm(to_source);
    const double nearness = 1.0 / distance;
    const Vec3 unit = nearness * to_source;
    const double slope =
        (1.0 + Dot(unit, here.velocity) / kSpeedOfSound) / (1.0 + Dot(unit, there.velocity) / kSpeedOfSound);
    // How distance and direction of the heard place change.
    const Vec3 drift = slope * there.velocity - here.velocity;
    const double recession = Dot(unit, drift);
    const Vec3 turning = nearness * (drift - recession * unit);
    const Weight weight = FadeWeight(fade, distance);
    const double gain = weight.value * nearness / kFourPi;
    const double gain_slope = recession * (weight.slope / kFourPi - gain) * nearness;
    const std::array<double, kChannels> direction = FoaGains(unit), direction_slope = FoaGains(turning);
    controls[k].unit = unit;
    controls[k].distance_m = distance;
    controls[k].emission = emission * sample_rate;
    controls[k].emission_slope = slope * static_cast<double>(step);
    for (size_t c = 0; c < kChannels; ++c) {
      controls[k].gains[c] = static_cast<float>(gain * direction[c]);
      // The first channel has no direction that could turn.
      const double turn = c == audio::kW ? 0.0 : gain * direction_slope[c];
      controls[k].gain_slopes[c] = static_cast<float>(seconds * (gain_slope * direction[c] + turn));
    }
    emission += slope * seconds;
  }
  return controls;
}

// A signal with silence on either side, room for a step that sound barely reaches.
class PaddedSignal {
 public:
  // `lead` of the frames come before the time 0.
  PaddedSignal(size_t frames, size_t lead, int sample_rate)
      : pad_(2 * kDelayTaps + 2 * ControlStep(sample_rate)),
        frames_(frames),
        lead_(lead),
        samples_(pad_ + frames + pad_, 0.0f) {}

  std::span<float> signal() { return std::span<float>(samples_).subspan(pad_, frames_); }
  std::span<const float> samples() const { return samples_; }
  // Where in samples() the signal begins and ends, and its time 0.
  double begin() const { return static_cast<double>(pad_); }
  double end() const { return static_cast<double>(pad_ + frames_); }
  double zero() const { return static_cast<double>(pad_ + lead_); }

 private:
  size_t pad_, frames_, lead_;
  std::vector<float> samples_;
};

// Adds the signal as it is read at each control's time of emission, with its gains.
void ReadAlong(const PaddedSignal& padded, std::span<const Control> controls, audio::FoaClip& out) {
  const std::span<const float> samples = padded.samples();
  std::vector<uint8_t> sounds(samples.size() / kPiece + 2, 0);
  for (size_t piece = 0; piece * kPiece < samples.size(); ++piece) {
    sounds[piece] =
        std::ranges::any_of(samples.subspan(piece * kPiece, std::min(kPiece, samples.size() - piece * kPiece)),
                            [](float v) { return v != 0.0f; });
  }
  const size_t frames = out.frames(), step = ControlStep(out.sample_rate);
  const double part = 1.0 / static_cast<double>(step), zero = padded.zero();
  std::vector<double> positions(step);
  std::vector<float> values(step), tail(step);
  for (size_t k = 0; k + 1 < controls.size(); ++k) {
    const Control &a = controls[k], &b = controls[k + 1];
    const double first = a.emission + zero - kDelayTaps, last = b.emission + zero + kDelayTaps;
    if (last < padded.begin() || first >= padded.end()) continue;
    const size_t from = static_cast<size_t>(std::max(0.0, first)) / kPiece;
    const size_t to = std::min(sounds.size() - 1, static_cast<size_t>(last) / kPiece);
    if (std::all_of(sounds.begin() + static_cast<ptrdiff_t>(from), sounds.begin() + static_cast<ptrdiff_t>(to) + 1,
                    [](uint8_t s) { return s == 0; }))
      continue;
    const std::array<double, 4> c =
        HermiteCubic<double>(a.emission + zero, a.emission_slope, b.emission + zero, b.emission_slope).c;
    for (size_t i = 0; i < step; ++i) {
      const double x = static_cast<double>(i) * part;
      positions[i] = c[0] + x * (c[1] + x * (c[2] + x * c[3]));
    }
    ReadAt(samples, positions, values);
    const size_t at = k * step, n = std::min(step, frames - at);
    for (size_t channel = 0; channel < kChannels; ++channel) {
      const HermiteCubic<float> gain(a.gains[channel], a.gain_slopes[channel], b.gains[channel],
                                     b.gain_slopes[channel]);
      float* to_channel = out.channel(static_cast<int>(channel)).data() + at;
      if (n == step) {
        HWY_DYNAMIC_DISPATCH(AddWeightedKernel)(values.data(), gain, step, to_channel);
      } else {  // the last step of a clip may be cut
        std::ranges::fill(tail, 0.0f);
        HWY_DYNAMIC_DISPATCH(AddWeightedKernel)(values.data(), gain, step, tail.data());
        for (size_t i = 0; i < n; ++i) to_channel[i] += tail[i];
      }
    }
  }
}

// Weights of the bands at each control, [controls][kRow].
std::vector<float> ColourAlong(const PathColour& colour, std::span<const Control> controls) {
  ColourRows rows;
  for (size_t band = 0; band < kBands; ++band) {
    rows.reflection[band] = static_cast<float>(colour.reflection[band]);
    rows.air_nepers[band] = static_cast<float>(colour.air_db_per_m[band] * std::numbers::ln10 / 20.0);
    rows.omni_share[band] = static_cast<float>(colour.directivity.omni_share[band]);
  }
  std::vector<float> distances, cosines;
  for (const Control& control : controls) {
    distances.push_back(static_cast<float>(control.distance_m));
    // From the source towards the listener is against `unit`.
    cosines.push_back(-static_cast<float>(Dot(colour.facing, control.unit)));
  }
  std::vector<float> weights(controls.size() * kRow);
  HWY_DYNAMIC_DISPATCH(ColourKernel)(rows, distances.data(), cosines.data(), controls.size(), weights.data());
  return weights;
}

// The sum of the bands, each under its weight [controls][kRow] at the controls' times of emission and straight lines
// between. Before the first and past the last of these, whence only the taps of the delay reach, it is continued.
void MixBands(const BandSignals& bands, std::span<const float> weights, std::span<const Control> controls,
              std::span<float> out) {
  const double lead = static_cast<double>(bands.lead);
  const auto frame = [&](double at) {
    return static_cast<size_t>(std::clamp(std::ceil(at), 0.0, static_cast<double>(out.size())));
  };
  const size_t count = bands.samples.size();
  std::array<const float*, kRow> stretch{};
  std::array<float, kRow> slope{};
  for (size_t k = 0; k + 1 < controls.size(); ++k) {
    const double now = controls[k].emission + lead, next = controls[k + 1].emission + lead;
    const size_t from = frame(k == 0 ? now - kDelayTaps : now);
    const size_t to = frame(k + 2 == controls.size() ? next + kDelayTaps : next);
    if (from >= to) continue;
    const float* weight = weights.data() + k * kRow;
    for (size_t band = 0; band < count; ++band) {
      slope[band] = (weight[kRow + band] - weight[band]) / static_cast<float>(next - now);
      stretch[band] = bands.samples[band].data() + from;
    }
    HWY_DYNAMIC_DISPATCH(MixBandsKernel)
    (stretch.data(), count, weight, slope.data(), static_cast<float>(static_cast<double>(from) - now), to - from,
     out.data() + from);
  }
}

}  // namespace

SampledPath::SampledPath(const Path& path, double first_seconds, double last_seconds) : first_seconds_(first_seconds) {
  const size_t count =
      path.moves() ? static_cast<size_t>(std::ceil((last_seconds - first_seconds) / kPathStep)) + 2 : 1;
  knots_.reserve(count);
  for (size_t i = 0; i < count; ++i) knots_.push_back(path.At(first_seconds + static_cast<double>(i) * kPathStep));
}

Motion SampledPath::At(double seconds) const {
  const double at = (seconds - first_seconds_) / kPathStep;
  if (!(at > 0.0)) return {knots_.front().place_m, {}};
  if (at >= static_cast<double>(knots_.size() - 1)) return {knots_.back().place_m, {}};
  const size_t k = static_cast<size_t>(at);
  const double x = at - static_cast<double>(k);
  const Motion &a = knots_[k], &b = knots_[k + 1];
  const auto along = [&](double value0, double slope0, double value1, double slope1, double& place, double& velocity) {
    const std::array<double, 4> c = HermiteCubic<double>(value0, kPathStep * slope0, value1, kPathStep * slope1).c;
    place = c[0] + x * (c[1] + x * (c[2] + x * c[3]));
    velocity = (c[1] + x * (2.0 * c[2] + 3.0 * x * c[3])) / kPathStep;
  };
  Motion m;
  along(a.place_m.x, a.velocity.x, b.place_m.x, b.velocity.x, m.place_m.x, m.velocity.x);
  along(a.place_m.y, a.velocity.y, b.place_m.y, b.velocity.y, m.place_m.y, m.velocity.y);
  along(a.place_m.z, a.velocity.z, b.place_m.z, b.velocity.z, m.place_m.z, m.velocity.z);
  return m;
}

SampledPath SampledPath::Mirrored(int axis, double wall_m) const {
  SampledPath image = *this;
  for (Motion& knot : image.knots_) {
    double& place = axis == 0 ? knot.place_m.x : axis == 1 ? knot.place_m.y : knot.place_m.z;
    double& velocity = axis == 0 ? knot.velocity.x : axis == 1 ? knot.velocity.y : knot.velocity.z;
    place = 2.0 * wall_m - place;
    velocity = -velocity;
  }
  return image;
}

void AddMovingPath(std::span<const float> signal, const SampledPath& source, const SampledPath& listener,
                   const DistanceFade& fade, audio::FoaClip& out) {
  if (out.frames() == 0) return;
  PaddedSignal padded(signal.size(), /*lead=*/0, out.sample_rate);
  std::ranges::copy(signal, padded.signal().begin());
  ReadAlong(padded, FindControls(source, listener, fade, out), out);
}

void AddColouredPath(const BandSignals& bands, const PathColour& colour, const SampledPath& source,
                     const SampledPath& listener, const DistanceFade& fade, audio::FoaClip& out) {
  if (out.frames() == 0) return;
  const std::vector<Control> controls = FindControls(source, listener, fade, out);
  PaddedSignal padded(bands.samples.front().size(), bands.lead, out.sample_rate);
  MixBands(bands, ColourAlong(colour, controls), controls, padded.signal());
  ReadAlong(padded, controls, out);
}

void TurnWithListener(const Turn& turn, audio::FoaClip& clip) {
  const size_t frames = clip.frames(), step = ControlStep(clip.sample_rate);
  const std::span<float> y = clip.channel(audio::kY), x = clip.channel(audio::kX);
  const auto yaw_at = [&](size_t frame) {
    return Radians(YawDeg(turn, static_cast<double>(frame) / clip.sample_rate));
  };
  double yaw = yaw_at(0);
  for (size_t at = 0; at < frames; at += step) {
    // The fastest turn bends by less than a thousandth of a degree within a step.
    const double next = yaw_at(at + step), by = (next - yaw) / static_cast<double>(step);
    // One sine and cosine a step; from sample to sample the pair is turned by the same small angle.
    const double turn_c = std::cos(by), turn_s = std::sin(by);
    double c = std::cos(yaw), s = std::sin(yaw);
    for (size_t i = at; i < std::min(frames, at + step); ++i) {
      const double left = y[i], front = x[i];
      x[i] = static_cast<float>(c * front + s * left);
      y[i] = static_cast<float>(c * left - s * front);
      const double turned = c * turn_c - s * turn_s;
      s = s * turn_c + c * turn_s;
      c = turned;
    }
    yaw = next;
  }
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
