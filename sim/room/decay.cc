#include "sim/room/decay.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "absl/strings/str_format.h"
#include "model/audio/fft.h"

namespace auricle::sim {
namespace {

// Energy from each sample on, [samples + 1]; the last is 0.
std::vector<double> EnergyToCome(std::span<const float> response) {
  std::vector<double> left(response.size() + 1, 0.0);
  for (size_t i = response.size(); i > 0; --i) {
    left[i - 1] = left[i] + static_cast<double>(response[i - 1]) * response[i - 1];
  }
  return left;
}

}  // namespace

std::vector<double> EnergyDecayDb(std::span<const float> response) {
  std::vector<double> decay = EnergyToCome(response);
  decay.pop_back();
  if (decay.empty() || decay[0] <= 0.0) return {};
  const double total = decay[0];
  for (double& value : decay) value = 10.0 * std::log10(value / total);
  return decay;
}

absl::StatusOr<double> DecaySeconds(std::span<const float> response, int sample_rate, double from_db, double to_db) {
  if (!(from_db <= 0.0) || !(to_db < from_db)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("from_db = %g, to_db = %g: allowed is to_db < from_db <= 0", from_db, to_db));
  }
  const std::vector<double> left = EnergyToCome(response);
  if (left[0] <= 0.0) return absl::FailedPreconditionError("response is silent: it has no decay");
  // First sample at or below a level; the integral never rises.
  const auto reach = [&](double db) {
    const double energy = left[0] * std::pow(10.0, db / 10.0);
    return static_cast<size_t>(std::partition_point(left.begin(), left.end(), [&](double e) { return e > energy; }) -
                               left.begin());
  };
  const size_t first = reach(from_db), last = reach(to_db);
  if (last >= response.size() || left[last] <= 0.0) {
    return absl::FailedPreconditionError(absl::StrFormat("the response ends before its decay reaches %g dB", to_db));
  }
  // A point every half millisecond is plenty for a straight line.
  const size_t step =
      std::max<size_t>(1, std::min<size_t>(static_cast<size_t>(sample_rate / 2000), (last - first) / 32));
  double n = 0, st = 0, sd = 0, stt = 0, std_ = 0;
  for (size_t i = first; i <= last; i += step) {
    const double t = static_cast<double>(i - first) / sample_rate, d = 10.0 * std::log10(left[i] / left[0]);
    n += 1, st += t, sd += d, stt += t * t, std_ += t * d;
  }
  const double slope = (n * std_ - st * sd) / (n * stt - st * st);
  if (!(slope < 0.0)) return absl::FailedPreconditionError("the response has no decay to fit a line to");
  return -60.0 / slope;
}

absl::StatusOr<double> T30(std::span<const float> response, int sample_rate) {
  return DecaySeconds(response, sample_rate, -5.0, -35.0);
}

absl::StatusOr<double> EarlyDecayTime(std::span<const float> response, int sample_rate) {
  return DecaySeconds(response, sample_rate, 0.0, -10.0);
}

absl::StatusOr<std::vector<double>> OctaveT30(std::span<const float> response, int sample_rate,
                                              std::span<const double> centres_hz) {
  for (double centre : centres_hz) {
    if (!(centre > 0.0 && centre < sample_rate / 2.0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("centres_hz = %g is out of range (0, %g)", centre, sample_rate / 2.0));
    }
  }
  std::vector<double> times(centres_hz.size(), 0.0);
  if (response.empty() || centres_hz.empty()) return times;
  // Filters without phase ring to both sides: room on either.
  const size_t pad = static_cast<size_t>(sample_rate / 16);
  std::vector<float> padded(pad + response.size(), 0.0f);
  std::ranges::copy(response, padded.begin() + pad);
  const size_t n_fft = audio::FastFftLength(padded.size() + pad), bins = audio::FftBins(n_fft);
  absl::StatusOr<std::vector<audio::Complex>> spectrum = audio::ForwardFft(padded, 1, n_fft);
  if (!spectrum.ok()) return spectrum.status();
  std::vector<audio::Complex> bands(centres_hz.size() * bins);
  for (size_t b = 0; b < centres_hz.size(); ++b) {
    for (size_t k = 1; k < bins; ++k) {
      const double ratio = static_cast<double>(k) * sample_rate / static_cast<double>(n_fft) / centres_hz[b];
      const double x =
          std::numbers::sqrt2 * (ratio - 1.0 / ratio);  // 1 at the edges: Q = 1 / (sqrt 2 - 1 / sqrt 2) = sqrt 2
      bands[b * bins + k] = static_cast<float>(1.0 / std::sqrt(1.0 + x * x * x * x * x * x)) * (*spectrum)[k];
    }
  }
  absl::StatusOr<std::vector<float>> signals = audio::InverseFft(bands, centres_hz.size(), n_fft);
  if (!signals.ok()) return signals.status();
  for (size_t b = 0; b < centres_hz.size(); ++b) {
    const absl::StatusOr<double> t30 = T30(std::span<const float>(*signals).subspan(b * n_fft, n_fft), sample_rate);
    if (t30.ok()) times[b] = *t30;
  }
  return times;
}

}  // namespace auricle::sim
