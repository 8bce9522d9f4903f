#include "sim/bench/slice.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/audio/audio_file.h"
#include "model/checkpoint/atomic_file.h"
#include "sim/bench/benchmark_rows.h"
#include "sim/scene/scene_json.h"

namespace auricle::sim {
namespace {

namespace fs = std::filesystem;

struct SliceScene {
  std::string audio;  // relative to the benchmark's folder
  v1::Scene truth;
  std::vector<QuestionRow> rows;
  std::vector<const Recording*> recordings;
};

absl::Status WriteText(const fs::path& path, const std::string& text) {
  const std::string_view pieces[] = {text};
  return model::WriteFileAtomically(path.string(), pieces);
}

// Paths of what the sources and the bed of a scene are made of.
std::vector<std::string> RecordingsOf(const v1::Scene& truth) {
  std::vector<std::string> paths;
  for (const v1::Source& source : truth.sources()) paths.push_back(source.recording_path());
  if (truth.ambience().has_recording_path()) paths.push_back(truth.ambience().recording_path());
  return paths;
}

// Scenes short and free enough, in the order of the benchmark.
absl::StatusOr<std::vector<SliceScene>> FreeScenes(const fs::path& folder, const SourceBank& bank,
                                                   const SliceOptions& options) {
  std::map<std::string, const Recording*> by_path;
  for (const Recording& recording : bank.recordings()) by_path[recording.path] = &recording;
  absl::StatusOr<std::vector<QuestionRow>> rows = ReadQuestionRows((folder / "questions.jsonl").string());
  if (!rows.ok()) return rows.status();
  std::map<std::string, size_t> place;
  std::vector<SliceScene> scenes;
  std::set<std::string> refused;
  for (QuestionRow& row : *rows) {
    if (refused.contains(row.audio)) continue;
    if (!place.contains(row.audio)) {
      absl::StatusOr<v1::Scene> truth = ReadSceneFile((folder / row.audio).replace_extension(".scene.json").string());
      if (!truth.ok()) return truth.status();
      SliceScene scene = {.audio = row.audio, .truth = *std::move(truth), .rows = {}, .recordings = {}};
      bool good = scene.truth.duration_seconds() <= options.longest_seconds;
      for (const std::string& path : RecordingsOf(scene.truth)) {
        const auto recording = by_path.find(path);
        good = good && recording != by_path.end() && MayBeGivenOn(recording->second->licence);
        if (good) scene.recordings.push_back(recording->second);
      }
      if (!good) {
        refused.insert(row.audio);
        continue;
      }
      place[row.audio] = scenes.size();
      scenes.push_back(std::move(scene));
    }
    scenes[place[row.audio]].rows.push_back(std::move(row));
  }
  if (scenes.empty()) {
    return absl::NotFoundError(absl::StrCat(folder.string(), ": has no scene of recordings that may be given on"));
  }
  return scenes;
}

// What a question is of: its task and its form.
std::pair<std::string, int> KindOf(const QuestionRow& row) {
  return {row.question.task(), static_cast<int>(row.question.form())};
}

// Scene by scene the one that brings the most kinds of question that are still missing, then the most questions.
std::vector<SliceScene> MostKinds(std::vector<SliceScene> scenes, int most) {
  std::vector<SliceScene> chosen;
  std::set<std::pair<std::string, int>> known;
  while (!scenes.empty() && chosen.size() < static_cast<size_t>(most)) {
    const auto worth = [&](const SliceScene& scene) {
      std::set<std::pair<std::string, int>> fresh;
      for (const QuestionRow& row : scene.rows) {
        if (!known.contains(KindOf(row))) fresh.insert(KindOf(row));
      }
      return std::pair(fresh.size(), scene.rows.size());
    };
    const auto best = std::ranges::max_element(scenes, {}, worth);
    for (const QuestionRow& row : best->rows) known.insert(KindOf(row));
    chosen.push_back(std::move(*best));
    scenes.erase(best);
  }
  return chosen;
}

// As many of each kind as of the others: a round takes one of each that is left.
std::set<std::string> EvenlyChosen(const std::vector<SliceScene>& scenes, int questions) {
  std::map<std::pair<std::string, int>, std::vector<std::string>> by_kind;
  for (const SliceScene& scene : scenes) {
    for (const QuestionRow& row : scene.rows) by_kind[KindOf(row)].push_back(row.question.id());
  }
  std::set<std::string> chosen;
  for (size_t round = 0;; ++round) {
    bool more = false;
    for (const auto& [kind, ids] : by_kind) {
      if (round >= ids.size()) continue;
      if (chosen.size() == static_cast<size_t>(questions)) return chosen;
      chosen.insert(ids[round]);
      more = true;
    }
    if (!more) return chosen;
  }
}

std::string LicenceTable(const std::vector<SliceScene>& scenes, const SourceBank& bank) {
  std::string text =
      "# Whose recordings these scenes are made of\n\nRendered by `auricle-bench slice` from recordings of the test "
      "split; the "
      "renderings are under Apache-2.0 as the rest\nof the repository, the recordings in them keep their licences.\n\n"
      "| scene | sound | recording | title | author | licence |\n|---|---|---|---|---|---|\n";
  for (const SliceScene& scene : scenes) {
    for (const Recording* recording : scene.recordings) {
      absl::StrAppend(&text, "| ", scene.truth.id(), " | ",
                      std::string(bank.classes()[static_cast<size_t>(recording->class_index)].name), " | ",
                      recording->group, " | ", recording->title, " | ", recording->author, " | ", recording->licence,
                      " |\n");
    }
  }
  return text;
}

absl::Status WriteAudio(const fs::path& from, const fs::path& to) {
  const absl::StatusOr<audio::FoaClip> clip = audio::ReadFoaFile(from.string(), audio::FoaFormat::kAmbiX);
  if (!clip.ok()) return clip.status();
  const absl::StatusOr<std::string> flac = audio::EncodeFoaFlac(*clip, audio::FlacDepth::k16);
  if (!flac.ok()) return flac.status();
  return WriteText(to, *flac);
}

}  // namespace

bool MayBeGivenOn(const std::string& licence) {
  const std::string name = absl::AsciiStrToUpper(licence);
  if (absl::StrContains(name, "SA") || absl::StrContains(name, "NC") || absl::StrContains(name, "ND")) return false;
  for (const std::string_view free : {"CC0", "CC-BY", "MIT", "BSD", "PUBLIC DOMAIN", "PUBLIC-DOMAIN"}) {
    if (name.starts_with(free)) return true;
  }
  return false;
}

absl::Status WriteSlice(const std::string& folder, const SourceBank& bank, const SliceOptions& options,
                        const std::string& out) {
  if (options.questions < 1 || options.scenes < 1) {
    return absl::InvalidArgumentError("questions and scenes must be 1 or more");
  }
  absl::StatusOr<std::vector<SliceScene>> free = FreeScenes(folder, bank, options);
  if (!free.ok()) return free.status();
  const std::vector<SliceScene> scenes = MostKinds(*std::move(free), options.scenes);
  const std::set<std::string> chosen = EvenlyChosen(scenes, options.questions);
  const fs::path root(out);
  std::error_code error;
  fs::create_directories(root / "audio", error);
  if (error) return absl::UnavailableError(absl::StrCat((root / "audio").string(), ": ", error.message()));
  std::string lines;
  for (const SliceScene& scene : scenes) {
    const fs::path audio = root / scene.audio;
    if (absl::Status s = WriteAudio(fs::path(folder) / scene.audio, audio); !s.ok()) return s;
    fs::path truth = audio;
    if (absl::Status s = WriteText(truth.replace_extension(".scene.json"), SceneToJsonText(scene.truth) + "\n");
        !s.ok())
      return s;
    for (const QuestionRow& row : scene.rows) {
      if (chosen.contains(row.question.id())) lines += QuestionRowToJson(row) + "\n";
    }
  }
  if (absl::Status s = WriteText(root / "LICENSES.md", LicenceTable(scenes, bank)); !s.ok()) return s;
  return WriteText(root / "questions.jsonl", lines);
}

}  // namespace auricle::sim
