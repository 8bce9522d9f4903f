#include "sim/bench/benchmark.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/audio/audio_file.h"
#include "nlohmann/json.hpp"
#include "sim/question/questions.h"
#include "sim/question/tasks.h"
#include "sim/render/in_order.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_json.h"

namespace auricle::sim {

namespace internal {
extern const char* const kAsaJson;  // made from asa.json by CMake
}

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string Hex(uint64_t hash) { return absl::StrFormat("%016x", hash); }

absl::Status WriteText(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat(path.string(), ": cannot be written"));
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path.string(), ": cannot be read"));
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

absl::Status Validate(const BenchmarkSpec& spec) {
  if (spec.scenes < 1 || spec.scenes > 100000) {
    return absl::InvalidArgumentError(absl::StrCat("scenes = ", spec.scenes, " is out of range [1, 100000]"));
  }
  if (spec.questions < 1 || spec.questions > 1000000) {
    return absl::InvalidArgumentError(absl::StrCat("questions = ", spec.questions, " is out of range [1, 1000000]"));
  }
  double shares = 0;
  for (const double share : spec.level_shares) {
    if (!(share >= 0 && share <= 1)) {
      return absl::InvalidArgumentError(absl::StrCat("level_shares = ", share, " is out of range [0, 1]"));
    }
    shares += share;
  }
  if (shares != 0 && std::abs(shares - 1) > 1e-6) {
    return absl::InvalidArgumentError(absl::StrCat("level_shares add up to ", shares, ": must be 1, or 0 for none"));
  }
  return absl::OkStatus();
}

v1::SceneSpec FilledIn(const v1::SceneSpec& given) {
  v1::SceneSpec spec = given;
  if (spec.split().empty()) spec.set_split("test");
  if (spec.name().empty()) spec.set_name("bench");
  return spec;
}

// What decides the content: two folders with the same text hold the same benchmark.
Json MadeFrom(const BenchmarkSpec& spec, const SourceBank& bank) {
  Json json;
  json["seed"] = spec.seed;
  json["scenes"] = spec.scenes;
  json["questions"] = spec.questions;
  if (spec.level_shares != std::array<double, 3>{}) json["level_shares"] = spec.level_shares;
  json["bank"] = bank.fingerprint();
  json["scene_spec"] = Hex(FnvHash(FilledIn(spec.scene_spec).SerializeAsString()));
  return json;
}

// A question in words, without the numbers of its key: their last digits are the compiler's and the library's.
std::string InWords(const QuestionRow& row) {
  const v1::Question& question = row.question;
  std::string words = absl::StrCat(question.id(), "\n", row.audio, "\n", question.form(), "\n", question.text(), "\n");
  for (const std::string& option : question.options()) absl::StrAppend(&words, option, "\n");
  absl::StrAppend(&words, question.key().letter(), "\n", question.key().reference(), "\n");
  return words;
}

// The stamps as the files are now.
absl::StatusOr<BenchmarkStamp> StampOf(const fs::path& folder) {
  absl::StatusOr<std::vector<QuestionRow>> rows = ReadQuestionRows((folder / "questions.jsonl").string());
  if (!rows.ok()) return rows.status();
  BenchmarkStamp stamp;
  std::set<std::string> seen;
  uint64_t questions_hash = kFnvStart, audio_hash = kFnvStart;
  for (const QuestionRow& row : *rows) {
    questions_hash = FnvHash(InWords(row), questions_hash);
    ++(row.question.form() == v1::QUESTION_FORM_OPEN ? stamp.open : stamp.multiple_choice);
    if (!seen.insert(row.audio).second) continue;
    absl::StatusOr<std::string> audio = ReadText(folder / row.audio);
    if (!audio.ok()) return audio.status();
    audio_hash = FnvHash(*audio, audio_hash);
  }
  stamp.scenes = static_cast<int>(seen.size());
  stamp.questions_hash = Hex(questions_hash);
  stamp.audio_hash = Hex(audio_hash);
  return stamp;
}

// True where `folder` already holds what `made_from` would make.
bool IsThere(const fs::path& folder, const Json& made_from) {
  const absl::StatusOr<std::string> text = ReadText(folder / "benchmark.json");
  if (!text.ok()) return false;
  const Json json = Json::parse(*text, nullptr, false);
  return json.is_object() && json.contains("made_from") && json["made_from"] == made_from &&
         CheckBenchmark(folder.string()).ok();
}

// What closed questions are balanced by: form, task and answer; empty for answers that are not from a short list.
std::string ClosedAnswer(const v1::Question& question) {
  const bool closed =
      question.form() == v1::QUESTION_FORM_OPEN && (question.key().has_choice() || question.key().has_count());
  return closed ? absl::StrCat(question.task(), "|", question.key().reference()) : "";
}

void PutRightOptionAt(int place, v1::Question& question) {
  question.mutable_options()->SwapElements(question.key().letter()[0] - 'A', place);
  question.mutable_key()->set_letter(std::string(1, static_cast<char>('A' + place)));
}

}  // namespace

std::vector<v1::Question> SelectQuestions(const std::vector<std::vector<v1::Question>>& by_scene, int each_form,
                                          uint64_t seed, const std::array<double, 3>& level_shares) {
  using Place = std::pair<size_t, size_t>;  // scene, question
  std::map<std::pair<int, std::string>, std::vector<Place>> cells;
  for (size_t scene = 0; scene < by_scene.size(); ++scene) {
    for (size_t i = 0; i < by_scene[scene].size(); ++i) {
      cells[{by_scene[scene][i].form(), by_scene[scene][i].task()}].push_back({scene, i});
    }
  }
  Random random(seed, 0, "bench/select");
  for (auto& [cell, places] : cells) random.Shuffle(places);
  std::vector<int> load(by_scene.size(), 0);
  std::set<Place> chosen;
  std::map<int, int> count;                        // by form
  std::map<std::pair<int, int>, int> level_count;  // by form and level
  const bool by_level = level_shares != std::array<double, 3>{};
  const auto full = [&](int form, const std::string& task) {
    if (count[form] >= each_form) return true;
    const TaskInfo* info = FindTask(task);
    if (!by_level || info == nullptr) return false;
    return level_count[{form, info->level}] >=
           std::lround(each_form * level_shares[static_cast<size_t>(info->level - 1)]);
  };
  std::map<std::string, int> given;  // by form, task and closed answer
  bool more = true;
  while (more) {  // one question for every cell a round, from the scene that was asked least
    more = false;
    for (auto& [cell, places] : cells) {
      if (full(cell.first, cell.second) || places.empty()) continue;
      const auto cost = [&](const Place& place) {
        const std::string answer = ClosedAnswer(by_scene[place.first][place.second]);
        return load[place.first] + (answer.empty() ? 0 : given[answer]);
      };
      const auto least = std::min_element(places.begin(), places.end(),
                                          [&cost](const Place& a, const Place& b) { return cost(a) < cost(b); });
      ++given[ClosedAnswer(by_scene[least->first][least->second])];
      ++load[least->first];
      ++count[cell.first];
      if (const TaskInfo* info = FindTask(cell.second)) ++level_count[{cell.first, info->level}];
      chosen.insert(*least);
      places.erase(least);
      more = true;
    }
  }
  std::vector<v1::Question> questions;
  std::map<std::string, std::vector<int>> decks;  // letters to come, by task
  for (const auto& [scene, i] : chosen) {
    v1::Question question = by_scene[scene][i];
    if (question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE && question.options_size() == 4) {
      std::vector<int>& deck = decks[question.task()];
      if (deck.empty()) {
        deck = {0, 1, 2, 3};
        random.Shuffle(deck);
      }
      PutRightOptionAt(deck.back(), question);
      deck.pop_back();
    }
    questions.push_back(std::move(question));
  }
  return questions;
}

absl::StatusOr<BenchmarkSpec> ParseBenchmarkSpec(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("benchmark: must be a JSON object");
  BenchmarkSpec spec;
  for (const auto& [name, value] : json.items()) {
    bool good = true;
    if (name == "seed" && (good = value.is_number_unsigned())) {
      spec.seed = value.get<uint64_t>();
    } else if (name == "scenes" && (good = value.is_number_integer())) {
      spec.scenes = value.get<int>();
    } else if (name == "questions" && (good = value.is_number_integer())) {
      spec.questions = value.get<int>();
    } else if (name == "questions_hash" && (good = value.is_string())) {
      spec.questions_hash = value.get<std::string>();
    } else if (name == "level_shares" && (good = value.is_array() && value.size() == 3)) {
      for (size_t i = 0; i < 3 && good; ++i) {
        good = value[i].is_number();
        if (good) spec.level_shares[i] = value[i].get<double>();
      }
    } else if (name == "scene_spec" && (good = value.is_object())) {
      const auto read = google::protobuf::util::JsonStringToMessage(value.dump(), &spec.scene_spec);
      if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat("scene_spec: ", std::string(read.message())));
    } else if (good) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": is not a field of a benchmark"));
    }
    if (!good) return absl::InvalidArgumentError(absl::StrCat(name, ": has the wrong type or length"));
  }
  if (absl::Status valid = Validate(spec); !valid.ok()) return valid;
  return spec;
}

BenchmarkSpec AsaBenchmark() { return ParseBenchmarkSpec(internal::kAsaJson).value(); }

absl::StatusOr<BenchmarkStamp> GenerateBenchmark(const BenchmarkSpec& spec, const SourceBank& bank,
                                                 const std::string& folder, const BenchmarkProgress& progress) {
  if (absl::Status valid = Validate(spec); !valid.ok()) return valid;
  const fs::path root(folder);
  const Json made_from = MadeFrom(spec, bank);
  if (IsThere(root, made_from)) return CheckBenchmark(folder);
  std::error_code error;
  fs::create_directories(root / "audio", error);
  if (error) return absl::UnavailableError(absl::StrCat((root / "audio").string(), ": ", error.message()));
  const v1::SceneSpec scene_spec = FilledIn(spec.scene_spec);

  const uint64_t scenes = static_cast<uint64_t>(spec.scenes);
  const auto make = [&](uint64_t i) -> absl::StatusOr<v1::Scene> {
    absl::StatusOr<RenderedScene> scene = RenderScene(scene_spec, bank, spec.seed, i);
    if (!scene.ok()) return scene.status();
    const std::string stem = (root / "audio" / scene->truth.id()).string();
    if (absl::Status written = audio::WriteFoaFile(stem + ".flac", scene->audio); !written.ok()) return written;
    if (absl::Status written = WriteText(stem + ".scene.json", SceneToJsonText(scene->truth) + "\n"); !written.ok()) {
      return written;
    }
    return std::move(scene->truth);
  };
  std::vector<std::vector<v1::Question>> by_scene;
  const auto take = [&](uint64_t i, const v1::Scene& truth) {
    QuestionOptions options;
    options.per_scene = 0;
    options.held_out_wordings = true;
    Random random(spec.seed, i, "bench/questions");
    by_scene.push_back(AskAbout(truth, options, random));
    if (progress) progress(static_cast<size_t>(i) + 1, static_cast<size_t>(scenes));
    return absl::OkStatus();
  };
  absl::Status made = MakeInOrder<v1::Scene>(0, scenes, EveryCore(), make, take, [] { return false; });
  if (!made.ok()) return made;

  std::string lines;
  for (const v1::Question& question : SelectQuestions(by_scene, spec.questions, spec.seed, spec.level_shares)) {
    lines += QuestionRowToJson({question, absl::StrCat("audio/", question.scene_id(), ".flac")}) + "\n";
  }
  if (absl::Status written = WriteText(root / "questions.jsonl", lines); !written.ok()) return written;
  absl::StatusOr<BenchmarkStamp> stamp = StampOf(root);
  if (!stamp.ok()) return stamp.status();
  Json json;
  json["made_from"] = made_from;
  json["scenes"] = stamp->scenes;
  json["multiple_choice"] = stamp->multiple_choice;
  json["open"] = stamp->open;
  json["questions_hash"] = stamp->questions_hash;
  json["audio_hash"] = stamp->audio_hash;
  if (!spec.questions_hash.empty() && stamp->questions_hash != spec.questions_hash) {
    return absl::DataLossError(absl::StrCat(folder, ": the questions came out as ", stamp->questions_hash,
                                            ", the benchmark is ", spec.questions_hash,
                                            ": is the bank of recordings another one (./run sounds)?"));
  }
  if (absl::Status written = WriteText(root / "benchmark.json", json.dump(2) + "\n"); !written.ok()) return written;
  return stamp;
}

absl::StatusOr<BenchmarkStamp> CheckBenchmark(const std::string& folder) {
  const fs::path root(folder);
  absl::StatusOr<std::string> text = ReadText(root / "benchmark.json");
  if (!text.ok()) return text.status();
  const Json json = Json::parse(*text, nullptr, false);
  absl::StatusOr<BenchmarkStamp> stamp = StampOf(root);
  if (!stamp.ok()) return stamp.status();
  for (const auto& [name, now] :
       {std::pair{"questions_hash", stamp->questions_hash}, std::pair{"audio_hash", stamp->audio_hash}}) {
    const bool same = json.is_object() && json.contains(name) && json[name].is_string() && json[name] == now;
    if (!same)
      return absl::DataLossError(absl::StrCat(folder, ": ", name, " is ", now, ", not what benchmark.json says"));
  }
  return stamp;
}

absl::Status WriteControl(const std::string& folder, Control control, const BenchmarkProgress& progress) {
  const fs::path root(folder);
  const std::string name(ControlName(control));
  absl::StatusOr<std::vector<QuestionRow>> rows = ReadQuestionRows((root / "questions.jsonl").string());
  if (!rows.ok()) return rows.status();
  const std::string audio_folder = "audio-" + name;
  std::error_code error;
  fs::create_directories(root / audio_folder, error);
  if (error) return absl::UnavailableError(absl::StrCat((root / audio_folder).string(), ": ", error.message()));
  std::map<std::string, std::string> changed;  // audio of the benchmark -> of the control
  std::string lines;
  size_t done = 0;
  for (QuestionRow& row : *rows) {
    std::string& audio = changed[row.audio];
    if (audio.empty()) {
      audio = absl::StrCat(audio_folder, "/", fs::path(row.audio).filename().string());
      absl::StatusOr<audio::FoaClip> clip = audio::ReadFoaFile((root / row.audio).string(), audio::FoaFormat::kAmbiX);
      if (!clip.ok()) return clip.status();
      absl::Status written = audio::WriteFoaFile((root / audio).string(), ApplyControl(control, *clip));
      if (!written.ok()) return written;
    }
    row.audio = audio;
    lines += QuestionRowToJson(row) + "\n";
    if (progress) progress(++done, rows->size());
  }
  return WriteText(root / absl::StrCat("questions-", name, ".jsonl"), lines);
}

}  // namespace auricle::sim
