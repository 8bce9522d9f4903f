// Readers of simulation's outside bytes: what people write (specs, class lists, labels, answers) and what they download
// (banks, shards, recordings). Damaged ones are answered with a Status, and what is accepted keeps its promises.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "model/audio/audio_file.h"
#include "sim/dataset/dcase.h"
#include "sim/dataset/manifest.h"
#include "sim/dataset/shard.h"
#include "sim/question/questions.h"
#include "sim/question/verifier.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"
#include "sim/source/source_bank.h"
#include "tests/client/wav_bytes.h"
#include "tests/fuzz/fuzz_folder.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/fuzz/mutator.h"
#include "tests/sim/question/synthetic_scenes.h"
#include "tests/train/synthetic_bank.h"

namespace auricle {
namespace {

namespace fs = std::filesystem;
using test::FuzzFolder;
using test::FuzzLoop;
using test::FuzzSeed;
using test::JsonWords;
using test::Mutator;
using test::ReadAll;

// Targets are suites: ./run fuzz Shard runs ShardFuzz.
struct SceneSpecFuzz : FuzzFolder {};
struct BankFuzz : FuzzFolder {};
struct AudioFuzz : FuzzFolder {};
struct AnswerFuzz : FuzzFolder {};
struct ShardFuzz : FuzzFolder {};
struct ManifestFuzz : FuzzFolder {};
struct DcaseFuzz : FuzzFolder {};

constexpr char kFullSpec[] =
    R"({"name":"a","split":"train","durationsSeconds":[5,10],"minSources":1,"maxSources":3,"freeFieldProbability":0.1,)"
    R"("roomLengthM":{"min":3,"max":12},"roomWidthM":{"min":3,"max":10},"roomHeightM":{"min":2.4,"max":4.5},)"
    R"("reverberationSeconds":{"min":0.15,"max":1},"distanceM":{"min":0.5,"max":6},"minSeparationDeg":20,)"
    R"("levelSdDb":4,"noiseBelowDb":{"min":25,"max":60},"classes":[],"sampleRateHz":16000,"directedProbability":0.5,)"
    R"("motionProbability":0.4,"listenerMotionProbability":0.3,"speedMPerS":{"min":0.3,"max":2.5}})";

// A spec as people write it and as the wire carries it; what is accepted must be drawn, within its ranges.
TEST_F(SceneSpecFuzz, SpecsAreDrawnFromOrSayWhatIsWrong) {
  train::MakeSyntheticBank((Folder() / "bank").string());
  // Rates are drawn wildly, and each is another signal to keep.
  const auto bank = sim::SourceBank::Open((Folder() / "bank").string(), {.cache_bytes = size_t{64} << 20});
  ASSERT_TRUE(bank.ok()) << bank.status();
  v1::SceneSpec full;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(kFullSpec, &full).ok());
  const std::string json = kFullSpec, wire = full.SerializeAsString();
  std::vector<std::string> words = JsonWords();
  for (const char* word : {"\"NaN\"", "\"Infinity\"", "1e-320", "\"min\":", "\"max\":", "\"test\"", "4294967296", "0.1",
                           "30", "\"classes\":[\"dog\"]", "\xc0\x7e", "\xf0\x7f"})
    words.push_back(word);
  Mutator mutator(FuzzSeed(13), std::move(words));
  int unreadable = 0, refused = 0, drawn = 0;
  for (FuzzLoop loop("SceneSpec", 1500); loop.Next();) {
    v1::SceneSpec spec;
    const bool as_json = loop.round() % 2 == 0;
    const std::string& input = loop.Try(mutator.Mutate(as_json ? loop.Parent(json, 0) : loop.Parent(wire, 1)));
    if (as_json) {
      const auto read = sim::ParseSceneSpec(input);
      if (!read.ok()) {
        ++unreadable;
        EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
        continue;
      }
      spec = *read;
    } else if (!spec.ParseFromString(input)) {
      ++unreadable;
      continue;
    }
    const v1::SceneSpec whole = sim::WithDefaults(spec);
    const absl::Status valid = sim::Validate(whole);
    const auto plan = sim::PlanScene(spec, **bank, /*seed=*/1, std::hash<std::string>{}(input));
    if (!valid.ok()) {
      ++refused;
      EXPECT_EQ(valid.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_FALSE(valid.message().empty());
      EXPECT_FALSE(plan.ok());
      continue;
    }
    if (!plan.ok()) {  // classes that the bank lacks, or no place for the sources
      ++refused;
      EXPECT_TRUE(absl::IsInvalidArgument(plan.status()) || absl::IsFailedPrecondition(plan.status())) << plan.status();
      continue;
    }
    ++drawn;
    EXPECT_TRUE(plan->duration_seconds >= 1 && plan->duration_seconds <= 60);
    EXPECT_GE(plan->sources.size(), whole.min_sources());
    EXPECT_LE(plan->sources.size(), whole.max_sources());
    EXPECT_EQ(plan->sample_rate, static_cast<int>(whole.sample_rate_hz()));
    for (const sim::PlannedSource& source : plan->sources) {
      EXPECT_TRUE(source.recording >= 0 && source.recording < static_cast<int>((*bank)->recordings().size()));
      EXPECT_TRUE(std::isfinite(Norm(source.position_m)) && std::isfinite(source.level_offset_db));
      for (const double onset : source.onsets) EXPECT_TRUE(onset >= 0 && onset < plan->duration_seconds);
    }
    if (plan->free_field) continue;
    EXPECT_TRUE(sim::Validate(plan->room).ok());
    for (const sim::PlannedSource& source : plan->sources)
      EXPECT_TRUE(sim::Validate(plan->room, source.position_m, plan->listener_m).ok());
  }
  EXPECT_GT(unreadable, 0);
  EXPECT_GT(refused, 0);
  EXPECT_GT(drawn, 0);
}

TEST_F(BankFuzz, TablesOfRecordingsAreReadOrRefused) {
  Mutator tables(FuzzSeed(9), {"\t", "\n", "train", "test", "../../etc/passwd", "/etc/passwd", "-1", "nan", "1e309"});
  const fs::path bank = Folder() / "bank";
  train::MakeSyntheticBank(bank.string());
  const std::string table = ReadAll(bank / "bank.tsv");
  ASSERT_TRUE(sim::SourceBank::Open(bank.string()).ok());
  int opened = 0, refused = 0;
  for (FuzzLoop loop("Bank", 1000); loop.Next();) {
    AsFile(loop.Try(tables.Mutate(loop.Parent(table))), "bank/bank.tsv");
    sim::SourceBank::Open(bank.string()).ok() ? ++opened : ++refused;
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(AudioFuzz, AudioIsWhatItSaysAndWithinTheLimits) {
  std::string samples;
  for (int i = 0; i < 4 * 400; ++i) samples += test::LittleEndianBytes(static_cast<uint32_t>(i * 37 % 20000), 2);
  const auto flac = audio::EncodeFoaFlac(audio::MakeSilentClip(2000, 16000));
  ASSERT_TRUE(flac.ok());
  const std::string seeds[] = {test::WavBytes(1, 4, 16000, 16, samples, static_cast<uint32_t>(samples.size())), *flac};
  Mutator mutator(FuzzSeed(5),
                  {"RIFF", "RF64", "data", "fmt ", "fLaC", "WAVE", "OggS", "caff", "LIST", "\xff\xff\xff\xff"});
  constexpr audio::AudioReadLimits kLimits{.max_seconds = 2, .max_channels = 8};
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Audio", 2000); loop.Next();) {
    const int kind = loop.round() % 2;
    const std::string bytes = loop.Try(mutator.Mutate(loop.Parent(seeds[kind], kind)));
    audio::InspectAudioBytes(bytes).status().IgnoreError();
    const auto read = audio::ReadAudioBytes(bytes, kLimits);
    if (!read.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    EXPECT_GE(read->channels, 1);
    EXPECT_LE(read->channels, kLimits.max_channels);
    EXPECT_LE(static_cast<double>(read->frames()), kLimits.max_seconds * read->sample_rate + 1);
    EXPECT_EQ(read->interleaved.size() % static_cast<size_t>(read->channels), 0u);
    for (const float sample : read->interleaved) ASSERT_TRUE(std::isfinite(sample));
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

// Questions of every task in both forms, as they are asked; answers that begin as right ones.
TEST_F(AnswerFuzz, AnyAnswerIsJudged) {
  std::vector<v1::Question> questions;
  sim::QuestionOptions every;
  every.per_scene = 0;
  for (uint64_t index = 0; index < 40; ++index) {
    sim::Random random(1, index, "fuzz/questions");
    for (v1::Question& question : sim::AskAbout(sim::DrawScene(index), every, random))
      questions.push_back(std::move(question));
  }
  std::set<std::string> tasks;
  for (const v1::Question& question : questions) {
    tasks.insert(question.task());
    EXPECT_TRUE(sim::Verify(question, sim::AnswerText(question)).correct()) << question.id();
  }
  EXPECT_GT(tasks.size(), 15u);
  constexpr int kRounds = 6000;
  EXPECT_LT(questions.size(), size_t{kRounds}) << "a replay goes through all of them";
  std::vector<std::string> words = {"-",    "1e400", "degrees", "\xff\xfe", "A. ",     "NaN",    "minus",
                                    " or ", " and ", "0x7f",    "left",     "o'clock", "%",      "forty-",
                                    "m",    " to ",  ",",       "\xc2\xb0", "not ",    "seconds"};
  Mutator mutator(FuzzSeed(8), std::move(words));
  int correct = 0, rounds = 0;
  for (FuzzLoop loop("Answer", kRounds); loop.Next(); ++rounds) {
    const v1::Question& question = questions[static_cast<size_t>(loop.round()) * 7919 % questions.size()];
    const std::string& answer = loop.Try(mutator.Mutate(loop.Parent(
        loop.round() % 3 == 0 ? "It is at 90 degrees, B. front-right of a dog." : sim::AnswerText(question))));
    const v1::Verdict verdict = sim::Verify(question, answer);
    EXPECT_TRUE(verdict.reward() >= 0 && verdict.reward() <= 1) << question.id() << ": " << verdict.reward();
    EXPECT_TRUE(verdict.parsed() || (verdict.reward() == 0 && !verdict.correct())) << question.id();
    correct += verdict.correct();
  }
  EXPECT_LT(correct, rounds) << "hedging and damage do not always pay";
}

// The same with the checksum that POSIX asks for in every block that says it is a header of ustar: the sum of its
// bytes, those of the checksum itself (148 to 155) taken for spaces, in octal digits.
std::string WithHeaderSums(std::string tar) {
  constexpr size_t kBlock = 512, kMagicAt = 257, kSumAt = 148, kSumBytes = 8;
  for (size_t at = 0; at + kBlock <= tar.size(); at += kBlock) {
    if (tar.compare(at + kMagicAt, 5, "ustar") != 0) continue;
    tar.replace(at + kSumAt, kSumBytes, kSumBytes, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(tar[at + i]);
    for (size_t digit = 0; digit < 6; ++digit)
      tar[at + kSumAt + 5 - digit] = static_cast<char>('0' + (sum >> (3 * digit) & 7u));
    tar[at + kSumAt + 6] = '\0';
  }
  return tar;
}

TEST_F(ShardFuzz, ShardsGiveSamplesWithinTheLimitsOrAreRefused) {
  const std::string path = (Folder() / "good.tar").string();
  {
    auto writer = sim::ShardWriter::Create(path);
    ASSERT_TRUE(writer.ok());
    for (const char* key : {"scene-0-0", "scene-0-1"}) {
      ASSERT_TRUE(writer->Add({key, {{"flac", std::string(700, 'a')}, {"scene.json", "{}"}}}).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  const std::string good = ReadAll(path);
  const sim::ShardLimits limits = {.max_file_bytes = 4096, .max_files_per_sample = 8};
  Mutator mutator(FuzzSeed(11),
                  {"ustar", "././@LongLink", "path=", "GNU.sparse.size=99999999", "0000644", "77777777777"});
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Shard", 2000); loop.Next();) {
    std::string damaged = mutator.Mutate(loop.Parent(good));
    // Damaged headers are refused for their sums and nothing else would ever be looked at.
    if (loop.round() % 2 == 0) damaged = WithHeaderSums(std::move(damaged));
    const absl::Status status =
        sim::ReadShard(AsFile(loop.Try(std::move(damaged))), limits, [&](const sim::Sample& sample) {
          EXPECT_FALSE(sample.files.empty());
          EXPECT_LE(sample.files.size(), limits.max_files_per_sample);
          for (const sim::SampleFile& file : sample.files) {
            EXPECT_FALSE(file.extension.empty());
            EXPECT_LE(file.bytes.size(), limits.max_file_bytes);
          }
          return absl::OkStatus();
        });
    status.ok() ? ++accepted : ++refused;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(DcaseFuzz, LabelsOfOtherDataSetsBecomeScenesOrSayWhyNot) {
  const std::string good = "0,11,0,90,0,200\n1,11,0,90,0,200\n3,6,0,-170,-10,150\n3,6,1,10,5,300\n5,11,0,100,0,250\n";
  Mutator mutator(FuzzSeed(12), {",", "-", "1e9", "nan", "99999999999", "\r\n", " "});
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Dcase", 3000); loop.Next();) {
    const auto scene =
        sim::SceneFromDcase(loop.Try(mutator.Mutate(loop.Parent(good))), sim::StarssClasses(), "clip", 1.0);
    if (!scene.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    for (const v1::Source& source : scene->sources()) {
      EXPECT_EQ(source.frames_size(), 10);
      EXPECT_GT(source.active_size(), 0);
      EXPECT_TRUE(std::abs(source.direction().azimuth_deg()) <= 180 &&
                  std::abs(source.direction().elevation_deg()) <= 90);
      EXPECT_TRUE(source.distance_m() >= 0 && source.distance_m() <= 1000);
    }
    EXPECT_TRUE(sim::SceneToDcase(*scene, sim::StarssClasses()).ok());
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(ManifestFuzz, ManifestsNameFilesBesideThemOrAreRefused) {
  const std::string sha(64, 'a');
  sim::Manifest whole{.made_from = R"({"seed":7,"spec":{"name":"b","a":[1.5]}})", .shards = {}};
  whole.Put({"a.tar", 0, 10, 98, sha});
  whole.Put({"b.tar", 10, 10, 99, sha});
  ASSERT_TRUE(sim::WriteManifest(Folder().string(), whole).ok());
  const std::string good = ReadAll(Folder() / sim::kManifestName);
  std::vector<std::string> words = JsonWords();
  for (const char* word : {"/", "..", "\"file\":\"../a.tar\"", "\"scenes\":-1", "\"bytes\":1e30", "\"sha256\":\"\""})
    words.push_back(word);
  Mutator mutator(FuzzSeed(14), std::move(words));
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Manifest", 3000); loop.Next();) {
    AsFile(loop.Try(mutator.Mutate(loop.Parent(good))), sim::kManifestName);
    const auto manifest = sim::ReadManifest(Folder().string());
    if (!manifest.ok()) {
      ++refused;
      EXPECT_EQ(manifest.status().code(), absl::StatusCode::kInvalidArgument) << manifest.status();
      continue;
    }
    ++accepted;
    for (const sim::ShardEntry& entry : manifest->shards) {
      EXPECT_TRUE(!entry.file.empty() && entry.file.find('/') == std::string::npos && entry.file[0] != '.');
      EXPECT_GE(entry.scenes, 0);
      EXPECT_EQ(entry.sha256.size(), 64u);
      EXPECT_FALSE(sim::CheckShard(Folder().string(), entry).ok());  // there is no such file
    }
    // What was read can be written and read again.
    ASSERT_TRUE(sim::WriteManifest(Folder().string(), *manifest).ok());
    const auto again = sim::ReadManifest(Folder().string());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->shards.size(), manifest->shards.size());
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace auricle
