// Serving with the real model code: the tiny model behind the real engine, over gRPC.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "model/audio/foa.h"
#include "model/spatial_lalm.h"
#include "model/tiny_model.h"
#include "server/inference/spatial_lalm_adapter.h"
#include "tests/server/server_fixture.h"

namespace auricle::server {
namespace {

using Event = v1::StreamAskResponse;

// The tiny model on disk, once for all tests.
class TinyFolder : public ::testing::Environment {
 public:
  void SetUp() override {
    folder = ::testing::TempDir() + "auricle_serving_" + std::to_string(::getpid()) + "/tiny";
    std::filesystem::create_directories(folder);
    const absl::Status status = model::WriteTinyModel(folder, 11);
    ASSERT_TRUE(status.ok()) << status;
  }
  void TearDown() override { std::filesystem::remove_all(std::filesystem::path(folder).parent_path()); }
  static std::string folder;
};
std::string TinyFolder::folder;
const auto* const kTinyFolder = ::testing::AddGlobalTestEnvironment(new TinyFolder);

// Two sounds from two sides, one after the other, with a floor of noise: something for every part of the ears.
std::vector<float> TwoSounds(double seconds, int rate) {
  std::vector<float> first = PlaneWave(seconds, rate, 60, 5, 0.05);
  const std::vector<float> second = PlaneWave(seconds, rate, -100, -20, 0.08);
  uint32_t state = 1;
  for (size_t i = 0; i < first.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    first[i] =
        (i < first.size() / 2 ? first[i] : second[i]) + 1e-3f * (static_cast<float>(state >> 8) / 16777216.0f - 0.5f);
  }
  return first;
}

class ServingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::shared_ptr<InferenceModel>> model = LoadSpatialLalm(TinyFolder::folder);
    ASSERT_TRUE(model.ok()) << model.status();
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    config.metrics_listen = "";
    absl::StatusOr<std::unique_ptr<InferenceServer>> started = InferenceServer::Start(config, {*std::move(model)});
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    channel = grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials());
    stub = v1::SpatialQa::NewStub(channel);
  }
  void TearDown() override {
    stub.reset();
    channel.reset();
    if (server != nullptr) server->Stop();
  }

  v1::AskResponse Ask(const v1::AskRequest& request) {
    grpc::ClientContext context;
    v1::AskResponse response;
    const grpc::Status status = stub->Ask(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::unique_ptr<InferenceServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SpatialQa::Stub> stub;
};

// Scenes equal to 1e-3 in every number; ids apart, which tell where a scene came from.
void ExpectSameScene(const v1::Scene& a, const v1::Scene& b) {
  constexpr double kTolerance = 1e-3;
  ASSERT_EQ(a.sources_size(), b.sources_size());
  EXPECT_NEAR(a.duration_seconds(), b.duration_seconds(), kTolerance);
  EXPECT_NEAR(a.room().t30_seconds(), b.room().t30_seconds(), kTolerance);
  EXPECT_NEAR(a.room().volume_m3(), b.room().volume_m3(), kTolerance * std::max(1.0, a.room().volume_m3()));
  EXPECT_EQ(a.room().free_field(), b.room().free_field());
  for (int i = 0; i < a.sources_size(); ++i) {
    const v1::Source &s = a.sources(i), &t = b.sources(i);
    EXPECT_EQ(s.class_name(), t.class_name());
    EXPECT_NEAR(s.confidence(), t.confidence(), kTolerance);
    EXPECT_NEAR(s.direction().azimuth_deg(), t.direction().azimuth_deg(), kTolerance);
    EXPECT_NEAR(s.direction().elevation_deg(), t.direction().elevation_deg(), kTolerance);
    EXPECT_NEAR(s.distance_m(), t.distance_m(), kTolerance);
    ASSERT_EQ(s.active_size(), t.active_size());
    for (int k = 0; k < s.active_size(); ++k) {
      EXPECT_NEAR(s.active(k).start_seconds(), t.active(k).start_seconds(), kTolerance);
      EXPECT_NEAR(s.active(k).end_seconds(), t.active(k).end_seconds(), kTolerance);
    }
    ASSERT_EQ(s.frames_size(), t.frames_size());
    for (int k = 0; k < s.frames_size(); ++k) EXPECT_NEAR(s.frames(k).activity(), t.frames(k).activity(), kTolerance);
  }
}

TEST_F(ServingTest, AStreamInChunksOf100msHearsAndSaysWhatAClipDoes) {
  for (const int rate : {16000, 44100, 48000}) {
    SCOPED_TRACE(rate);
    const std::vector<float> samples = TwoSounds(5, rate);
    v1::AskRequest request;
    *request.mutable_audio() = PcmClip(samples, static_cast<uint32_t>(rate));
    request.set_question("Where is the dog?");
    request.mutable_sampling()->set_max_new_tokens(24);
    request.mutable_evidence()->set_include_tracks(true);
    const v1::AskResponse whole = Ask(request);

    v1::StreamConfig streaming = StreamClient::DefaultConfig(static_cast<uint32_t>(rate));
    streaming.mutable_evidence()->set_include_tracks(true);
    StreamClient client(*stub);
    client.Configure(streaming);
    const size_t chunk = static_cast<size_t>(rate) / 10 * 4;
    for (size_t i = 0; i < samples.size(); i += chunk) {
      const auto begin = samples.begin() + static_cast<long>(i);
      client.SendAudio(std::vector<float>(begin, begin + static_cast<long>(std::min(chunk, samples.size() - i))));
    }
    v1::StreamAskRequest asked;
    asked.mutable_query()->set_query_id("q");
    asked.mutable_query()->set_question(request.question());
    *asked.mutable_query()->mutable_sampling() = request.sampling();
    client.Write(asked);
    const Event scene = client.ReadUntil(Event::kScene, "q");
    const Event finished = client.ReadUntil(Event::kFinished, "q");
    EXPECT_EQ(finished.finished().answer(), whole.answer());
    EXPECT_EQ(finished.finished().finish_reason(), whole.finish_reason());
    ExpectSameScene(scene.scene().scene(), whole.scene());
    client.HalfClose();
    EXPECT_TRUE(client.Finish().ok());
  }
}

TEST_F(ServingTest, DeltasMakeUpTheAnswer) {
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(TwoSounds(2, 16000));
  client.Query("q", "What do you hear?");
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  std::string joined, answer;
  for (const Event& event : client.seen) {
    if (event.has_token()) joined += event.token().text();
    if (event.has_finished()) answer = event.finished().answer();
  }
  EXPECT_EQ(joined, answer);
}

TEST_F(ServingTest, MultipleChoiceGivesALetterOfTheOptionsAndProbabilitiesThatSumToOne) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(TwoSounds(2, 16000));
  request.set_question("On which side is the dog?");
  for (const char* option : {"left", "right", "ahead", "behind", "above"}) request.add_options(option);
  const v1::AskResponse response = Ask(request);
  ASSERT_EQ(response.letter().size(), 1u);
  ASSERT_EQ(response.probabilities_size(), 5);
  float sum = 0, largest = 0;
  std::string most_probable;
  for (const v1::OptionProbability& option : response.probabilities()) {
    sum += option.probability();
    if (option.probability() > largest) {
      largest = option.probability();
      most_probable = option.letter();
    }
  }
  EXPECT_NEAR(sum, 1, 1e-4);
  EXPECT_EQ(response.letter(), most_probable) << "greedy";
  const int chosen = response.letter()[0] - 'A';
  EXPECT_EQ(response.answer(), response.letter() + ". " + request.options(chosen));
  EXPECT_EQ(response.finish_reason(), v1::FINISH_REASON_STOP);
}

TEST_F(ServingTest, SeveralQuestionsAtOnceAnswerAsOneByOne) {
  const std::vector<float> samples = TwoSounds(3, 16000);
  std::vector<std::string> questions, alone;
  for (int i = 0; i < 6; ++i) questions.push_back("Question number " + std::to_string(i) + ": where is it?");
  for (const std::string& question : questions) {
    v1::AskRequest request;
    *request.mutable_audio() = PcmClip(samples);
    request.set_question(question);
    request.mutable_sampling()->set_max_new_tokens(20);
    const v1::AskResponse response = Ask(request);
    alone.push_back(response.answer());
    EXPECT_EQ(response.usage().cached_tokens() > 0, alone.size() > 1) << "the clip was heard once";
  }
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(samples);
  for (size_t i = 0; i < questions.size(); ++i) {
    v1::StreamAskRequest asked;
    asked.mutable_query()->set_query_id(std::to_string(i));
    asked.mutable_query()->set_question(questions[i]);
    asked.mutable_query()->mutable_sampling()->set_max_new_tokens(20);
    client.Write(asked);
  }
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  int finished = 0;
  for (const Event& event : client.seen) {
    if (!event.has_finished()) continue;
    ++finished;
    EXPECT_EQ(event.finished().answer(), alone[static_cast<size_t>(std::stoi(event.finished().query_id()))]);
  }
  EXPECT_EQ(finished, 6);
}

TEST_F(ServingTest, OneSeedGivesOneAnswer) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(TwoSounds(1, 16000));
  request.set_question("What do you hear?");
  request.mutable_sampling()->set_temperature(1);
  request.mutable_sampling()->set_max_new_tokens(16);
  request.mutable_sampling()->set_seed(5);
  const std::string first = Ask(request).answer();
  EXPECT_EQ(Ask(request).answer(), first);
  request.mutable_sampling()->set_seed(6);
  EXPECT_NE(Ask(request).answer(), first);
}

// 4000 bytes are a legal question, but not for a vocabulary that has none of its letters: each byte is a token then.
TEST_F(ServingTest, AQuestionThatTheContextCannotHoldIsRefusedWithTheLimitNamed) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(TwoSounds(1, 16000));
  std::string question;
  while (question.size() < 4000) question += "\xD0\xB6";
  request.set_question(question);
  for (const bool with_options : {false, true}) {
    if (with_options) {
      for (const char* option : {"left", "right"}) request.add_options(option);
    }
    grpc::ClientContext context;
    v1::AskResponse response;
    const ErrorSeen error = ReadError(stub->Ask(&context, request, &response));
    EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(error.reason, "CONTEXT_FULL");
    EXPECT_EQ(error.field, "question");
    EXPECT_NE(error.description.find("1024"), std::string::npos) << error.description;
    EXPECT_FALSE(error.has_retry) << "trying again does not help";
  }
  request.clear_options();
  request.set_question("Where is the dog?");
  EXPECT_GT(Ask(request).usage().cached_tokens(), 0u) << "the clip was heard well";
}

TEST_F(ServingTest, TopKPastTheVocabularyIsOff) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(TwoSounds(1, 16000));
  request.set_question("What do you hear?");
  request.mutable_sampling()->set_temperature(1);
  request.mutable_sampling()->set_max_new_tokens(16);
  request.mutable_sampling()->set_seed(5);
  const std::string off = Ask(request).answer();
  request.mutable_sampling()->set_top_k(3'000'000'000u);
  EXPECT_EQ(Ask(request).answer(), off);
}

TEST_F(ServingTest, SoundAtTheEndOfTheRangeIsHeard) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(PlaneWave(1, 16000, 40, 10, audio::kMaxSample));
  request.set_question("What do you hear?");
  const v1::AskResponse response = Ask(request);
  EXPECT_EQ(response.model(), "tiny");
  EXPECT_DOUBLE_EQ(response.scene().duration_seconds(), 1);
}

TEST_F(ServingTest, TellsWhatTheModelIs) {
  const auto control = v1::ModelControl::NewStub(channel);
  grpc::ClientContext context;
  v1::ModelInfo info;
  ASSERT_TRUE(control->GetModel(&context, {}, &info).ok());
  EXPECT_EQ(info.name(), "tiny");
  EXPECT_EQ(info.version().size(), 12u);
  EXPECT_EQ(info.sample_rate_hz(), 16000u);
  EXPECT_GT(info.parameters(), 0u);
  EXPECT_GT(info.classes_size(), 0);
  EXPECT_GT(info.limits().max_clip_seconds(), 0);
}

TEST(LoadModelTest, ErrorsNameTheFolder) {
  const auto missing = LoadSpatialLalm("/nowhere/at/all");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(std::string(missing.status().message()).find("/nowhere/at/all"), std::string::npos);
}

}  // namespace
}  // namespace auricle::server
