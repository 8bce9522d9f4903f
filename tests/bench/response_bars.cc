#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <numbers>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/room/echogram.h"
#include "sim/room/response.h"
#include "tests/bench/peer_process.h"
#include "tests/bench/sim_bars.h"
#include "tests/sim/measures/exact_response.h"
#include "tests/sim/measures/response_measures.h"

namespace auricle::bench {
namespace {

using sim::ExactSpectrum;
using sim::Vec3;

constexpr int kRate = 24000;
constexpr double kSeconds = 0.5, kBelowHz = 8000.0;
constexpr Vec3 kSize = {6.0, 5.0, 3.0}, kSource = {1.2, 3.4, 1.1}, kListener = {4.1, 2.2, 1.6};
constexpr int kRepetitions = 7, kOursEach = 20;

// Absorption by Sabine's formula, as pyroomacoustics has it (inverse_sabine), so that both render one room.
sim::Shoebox Room() {
  sim::Shoebox room = {.size_m = kSize, .absorption = {}};
  room.absorption.fill(24.0 * std::numbers::ln10 * sim::Volume(room) /
                       (sim::kSpeedOfSound * sim::Surface(room) * kSeconds));
  return room;
}

nlohmann::json List(Vec3 v) { return {v.x, v.y, v.z}; }

double Milliseconds(int times, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / times;
}

std::array<std::span<const float>, 4> Channels(std::span<const float> planar) {
  const size_t frames = planar.size() / 4;
  std::array<std::span<const float>, 4> channels;
  for (size_t c = 0; c < 4; ++c) channels[c] = planar.subspan(c * frames, frames);
  return channels;
}

// The peer's last response against its own images, those up to its reflection order.
absl::StatusOr<double> PeerErrorDb(PeerProcess& peer, int max_order) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / absl::StrCat("auricle-sim-bench-", getpid(), ".f32");
  const absl::StatusOr<nlohmann::json> written = peer.Ask({{"do", "write"}, {"path", path.string()}});
  if (!written.ok()) return written.status();
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> planar(static_cast<size_t>(std::max<std::streamoff>(0, file.tellg())) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(planar.data()), static_cast<std::streamsize>(planar.size() * sizeof(float)));
  std::filesystem::remove(path);
  if (!file || planar.empty()) return absl::UnavailableError("the peer's response cannot be read");
  const auto images = sim::ListImages(Room(), kSource, kListener, {.max_order = max_order});
  if (!images.ok()) return images.status();
  const ExactSpectrum exact = sim::ExactSpectrumOf(*images, sim::ComparisonStepHz(planar.size() / 4, kRate), kBelowHz);
  return sim::ErrorToExactDb(Channels(planar), kRate, (*written)["zero_sample"].get<double>(), exact,
                             /*fit_gain=*/true);
}

}  // namespace

absl::Status MeasureResponses(const std::string& peer_command, Report& report) {
  const sim::Shoebox room = Room();
  const sim::BandedRoom banded = sim::SameInEveryBand(room);
  const sim::ImageLimits limits = {.max_seconds = kSeconds};

  std::unique_ptr<PeerProcess> peer;
  std::string peer_name;
  int max_order = 0, peer_images = 0;
  if (!peer_command.empty()) {
    Say("starting pyroomacoustics");
    auto started = PeerProcess::Start(peer_command);
    if (!started.ok()) return started.status();
    peer = *std::move(started);
    const auto version = peer->Ask({{"do", "room"},
                                    {"size", List(kSize)},
                                    {"absorption", room.absorption[0]},
                                    {"seconds", kSeconds},
                                    {"source", List(kSource)},
                                    {"microphone", List(kListener)},
                                    {"rate", kRate}});
    if (!version.ok()) return version.status();
    peer_name = absl::StrCat("pyroomacoustics ", (*version)["version"].get<std::string>());
    max_order = (*version)["max_order"].get<int>();
    if (auto warm = peer->Ask({{"do", "render"}}); !warm.ok()) return warm.status();
  }

  absl::StatusOr<sim::RoomResponse> hybrid = absl::UnknownError("");
  absl::StatusOr<audio::FoaClip> every = absl::UnknownError("");
  const auto render_hybrid = [&] {
    hybrid = sim::RenderRoom(banded, kSource, kListener, {.sample_rate = kRate, .key = 1});
  };
  const auto render_every = [&] { every = sim::RenderImages(room, kSource, kListener, limits, kRate); };
  render_hybrid();
  render_every();
  if (!hybrid.ok()) return hybrid.status();
  if (!every.ok()) return every.status();
  std::vector<double> hybrid_ms, every_ms, peer_ms, hybrid_ratio, every_ratio;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    Say(absl::StrFormat("response, repetition %d of %d", repetition + 1, kRepetitions));
    hybrid_ms.push_back(Milliseconds(kOursEach, render_hybrid));
    every_ms.push_back(Milliseconds(kOursEach, render_every));
    if (peer == nullptr) continue;
    const auto answer = peer->Ask({{"do", "render"}});
    if (!answer.ok()) return answer.status();
    peer_ms.push_back(1e3 * (*answer)["seconds"].get<double>());
    peer_images = (*answer)["images"].get<int>();
    hybrid_ratio.push_back(peer_ms.back() / hybrid_ms.back());
    every_ratio.push_back(peer_ms.back() / every_ms.back());
  }
  Say("the exact transform of every image");
  const auto images = sim::ListImages(room, kSource, kListener, limits);
  if (!images.ok()) return images.status();
  const auto add_time = [&](const std::string& name, const std::vector<double>& ms, const std::vector<double>& ratios,
                            const std::string& note) {
    Bar bar = {.name = name, .value = Median(ms), .unit = "ms", .note = note};
    if (!ratios.empty()) {
      bar.peer = peer_name;
      bar.peer_value = Median(peer_ms);
      bar.ratio = Median(ratios);
      bar.floor = Bar::Floor{100.0, true};
    }
    report.bars.push_back(std::move(bar));
  };
  const std::string what = "response 6x5x3 m, T60 0.5 s, 24 kHz: ";
  const std::string repetitions = absl::StrFormat("median of %d, one thread each", kRepetitions);
  add_time(what + "every image", every_ms, every_ratio,
           absl::StrFormat("%s; %d images%s", repetitions, images->size(),
                           peer ? absl::StrFormat(", the peer's %d to order %d", peer_images, max_order) : ""));
  add_time(what + "hybrid", hybrid_ms, hybrid_ratio, repetitions);
  if (peer == nullptr) report.skipped.push_back({"time beside pyroomacoustics", "no peer was given (--peer)"});

  const ExactSpectrum exact = sim::ExactSpectrumOf(*images, sim::ComparisonStepHz(every->frames(), kRate), kBelowHz);
  const auto error = sim::ErrorToExactDb(Channels(every->samples), kRate, 0.0, exact, /*fit_gain=*/false);
  if (!error.ok()) return error.status();
  report.bars.push_back({.name = "error of every image below 8 kHz",
                         .value = *error,
                         .unit = "dB",
                         .floor = Bar::Floor{-60.0},
                         .note = "to the exact transform of the same images, 4 channels"});
  if (peer != nullptr) {
    const auto peer_error = PeerErrorDb(*peer, max_order);
    if (!peer_error.ok()) return peer_error.status();
    report.bars.push_back({.name = absl::StrCat("error of ", peer_name, " below 8 kHz"),
                           .value = *peer_error,
                           .unit = "dB",
                           .note = "likewise, gain fitted"});
  }
  // Jitter, high-pass and noise are what the hybrid is meant to have; its early images are compared without the first
  // two, before the third sets in.
  const auto early = sim::RenderRoom(banded, kSource, kListener,
                                     {.sample_rate = kRate, .jitter_m = 0.0, .high_pass_hz = 0.0, .key = 1});
  if (!early.ok()) return early.status();
  const size_t frames = static_cast<size_t>(0.7 * sim::TimeOfImages(room, 1000.0) * kRate);
  report.bars.push_back({.name = "error of the hybrid's early images",
                         .value = sim::ErrorDb(early->foa, *every, frames),
                         .unit = "dB",
                         .floor = Bar::Floor{-60.0},
                         .note = absl::StrFormat("to every image, first %.0f ms, without jitter and high-pass",
                                                 1e3 * static_cast<double>(frames) / kRate)});
  return absl::OkStatus();
}

}  // namespace auricle::bench
