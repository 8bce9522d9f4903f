// auricle verify, export, import: data sets of scenes, checked and exchanged.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/answer_json.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/scene_files.h"
#include "model/audio/audio_file.h"
#include "model/audio/resample.h"
#include "model/checkpoint/atomic_file.h"
#include "sim/dataset/dcase.h"
#include "sim/source/sound_classes.h"

namespace auricle::client {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCsvBytes = size_t{64} << 20;
constexpr char kClassList[] = "classes.csv";

absl::Status WriteText(const fs::path& path, const std::string& text) {
  const std::string_view pieces[] = {text};
  return model::WriteFileAtomically(path.string(), pieces);
}

absl::Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder.string(), ": ", error.message()));
  return absl::OkStatus();
}

absl::StatusOr<audio::FoaClip> Decode(const StoredScene& scene) {
  absl::StatusOr<audio::FoaClip> clip = audio::ReadFoaBytes(scene.audio, audio::FoaFormat::kAmbiX);
  if (clip.ok()) return clip;
  return absl::Status(clip.status().code(), absl::StrCat(scene.key, ": ", std::string(clip.status().message())));
}

// visit for every scene of the folder, under a progress bar, until Ctrl-C.
absl::Status WithProgress(const std::string& folder, const std::function<absl::Status(StoredScene)>& visit) {
  Progress progress;
  size_t done = 0;
  return ForEachScene(folder, [&](StoredScene scene, uint64_t total) -> absl::Status {
    if (Interrupted()) return absl::CancelledError("interrupted");
    absl::Status status = visit(std::move(scene));
    if (status.ok()) progress.Show(++done, std::max<size_t>(done, total));
    return status;
  });
}

int ExitCodeOf(const absl::Status& status) {
  if (Interrupted()) return kExitInterrupted;
  return status.ok() ? kExitOk : Refuse(status);
}

int RunVerify(const ParsedCommand& parsed) {
  StopAtInterrupt();
  int scenes = 0;
  double seconds = 0;
  const absl::Status status = WithProgress(parsed.positionals[0], [&](const StoredScene& scene) -> absl::Status {
    const absl::StatusOr<audio::FoaClip> clip = Decode(scene);
    if (!clip.ok()) return clip.status();
    // Truths are rounded to no grid; half a frame of labels is far from any honest difference.
    if (std::abs(clip->seconds() - scene.truth.duration_seconds()) > 0.05) {
      return absl::DataLossError(absl::StrCat(scene.key, ": has ", clip->seconds(), " s of audio, its truth says ",
                                              scene.truth.duration_seconds(), " s"));
    }
    ++scenes;
    seconds += clip->seconds();
    return absl::OkStatus();
  });
  if (status.ok()) std::printf("%d scenes, %.1f hours: all as they should be\n", scenes, seconds / 3600);
  return ExitCodeOf(status);
}

std::vector<sim::DcaseClass> OwnClasses() {
  std::vector<sim::DcaseClass> classes;
  for (const sim::SoundClass& sound : sim::SoundClasses()) classes.push_back({sound.name, sound.label});
  return classes;
}

absl::StatusOr<std::vector<sim::DcaseClass>> ClassesOf(const ParsedCommand& parsed,
                                                       std::vector<sim::DcaseClass> otherwise) {
  if (!parsed.Given("classes")) return otherwise;
  const absl::StatusOr<std::string> csv = model::ReadWholeFile(parsed.Text("classes"), kMostCsvBytes);
  if (!csv.ok()) return csv.status();
  absl::StatusOr<std::vector<sim::DcaseClass>> classes = sim::ParseClassList(*csv);
  if (!classes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(parsed.Text("classes"), ": ", std::string(classes.status().message())));
  }
  return classes;
}

int RunExport(const ParsedCommand& parsed) {
  if (!parsed.Given("out")) return MisuseOf("export", "--out: is missing, must name a folder");
  const absl::StatusOr<std::vector<sim::DcaseClass>> classes = ClassesOf(parsed, OwnClasses());
  if (!classes.ok()) return Refuse(classes.status());
  const fs::path out = parsed.Text("out"), audio = out / "foa_dev", metadata = out / "metadata_dev";
  for (const fs::path& folder : {audio, metadata}) {
    if (const absl::Status made = MakeFolder(folder); !made.ok()) return Refuse(made);
  }
  StopAtInterrupt();
  const int rate = static_cast<int>(parsed.Integer("rate"));
  absl::Status status = WriteText(out / kClassList, sim::ClassListCsv(*classes));
  if (status.ok()) {
    status = WithProgress(parsed.positionals[0], [&](const StoredScene& scene) -> absl::Status {
      absl::StatusOr<audio::FoaClip> clip = Decode(scene);
      if (clip.ok() && clip->sample_rate != rate) clip = audio::ResampleFoa(*clip, rate);
      if (!clip.ok()) return clip.status();
      const absl::StatusOr<std::string> csv = sim::SceneToDcase(scene.truth, *classes);
      if (!csv.ok()) return csv.status();
      if (absl::Status s =
              audio::WriteFoaFile((audio / (scene.key + ".wav")).string(), *clip, audio::WavSamples::kInt16);
          !s.ok())
        return s;
      return WriteText(metadata / (scene.key + ".csv"), *csv);
    });
  }
  return ExitCodeOf(status);
}

// Files below `folder` with one of the extensions, by stem. INVALID_ARGUMENT: a stem twice.
absl::StatusOr<std::map<std::string, fs::path>> FilesByStem(const std::string& folder,
                                                            const std::vector<std::string>& extensions) {
  std::map<std::string, fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    const std::string extension = absl::AsciiStrToLower(entry.path().extension().string());
    if (!entry.is_regular_file(error) || std::ranges::find(extensions, extension) == extensions.end()) continue;
    const auto [known, is_new] = files.emplace(entry.path().stem().string(), entry.path());
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat(known->second.string(), " and ", entry.path().string(), ": have the same name"));
    }
  }
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  return files;
}

absl::Status ImportOne(const fs::path& recording, const fs::path& csv_path, const std::vector<sim::DcaseClass>& classes,
                       const fs::path& out) {
  const absl::StatusOr<audio::FoaClip> clip = audio::ReadFoaFile(recording.string(), audio::FoaFormat::kAmbiX);
  if (!clip.ok()) return clip.status();
  const absl::StatusOr<std::string> csv = model::ReadWholeFile(csv_path.string(), kMostCsvBytes);
  if (!csv.ok()) return csv.status();
  const std::string stem = recording.stem().string();
  const absl::StatusOr<v1::Scene> scene = sim::SceneFromDcase(*csv, classes, stem, clip->seconds());
  if (!scene.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(csv_path.string(), ": ", std::string(scene.status().message())));
  }
  if (absl::Status s = audio::WriteFoaFile((out / (stem + ".flac")).string(), *clip); !s.ok()) return s;
  return WriteText(out / (stem + ".scene.json"), SceneToJson(*scene).dump(1) + "\n");
}

int RunImport(const ParsedCommand& parsed) {
  if (!parsed.Given("out")) return MisuseOf("import", "--out: is missing, must name a folder");
  const absl::StatusOr<std::vector<sim::DcaseClass>> classes = ClassesOf(parsed, sim::StarssClasses());
  if (!classes.ok()) return Refuse(classes.status());
  const auto recordings = FilesByStem(parsed.positionals[0], {".wav", ".flac"});
  if (!recordings.ok()) return Refuse(recordings.status());
  const auto labels = FilesByStem(parsed.positionals[1], {".csv"});
  if (!labels.ok()) return Refuse(labels.status());
  const fs::path out = parsed.Text("out");
  if (const absl::Status made = MakeFolder(out); !made.ok()) return Refuse(made);

  StopAtInterrupt();
  Progress progress;
  size_t done = 0;
  std::vector<std::string> failures;
  for (const auto& [stem, recording] : *recordings) {
    if (Interrupted()) return kExitInterrupted;
    const auto csv = labels->find(stem);
    const absl::Status status = csv == labels->end()
                                    ? absl::NotFoundError(absl::StrCat(recording.string(), ": has no ", stem, ".csv"))
                                    : ImportOne(recording, csv->second, *classes, out);
    if (!status.ok()) failures.push_back(std::string(status.message()));
    progress.Show(++done, recordings->size(), 0, failures.empty() ? "" : absl::StrCat(failures.size(), " failed"));
  }
  for (const std::string& failure : failures) std::fprintf(stderr, "error: %s\n", failure.c_str());
  std::printf("%zu of %zu recordings imported\n", done - failures.size(), recordings->size());
  return failures.empty() && done > 0 ? kExitOk : kExitRefused;
}

FlagSpec ClassesFlag(const std::string& otherwise) {
  return {"classes", FlagKind::kText, "FILE.csv", "", "\"index,name\" a line; none: " + otherwise};
}

}  // namespace

Command VerifyCommand() {
  CommandSpec spec;
  spec.name = "verify";
  spec.summary = "check that a folder of scenes is whole";
  spec.positionals = {"FOLDER"};
  spec.positional_help =
      "FOLDER is what auricle simulate wrote. Shards are held against the checksums of their manifest; every clip is "
      "decoded,\n"
      "every truth read, and their lengths compared.";
  spec.examples = {"auricle verify shards"};
  return {std::move(spec), RunVerify};
}

Command ExportCommand() {
  CommandSpec spec;
  spec.name = "export";
  spec.summary = "scenes in the layout of DCASE task 3";
  spec.positionals = {"FOLDER"};
  spec.positional_help =
      "Writes OUT/foa_dev/KEY.wav (AmbiX, 16 bit), OUT/metadata_dev/KEY.csv (frame, class, source, azimuth, elevation, "
      "distance\n"
      "in cm) and OUT/classes.csv for every scene of FOLDER, which is what auricle simulate or import wrote.";
  spec.flags = {{"out", FlagKind::kText, "DIR", "", "where the files go (required)"},
                {"rate", FlagKind::kInteger, "HZ", "24000", "sample rate of the audio, 8000 to 192000"},
                ClassesFlag("Auricle's vocabulary")};
  spec.examples = {"auricle export shards --out dcase"};
  return {std::move(spec), RunExport};
}

Command ImportCommand() {
  CommandSpec spec;
  spec.name = "import";
  spec.summary = "recordings with DCASE or STARSS labels as scenes";
  spec.positionals = {"AUDIO_FOLDER", "CSV_FOLDER"};
  spec.positional_help =
      "Every four-channel WAV or FLAC (AmbiX) below AUDIO_FOLDER that has a CSV of the same name below CSV_FOLDER "
      "becomes\n"
      "OUT/NAME.flac and OUT/NAME.scene.json. A recording that fails is named at the end, and the others go on.";
  spec.flags = {{"out", FlagKind::kText, "DIR", "", "where the scenes go (required)"},
                ClassesFlag("the thirteen of STARSS23")};
  spec.examples = {"auricle import foa_dev metadata_dev --out starss"};
  return {std::move(spec), RunImport};
}

}  // namespace auricle::client
