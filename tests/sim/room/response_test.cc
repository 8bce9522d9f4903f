#include "sim/room/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <thread>
#include <vector>

#include "model/audio/audio_file.h"
#include "model/audio/fft.h"
#include "sim/room/decay.h"
#include "sim/room/echogram.h"
#include "tests/sim/measures/exact_response.h"
#include "tests/sim/measures/response_measures.h"
#include "tests/sim/room/reference_rooms.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

// Up to where the delay filter passes everything: two thirds of the Nyquist frequency.
TEST(RenderImages, EqualsTheReferenceResponsesBelowEightKilohertz) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    const auto file = audio::ReadAudioFile(r.response_path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_EQ(file->channels, 4);
    const size_t frames = file->interleaved.size() / 4;
    const auto response = RenderImages(r.room, r.source, r.listener, {.max_order = 8}, file->sample_rate, frames);
    ASSERT_TRUE(response.ok()) << response.status();
    for (int c = 0; c < 4; ++c) {
      std::vector<float> want(frames);
      for (size_t i = 0; i < frames; ++i) want[i] = file->interleaved[4 * i + c];
      const double error = BandErrorDb(response->channel(c), want, file->sample_rate, 0, 8000);
      EXPECT_LE(error, -60.0) << "room " << r.id << " channel " << c;
      RecordProperty("room" + std::to_string(r.id) + "_channel" + std::to_string(c), std::to_string(error));
    }
  }
}

TEST(RenderFreeField, DirectPathArrivesWithinAHundredthOfASample) {
  const int rate = 16000;
  for (int i = 0; i < 60; ++i) {
    const double distance = 0.4 + 0.0937 * i;
    const Vec3 listener = {0, 0, 1.5}, source = listener + distance * UnitVector(37.0 * i, 11.0 - i);
    const auto response = RenderFreeField(source, listener, rate);
    ASSERT_TRUE(response.ok());
    const double expected = distance / 343.0 * rate;
    EXPECT_NEAR(DelayByPhaseSlope(response->foa.channel(0), rate, expected), expected, 0.01);
    EXPECT_NEAR(response->direct_seconds, distance / 343.0, 1e-12);
    // Gain 1 / (4 pi d): the sum of the taps is the gain at DC, within the filter's ripple.
    double dc = 0;
    for (float v : response->foa.channel(0)) dc += v;
    EXPECT_NEAR(dc * 4 * std::numbers::pi * distance, 1.0, 1e-3);
  }
}

TEST(RenderFreeField, PlaneWaveHasEqualEnergyInOmniAndInTheThreeAxes) {
  for (int i = 0; i < 24; ++i) {
    const Vec3 u = UnitVector(15.0 * i - 170.0, 7.0 * i - 80.0);
    const auto response = RenderFreeField(Vec3{0, 0, 2} + 1.7 * u, {0, 0, 2}, 16000);
    ASSERT_TRUE(response.ok());
    const PlaneWave wave = MeasurePlaneWave(response->foa);
    EXPECT_NEAR(wave.energy_ratio, 1.0, 1e-5);
    // Y, Z, X over W are the direction itself.
    EXPECT_NEAR(wave.intensity.x, u.x, 1e-6);
    EXPECT_NEAR(wave.intensity.y, u.y, 1e-6);
    EXPECT_NEAR(wave.intensity.z, u.z, 1e-6);
  }
}

TEST(RenderRoom, LeavesOutTheOrdersBelowMinOrder) {
  BandedRoom room = {.size_m = {5, 4, 3}};
  for (auto& band : room.absorption) band.fill(0.36);  // reflects 0.8
  const Vec3 source = {1, 1, 1}, listener = {3.5, 2.5, 1.6};
  const HybridOptions plain = {.high_pass_hz = 0.0, .key = 4};
  HybridOptions later = plain, late_field = plain;
  later.min_order = 2;
  late_field.min_order = kNoImages;
  const auto whole = RenderRoom(room, source, listener, plain), rest = RenderRoom(room, source, listener, later),
             late = RenderRoom(room, source, listener, late_field);
  ASSERT_TRUE(whole.ok() && rest.ok() && late.ok());
  const auto first = RenderImages(room.Band(0), source, listener, {.max_order = 1}, 16000, whole->foa.frames());
  ASSERT_TRUE(first.ok());
  double energy = 0, error = 0, early = 0;
  for (size_t i = 0; i < first->samples.size(); ++i) {
    energy += std::pow(first->samples[i], 2);
    error += std::pow(whole->foa.samples[i] - rest->foa.samples[i] - first->samples[i], 2);
  }
  EXPECT_LT(10 * std::log10(error / energy), -80.0);
  // The late field sets in at three quarters of the mixing time; its bands' filters ring a little before.
  const size_t silent = static_cast<size_t>((0.75 * TimeOfImages(room.Band(0), 1000) - 0.01) * 16000);
  for (size_t i = 0; i < silent; ++i) early = std::max<double>(early, std::abs(late->foa.channel(0)[i]));
  EXPECT_LT(early, 1e-5);
  EXPECT_EQ(rest->direct_to_reverberant_db, -INFINITY);
  HybridOptions bad = plain;
  bad.min_order = -1;
  EXPECT_THAT(std::string(RenderRoom(room, source, listener, bad).status().message()), HasSubstr("min_order"));
}

TEST(RenderEarlyImages, WithTheLateFieldMakeUpTheWholeResponse) {
  BandedRoom room = {.size_m = {5, 4, 3}};
  for (int band = 0; band < kBands; ++band) room.absorption[band].fill(0.15 + 0.08 * band);
  room.air_db_per_m = BandAirAttenuation();
  const HybridOptions options = {
      .high_pass_hz = 0.0, .directivity = *FindDirectivity("talker"), .facing = UnitVector(200, 20), .key = 4};
  HybridOptions late_field = options;
  late_field.min_order = kNoImages;
  const std::vector<Placement> places = {{{1, 1, 1}, {3.5, 2.5, 1.6}}, {{4.5, 0.6, 2}, {0.3, 3.5, 1.2}}};
  std::vector<RoomResponse> wholes;
  for (const Placement& place : places) {
    const auto whole = RenderRoom(room, place.source_m, place.listener_m, options);
    ASSERT_TRUE(whole.ok()) << whole.status();
    wholes.push_back(*whole);
  }
  // Longer than either: only what the late field leaves open is early.
  const auto early = RenderEarlyImages(room, places, options, 16000);
  ASSERT_TRUE(early.ok()) << early.status();
  ASSERT_EQ(early->size(), 2u);
  for (size_t i = 0; i < places.size(); ++i) {
    const auto late = RenderRoom(room, places[i].source_m, places[i].listener_m, late_field);
    ASSERT_TRUE(late.ok()) << late.status();
    const audio::FoaClip &whole = wholes[i].foa, &part = (*early)[i];
    ASSERT_EQ(late->foa.frames(), whole.frames());
    EXPECT_LT(part.frames(), whole.frames());
    double energy = 0, error = 0;
    for (int c = 0; c < 4; ++c) {
      for (size_t n = 0; n < whole.frames(); ++n) {
        const double sum = late->foa.channel(c)[n] + (n < part.frames() ? part.channel(c)[n] : 0.0f);
        error += std::pow(sum - whole.channel(c)[n], 2);
        energy += std::pow(static_cast<double>(whole.channel(c)[n]), 2);
      }
    }
    EXPECT_LT(10 * std::log10(error / energy), -80.0) << i;
  }
  // One place after the other is as one place alone.
  const auto alone = RenderEarlyImages(room, std::span(places).last(1), options, 16000);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ((*alone)[0].samples, (*early)[1].samples);
  EXPECT_THAT(std::string(RenderEarlyImages(room, {{{{1, 1, 1}, {3, 9, 1}}}}, options, 16000).status().message()),
              HasSubstr("listener_m.y"));
}

TEST(RenderImages, OmniIsReciprocalBetweenSourceAndListener) {
  const Shoebox room = {.size_m = {3.3, 4.7, 2.9}, .absorption = {0.1, 0.5, 0.3, 0.7, 0.2, 0.4}};
  const Vec3 a = {0.7, 1.9, 1.2}, b = {2.6, 3.1, 2.2};
  const auto there = RenderImages(room, a, b, {.max_order = 6}, 16000),
             back = RenderImages(room, b, a, {.max_order = 6}, 16000);
  ASSERT_TRUE(there.ok() && back.ok());
  EXPECT_LE(BandErrorDb(there->channel(0), back->channel(0), 16000, 0, 8000), -100.0);
}

// The whole of a room of half a second, 235,000 images, against their closed form without any filter.
TEST(RenderImages, EqualsTheTransformOfEveryImageBelowEightKilohertz) {
  const int rate = 24000;
  const Shoebox room = {.size_m = {6, 5, 3}, .absorption = {0.2, 0.25, 0.3, 0.2, 0.4, 0.3}};
  const Vec3 source = {1.2, 3.4, 1.1}, listener = {4.1, 2.2, 1.6};
  for (const ImageLimits& limits : {ImageLimits{.max_seconds = 0.5}, ImageLimits{.max_order = 9}}) {
    const auto response = RenderImages(room, source, listener, limits, rate);
    const auto images = ListImages(room, source, listener, limits);
    ASSERT_TRUE(response.ok() && images.ok());
    const ExactSpectrum exact = ExactSpectrumOf(*images, ComparisonStepHz(response->frames(), rate), 8000.0);
    const auto error =
        ErrorToExactDb({response->channel(0), response->channel(1), response->channel(2), response->channel(3)}, rate,
                       0.0, exact, /*fit_gain=*/false);
    ASSERT_TRUE(error.ok()) << error.status();
    EXPECT_LE(*error, -60.0);
    RecordProperty("error_db_" + std::to_string(images->size()), std::to_string(*error));
  }
}

TEST(RenderImages, FullDecayHasTheReverberationTimesOfAnotherSimulator) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    const auto& full = r.json["full_decay_ehabets"];
    if (r.json["incoherent_echogram"]["n_images"].get<int>() > 350000) continue;  // the four short rooms
    const double seconds = full["n_samples"].get<double>() / 24000.0;
    const auto response =
        RenderImages(r.room, r.source, r.listener, {.max_seconds = seconds}, 24000, full["n_samples"].get<size_t>());
    ASSERT_TRUE(response.ok());
    const auto t30 = T30(response->channel(0), 24000);
    ASSERT_TRUE(t30.ok());
    EXPECT_NEAR(*t30 / full["T30"].get<double>(), 1.0, 0.02) << r.id;
    const auto edt = EarlyDecayTime(response->channel(0), 24000);
    ASSERT_TRUE(edt.ok());
    EXPECT_NEAR(*edt / full["EDT"].get<double>(), 1.0, 0.05) << r.id;
    const std::array<double, 4> centres = {500, 1000, 2000, 4000};
    const auto octaves = OctaveT30(response->channel(0), 24000, centres);
    ASSERT_TRUE(octaves.ok());
    for (size_t i = 0; i < centres.size(); ++i) {
      EXPECT_NEAR((*octaves)[i] / full["octave_T30"][std::to_string(static_cast<int>(centres[i]))].get<double>(), 1.0,
                  0.1)
          << "room " << r.id << " octave " << centres[i];
    }
  }
}

TEST(RenderRoom, ReverberationTimeIsThatOfTheIncoherentEchogram) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    const auto response = RenderRoom(SameInEveryBand(r.room), r.source, r.listener, {.sample_rate = 24000, .key = 5});
    ASSERT_TRUE(response.ok()) << response.status();
    const auto t30 = T30(response->foa.channel(0), 24000);
    ASSERT_TRUE(t30.ok()) << t30.status();
    EXPECT_NEAR(*t30 / r.json["incoherent_echogram"]["T30"].get<double>(), 1.0, 0.05) << r.id;
  }
}

TEST(RenderRoom, WithoutJitterAndHighPassItsEarlyPartIsTheOracles) {
  const Shoebox room = {.size_m = {6, 5, 3}, .absorption = {0.2, 0.25, 0.3, 0.2, 0.4, 0.3}};
  const Vec3 source = {1.2, 3.4, 1.1}, listener = {4.1, 2.2, 1.6};
  const HybridOptions options = {.jitter_m = 0.0, .high_pass_hz = 0.0};
  const auto hybrid = RenderRoom(SameInEveryBand(room), source, listener, options);
  ASSERT_TRUE(hybrid.ok());
  const size_t frames = static_cast<size_t>(0.7 * TimeOfImages(room, options.early_images) * 16000);
  const auto oracle = RenderImages(room, source, listener, {.max_seconds = 0.2}, 16000);
  ASSERT_TRUE(oracle.ok());
  EXPECT_LE(ErrorDb(hybrid->foa, *oracle, frames), -80.0);
}

TEST(RenderRoom, LateFieldHasDiffuseVariancesAndNoCorrelationBetweenChannels) {
  const auto measured = LateFieldCovariance(/*keys=*/8);
  ASSERT_TRUE(measured.ok()) << measured.status();
  const auto& covariance = *measured;
  for (int a = 1; a < 4; ++a) EXPECT_NEAR(covariance[a][a] / covariance[0][0], 1.0 / 3.0, 0.02);
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < a; ++b)
      EXPECT_NEAR(covariance[a][b] / std::sqrt(covariance[a][a] * covariance[b][b]), 0.0, 0.05);
  }
}

TEST(RenderRoom, AbsorbentTrebleShortensTheUpperOctavesOnly) {
  const Shoebox room = {.size_m = {6, 5, 3}, .absorption = {0.15, 0.15, 0.15, 0.15, 0.15, 0.15}};
  BandedRoom dull = SameInEveryBand(room);
  for (int band : {4, 5, 6}) dull.absorption[band].fill(0.5);
  const std::array<double, 3> centres = {250, 500, 5600};
  const auto times = [&](const BandedRoom& r) {
    const auto response = RenderRoom(r, {1, 1, 1}, {4, 3, 1.7}, {.sample_rate = 24000});
    return *OctaveT30(response->foa.channel(0), 24000, centres);
  };
  const auto even = times(SameInEveryBand(room)), shaped = times(dull);
  EXPECT_NEAR(shaped[0] / even[0], 1.0, 0.05);
  EXPECT_NEAR(shaped[1] / even[1], 1.0, 0.05);
  EXPECT_LT(shaped[2] / even[2], 0.4);  // Eyring: ln(0.85) / ln(0.5) = 0.23, and a shoebox's grazing paths live on
}

// Each octave on its own: the hybrid against the same room with every image rendered in bands, which has no late field.
TEST(RenderRoom, OctavesDecayLikeThoseOfEveryImageInBands) {
  BandedRoom room = {.size_m = {5, 4, 3}};
  for (int band = 0; band < kBands; ++band) room.absorption[band].fill(0.2 + 0.05 * band);
  room.air_db_per_m = BandAirAttenuation();
  const Vec3 source = {1.2, 1.1, 1.3}, listener = {3.4, 2.7, 1.8};
  const std::array<double, 6> centres = {250, 500, 1000, 2000, 4000, 8000};
  std::array<double, 6> hybrid{}, every{};
  double hybrid_energy = 0, every_energy = 0;
  constexpr int kKeys = 6;
  for (uint64_t key = 0; key < kKeys; ++key) {
    const auto late = RenderRoom(room, source, listener, {.sample_rate = 24000, .key = key});
    const auto images = RenderRoom(room, source, listener, {.sample_rate = 24000, .early_images = 1e6, .key = key});
    ASSERT_TRUE(late.ok() && images.ok());
    for (int c = 0; c < 4; ++c) {
      const auto a = OctaveT30(late->foa.channel(c), 24000, centres),
                 b = OctaveT30(images->foa.channel(c), 24000, centres);
      for (size_t i = 0; i < centres.size(); ++i) {
        hybrid[i] += (*a)[i] / (4 * kKeys);
        every[i] += (*b)[i] / (4 * kKeys);
      }
      // The level goes on where the images stop.
      const size_t first = static_cast<size_t>(1.05 * TimeOfImages(room.Band(0), 1000) * 24000);
      for (size_t i = first; i < first + 2400; ++i) {
        hybrid_energy += std::pow(late->foa.channel(c)[i], 2);
        every_energy += std::pow(images->foa.channel(c)[i], 2);
      }
    }
  }
  for (size_t i = 0; i < centres.size(); ++i) EXPECT_NEAR(hybrid[i] / every[i], 1.0, 0.06) << centres[i];
  EXPECT_NEAR(10 * std::log10(hybrid_energy / every_energy), 0.0, 0.5);
}

TEST(RenderRoom, DirectToReverberantRatioFollowsTheDistance) {
  const Shoebox room = {.size_m = {8, 7, 4}, .absorption = {0.3, 0.3, 0.3, 0.3, 0.3, 0.3}};
  const Vec3 listener = {4.2, 3.3, 1.7};
  // Diffuse theory (Kuttruff 2009, section 5.1): direct 1 / (4 pi r^2), reverberant 4 / A', equal at the critical
  // distance sqrt(S a / (16 pi (1 - a))); the ratio falls by 6 dB a doubling.
  const auto drr = [&](double d) {
    double sum = 0;
    for (uint64_t key = 0; key < 4; ++key) {
      sum += RenderRoom(SameInEveryBand(room), listener + d * UnitVector(30, 5), listener, {.key = key})
                 ->direct_to_reverberant_db;
    }
    return sum / 4;
  };
  const double a = 0.3, critical = std::sqrt(Surface(room) * a / (16 * std::numbers::pi * (1 - a)));
  EXPECT_NEAR(drr(1.0), 20 * std::log10(critical / 1.0), 2.0);
  EXPECT_NEAR(drr(0.5) - drr(1.0), 6.0, 1.5);
}

TEST(RenderRoom, NoEnergyPilesUpAtDirectCurrent) {
  const Shoebox room = {.size_m = {4, 3, 2.5}, .absorption = {0.08, 0.08, 0.08, 0.08, 0.08, 0.08}};
  const auto response = RenderRoom(SameInEveryBand(room), {1, 1, 1}, {3, 2, 1.7}, {});
  ASSERT_TRUE(response.ok());
  double sum = 0, magnitude = 0;
  for (float v : response->foa.channel(0)) sum += v, magnitude += std::abs(v);
  EXPECT_LT(std::abs(sum) / magnitude, 1e-3);
}

TEST(RenderRoom, SameKeySameSamplesOtherKeyOtherTail) {
  const BandedRoom room = SameInEveryBand({});
  const auto a = RenderRoom(room, {1, 1, 1}, {3, 2, 1.7}, {.key = 1}),
             b = RenderRoom(room, {1, 1, 1}, {3, 2, 1.7}, {.key = 1}),
             c = RenderRoom(room, {1, 1, 1}, {3, 2, 1.7}, {.key = 2});
  EXPECT_EQ(a->foa.samples, b->foa.samples);
  EXPECT_NE(a->foa.samples, c->foa.samples);
}

TEST(RenderRoom, OptionsOutOfRangeAreNamed) {
  const BandedRoom room = SameInEveryBand({});
  const auto message = [&](const HybridOptions& o, BandedRoom r) {
    return std::string(RenderRoom(r, {1, 1, 1}, {3, 2, 1.7}, o).status().message());
  };
  EXPECT_THAT(message({.sample_rate = 4000}, room), HasSubstr("sample_rate"));
  EXPECT_THAT(message({.early_images = 1}, room), HasSubstr("early_images"));
  EXPECT_THAT(message({.jitter_m = 0.5}, room), HasSubstr("jitter_m"));
  EXPECT_THAT(message({.high_pass_hz = -1}, room), HasSubstr("high_pass_hz"));
  EXPECT_THAT(message({.floor_db = std::nan("")}, room), HasSubstr("floor_db"));
  EXPECT_THAT(message({.max_seconds = 100}, room), HasSubstr("max_seconds"));
  HybridOptions directed;
  directed.directivity.omni_share[5] = 1.2;
  EXPECT_THAT(message(directed, room), HasSubstr("directivity.omni_share[5] = 1.2 is out of range [0, 1]"));
  directed.directivity.omni_share[5] = std::nan("");
  EXPECT_THAT(message(directed, room), HasSubstr("directivity.omni_share[5]"));
  for (Vec3 facing : {Vec3{0, 0, 0}, Vec3{2, 0, 0}, Vec3{std::nan(""), 0, 1}}) {
    EXPECT_THAT(message({.facing = facing}, room), HasSubstr("facing has length"));
  }
  BandedRoom bad = room;
  bad.absorption[1][3] = 0.0;
  EXPECT_THAT(message({}, bad), HasSubstr("band 1: absorption.y1"));
  bad = room;
  bad.air_db_per_m[2] = 2.0;
  EXPECT_THAT(message({}, bad), HasSubstr("air_db_per_m[2]"));
  for (double absorption : {-0.1, 1.01, std::nan("")}) {
    bad = room;
    bad.absorption[6][0] = absorption;
    EXPECT_THAT(message({}, bad), HasSubstr("band 6: absorption.x0"));
    EXPECT_THAT(message({}, bad), HasSubstr("(0, 1]"));
  }
  for (double length : {0.0, -3.0, 1000.0, std::nan("")}) {
    bad = room;
    bad.size_m.y = length;
    EXPECT_THAT(message({}, bad), HasSubstr("size_m.y"));
    EXPECT_THAT(message({}, bad), HasSubstr("(0.5, 100]"));
  }
}

TEST(RenderRoom, PlacesOutsideOrTooCloseAreRefusedByName) {
  const BandedRoom room = SameInEveryBand({});  // 6 x 5 x 3 m
  const auto status = [&](Vec3 source, Vec3 listener) { return RenderRoom(room, source, listener, {}).status(); };
  const auto message = [&](Vec3 source, Vec3 listener) { return std::string(status(source, listener).message()); };
  EXPECT_EQ(status({7, 1, 1}, {3, 2, 1}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message({7, 1, 1}, {3, 2, 1}), HasSubstr("source_m.x = 7 is out of range [0.01, 5.99]"));
  EXPECT_THAT(message({1, 1, 2.995}, {3, 2, 1}), HasSubstr("source_m.z"));
  EXPECT_THAT(message({1, 1, 1}, {3, -2, 1}), HasSubstr("listener_m.y"));
  EXPECT_THAT(message({1, 1, 1}, {3, 0.005, 1}), HasSubstr("listener_m.y"));
  EXPECT_THAT(message({1, 1, 1}, {1, 1, 1.005}), HasSubstr("source_m is 0.005 m from listener_m"));
}

TEST(RenderRoom, SameBytesOnAnyNumberOfThreads) {
  BandedRoom room = SameInEveryBand({});
  room.air_db_per_m = BandAirAttenuation();
  const auto render = [&](uint64_t key) {
    return RenderRoom(room, {1, 1, 1}, {3, 2, 1.7}, {.directivity = *FindDirectivity("talker"), .key = key})
        ->foa.samples;
  };
  std::vector<std::vector<float>> alone(6), together(6);
  for (size_t i = 6; i-- > 0;) alone[i] = render(i);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < 6; i += 3) together[i] = render(i);
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(alone, together);
}

}  // namespace
}  // namespace auricle::sim
