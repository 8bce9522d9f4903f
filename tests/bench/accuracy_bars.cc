#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/audio/audio_file.h"
#include "sim/room/response.h"
#include "tests/bench/sim_bars.h"
#include "tests/sim/measures/drawn_rooms.h"
#include "tests/sim/measures/passing_source.h"
#include "tests/sim/measures/response_measures.h"
#include "tests/sim/room/reference_rooms.h"

namespace auricle::bench {
namespace {

using sim::Vec3;

absl::Status AddReferenceRooms(Report& report) {
  const std::vector<sim::ReferenceRoom> rooms = sim::ReferenceRooms();
  if (rooms.empty()) {
    report.skipped.push_back({"reference rooms below 8 kHz", "no shared/reference/shoebox_rir beside this checkout"});
    return absl::OkStatus();
  }
  Say("reference rooms");
  for (const sim::ReferenceRoom& r : rooms) {
    const auto file = audio::ReadAudioFile(r.response_path);
    if (!file.ok()) return file.status();
    const size_t frames = file->interleaved.size() / 4;
    const auto response = sim::RenderImages(r.room, r.source, r.listener, {.max_order = 8}, file->sample_rate, frames);
    if (!response.ok()) return response.status();
    double worst = -INFINITY;
    for (int c = 0; c < audio::kFoaChannels; ++c) {
      std::vector<float> want(frames);
      for (size_t i = 0; i < frames; ++i) want[i] = file->interleaved[4 * i + static_cast<size_t>(c)];
      worst = std::max(worst, sim::BandErrorDb(response->channel(c), want, file->sample_rate, 0, 8000));
    }
    report.bars.push_back({.name = absl::StrFormat("reference room %d below 8 kHz", r.id),
                           .value = worst,
                           .unit = "dB",
                           .floor = Bar::Floor{-60.0},
                           .note = "worst of 4 channels, order 8"});
  }
  return absl::OkStatus();
}

absl::Status AddFreeField(Report& report) {
  Say("direct sound");
  constexpr int kPlaces = 60, kRate = 16000;
  double worst_delay = 0.0, worst_angle = 0.0, worst_ratio = 0.0;
  for (int i = 0; i < kPlaces; ++i) {
    const double distance = 0.4 + 0.0937 * i;
    const Vec3 unit = sim::UnitVector(37.0 * i, 150.0 / kPlaces * i - 75.0);
    const Vec3 listener = {0, 0, 8};
    const auto response = sim::RenderFreeField(listener + distance * unit, listener, kRate);
    if (!response.ok()) return response.status();
    const double expected = distance / sim::kSpeedOfSound * kRate;
    const double delay = sim::DelayByPhaseSlope(response->foa.channel(audio::kW), kRate, expected);
    worst_delay = std::max(worst_delay, std::abs(delay - expected));
    const sim::PlaneWave wave = sim::MeasurePlaneWave(response->foa);
    worst_angle = std::max(worst_angle, sim::AngleDeg(wave.intensity, unit));
    worst_ratio = std::max(worst_ratio, std::abs(wave.energy_ratio - 1.0));
  }
  const std::string note = absl::StrFormat("worst of %d places", kPlaces);
  report.bars.push_back({.name = "direct path delay",
                         .value = worst_delay,
                         .unit = "samples",
                         .floor = Bar::Floor{0.01},
                         .note = note + ", by the slope of phase"});
  report.bars.push_back({.name = "direction of arrival",
                         .value = worst_angle,
                         .unit = "deg",
                         .floor = Bar::Floor{0.1},
                         .note = note + ", by intensity"});
  report.bars.push_back({.name = "X2+Y2+Z2 = W2 of a plane wave",
                         .value = worst_ratio,
                         .unit = "",
                         .floor = Bar::Floor{1e-4},
                         .note = note});
  return absl::OkStatus();
}

absl::Status AddDiffuseField(Report& report) {
  Say("late field");
  constexpr int kKeys = 32;
  const auto covariance = sim::LateFieldCovariance(kKeys);
  if (!covariance.ok()) return covariance.status();
  double worst = 0.0;
  for (size_t c = 1; c < 4; ++c)
    worst = std::max(worst, std::abs(10.0 * std::log10(3.0 * (*covariance)[c][c] / (*covariance)[0][0])));
  report.bars.push_back({.name = "diffuse field, variances 1 : 1/3",
                         .value = worst,
                         .unit = "dB",
                         .floor = Bar::Floor{0.3},
                         .note = absl::StrFormat("worst of Y, Z, X over %d drawings", kKeys)});
  return absl::OkStatus();
}

absl::Status AddReciprocity(Report& report) {
  Say("reciprocity");
  constexpr int kRooms = 10, kRate = 16000;
  double worst = -INFINITY;
  for (uint64_t index = 0; index < kRooms; ++index) {
    const sim::DrawnRoom drawn = sim::DrawOne(index);
    const auto there = sim::RenderImages(drawn.room, drawn.source, drawn.listener, {.max_order = 12}, kRate);
    const auto back = sim::RenderImages(drawn.room, drawn.listener, drawn.source, {.max_order = 12}, kRate);
    if (!there.ok()) return there.status();
    if (!back.ok()) return back.status();
    worst = std::max(worst, sim::BandErrorDb(there->channel(audio::kW), back->channel(audio::kW), kRate, 0, 8000));
  }
  report.bars.push_back({.name = "reciprocity of W",
                         .value = worst,
                         .unit = "dB",
                         .floor = Bar::Floor{-60.0},
                         .note = absl::StrFormat("worst of %d random rooms, order 12", kRooms)});
  return absl::OkStatus();
}

absl::Status AddDecay(Report& report) {
  constexpr int kRooms = 50;
  double worst_t30 = 0.0, worst_db = 0.0, sum = 0.0;
  int compared = 0;
  for (uint64_t index = 0; index < kRooms; ++index) {
    if (index % 10 == 0) Say(absl::StrFormat("decay of random rooms, %d of %d", index, kRooms));
    const auto comparison = sim::CompareWithAllImages(sim::DrawOne(index));
    if (!comparison.ok()) return comparison.status();
    worst_t30 = std::max(worst_t30, 100.0 * std::abs(comparison->t30_ratio - 1.0));
    worst_db = std::max(worst_db, comparison->worst_db);
    sum += 100.0 * (comparison->t30_ratio - 1.0);
    compared += comparison->compared;
  }
  report.bars.push_back({.name = "T30 of the hybrid",
                         .value = worst_t30,
                         .unit = "%",
                         .floor = Bar::Floor{5.0},
                         .note = absl::StrFormat("worst of %d random rooms, to all images incoherently; mean %+.2f %%",
                                                 kRooms, sum / kRooms)});
  report.bars.push_back({.name = "energy decay of the hybrid",
                         .value = worst_db,
                         .unit = "dB",
                         .floor = Bar::Floor{0.5},
                         .note = absl::StrFormat("the same rooms, worst of %d points down to -35 dB", compared)});
  return absl::OkStatus();
}

absl::Status AddDoppler(Report& report) {
  Say("Doppler shift");
  double worst = 0.0, most = 0.0;
  for (const double speed : {1.4, 8.0, 30.0}) {
    const sim::DopplerError error = sim::MeasureDoppler(speed);
    worst = std::max(worst, error.worst_cents);
    most = std::max(most, error.most_shift_cents);
  }
  report.bars.push_back({.name = "Doppler shift of a passing source",
                         .value = worst,
                         .unit = "cents",
                         .floor = Bar::Floor{1.0},
                         .note = absl::StrFormat("worst at 1.4, 8 and 30 m/s, shifts up to %.0f cents", most)});
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureAccuracy(Report& report) {
  for (const auto add : {AddReferenceRooms, AddFreeField, AddDiffuseField, AddReciprocity, AddDecay, AddDoppler}) {
    if (absl::Status s = add(report); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace auricle::bench
