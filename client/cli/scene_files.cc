#include "client/cli/scene_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "sim/dataset/manifest.h"
#include "sim/dataset/shard.h"
#include "sim/scene/scene_json.h"

namespace auricle::client {
namespace {

namespace fs = std::filesystem;

constexpr char kTruthEnd[] = ".scene.json";
constexpr size_t kMostAudioBytes = size_t{1} << 30;

// Stems of the truths, sorted.
std::vector<std::string> LooseStems(const std::string& folder) {
  std::vector<std::string> stems;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, kTruthEnd)) stems.push_back(name.substr(0, name.size() - (sizeof(kTruthEnd) - 1)));
  }
  std::ranges::sort(stems);
  return stems;
}

absl::Status VisitLoose(const std::string& folder, const SceneVisitor& visit) {
  const std::vector<std::string> stems = LooseStems(folder);
  if (stems.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, ": has neither ", sim::kManifestName, " nor *", kTruthEnd));
  }
  for (const std::string& stem : stems) {
    const std::string path = (fs::path(folder) / stem).string();
    absl::StatusOr<v1::Scene> truth = sim::ReadSceneFile(path + kTruthEnd);
    if (!truth.ok()) return truth.status();
    absl::StatusOr<std::string> audio = model::ReadWholeFile(path + ".flac", kMostAudioBytes);
    if (!audio.ok()) return audio.status();
    if (absl::Status s = visit({stem, *std::move(truth), *std::move(audio)}, stems.size()); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status VisitShard(const std::string& folder, const sim::ShardEntry& entry, uint64_t total,
                        const SceneVisitor& visit) {
  if (absl::Status s = sim::CheckShard(folder, entry); !s.ok()) return s;
  const std::string path = (fs::path(folder) / entry.file).string();
  int64_t scenes = 0;
  const absl::Status status = sim::ReadShard(path, {}, [&](const sim::Sample& sample) -> absl::Status {
    const std::string where = absl::StrCat(path, ": ", sample.key);
    const std::string *truth = sample.Find("scene.json"), *audio = sample.Find("flac");
    if (truth == nullptr || audio == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": must have a flac and a scene.json"));
    }
    absl::StatusOr<v1::Scene> scene = sim::ParseScene(*truth, where);
    if (!scene.ok()) return scene.status();
    ++scenes;
    return visit({sample.key, *std::move(scene), *audio}, total);
  });
  if (status.ok() && scenes != entry.scenes) {
    return absl::DataLossError(absl::StrCat(path, ": holds ", scenes, " scenes, its manifest says ", entry.scenes));
  }
  return status;
}

}  // namespace

absl::Status ForEachScene(const std::string& folder, const SceneVisitor& visit) {
  const absl::StatusOr<sim::Manifest> manifest = sim::ReadManifest(folder);
  if (absl::IsNotFound(manifest.status())) return VisitLoose(folder, visit);
  if (!manifest.ok()) return manifest.status();
  uint64_t total = 0;
  for (const sim::ShardEntry& entry : manifest->shards) total += static_cast<uint64_t>(entry.scenes);
  for (const sim::ShardEntry& entry : manifest->shards) {
    if (absl::Status s = VisitShard(folder, entry, total, visit); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace auricle::client
