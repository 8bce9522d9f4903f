// Bad and odd input through the program `auricle` against the program `auricle-server`: what is refused is refused with
// its code and field, odd but good audio is answered, and the server lives on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include "model/audio/audio_file.h"
#include "model/tiny_model.h"
#include "nlohmann/json.hpp"
#include "tests/client/program.h"
#include "tests/client/wav_bytes.h"

namespace auricle::test {
namespace {

using ::testing::HasSubstr;

const std::string kAuricle = AURICLE_BIN_DIR "/auricle";

std::string Bytes(const std::vector<float>& samples) {
  return {reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)};
}

// A 440 Hz plane wave from 40 degrees left, AmbiX, interleaved.
std::vector<float> Wave(double seconds, int rate, float gain = 0.1f) {
  std::vector<float> samples;
  const double azimuth = 40 * M_PI / 180;
  for (int i = 0; i < static_cast<int>(std::lround(seconds * rate)); ++i) {
    const float s = gain * static_cast<float>(std::sin(2 * M_PI * 440 * i / rate));
    samples.insert(samples.end(),
                   {s, s * static_cast<float>(std::sin(azimuth)), 0, s * static_cast<float>(std::cos(azimuth))});
  }
  return samples;
}

std::string FloatWav(const std::vector<float>& samples, int rate, int channels = 4) {
  return WavBytes(3, channels, rate, 32, Bytes(samples), static_cast<uint32_t>(samples.size() * sizeof(float)));
}

std::string FloatWavWith(float value) {
  std::vector<float> samples = Wave(1, 16000);
  samples[4003] = value;
  return FloatWav(samples, 16000);
}

std::string Flac() {
  audio::FoaClip clip = audio::MakeSilentClip(16000, 16000);
  for (size_t i = 0; i < clip.frames(); ++i)
    clip.channel(audio::kW)[i] = 0.1f * static_cast<float>(std::sin(0.17 * static_cast<double>(i)));
  return *audio::EncodeFoaFlac(clip);
}

// One server for all tests of this file: auricle-server with a model of random weights. Where that program is not
// built, the same serving code around a model that only measures (auricle-fake-server).
class CliBadInputTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    char pattern[] = "/tmp/auricle_bad_input_XXXXXX";
    folder_ = mkdtemp(pattern);
    std::vector<std::string> flags = {"--listen", "127.0.0.1:0", "--metrics-listen", "", "--max-clip-seconds", "4"};
    std::string program = AURICLE_BIN_DIR "/auricle-server";
    if (std::filesystem::exists(program)) {
      const absl::Status written = model::WriteTinyModel(folder_ + "/tiny", 1);
      ASSERT_TRUE(written.ok()) << written;
      flags.insert(flags.end(), {"--model", folder_ + "/tiny"});
    } else {
      program = AURICLE_BIN_DIR "/auricle-fake-server";
      if (!std::filesystem::exists(program)) GTEST_SKIP() << "no server program is built";
    }
    server_ = std::make_unique<BackgroundProgram>(program, flags);
    const nlohmann::json ready = nlohmann::json::parse(server_->ReadLine(), nullptr, false);
    ASSERT_TRUE(ready.is_object() && ready.value("event", "") == "serving") << ready;
    address_ = ready["address"];
  }
  static void TearDownTestSuite() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "no server program is built";
  }

  static std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
    return folder_ + "/" + name;
  }
  static ProgramResult Run(std::vector<std::string> words, const std::string& in = "") {
    words.insert(words.end(), {"--server", address_});
    return RunProgram(kAuricle, words, in);
  }
  static void ExpectStillServing() {
    EXPECT_TRUE(server_->Running());
    EXPECT_EQ(Run({"health"}).out, "serving\n");
    const ProgramResult good =
        Run({"ask", Write("good.wav", FloatWav(Wave(1, 16000), 16000)), "Where?", "--max-tokens", "4"});
    EXPECT_EQ(good.exit_code, 0) << good.err;
  }

  static inline std::unique_ptr<BackgroundProgram> server_;
  static inline std::string address_, folder_;
};

struct Refused {
  const char* name;
  std::string file;                // bytes of the clip; where `words` has no CLIP of its own
  std::vector<std::string> words;  // after `ask CLIP`
  const char* field;
  const char* code;
};

TEST_F(CliBadInputTest, RefusesBadFilesWithFieldAndCode) {
  const std::string good = FloatWav(Wave(1, 16000), 16000);
  const std::vector<Refused> rows = {
      {"mono", SilentWav(1, 16000, 16000), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"stereo", SilentWav(2, 16000, 16000), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"3 channels", SilentWav(3, 16000, 16000), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"16 channels", SilentWav(16, 16000, 16000), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"no samples", SilentWav(4, 16000, 0), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"one sample", SilentWav(4, 16000, 1), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"just under 0.1 s", SilentWav(4, 16000, 1599), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"over the limit", SilentWav(4, 16000, 4 * 16000 + 1600), {"q"}, "audio.data", "RESOURCE_EXHAUSTED"},
      {"NaN", FloatWavWith(std::nanf("")), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"infinity", FloatWavWith(-std::numeric_limits<float>::infinity()), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"1 Hz", SilentWav(4, 1, 4), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"1 MHz", SilentWav(4, 1'000'000, 200'000), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"truncated FLAC", Flac().substr(0, Flac().size() / 2), {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"text named .wav", "This is a shopping list: milk, eggs, bread.\n", {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"empty file", "", {"q"}, "audio.data", "INVALID_ARGUMENT"},
      {"empty question", good, {""}, "question", "INVALID_ARGUMENT"},
      {"blank question", good, {" \t "}, "question", "INVALID_ARGUMENT"},
      {"100 kB question", good, {std::string(100'000, 'a')}, "question", "INVALID_ARGUMENT"},
      {"question not UTF-8", good, {"where \xc3\x28"}, "question", "INVALID_ARGUMENT"},
      {"one option", good, {"q", "--choice", "left"}, "options", "INVALID_ARGUMENT"},
      {"empty option", good, {"q", "--choices", "left||right"}, "options[1]", "INVALID_ARGUMENT"},
      {"hot", good, {"q", "--temperature", "3"}, "sampling.temperature", "INVALID_ARGUMENT"},
      {"span past the end", good, {"q", "--span", "0:7"}, "span.end_seconds", "INVALID_ARGUMENT"},
      {"unknown model", good, {"q", "--model", "gpt"}, "", "NOT_FOUND"},
  };
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<std::string> words = {"ask", Write("clip.wav", row.file)};
    words.insert(words.end(), row.words.begin(), row.words.end());
    const ProgramResult result = Run(words);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(std::string("error: ") + row.field));
    EXPECT_THAT(result.err, HasSubstr(row.code));
  }
  ExpectStillServing();
}

TEST_F(CliBadInputTest, RefusesBadPipesWithFieldAndCode) {
  const std::string second(16000 * 4 * 2, '\0');
  std::vector<float> not_a_number = Wave(1, 16000);
  not_a_number[7] = std::nanf("");
  const struct {
    const char* name;
    std::string pipe;
    std::vector<std::string> words;
    const char* field;
    const char* code;
  } rows[] = {{"stereo", second, {"--channels", "2"}, "audio.channels", "INVALID_ARGUMENT"},
              {"16 channels", second, {"--channels", "16"}, "audio.channels", "INVALID_ARGUMENT"},
              {"1 Hz", second, {"--rate", "1"}, "audio.sample_rate_hz", "INVALID_ARGUMENT"},
              {"1 MHz", second, {"--rate", "1000000"}, "audio.sample_rate_hz", "INVALID_ARGUMENT"},
              {"NaN", Bytes(not_a_number), {"--encoding", "f32"}, "audio.data", "INVALID_ARGUMENT"},
              {"one frame", second.substr(0, 8), {}, "audio.data", "INVALID_ARGUMENT"},
              {"less than a frame", second.substr(0, 5), {}, "audio.data", "INVALID_ARGUMENT"},
              {"mono WAV", SilentWav(1, 16000, 16000), {}, "audio.channels", "INVALID_ARGUMENT"},
              {"nothing", "", {}, "stdin", "INVALID_ARGUMENT"},
              {"truncated FLAC", Flac().substr(0, Flac().size() / 2), {}, "audio.data", "INVALID_ARGUMENT"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<std::string> words = {"ask", "-", "q"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    const ProgramResult result = Run(words, row.pipe);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(std::string("error: ") + row.field));
    EXPECT_THAT(result.err, HasSubstr(row.code));
  }
  ExpectStillServing();
}

TEST_F(CliBadInputTest, RefusesBadStreamsWithFieldAndCode) {
  const std::string good = FloatWav(Wave(0.3, 16000), 16000);
  const std::vector<Refused> rows = {
      {"stereo", SilentWav(2, 16000, 3200), {"q"}, "config.channels", "INVALID_ARGUMENT"},
      {"1 MHz", SilentWav(4, 1'000'000, 100'000), {"q"}, "config.sample_rate_hz", "INVALID_ARGUMENT"},
      {"unknown model", good, {"q", "--model", "gpt"}, "", "NOT_FOUND"},
      {"hasty updates",
       good,
       {"q", "--scene-every", "0.01"},
       "config.scene_update_interval_seconds",
       "INVALID_ARGUMENT"},
      {"empty question", good, {""}, "query.question", "INVALID_ARGUMENT"},
      {"100 kB question", good, {std::string(100'000, 'a')}, "query.question", "INVALID_ARGUMENT"},
      {"question not UTF-8", good, {"\xff"}, "query.question", "INVALID_ARGUMENT"},
      {"text named .wav", "This is a shopping list.\n", {"q"}, "", "INVALID_ARGUMENT"},
  };
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<std::string> words = {"ask", Write("clip.wav", row.file), "--stream"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    const ProgramResult result = Run(words);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(std::string("error: ") + row.field));
    EXPECT_THAT(result.err, HasSubstr(row.code));
  }
  ExpectStillServing();
}

TEST_F(CliBadInputTest, AnswersOddButGoodAudio) {
  std::vector<float> clipped = Wave(1, 16000, 3);
  for (float& sample : clipped) sample = std::clamp(sample, -1.0f, 1.0f);
  const std::pair<const char*, std::string> rows[] = {
      {"0.1 s", FloatWav(Wave(0.1, 16000), 16000)},
      {"silence", SilentWav(4, 16000, 16000)},
      {"clipping", FloatWav(clipped, 16000)},
      {"DC", FloatWav(std::vector<float>(64000, 0.5f), 16000)},
      {"-80 dBFS", FloatWav(Wave(1, 16000, 1e-4f), 16000)},
      {"8 kHz", FloatWav(Wave(1, 8000), 8000)},
      {"44.1 kHz", FloatWav(Wave(1, 44100), 44100)},
      {"96 kHz", FloatWav(Wave(1, 96000), 96000)},
      {"FLAC", Flac()},
  };
  for (const auto& [name, file] : rows) {
    SCOPED_TRACE(name);
    const ProgramResult result = Run({"ask", Write("clip.wav", file), "Where?", "--max-tokens", "4", "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const nlohmann::json answer = nlohmann::json::parse(result.out, nullptr, false);
    EXPECT_TRUE(answer.is_object() && answer["scene"].is_object()) << result.out;
  }
}

TEST_F(CliBadInputTest, SurvivesAClientThatIsKilledInTheMiddleOfAStream) {
  {
    BackgroundProgram client(kAuricle, {"ask", Write("long.wav", FloatWav(Wave(3.5, 16000), 16000)), "q", "--stream",
                                        "--json", "--ask-at", "0.1", "--server", address_});
    EXPECT_THAT(client.ReadLine(), HasSubstr("event"));  // it is under way
    client.Signal(SIGKILL);
    EXPECT_EQ(client.Wait(), 128 + SIGKILL);
  }
  ExpectStillServing();
}

TEST_F(CliBadInputTest, AnswersTheGoodRowsOfAFileWithBadOnes) {
  Write("good.wav", FloatWav(Wave(1, 16000), 16000));
  Write("stereo.wav", SilentWav(2, 16000, 16000));
  const std::string questions =
      Write("questions.jsonl",
            R"({"id": 1, "audio": "good.wav", "question": "Where?", "form": "open"})"
            "\n"
            R"({"id": 2, "audio": "stereo.wav", "question": "Where?", "form": "open"})"
            "\n"
            R"({"id": 3, "audio": "good.wav", "question": "", "form": "open"})"
            "\n"
            R"({"id": 4, "audio": "good.wav", "question": "Which?", "options": ["left", "right"], "form": "mcq"})"
            "\n");
  const ProgramResult result = Run({"eval", questions, "--out", folder_ + "/answers.jsonl", "--max-tokens", "4"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::ifstream file(folder_ + "/answers.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_FALSE(lines[0].contains("error"));
  EXPECT_THAT(lines[1].value("error", ""), HasSubstr("audio.data"));
  EXPECT_THAT(lines[2].value("error", ""), HasSubstr("question"));
  EXPECT_THAT(lines[3].value("letter", ""), ::testing::AnyOf("A", "B"));
  const double total = lines[3]["probabilities"].value("A", 0.0) + lines[3]["probabilities"].value("B", 0.0);
  EXPECT_NEAR(total, 1, 1e-3);
}

}  // namespace
}  // namespace auricle::test
