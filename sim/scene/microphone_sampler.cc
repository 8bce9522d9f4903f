#include "sim/scene/microphone_sampler.h"

#include <cmath>

#include "sim/room/geometry.h"
#include "sim/room/in_range.h"

namespace auricle::sim {
namespace {

double Draw(const v1::Range& range, Random& random) { return random.Uniform(range.min(), range.max()); }

}  // namespace

absl::Status Validate(const PlannedMicrophone& microphone) {
  absl::Status status;
  if (microphone.gain_db) {
    for (double db : *microphone.gain_db) status.Update(CheckInRange("microphone.gain_db", db, -60.0, 60.0));
  }
  if (microphone.tilts) {
    for (const CapsuleTilt& tilt : *microphone.tilts) {
      status.Update(CheckInRange("microphone.tilts.angle_deg", tilt.angle_deg, 0.0, 180.0));
      status.Update(CheckInRange("microphone.tilts.towards_deg", tilt.towards_deg, -360.0, 360.0));
    }
  }
  if (microphone.self_noise_dbfs) {
    status.Update(CheckInRange("microphone.self_noise_dbfs", *microphone.self_noise_dbfs, -200.0, 0.0));
  }
  if (microphone.array_radius_m) {
    status.Update(CheckInRange("microphone.array_radius_m", *microphone.array_radius_m, 0.003, 0.1));
  }
  if (microphone.overload_db) status.Update(CheckInRange("microphone.overload_db", *microphone.overload_db, 0.0, 30.0));
  if (microphone.coding) {
    const bool mu_law = microphone.coding->law == v1::SAMPLE_LAW_MU_LAW;
    if (!mu_law && microphone.coding->law != v1::SAMPLE_LAW_LINEAR) {
      status.Update(absl::InvalidArgumentError("microphone.coding.law is none of SampleLaw's"));
    }
    status.Update(CheckInRange("microphone.coding.bits", microphone.coding->bits, 8.0, mu_law ? 8.0 : 16.0));
  }
  return status;
}

std::optional<PlannedMicrophone> DrawMicrophone(const v1::MicrophoneSpec& spec, const Random& random) {
  PlannedMicrophone microphone;
  bool perfect = true;
  const auto has = [&](double probability, Random& stream) {
    const bool drawn = stream.Chance(probability);
    perfect &= !drawn;
    return drawn;
  };
  if (Random gain = random.Fork("gain"); has(spec.gain_error_probability(), gain)) {
    const double deviation = Draw(spec.gain_error_db(), gain);
    for (double& db : microphone.gain_db.emplace()) db = gain.Normal(0.0, deviation);
  }
  if (Random axis = random.Fork("axis"); has(spec.axis_error_probability(), axis)) {
    const double deviation = Draw(spec.axis_error_deg(), axis);
    for (CapsuleTilt& tilt : microphone.tilts.emplace()) {
      const double across = axis.Normal(0.0, deviation), along = axis.Normal(0.0, deviation);
      tilt = {std::hypot(across, along), Degrees(std::atan2(along, across))};
    }
  }
  if (Random noise = random.Fork("self-noise"); has(spec.self_noise_probability(), noise)) {
    microphone.self_noise_dbfs = Draw(spec.self_noise_dbfs(), noise);
  }
  if (Random array = random.Fork("aliasing"); has(spec.aliasing_probability(), array)) {
    microphone.array_radius_m = array.LogUniform(spec.array_radius_m().min(), spec.array_radius_m().max());
  }
  if (Random clipping = random.Fork("clipping"); has(spec.clipping_probability(), clipping)) {
    microphone.overload_db = Draw(spec.overload_db(), clipping);
  }
  if (Random coding = random.Fork("coding"); has(spec.coding_probability(), coding)) {
    SampleCoding& samples = microphone.coding.emplace();
    if (coding.Chance(spec.mu_law_probability())) {
      samples = {v1::SAMPLE_LAW_MU_LAW, 8};
    } else {
      samples.bits =
          static_cast<int>(coding.Int(std::llround(spec.coding_bits().min()), std::llround(spec.coding_bits().max())));
    }
  }
  if (perfect) return std::nullopt;
  microphone.key = random.Fork("key").Bits();
  return microphone;
}

}  // namespace auricle::sim
