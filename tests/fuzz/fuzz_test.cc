// Readers of outside bytes must answer damaged ones with a Status, and what they do accept must keep their promises: no
// view past the file, no audio past the limits, no token outside the vocabulary. Crashes and reads out of bounds show
// themselves, best under the sanitizers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/question_file.h"
#include "model/audio/audio_file.h"
#include "model/checkpoint/safetensors.h"
#include "model/model_config.h"
#include "model/text/tokenizer.h"
#include "model/tiny_model.h"
#include "server/inference/audio_intake.h"
#include "server/runtime/config.h"
#include "sim/dataset/dcase.h"
#include "sim/dataset/shard.h"
#include "sim/question/verifier.h"
#include "sim/source/source_bank.h"
#include "tests/client/wav_bytes.h"
#include "tests/fuzz/mutator.h"
#include "tests/train/synthetic_bank.h"

namespace auricle {
namespace {

namespace fs = std::filesystem;
using test::FuzzRounds;
using test::JsonWords;
using test::Mutator;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class FuzzTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::path(::testing::TempDir()) / ("auricle_fuzz_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    ASSERT_TRUE(model::WriteTinyModel((folder_ / "tiny").string(), 1).ok());
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  // `bytes` as a file; the same name each time.
  static std::string AsFile(const std::string& bytes, const std::string& name = "damaged") {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return path.string();
  }

  static fs::path folder_;
};
fs::path FuzzTest::folder_;

// A file of two small tensors; most of it is header, which is where a reader can be fooled.
std::string SmallSafetensors() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}})";
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + std::string(32, '\1');
}

TEST_F(FuzzTest, SafetensorsNeverShowBytesThatAreNotThere) {
  Mutator mutator(1, JsonWords());
  const std::string good = SmallSafetensors();
  ASSERT_TRUE(model::SafetensorsReader::Open(AsFile(good)).ok());
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(3000); round > 0; --round) {
    const std::string bytes = mutator.Mutate(good);
    const auto reader = model::SafetensorsReader::Open(AsFile(bytes));
    if (!reader.ok()) {
      ++refused;
      EXPECT_FALSE(reader.status().message().empty());
      continue;
    }
    ++accepted;
    size_t all = 0;
    unsigned sum = 0;
    for (const model::TensorView& tensor : reader->tensors()) {
      size_t elements = 1;
      for (const int64_t size : tensor.shape) elements *= static_cast<size_t>(size);
      EXPECT_EQ(tensor.bytes.size(), elements * model::DtypeBytes(tensor.dtype)) << tensor.name;
      for (const std::byte b : tensor.bytes) sum += static_cast<unsigned>(b);  // faults where it is not mapped
      all += tensor.bytes.size();
    }
    EXPECT_LE(all, bytes.size());
    EXPECT_GE(sum, 0u);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(FuzzTest, TokenizersKeepToTheirVocabularyOrAreRefused) {
  Mutator mutator(2, JsonWords());
  const std::string good = ReadAll(folder_ / "tiny" / "tokenizer.json");
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(300); round > 0; --round) {
    const auto tokenizer = model::Tokenizer::FromJson(mutator.Mutate(good), "fuzz");
    if (!tokenizer.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    for (const char* text : {"Where is the dog?", "", "h\xc3\xa9llo \xe2\x82\xac <|im_end|>"}) {
      const auto ids = (*tokenizer)->Encode(text, model::SpecialTokens::kRecognise);
      if (!ids.ok()) continue;
      for (const model::TokenId id : *ids) {
        ASSERT_GE(id, 0);
        ASSERT_LT(id, (*tokenizer)->size());
      }
      (*tokenizer)->Decode(*ids, /*skip_special=*/false);
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(FuzzTest, TextIsEncodedWithoutLossOrRefused) {
  Mutator mutator(
      3, {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "<|audio|>", "\xe2\x80\x8d", std::string(1, '\0')});
  const auto tokenizer = model::Tokenizer::Load((folder_ / "tiny" / "tokenizer.json").string());
  ASSERT_TRUE(tokenizer.ok());
  const std::string good = "Is the dog left of the r\xc3\xa9veil \xf0\x9f\x90\x95, or 90\xc2\xb0 to its right?\n";
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(3000); round > 0; --round) {
    const std::string text = mutator.Mutate(good);
    const auto ids = (*tokenizer)->Encode(text, model::SpecialTokens::kAsText);
    ids.ok() ? ++accepted : ++refused;
    if (ids.ok()) {
      EXPECT_EQ((*tokenizer)->Decode(*ids, /*skip_special=*/false), text);
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(FuzzTest, ModelConfigurationsAreReadOrRefused) {
  Mutator mutator(4, JsonWords());
  const std::string good = ReadAll(folder_ / "tiny" / "config.json");
  int refused = 0;
  for (int round = FuzzRounds(1000); round > 0; --round) {
    refused += !model::ReadModelConfig(AsFile(mutator.Mutate(good), "config.json")).ok();
  }
  EXPECT_GT(refused, 0);
}

TEST_F(FuzzTest, AudioIsWhatItSaysAndWithinTheLimits) {
  std::string samples;
  for (int i = 0; i < 4 * 400; ++i) samples += test::LittleEndianBytes(static_cast<uint32_t>(i * 37 % 20000), 2);
  const auto flac = audio::EncodeFoaFlac(audio::MakeSilentClip(2000, 16000));
  ASSERT_TRUE(flac.ok());
  const std::string seeds[] = {test::WavBytes(1, 4, 16000, 16, samples, static_cast<uint32_t>(samples.size())), *flac};
  Mutator mutator(5, {"RIFF", "RF64", "data", "fmt ", "fLaC", "WAVE", "OggS", "caff", "LIST", "\xff\xff\xff\xff"});
  constexpr audio::AudioReadLimits kLimits{.max_seconds = 2, .max_channels = 8};
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(2000); round > 0; --round) {
    const std::string bytes = mutator.Mutate(seeds[round % 2]);
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

// What a client may put into a message: the bytes of a serialized clip, damaged, then through both steps of intake.
TEST_F(FuzzTest, ClipsFromTheWireGiveFourFiniteChannelsOrAnError) {
  constexpr double kMaxSeconds = 2;
  v1::AudioClip pcm;
  pcm.set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
  pcm.set_format(v1::FOA_FORMAT_FUMA);
  pcm.set_sample_rate_hz(16000);
  pcm.set_data(std::string(16 * 3200, '\0'));
  v1::AudioClip file;
  file.set_encoding(v1::AUDIO_ENCODING_FILE);
  file.set_format(v1::FOA_FORMAT_AMBIX);
  file.set_data(*audio::EncodeFoaFlac(audio::MakeSilentClip(3200, 16000)));
  const std::string seeds[] = {pcm.SerializeAsString(), file.SerializeAsString()};
  Mutator mutator(6, {"\x00\x00\xc0\x7f", "\x00\x00\x80\x7f", "\x00\x00\x80\xff", "fLaC"});
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(1500); round > 0; --round) {
    v1::AudioClip clip;
    if (!clip.ParseFromString(mutator.Mutate(seeds[round % 2]))) continue;  // gRPC would not hand it on
    const auto payload = server::InspectClip(std::move(clip), nullptr, kMaxSeconds);
    const auto heard = payload.ok() ? server::DecodePayload(*payload, 16000, kMaxSeconds) : payload.status();
    if (!heard.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    EXPECT_EQ(heard->sample_rate, 16000);
    EXPECT_LE(heard->seconds(), kMaxSeconds + 0.01);
    EXPECT_EQ(heard->samples.size(), 4 * heard->frames());
    for (const float sample : heard->samples) ASSERT_TRUE(std::isfinite(sample));
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(FuzzTest, LinesOfQuestionFilesAreAskedOrSayWhyNot) {
  Mutator mutator(7, JsonWords());
  const std::string good =
      R"({"id":"q1","audio":"a.flac","question":"Where is the dog?","options":["left","right"],"form":"mcq","answer":"B"})";
  for (int round = FuzzRounds(3000); round > 0; --round) {
    const client::QuestionRow row = client::ParseQuestionLine(mutator.Mutate(good), 1, "/tmp", v1::FOA_FORMAT_AMBIX);
    // The id goes into the answers' JSON as it is.
    EXPECT_TRUE(nlohmann::json::accept(row.id_json)) << row.id_json;
    if (row.status.ok()) {
      EXPECT_FALSE(row.question.empty());
    }
  }
}

TEST_F(FuzzTest, AnyAnswerIsJudged) {
  v1::Question question;
  question.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
  for (const char* option : {"front-left", "front-right", "90 degrees", "a dog"}) question.add_options(option);
  question.mutable_key()->set_letter("B");
  question.mutable_key()->set_reference("front-right");
  EXPECT_TRUE(sim::Verify(question, "B. front-right").correct());
  Mutator mutator(8, {"-", "1e400", "degrees", "\xff\xfe", "A. ", "NaN", "minus"});
  int correct = 0;
  for (int round = FuzzRounds(3000); round > 0; --round) {
    const v1::Verdict verdict = sim::Verify(question, mutator.Mutate("It is at 90 degrees, B. front-right of a dog."));
    EXPECT_GE(verdict.reward(), 0);
    EXPECT_LE(verdict.reward(), 1);
    correct += verdict.correct();
  }
  EXPECT_LT(correct, FuzzRounds(3000)) << "hedging and damage do not always pay";
}

TEST_F(FuzzTest, TablesOfRecordingsAndServerSettingsAreReadOrRefused) {
  Mutator tables(9, {"\t", "\n", "train", "test", "../../etc/passwd", "/etc/passwd", "-1", "nan", "1e309"});
  const fs::path bank = folder_ / "bank";
  train::MakeSyntheticBank(bank.string());
  const std::string table = ReadAll(bank / "bank.tsv");
  ASSERT_TRUE(sim::SourceBank::Open(bank.string()).ok());
  int opened = 0, refused = 0;
  for (int round = FuzzRounds(1000); round > 0; --round) {
    AsFile(tables.Mutate(table), "bank/bank.tsv");
    sim::SourceBank::Open(bank.string()).ok() ? ++opened : ++refused;
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);

  Mutator settings(10, JsonWords());
  for (int round = FuzzRounds(1000); round > 0; --round) {
    bool help = false;
    const std::string path = AsFile(
        settings.Mutate(R"({"listen":"127.0.0.1:0","model":["a"],"max-clip-seconds":10,"reflection":true})"), "s.json");
    const auto config = server::ParseServerConfig({"--config", path}, &help);
    if (config.ok()) {
      EXPECT_TRUE(server::ValidateServerConfig(*config).ok());
    }
  }
}

TEST_F(FuzzTest, ShardsGiveSamplesWithinTheLimitsOrAreRefused) {
  const std::string path = (folder_ / "good.tar").string();
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
  Mutator mutator(11, {"ustar", "././@LongLink", "path=", "GNU.sparse.size=99999999", "0000644", "77777777777"});
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(2000); round > 0; --round) {
    const absl::Status status = sim::ReadShard(AsFile(mutator.Mutate(good)), limits, [&](const sim::Sample& sample) {
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

TEST_F(FuzzTest, LabelsOfOtherDataSetsBecomeScenesOrSayWhyNot) {
  const std::string good = "0,11,0,90,0,200\n1,11,0,90,0,200\n3,6,0,-170,-10,150\n3,6,1,10,5,300\n5,11,0,100,0,250\n";
  Mutator mutator(12, {",", "-", "1e9", "nan", "99999999999", "\r\n", " "});
  int accepted = 0, refused = 0;
  for (int round = FuzzRounds(3000); round > 0; --round) {
    const auto scene = sim::SceneFromDcase(mutator.Mutate(good), sim::StarssClasses(), "clip", 1.0);
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

}  // namespace
}  // namespace auricle
