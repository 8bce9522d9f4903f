#include "tests/bench/model_bars.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/audio/resample.h"
#include "sim/bench/evidence_scoring.h"
#include "sim/question/answer_parser.h"
#include "sim/question/class_words.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_spec.h"

namespace auricle::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kSeed = 5;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

v1::SceneSpec TestScenes(double seconds, int sources) {
  v1::SceneSpec spec = sim::FullSceneSpec();
  spec.set_split("test");
  spec.clear_durations_seconds();
  spec.add_durations_seconds(seconds);
  spec.clear_source_count_weights();
  spec.set_min_sources(sources);
  spec.set_max_sources(sources);
  return spec;
}

v1::SceneSpec OneAtRest() {
  v1::SceneSpec spec = TestScenes(5, 1);
  spec.set_motion_probability(0);
  spec.set_listener_motion_probability(0);
  return spec;
}

// The field turned to the left by `quarters` of a right angle: what came from the front comes from the left.
audio::FoaClip Turned(const audio::FoaClip& clip, int quarters) {
  audio::FoaClip turned = clip;
  for (int q = 0; q < quarters; ++q) {
    const audio::FoaClip before = turned;
    std::ranges::copy(before.channel(audio::kX), turned.channel(audio::kY).begin());
    std::ranges::transform(before.channel(audio::kY), turned.channel(audio::kX).begin(), [](float y) { return -y; });
  }
  return turned;
}

absl::StatusOr<std::string> Answered(const model::SpatialLalm& model, const model::EncodedAudio& heard,
                                     const std::string& question) {
  auto answer = model.Ask(heard, question, {.max_new_tokens = 48});
  if (!answer.ok()) return answer.status();
  std::string text;
  while (!(*answer)->finished()) {
    const auto step = (*answer)->Step();
    if (!step.ok()) return step.status();
    text += step->text;
  }
  return text;
}

// Of the most confident source; nothing where nothing is heard.
std::optional<double> EvidentAzimuth(const model::EncodedAudio& heard) {
  if (heard.evidence.sources().empty()) return std::nullopt;
  return heard.evidence.sources(0).direction().azimuth_deg();
}

// About what the model itself says that it hears best, in a wording of training: not its knowledge of classes is
// measured.
std::string AzimuthQuestion(const model::EncodedAudio& heard) {
  const sim::ClassWords* const words =
      heard.evidence.sources().empty() ? nullptr : sim::FindClassWords(heard.evidence.sources(0).class_name());
  return absl::StrCat("At what azimuth is ", words != nullptr ? words->the_noun : "the sound", "?");
}

std::optional<double> ClaimedAzimuth(const std::string& answer) {
  const auto claims = sim::FindAzimuths(sim::TokeniseAnswer(answer));
  if (claims.empty()) return std::nullopt;
  return claims.front().degrees;
}

bool TurnedAlong(std::optional<double> before, std::optional<double> after, double by_deg) {
  return before && after && std::abs(std::remainder(*after - *before - by_deg, 360.0)) <= 10.0;
}

// From /proc, MB.
double PeakMemoryMb() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0;
}

// Claims, each with the probability that it is right and whether it was.
class Calibration {
 public:
  void Add(double confidence, bool right) {
    const size_t bin = std::min<size_t>(kBins - 1, static_cast<size_t>(confidence * kBins));
    confidence_[bin] += confidence;
    right_[bin] += right;
    ++count_[bin];
  }
  int count() const { return std::accumulate(count_.begin(), count_.end(), 0); }
  // Expected calibration error over ten equal bins (Guo et al. 2017, "On Calibration of Modern Neural Networks", eq.
  // 3).
  double Error() const {
    double error = 0;
    for (size_t bin = 0; bin < kBins; ++bin) error += std::abs(right_[bin] - confidence_[bin]);
    return error / std::max(1, count());
  }

 private:
  static constexpr size_t kBins = 10;
  std::array<double, kBins> confidence_ = {}, right_ = {};
  std::array<int, kBins> count_ = {};
};

// One condition of the robustness table.
struct Condition {
  std::string name;
  std::function<void(v1::SceneSpec&)> scenes = [](v1::SceneSpec&) {};
  int sources = 2;
  std::function<absl::StatusOr<audio::FoaClip>(const audio::FoaClip&)> changed = [](const audio::FoaClip& clip) {
    return clip;
  };
};

void SetRange(v1::Range* range, double low, double high) {
  range->set_min(low);
  range->set_max(high);
}

std::vector<Condition> Conditions() {
  std::vector<Condition> all;
  for (const int n : {1, 2, 3, 4}) all.push_back({.name = absl::StrCat("sources ", n), .sources = n});
  for (const double db : {0, 10, 20, 40}) {
    all.push_back({.name = absl::StrCat("noise ", db, " dB below"),
                   .scenes = [db](v1::SceneSpec& spec) { SetRange(spec.mutable_noise_below_db(), db, db); }});
  }
  for (const double t : {0.2, 0.4, 0.8, 1.2}) {
    all.push_back({.name = absl::StrCat("T60 ", t, " s"), .scenes = [t](v1::SceneSpec& spec) {
                     spec.set_free_field_probability(0);
                     SetRange(spec.mutable_reverberation_seconds(), t, t);
                   }});
  }
  for (const double d : {0.5, 1.0, 2.0, 4.0, 8.0}) {
    all.push_back({.name = absl::StrCat("distance ", d, " m"), .scenes = [d](v1::SceneSpec& spec) {
                     SetRange(spec.mutable_distance_m(), 0.9 * d, 1.1 * d);
                     SetRange(spec.mutable_room_length_m(), 12, 20);  // room enough
                     SetRange(spec.mutable_room_width_m(), 10, 14);
                   }});
  }
  // The band that such a sender has, through the way that its audio takes into the model.
  all.push_back({.name = "sent at 8 kHz", .changed = [](const audio::FoaClip& clip) -> absl::StatusOr<audio::FoaClip> {
                   auto low = audio::ResampleFoa(clip, 8000);
                   return low.ok() ? audio::ResampleFoa(*low, 16000) : low;
                 }});
  all.push_back({.name = "sent at 48 kHz", .changed = [](const audio::FoaClip& clip) -> absl::StatusOr<audio::FoaClip> {
                   auto high = audio::ResampleFoa(clip, 48000);
                   return high.ok() ? audio::ResampleFoa(*high, 16000) : high;
                 }});
  all.push_back({.name = "sent as FuMa", .changed = [](const audio::FoaClip& clip) -> absl::StatusOr<audio::FoaClip> {
                   std::vector<float> sent;
                   for (size_t i = 0; i < clip.frames(); ++i) {
                     for (const int c : {audio::kW, audio::kX, audio::kY, audio::kZ}) {
                       sent.push_back(clip.channel(c)[i] *
                                      (c == audio::kW ? static_cast<float>(std::sqrt(0.5)) : 1.0f));
                     }
                   }
                   return audio::FromInterleaved(sent, 4, clip.sample_rate, audio::FoaFormat::kFuMa);
                 }});
  return all;
}

}  // namespace

absl::Status MeasureEquivariance(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                                 Report& report) {
  int evident = 0, answered = 0, turned = 0;
  for (int i = 0; i < scenes; ++i) {
    if (i % 20 == 0) Say(absl::StrFormat("turned scenes, %d of %d", i, scenes));
    const auto scene = sim::RenderScene(OneAtRest(), bank, kSeed, static_cast<uint64_t>(i));
    if (!scene.ok()) return scene.status();
    std::optional<double> evidence, answer;
    std::string question;
    for (int quarters = 0; quarters < 4; ++quarters) {
      const auto heard = model.Encode(Turned(scene->audio, quarters));
      if (!heard.ok()) return heard.status();
      if (quarters == 0) question = AzimuthQuestion(*heard);
      const auto text = Answered(model, *heard, question);
      if (!text.ok()) return text.status();
      if (quarters == 0) {
        evidence = EvidentAzimuth(*heard);
        answer = ClaimedAzimuth(*text);
        continue;
      }
      ++turned;
      evident += TurnedAlong(evidence, EvidentAzimuth(*heard), 90.0 * quarters);
      answered += TurnedAlong(answer, ClaimedAzimuth(*text), 90.0 * quarters);
    }
  }
  const std::string note = absl::StrCat(turned, " turned scenes");
  report.bars.push_back({.name = "azimuth of the evidence turns along within 10 deg",
                         .value = static_cast<double>(evident) / turned,
                         .unit = "share",
                         .floor = Bar::Floor{0.9, true},
                         .note = note});
  report.bars.push_back({.name = "answered azimuth turns along within 10 deg",
                         .value = static_cast<double>(answered) / turned,
                         .unit = "share",
                         .floor = Bar::Floor{0.9, true},
                         .note = note});
  return absl::OkStatus();
}

absl::Status MeasureStreaming(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                              Report& report) {
  constexpr size_t kPiece = 5120;  // 320 ms
  constexpr const char* kQuestions[] = {"What do you hear?", "How many sounds are there?"};
  double worst_deg = 0, worst_distance = 0;
  int same = 0, asked = 0, other_sources = 0;
  for (int i = 0; i < scenes; ++i) {
    const auto scene = sim::RenderScene(TestScenes(10, 1 + i % 4), bank, kSeed, static_cast<uint64_t>(i));
    if (!scene.ok()) return scene.status();
    const auto stream = model.Listen();
    for (size_t at = 0; at < scene->audio.frames(); at += kPiece) {
      const size_t count = std::min(kPiece, scene->audio.frames() - at);
      audio::FoaClip piece = audio::MakeSilentClip(count, scene->audio.sample_rate);
      for (int c = 0; c < audio::kFoaChannels; ++c) {
        std::ranges::copy(scene->audio.channel(c).subspan(at, count), piece.channel(c).begin());
      }
      if (const absl::Status status = stream->Feed(piece); !status.ok()) return status;
    }
    const auto whole = model.Encode(scene->audio);
    const auto streamed = stream->Snapshot();
    if (!whole.ok()) return whole.status();
    if (!streamed.ok()) return streamed.status();
    const auto &a = whole->evidence.sources(), &b = streamed->evidence.sources();
    other_sources += a.size() != b.size();
    for (int s = 0; s < std::min(a.size(), b.size()); ++s) {
      worst_deg = std::max(worst_deg, sim::AngleBetween(a[s].direction(), b[s].direction()));
      worst_distance = std::max(worst_distance, std::abs(a[s].distance_m() / b[s].distance_m() - 1));
    }
    std::vector<std::string> questions = {AzimuthQuestion(*whole)};
    questions.insert(questions.end(), std::begin(kQuestions), std::end(kQuestions));
    for (const std::string& question : questions) {
      const auto one = Answered(model, *whole, question), other = Answered(model, *streamed, question);
      if (!one.ok()) return one.status();
      if (!other.ok()) return other.status();
      ++asked;
      same += *one == *other;
    }
  }
  const std::string note = absl::StrCat(scenes, " scenes of 10 s in pieces of 320 ms");
  report.bars.push_back({.name = "streamed answers that equal those to the whole clip",
                         .value = static_cast<double>(same) / asked,
                         .unit = "share",
                         .floor = Bar::Floor{1.0, true},
                         .note = note});
  report.bars.push_back({.name = "streamed scenes with another number of sources",
                         .value = static_cast<double>(other_sources),
                         .unit = "scenes",
                         .floor = Bar::Floor{0, false},
                         .note = note});
  report.bars.push_back({.name = "streamed direction of a source, greatest difference",
                         .value = worst_deg,
                         .unit = "deg",
                         .floor = Bar::Floor{0.05, false},
                         .note = note});
  report.bars.push_back({.name = "streamed distance of a source, greatest difference",
                         .value = 100 * worst_distance,
                         .unit = "%",
                         .floor = Bar::Floor{0.05, false},
                         .note = note});
  return absl::OkStatus();
}

absl::Status MeasureCost(const model::SpatialLalm& model, const sim::SourceBank& bank, Report& report) {
  constexpr int kRepetitions = 25;
  const auto scene = sim::RenderScene(TestScenes(10, 3), bank, kSeed, 0);
  if (!scene.ok()) return scene.status();
  std::vector<double> encode, first;
  Say("time of hearing and of the first token");
  for (int i = 0; i < kRepetitions + 2; ++i) {
    auto start = Clock::now();
    const auto heard = model.Encode(scene->audio);
    if (!heard.ok()) return heard.status();
    const double encoding = Since(start);
    start = Clock::now();
    auto answer = model.Ask(*heard, AzimuthQuestion(*heard), {});
    if (!answer.ok()) return answer.status();
    if (const auto step = (*answer)->Step(); !step.ok()) return step.status();
    if (i < 2) continue;  // buffers come up
    encode.push_back(encoding);
    first.push_back(Since(start));
  }
  const std::string note = absl::StrCat("median of ", kRepetitions);
  report.bars.push_back({.name = "hearing a clip of 10 s (ears, projector, decoder's pass over it)",
                         .value = 10.0 / Median(encode),
                         .unit = "x real time",
                         .floor = Bar::Floor{60, true},
                         .note = note});
  report.bars.push_back({.name = "first token of an answer after it",
                         .value = 1e3 * Median(first),
                         .unit = "ms",
                         .floor = Bar::Floor{250, false},
                         .note = note});
  report.bars.push_back({.name = "peak memory of the process",
                         .value = PeakMemoryMb(),
                         .unit = "MB",
                         .floor = Bar::Floor{600, false},
                         .note = "model, bank of recordings and this program"});
  return absl::OkStatus();
}

absl::Status MeasureCalibration(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                                Report& report) {
  constexpr double kFoundDeg = 20;
  Calibration existence, classes;
  for (const int sources : {1, 2, 3, 4}) {
    Say(absl::StrFormat("calibration, scenes of %d", sources));
    for (int i = 0; i < scenes; ++i) {
      const auto scene = sim::RenderScene(TestScenes(5, sources), bank, kSeed, static_cast<uint64_t>(i));
      if (!scene.ok()) return scene.status();
      const auto heard = model.Encode(scene->audio);
      if (!heard.ok()) return heard.status();
      std::vector<bool> found(heard->evidence.sources_size(), false);
      for (const auto& [truth, perceived] : sim::MatchSources(scene->truth, heard->evidence)) {
        const v1::Source &is = scene->truth.sources(truth), &said = heard->evidence.sources(perceived);
        found[perceived] = sim::AngleBetween(is.direction(), said.direction()) <= kFoundDeg;
        if (found[perceived]) classes.Add(said.class_scores(0).probability(), is.class_name() == said.class_name());
      }
      for (int s = 0; s < heard->evidence.sources_size(); ++s) {
        existence.Add(heard->evidence.sources(s).confidence(), found[s]);
      }
    }
  }
  for (const auto& [what, calibration] :
       {std::pair{"that a source is there", &existence}, {"of its class", &classes}}) {
    report.bars.push_back({.name = absl::StrCat("confidence ", what, ", expected calibration error"),
                           .value = calibration->Error(),
                           .unit = "share",
                           .note = absl::StrCat(calibration->count(), " claims, ten bins; right: within 20 deg")});
  }
  return absl::OkStatus();
}

absl::Status MeasureRobustness(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                               Report& report) {
  for (const Condition& condition : Conditions()) {
    Say(absl::StrCat("robustness: ", condition.name));
    v1::SceneSpec spec = TestScenes(5, condition.sources);
    condition.scenes(spec);
    std::vector<sim::ScenePair> pairs;
    std::vector<double> angles;
    int right = 0, matched = 0;
    for (int i = 0; i < scenes; ++i) {
      const auto scene = sim::RenderScene(spec, bank, kSeed, static_cast<uint64_t>(i));
      if (!scene.ok())
        return absl::Status(scene.status().code(),
                            absl::StrCat(condition.name, ": ", std::string(scene.status().message())));
      const auto clip = condition.changed(scene->audio);
      if (!clip.ok()) return clip.status();
      const auto heard = model.Encode(*clip, {.include_tracks = true});
      if (!heard.ok()) return heard.status();
      for (const auto& [truth, perceived] : sim::MatchSources(scene->truth, heard->evidence)) {
        const v1::Source &is = scene->truth.sources(truth), &said = heard->evidence.sources(perceived);
        ++matched;
        angles.push_back(sim::AngleBetween(is.direction(), said.direction()));
        right += is.class_name() == said.class_name();
      }
      pairs.push_back({scene->truth, heard->evidence});
    }
    const sim::DetectionScore score = sim::ScoreDetection(pairs);
    const auto add = [&](const char* what, double value, const char* unit) {
      report.bars.push_back({.name = absl::StrCat(condition.name, ": ", what),
                             .value = value,
                             .unit = unit,
                             .note = absl::StrCat(scenes, " scenes of 5 s")});
    };
    add("F20 class aside", score.f_20_any_class, "share");
    add("angle of matched sources, median", angles.empty() ? 180 : Median(angles), "deg");
    add("distance error, median", score.median_distance_error, "share");
    add("class, first guess", matched == 0 ? 0 : static_cast<double>(right) / matched, "share");
  }
  return absl::OkStatus();
}

}  // namespace auricle::bench
