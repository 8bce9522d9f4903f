#include "client/cli/simulate_run.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/answer_json.h"
#include "client/cli/question_json.h"
#include "model/audio/audio_file.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_lock.h"
#include "sim/dataset/manifest.h"
#include "sim/dataset/shard.h"
#include "sim/question/questions.h"
#include "sim/render/in_order.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"

namespace auricle::client {
namespace {

namespace fs = std::filesystem;

// One scene, as bytes.
struct SceneFiles {
  v1::Scene truth;
  std::string flac;
  std::string truth_json;
  std::string questions;  // lines of questions.jsonl
};

absl::StatusOr<SceneFiles> MakeScene(const SimulateOptions& options, const sim::SourceBank& bank, uint64_t index) {
  const absl::StatusOr<sim::ScenePlan> plan = sim::PlanScene(options.spec, bank, options.seed, index);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<sim::RenderedScene> scene = sim::RenderScene(*plan, bank);
  if (!scene.ok()) return scene.status();
  absl::StatusOr<std::string> flac = audio::EncodeFoaFlac(scene->audio);
  if (!flac.ok()) return flac.status();
  SceneFiles files;
  files.truth = scene->truth;
  files.flac = *std::move(flac);
  files.truth_json =
      SceneToJson(scene->truth).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (options.questions > 0) {
    sim::Random random(options.seed, index, "simulate/questions");
    sim::QuestionOptions asked;
    asked.per_scene = options.questions;
    asked.held_out_wordings = options.spec.split() == "test";
    for (const v1::Question& question : sim::AskAbout(scene->truth, asked, random)) {
      absl::StrAppend(&files.questions, ToLine(QuestionToJson(question, scene->truth.id() + ".flac")), "\n");
    }
  }
  return files;
}

absl::Status CheckName(const std::string& name) {
  const auto plain = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  if (!name.empty() && name.size() <= 64 && std::ranges::all_of(name, plain)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("name: of the spec is \"", name, "\", must be of letters, digits, _ and -, 1 to 64 of them"));
}

// What decides the content of a shard.
std::string MadeFrom(const SimulateOptions& options, const sim::SourceBank& bank, uint64_t shard_size) {
  std::string spec;
  google::protobuf::util::JsonPrintOptions printing;
  printing.preserve_proto_field_names = true;
  const auto printed = google::protobuf::util::MessageToJsonString(sim::WithDefaults(options.spec), &spec, printing);
  nlohmann::ordered_json json;
  json["spec"] = nlohmann::ordered_json::parse(printed.ok() ? spec : "{}", nullptr, /*allow_exceptions=*/false);
  json["seed"] = options.seed;
  json["questions"] = options.questions;
  json["scenes_per_shard"] = shard_size;
  json["bank"] = bank.fingerprint();
  return json.dump();
}

absl::StatusOr<sim::Manifest> OpenManifest(const std::string& folder, const std::string& made_from) {
  absl::StatusOr<sim::Manifest> manifest = sim::ReadManifest(folder);
  if (absl::IsNotFound(manifest.status())) return sim::Manifest{.made_from = made_from, .shards = {}};
  if (manifest.ok() && manifest->made_from != made_from) {
    return absl::FailedPreconditionError(absl::StrCat(folder, ": holds a data set made from ", manifest->made_from,
                                                      ", not from ", made_from, ": take another folder"));
  }
  return manifest;
}

}  // namespace

absl::Status WriteSceneFiles(const SimulateOptions& options, const sim::SourceBank& bank, const std::string& folder,
                             const std::function<void(const std::string& stem, const v1::Scene& truth)>& on_scene,
                             const std::function<bool()>& stop) {
  if (absl::Status s = CheckName(options.spec.name()); !s.ok()) return s;
  const std::string question_path = (fs::path(folder) / "questions.jsonl").string();
  const absl::Status not_written = absl::UnavailableError(absl::StrCat(question_path, ": cannot be written"));
  std::ofstream questions;
  if (options.questions > 0) {
    questions.open(question_path, options.first_index > 0 ? std::ios::app : std::ios::trunc);
    if (!questions) return not_written;
  }
  const auto make = [&](uint64_t index) { return MakeScene(options, bank, index); };
  const auto take = [&](uint64_t, const SceneFiles& files) -> absl::Status {
    const std::string stem = files.truth.id();
    for (const auto& [extension, bytes] :
         {std::pair{".flac", std::string_view(files.flac)}, {".scene.json", std::string_view(files.truth_json)}}) {
      const absl::Status written =
          model::WriteFileAtomically((fs::path(folder) / (stem + extension)).string(), {&bytes, 1});
      if (!written.ok()) return written;
    }
    if (options.questions > 0 && !(questions << files.questions << std::flush)) return not_written;
    on_scene(stem, files.truth);
    return absl::OkStatus();
  };
  return sim::MakeInOrder<SceneFiles>(options.first_index, options.first_index + options.count, options.jobs, make,
                                      take, stop);
}

absl::Status WriteSceneShards(const SimulateOptions& options, const sim::SourceBank& bank, uint64_t shard_size,
                              const std::string& folder, const std::function<void(const ShardCounts&)>& progress,
                              const std::function<bool()>& stop) {
  if (absl::Status s = CheckName(options.spec.name()); !s.ok()) return s;
  if (options.first_index % shard_size != 0) {
    return absl::InvalidArgumentError(absl::StrCat("index: is ", options.first_index, ", must be a multiple of the ",
                                                   shard_size, " scenes in a shard"));
  }
  const absl::StatusOr<model::FolderLock> lock = model::FolderLock::Take(folder);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<sim::Manifest> manifest = OpenManifest(folder, MadeFrom(options, bank, shard_size));
  if (!manifest.ok()) return manifest.status();

  ShardCounts counts{.scenes = options.count};
  const uint64_t last = options.first_index + options.count;
  for (uint64_t begin = options.first_index; begin < last; begin += shard_size) {
    const uint64_t end = std::min(begin + shard_size, last);
    const std::string file = absl::StrFormat("%s-%06d.tar", options.spec.name(), begin / shard_size);
    const sim::ShardEntry* old = manifest->Find(file);
    if (old != nullptr && old->scenes >= static_cast<int64_t>(end - begin) && sim::CheckShard(folder, *old).ok()) {
      counts.kept += end - begin;
      counts.done += end - begin;
      progress(counts);
      continue;
    }
    absl::StatusOr<sim::ShardWriter> writer = sim::ShardWriter::Create((fs::path(folder) / file).string());
    if (!writer.ok()) return writer.status();
    const auto make = [&](uint64_t index) { return MakeScene(options, bank, index); };
    const auto take = [&](uint64_t, SceneFiles files) -> absl::Status {
      sim::Sample sample{.key = files.truth.id(), .files = {}};
      sample.files.push_back({"flac", std::move(files.flac)});
      sample.files.push_back({"scene.json", std::move(files.truth_json)});
      if (options.questions > 0) sample.files.push_back({"questions.jsonl", std::move(files.questions)});
      if (absl::Status added = writer->Add(sample); !added.ok()) return added;
      ++counts.done;
      progress(counts);
      return absl::OkStatus();
    };
    if (absl::Status s = sim::MakeInOrder<SceneFiles>(begin, end, options.jobs, make, take, stop); !s.ok()) return s;
    if (absl::Status s = writer->Finish(); !s.ok()) return s;
    absl::StatusOr<sim::ShardEntry> entry = sim::DescribeShard(folder, file, begin, static_cast<int64_t>(end - begin));
    if (!entry.ok()) return entry.status();
    manifest->Put(*std::move(entry));
    if (absl::Status s = sim::WriteManifest(folder, *manifest); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace auricle::client
