// The program itself, as a subprocess against a server in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "nlohmann/json.hpp"
#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/client/wav_bytes.h"

namespace auricle::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kAuricle = AURICLE_BIN_DIR "/auricle";

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    char pattern[] = "/tmp/auricle_cli_XXXXXX";
    folder_ = mkdtemp(pattern);
    Write("clip.wav", SilentWav(4, 16000, 1600));
  }
  ~CliTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
    return folder_ + "/" + name;
  }
  std::string Path(const std::string& name) { return folder_ + "/" + name; }
  ProgramResult Run(const std::vector<std::string>& words, const std::string& in = "") {
    return RunProgram(kAuricle, words, in, {{"AURICLE_SERVER", server_.address()}});
  }

  FakeServer server_;
  std::string folder_;
};

TEST_F(CliTest, PrintsTheAnswerFirst) {
  const ProgramResult result = Run({"ask", Path("clip.wav"), "Where is the dog?"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("heard: Where is the dog?\n"));
  EXPECT_THAT(result.out, HasSubstr("a dog barking, 40° left (front left)"));
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << "colours into a pipe";
}

TEST_F(CliTest, SendsTheFileAsItIsWithItsFormatAndSampling) {
  ASSERT_EQ(Run({"ask", Path("clip.wav"), "q", "--format", "fuma", "--seed=7", "--temperature", "0.5", "--model", "m",
                 "--span", "0.5:2"})
                .exit_code,
            0);
  const v1::AskRequest request = server_.asked().at(0);
  EXPECT_EQ(request.audio().data(), SilentWav(4, 16000, 1600));
  EXPECT_EQ(request.audio().encoding(), v1::AUDIO_ENCODING_FILE);
  EXPECT_EQ(request.audio().format(), v1::FOA_FORMAT_FUMA);
  EXPECT_EQ(request.sampling().seed(), 7u);
  EXPECT_EQ(request.sampling().temperature(), 0.5f);
  EXPECT_EQ(request.model(), "m");
  EXPECT_EQ(request.span().start_seconds(), 0.5);
  EXPECT_EQ(request.span().end_seconds(), 2);
}

TEST_F(CliTest, AsksMultipleChoiceEitherWay) {
  ASSERT_EQ(Run({"ask", Path("clip.wav"), "q", "--choices", "left | right|up"}).exit_code, 0);
  const ProgramResult result =
      Run({"ask", Path("clip.wav"), "q", "--choice", "left", "--choice", "right|not", "--json"});
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_EQ(server_.asked().at(0).options_size(), 3);
  EXPECT_EQ(server_.asked().at(0).options(1), "right");
  EXPECT_EQ(server_.asked().at(1).options(1), "right|not");
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["letter"], "B");
  EXPECT_NEAR(json["probabilities"]["B"].get<double>(), 0.6, 1e-6);
  EXPECT_EQ(json["scene"]["sources"][0]["direction"]["azimuth_deg"], 40.0);
  EXPECT_EQ(json["scene"]["sources"][0]["direction"]["elevation_deg"], 0.0) << "zeros are written out";
  EXPECT_NEAR(json["ttft_ms"].get<double>(), 12.5, 1e-9);
}

TEST_F(CliTest, ShowsARefusalWithItsFieldAndExitsWithOne) {
  const ProgramResult result = Run({"ask", Path("clip.wav"), "refuse"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "error: audio.channels: is 2, must be 4 (INVALID_ARGUMENT)\n");
  EXPECT_EQ(result.out, "");
  const ProgramResult json = Run({"ask", Path("clip.wav"), "refuse", "--json"});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_EQ(nlohmann::json::parse(json.out)["error"]["fields"][0]["field"], "audio.channels");
}

TEST_F(CliTest, ExitsWithTwoForAWrongCommandLine) {
  const struct {
    std::vector<std::string> words;
    const char* complaint;
  } cases[] = {{{}, "usage"},
               {{"aks"}, "did you mean ask?"},
               {{"ask"}, "needs CLIP"},
               {{"ask", "a.wav"}, "needs QUESTION"},
               {{"ask", "a.wav", "q", "extra"}, "one word too many"},
               {{"ask", "a.wav", "q", "--form", "ambix"}, "did you mean --format?"},
               {{"ask", "a.wav", "q", "--format", "acn"}, "must be ambix, fuma, n3d"},
               {{"ask", "a.wav", "q", "--rate", "8000"}, "--rate: describes stdin"},
               {{"scene", "a.wav", "--channels", "2"}, "--channels: describes stdin"},
               {{"ask", "-", "q", "--channels", "0"}, "--channels: must be 1 to 1024"},
               {{"ask", "-", "q", "--seconds", "-1"}, "--seconds: must be over 0"},
               {{"ask", "a.wav", "q", "--ask-at", "1"}, "--ask-at: needs --stream"},
               {{"ask", "a.wav", "q", "--span", "here"}, "--span"},
               {{"eval", "questions.jsonl"}, "--out: is missing"},
               {{"eval", "q", "--out", "a", "--concurrency", "0"}, "--concurrency"},
               {{"scene"}, "needs CLIP"}};
  for (const auto& c : cases) {
    const ProgramResult result = Run(c.words);
    EXPECT_EQ(result.exit_code, 2) << c.complaint;
    EXPECT_THAT(result.err, HasSubstr(c.complaint));
  }
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(CliTest, SaysWhichFileIsMissingAndThatNoServerAnswers) {
  const ProgramResult missing = Run({"ask", Path("no.wav"), "q"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("no.wav: no such file (NOT_FOUND)"));
  const ProgramResult alone = Run({"ask", Path("clip.wav"), "q", "--server", "127.0.0.1:1"});
  EXPECT_EQ(alone.exit_code, 1);
  EXPECT_THAT(alone.err, HasSubstr("no server answers at 127.0.0.1:1"));
}

TEST_F(CliTest, RefusesAQuestionThatIsNotUtf8) {
  const ProgramResult result = Run({"ask", Path("clip.wav"), "Where \xff?"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "error: question: is not valid UTF-8 (INVALID_ARGUMENT)\n");
}

TEST_F(CliTest, TakesRawPcmFromStdin) {
  const std::string pcm(4 * 2 * 800, 'a');
  ASSERT_EQ(Run({"ask", "-", "q"}, pcm).exit_code, 0);
  ASSERT_EQ(Run({"ask", "-", "q", "--rate", "48000", "--encoding", "f32", "--channels", "2"}, pcm).exit_code, 0);
  const v1::AudioClip plain = server_.asked().at(0).audio(), declared = server_.asked().at(1).audio();
  EXPECT_EQ(plain.data(), pcm);
  EXPECT_EQ(plain.encoding(), v1::AUDIO_ENCODING_PCM_S16LE);
  EXPECT_EQ(plain.sample_rate_hz(), 16000u);
  EXPECT_EQ(plain.channels(), 4u);
  EXPECT_EQ(declared.encoding(), v1::AUDIO_ENCODING_PCM_F32LE);
  EXPECT_EQ(declared.sample_rate_hz(), 48000u);
  EXPECT_EQ(declared.channels(), 2u);
}

TEST_F(CliTest, TakesAWavHeaderOnStdinAndStopsAfterTheGivenSeconds) {
  const std::string data(4 * 2 * 1000, 'b');
  const ProgramResult result = Run({"ask", "-", "q", "--seconds", "0.1"}, WavBytes(1, 4, 8000, 16, data, 0x7fffffff));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(server_.asked().at(0).audio().sample_rate_hz(), 8000u);
  EXPECT_EQ(server_.asked().at(0).audio().data().size(), 4u * 2 * 800);
  EXPECT_THAT(result.err, HasSubstr("--seconds"));
  EXPECT_EQ(Run({"ask", "-", "q"}, "").exit_code, 1);
}

TEST_F(CliTest, ListensToAPipeOnlyOnceTheServerHasAnswered) {
  // Nothing is in the pipe: who had read it would say so.
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ask", "-", "q"}, std::vector<std::string>{"scene", "-"}}) {
    std::vector<std::string> nobody = words;
    nobody.push_back("--server=127.0.0.1:1");
    EXPECT_THAT(Run(nobody).err, HasSubstr("no server answers at 127.0.0.1:1"));
    EXPECT_THAT(Run(words).err, HasSubstr("stdin: is empty"));
  }
  // What is wrong with a file needs no server.
  EXPECT_THAT(Run({"ask", Path("no.wav"), "q", "--server", "127.0.0.1:1"}).err, HasSubstr("no such file"));
}

TEST_F(CliTest, RefusesAPipeThatIsNoAudio) {
  const ProgramResult result = Run({"ask", "-", "q"}, "RIFF");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("must be WAV, FLAC, OGG, CAF or raw PCM"));
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(CliTest, SaysEveryRefusalInJsonToo) {
  Write("stereo.wav", SilentWav(2, 8000, 4000));
  const struct {
    std::vector<std::string> words;
    bool stream;
    const char* code;
  } cases[] = {{{"ask", Path("no.wav"), "q"}, false, "NOT_FOUND"},
               {{"ask", Path("clip.wav"), "q", "--server", "127.0.0.1:1"}, false, "UNAVAILABLE"},
               {{"ask", "-", "q"}, false, "INVALID_ARGUMENT"},
               {{"ask", Path("no.wav"), "q", "--stream"}, true, "NOT_FOUND"},
               {{"ask", Path("clip.wav"), "q", "--stream", "--server", "127.0.0.1:1"}, true, "UNAVAILABLE"},
               {{"ask", "-", "q", "--stream"}, true, "INVALID_ARGUMENT"},
               {{"ask", Path("stereo.wav"), "q", "--stream"}, true, "INVALID_ARGUMENT"},
               {{"ask", Path("clip.wav"), "\xff", "--stream"}, true, "INVALID_ARGUMENT"}};
  for (const auto& c : cases) {
    std::vector<std::string> words = c.words;
    words.push_back("--json");
    SCOPED_TRACE(words[1] + " " + c.code);
    const ProgramResult result = Run(words);
    EXPECT_EQ(result.exit_code, 1);
    std::istringstream lines(result.out);
    std::string line, last;
    while (std::getline(lines, line)) last = line;
    const nlohmann::json json = nlohmann::json::parse(last, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(json.is_object() && json.contains("error")) << result.out;
    EXPECT_EQ(json["error"].value("code", ""), c.code);
    EXPECT_EQ(json.value("event", ""), c.stream ? "error" : "");
  }
}

TEST_F(CliTest, AsksAboutAStreamFromAPipeAfterTheGivenSeconds) {
  const std::string second(16000 * 4 * 2, '\1');
  const ProgramResult result = Run({"ask", "-", "q", "--stream", "--seconds", "0.25"}, second);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("heard: q"));
  size_t audio_bytes = 0;
  for (const v1::StreamAskRequest& message : server_.streamed()) audio_bytes += message.audio().data().size();
  EXPECT_EQ(audio_bytes, second.size() / 4);
}

TEST_F(CliTest, GivesAStreamTheTimeThatItsAudioTakes) {
  Write("long.wav", SilentWav(4, 1000, 100'000));
  ASSERT_EQ(Run({"ask", Path("long.wav"), "q", "--stream", "--ask-at", "0.1", "--timeout", "20"}).exit_code, 0);
  ASSERT_EQ(Run({"ask", "-", "q", "--stream", "--seconds", "100", "--timeout", "20"}, std::string(800, 'a')).exit_code,
            0);
  // 100 s of audio at most and 20 s beside it, less what the first message took.
  ASSERT_EQ(server_.stream_seconds().size(), 2u);
  for (const double seconds : server_.stream_seconds()) {
    EXPECT_GT(seconds, 60);
    EXPECT_LT(seconds, 200);
  }
}

TEST_F(CliTest, StreamsAFileInChunksOfATenthOfASecond) {
  Write("half.wav", SilentWav(4, 8000, 4000));
  const ProgramResult result = Run({"ask", Path("half.wav"), "q", "--stream", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  size_t audio_bytes = 0, chunks = 0;
  for (const v1::StreamAskRequest& message : server_.streamed()) {
    if (!message.has_audio()) continue;
    ++chunks;
    audio_bytes += message.audio().data().size();
  }
  EXPECT_EQ(server_.streamed().front().config().sample_rate_hz(), 8000u);
  EXPECT_EQ(chunks, 5u);
  EXPECT_EQ(audio_bytes, 4u * 4 * 4000);
  std::istringstream lines(result.out);
  std::string line, text;
  nlohmann::json last;
  while (std::getline(lines, line)) {
    last = nlohmann::json::parse(line);
    if (last["event"] == "token") text += last["text"];
  }
  EXPECT_EQ(text, "heard: q");
  EXPECT_EQ(last["event"], "finished");
  EXPECT_EQ(last["answer"], text);
  EXPECT_EQ(last["scene"]["sources"][0]["class_name"], "dog_bark");
}

TEST_F(CliTest, AsksInTheMiddleOfAStreamAndReportsItsErrors) {
  Write("half.wav", SilentWav(4, 8000, 4000));
  ASSERT_EQ(Run({"ask", Path("half.wav"), "q", "--stream", "--ask-at", "0.2"}).exit_code, 0);
  size_t chunks = 0;
  for (const v1::StreamAskRequest& message : server_.streamed()) {
    if (message.has_query()) break;
    chunks += message.has_audio();
  }
  EXPECT_EQ(chunks, 2u);
  const ProgramResult query_error = Run({"ask", Path("half.wav"), "q", "--stream", "--span=-1:2"});
  EXPECT_EQ(query_error.exit_code, 1);
  EXPECT_EQ(query_error.err.substr(query_error.err.find("error:")),
            "error: span.start_seconds: is negative (INVALID_ARGUMENT)\n");
  Write("stereo.wav", SilentWav(2, 8000, 4000));
  const ProgramResult stereo = Run({"ask", Path("stereo.wav"), "q", "--stream"});
  EXPECT_EQ(stereo.exit_code, 1);
  EXPECT_THAT(stereo.err, HasSubstr("error: channels: is 2, must be 4 (INVALID_ARGUMENT)"));
  const ProgramResult not_utf8 = Run({"ask", Path("half.wav"), "\xff", "--stream"});
  EXPECT_EQ(not_utf8.exit_code, 1);
  EXPECT_THAT(not_utf8.err, HasSubstr("error: query.question: is not valid UTF-8"));
}

TEST_F(CliTest, ShowsASceneAsTableMapPictureAndJson) {
  const ProgramResult result = Run({"scene", Path("clip.wav"), "--svg", Path("s.svg"), "--png", Path("s.png")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("a dog barking"));
  EXPECT_THAT(result.out, HasSubstr("front"));
  EXPECT_GT(std::filesystem::file_size(Path("s.svg")), 1000u);
  EXPECT_GT(std::filesystem::file_size(Path("s.png")), 1000u);
  const ProgramResult json = Run({"scene", Path("clip.wav"), "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["sources"][0]["class_name"], "dog_bark");
  // What --json printed is a scene file again.
  Write("again.json", json.out);
  EXPECT_EQ(nlohmann::json::parse(Run({"scene", Path("again.json"), "--json"}).out), nlohmann::json::parse(json.out));
  EXPECT_EQ(Run({"scene", Path("clip.wav"), "--truth", Path("clip.wav")}).exit_code, 1);
  EXPECT_EQ(Run({"scene", Path("clip.wav"), "--svg", "/nonexistent/s.svg"}).exit_code, 1);
}

TEST_F(CliTest, SaysWhetherAServerServes) {
  EXPECT_EQ(Run({"health"}).out, "serving\n");
  server_.SetServing(false);
  const ProgramResult result = Run({"health"});
  EXPECT_EQ(result.out, "not serving\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(Run({"models"}).out, HasSubstr("fake *"));
}

TEST_F(CliTest, HasExactlyTheOptionsOfTheCommittedTable) {
  std::ifstream file(AURICLE_SOURCE_DIR "/tests/client/options.tsv");
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(Run({"--help-all"}).out, committed.str())
      << "people's scripts rely on these; if the change is meant: auricle --help-all > tests/client/options.tsv";
  for (const char* command : {"ask", "scene", "eval", "models", "health"}) {
    EXPECT_EQ(Run({command, "--help"}).exit_code, 0) << command;
  }
}

}  // namespace
}  // namespace auricle::test
