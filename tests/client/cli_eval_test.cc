// auricle eval as a subprocess: every row has its line, in order, whatever happens to the others.
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

using nlohmann::json;
using ::testing::HasSubstr;

class CliEvalTest : public ::testing::Test {
 protected:
  CliEvalTest() {
    char pattern[] = "/tmp/auricle_eval_XXXXXX";
    folder_ = mkdtemp(pattern);
    std::filesystem::create_directory(folder_ + "/clips");
    Write("clips/a.wav", SilentWav(4, 16000, 100));
    Write("clips/b.wav", SilentWav(4, 16000, 300));
  }
  ~CliEvalTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }
  std::string Read(const std::string& name) {
    std::ifstream file(folder_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::vector<json> Answers() {
    std::vector<json> lines;
    std::istringstream text(Read("answers.jsonl"));
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }
  ProgramResult Run(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {
        "eval", folder_ + "/questions.jsonl", "--out", folder_ + "/answers.jsonl", "--server", server_.address()};
    words.insert(words.end(), more.begin(), more.end());
    return RunProgram(AURICLE_BIN_DIR "/auricle", words);
  }
  static std::string Row(const std::string& id, const std::string& question, const std::string& audio = "clips/a.wav") {
    return json{{"id", id}, {"audio", audio}, {"question", question}, {"form", "open"}}.dump() + "\n";
  }

  FakeServer server_;
  std::string folder_;
};

TEST_F(CliEvalTest, AnswersEveryRowInOrderAndGoesOnPastFailures) {
  Write("questions.jsonl",
        Row("one", "Where?") +        // 1
            "this is not json\n" +    // 2
            Row("three", "refuse") +  // 3
            "\n" +                    // blank: no row
            R"({"audio": "clips/a.wav", "question": "no id"})"
            "\n" +                                       // 5
            Row("six", "Where?", "clips/missing.wav") +  // 6
            R"({"id": 7, "audio": "clips/b.wav", "question": "Which?", "options": ["x", "y", "z", "w"],)"
            R"( "form": "mcq", "format": "n3d", "answer": "B", "task": "detect"})"
            "\n" +  // 7
            R"({"id": "eight", "audio": "clips/a.wav", "question": "q", "form": "mcq"})"
            "\n" +
            R"({"id": "nine", "audio": "clips/a.wav", "question": "q", "format": "acn"})"
            "\n" +
            R"({"id": "one", "audio": "clips/a.wav", "question": "again"})"
            "\n" +
            R"({"id": "eleven", "audio": "clips/a.wav", "question": 5})"
            "\n" +
            R"([1, 2])"
            "\n" +
            Row("last", "Where?", folder_ + "/clips/b.wav"));
  const ProgramResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::vector<json> lines = Answers();
  ASSERT_EQ(lines.size(), 12u);
  EXPECT_EQ(lines[0]["answer"], "heard: Where?");
  EXPECT_FALSE(lines[0].contains("error"));
  EXPECT_FALSE(lines[0].contains("letter"));
  EXPECT_NEAR(lines[0]["ttft_ms"].get<double>(), 12.5, 1e-9);
  EXPECT_EQ(lines[0]["scene"]["duration_seconds"], 44.0 + 100 * 8);
  EXPECT_EQ(lines[1]["error"], "line 2: is not JSON (INVALID_ARGUMENT)");
  EXPECT_EQ(lines[1]["line"], 2);
  EXPECT_TRUE(lines[1]["id"].is_null());
  EXPECT_EQ(lines[2]["id"], "three");
  EXPECT_EQ(lines[2]["error"], "audio.channels: is 2, must be 4 (INVALID_ARGUMENT)");
  EXPECT_THAT(lines[3]["error"].get<std::string>(), HasSubstr("line 5: id: is missing"));
  EXPECT_THAT(lines[4]["error"].get<std::string>(), HasSubstr("missing.wav: no such file (NOT_FOUND)"));
  EXPECT_EQ(lines[5]["id"], 7);
  EXPECT_EQ(lines[5]["letter"], "B");
  EXPECT_EQ(lines[5]["probabilities"].size(), 4u);
  EXPECT_EQ(lines[5]["scene"]["duration_seconds"], 44.0 + 300 * 8);
  EXPECT_THAT(lines[6]["error"].get<std::string>(), HasSubstr("options: are missing"));
  EXPECT_THAT(lines[7]["error"].get<std::string>(), HasSubstr("format: is \"acn\""));
  EXPECT_THAT(lines[8]["error"].get<std::string>(), HasSubstr("was used before"));
  EXPECT_THAT(lines[9]["error"].get<std::string>(), HasSubstr("question: must be a string"));
  EXPECT_THAT(lines[10]["error"].get<std::string>(), HasSubstr("must be a JSON object"));
  EXPECT_EQ(lines[11]["id"], "last");
  EXPECT_FALSE(lines[11].contains("error"));
  EXPECT_THAT(result.err, HasSubstr("3 of 12 answered, 9 failed"));
  EXPECT_THAT(result.err, HasSubstr("1 of 1 multiple-choice answers correct"));
  for (const v1::AskRequest& request : server_.asked()) {
    EXPECT_EQ(request.audio().format(), request.options().empty() ? v1::FOA_FORMAT_AMBIX : v1::FOA_FORMAT_N3D);
  }
}

TEST_F(CliEvalTest, KeepsSeveralInFlightAndTheirOrder) {
  std::string questions;
  for (int i = 0; i < 24; ++i) {
    questions += Row("q" + std::to_string(i), (i % 3 == 0 ? "slow " : "quick ") + std::to_string(i),
                     i % 2 ? "clips/a.wav" : "clips/b.wav");
  }
  Write("questions.jsonl", questions);
  ASSERT_EQ(Run({"--concurrency", "8"}).exit_code, 0);
  const std::vector<json> lines = Answers();
  ASSERT_EQ(lines.size(), 24u);
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(lines[i]["id"], "q" + std::to_string(i));
    EXPECT_EQ(lines[i]["answer"], std::string("heard: ") + (i % 3 == 0 ? "slow " : "quick ") + std::to_string(i));
    EXPECT_EQ(lines[i]["scene"]["duration_seconds"], 44.0 + (i % 2 ? 100 : 300) * 8);
  }
  EXPECT_GT(server_.most_in_flight(), 1);
  EXPECT_LE(server_.most_in_flight(), 8);
}

TEST_F(CliEvalTest, ComesBackAfterTheDelayWhereTheQueueIsFullAndOnlyThere) {
  Write("questions.jsonl", Row("1", "busy") + Row("2", "full"));
  ASSERT_EQ(Run().exit_code, 0);
  EXPECT_FALSE(Answers()[0].contains("error"));
  EXPECT_THAT(Answers()[1]["error"].get<std::string>(), HasSubstr("RESOURCE_EXHAUSTED, CLIP_TOO_LONG"));
  EXPECT_EQ(server_.asked().size(), 4u);  // busy three times, full once
}

TEST_F(CliEvalTest, ComesBackToAServerThatWasAway) {
  Write("questions.jsonl", Row("1", "drained"));
  ASSERT_EQ(Run().exit_code, 0);
  EXPECT_EQ(Answers().at(0)["answer"], "heard: drained");
  EXPECT_EQ(server_.asked().size(), 3u);
}

TEST_F(CliEvalTest, ExitsWithOneWhereEveryRowFailed) {
  Write("questions.jsonl", Row("1", "refuse") + Row("2", "full"));
  const ProgramResult result = Run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("0 of 2 answered, 2 failed"));
  EXPECT_EQ(Answers().size(), 2u);
}

TEST_F(CliEvalTest, RefusesToWriteOverItsQuestions) {
  const std::string questions = Row("1", "a");
  Write("questions.jsonl", questions);
  std::filesystem::create_hard_link(folder_ + "/questions.jsonl", folder_ + "/answers.jsonl.previous");
  for (const char* out : {"/questions.jsonl", "/clips/../questions.jsonl", "/answers.jsonl"}) {
    const ProgramResult result = Run({"--out", folder_ + out});
    EXPECT_EQ(result.exit_code, 2) << out;
    EXPECT_THAT(result.err, HasSubstr("is the file of questions"));
    EXPECT_EQ(Read("questions.jsonl"), questions);
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/answers.jsonl.previous"));
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(CliEvalTest, StopsWhereItsAnswersCannotBeWritten) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Write("questions.jsonl", Row("1", "a") + Row("2", "b") + Row("3", "c"));
  const ProgramResult result = Run({"--out", "/dev/full", "--concurrency", "1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/dev/full: cannot be written"));
  EXPECT_EQ(server_.asked().size(), 1u);
}

TEST_F(CliEvalTest, KeepsAnAnswerWhoseLetterIsNull) {
  Write("questions.jsonl",
        R"({"id": "1", "audio": "clips/a.wav", "question": "q", "options": ["x", "y"], "answer": "B"})"
        "\n");
  const std::string kept = R"({"id":"1","answer":"B. y","letter":null,"scene":null,"ttft_ms":1})"
                           "\n";
  Write("answers.jsonl", kept);
  const ProgramResult result = Run({"--resume"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Read("answers.jsonl"), kept);
  EXPECT_THAT(result.err, HasSubstr("0 of 1 multiple-choice answers correct"));
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(CliEvalTest, ResumesWithoutAskingAgainWhatIsAnswered) {
  Write("questions.jsonl", Row("1", "a") + Row("2", "b") + Row("3", "c") + Row("4", "d"));
  // An earlier run: 1 and 3 answered, 2 failed, 4 torn by a kill.
  const std::string first = R"({"id":"1","answer":"earlier 1","scene":null,"ttft_ms":1})";
  const std::string third = R"({"id":"3","answer":"earlier 3","scene":null,"ttft_ms":1})";
  Write("answers.jsonl",
        first + "\n" + R"({"id":"2","answer":"","error":"UNAVAILABLE"})" + "\n" + third + "\n" + R"({"id":"4","ans)");
  const ProgramResult result = Run({"--resume"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  ASSERT_EQ(server_.asked().size(), 2u);
  const std::vector<json> lines = Answers();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["answer"], "earlier 1");
  EXPECT_EQ(lines[1]["answer"], "heard: b");
  EXPECT_EQ(lines[2]["answer"], "earlier 3");
  EXPECT_EQ(lines[3]["answer"], "heard: d");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/answers.jsonl.previous"));
  EXPECT_THAT(result.err, HasSubstr("2 of them before"));
}

TEST_F(CliEvalTest, ResumesFromWhatAKilledResumptionHadSetAside) {
  Write("questions.jsonl", Row("1", "a") + Row("2", "b"));
  Write("answers.jsonl.previous", R"({"id":"2","answer":"earlier 2","scene":null,"ttft_ms":1})"
                                  "\n");
  Write("answers.jsonl", "");
  ASSERT_EQ(Run({"--resume"}).exit_code, 0);
  EXPECT_EQ(Answers().at(0)["answer"], "heard: a");
  EXPECT_EQ(Answers().at(1)["answer"], "earlier 2");
}

TEST_F(CliEvalTest, DoesNotLoseAnswersPastTheLimit) {
  Write("questions.jsonl", Row("1", "a") + Row("2", "b"));
  ASSERT_EQ(Run().exit_code, 0);
  ASSERT_EQ(Run({"--resume", "--limit", "1"}).exit_code, 0);
  EXPECT_EQ(Answers().size(), 1u);
  ASSERT_EQ(Run({"--resume"}).exit_code, 0);
  EXPECT_EQ(Answers().size(), 2u);
  EXPECT_EQ(server_.asked().size(), 2u);
}

TEST_F(CliEvalTest, RefusesFilesThatAreNotThere) {
  EXPECT_EQ(Run().exit_code, 1);
  Write("questions.jsonl", Row("1", "a"));
  EXPECT_EQ(RunProgram(AURICLE_BIN_DIR "/auricle", {"eval", folder_ + "/questions.jsonl", "--out",
                                                    "/nonexistent/a.jsonl", "--server", server_.address()})
                .exit_code,
            1);
}

}  // namespace
}  // namespace auricle::test
