#include "client/cpp/spatial_qa_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "client/cpp/status_details.h"
#include "tests/client/fake_server.h"

namespace auricle::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SpatialQaClientTest : public ::testing::Test {
 protected:
  test::FakeServer server_;
  std::unique_ptr<SpatialQaClient> client_ = *SpatialQaClient::Connect(server_.address());

  absl::StatusOr<v1::AskResponse> Ask(const std::string& question, const CallOptions& options = {}) {
    v1::AskRequest request;
    request.set_question(question);
    return client_->Ask(request, options);
  }
  v1::StreamConfig Config() {
    v1::StreamConfig config;
    config.set_channels(4);
    return config;
  }
};

TEST_F(SpatialQaClientTest, ReturnsTheAnswer) {
  const auto response = Ask("Where is the dog?");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->answer(), "heard: Where is the dog?");
}

TEST_F(SpatialQaClientTest, KeepsFieldAndReasonOfARefusal) {
  const absl::Status status = Ask("refuse this").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetails details = ReadErrorDetails(status);
  ASSERT_EQ(details.fields.size(), 1u);
  EXPECT_EQ(details.fields[0].field, "audio.channels");
  EXPECT_EQ(details.fields[0].description, "is 2, must be 4");
  EXPECT_EQ(details.reason, "BAD_FIELD");
  EXPECT_EQ(details.domain, "auricle.v1");
  EXPECT_EQ(DescribeError(status), "audio.channels: is 2, must be 4 (INVALID_ARGUMENT)");
}

TEST_F(SpatialQaClientTest, KeepsTheDelayBeforeAnotherTry) {
  const absl::Status status = Ask("busy").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadErrorDetails(status).retry_delay, absl::Milliseconds(20));
}

TEST_F(SpatialQaClientTest, GivesUpAtTheDeadline) {
  EXPECT_EQ(Ask("slow", {.deadline = absl::Milliseconds(5)}).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SpatialQaClientTest, RefusesTextThatIsNotUtf8BeforeItIsSent) {
  for (const std::string& text : {std::string("\xff"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
                                  std::string("\xf5\x80\x80\x80"), std::string("\xe2\x82")}) {
    const absl::Status status = Ask(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    ASSERT_EQ(ReadErrorDetails(status).fields.size(), 1u);
    EXPECT_EQ(ReadErrorDetails(status).fields[0].field, "question");
  }
  EXPECT_TRUE(server_.asked().empty());
  EXPECT_TRUE(Ask("Où est le chien? 🐕 \u07ff\uffff").ok());
}

TEST_F(SpatialQaClientTest, RefusesNamesThatAreNotUtf8AndTheStreamLivesOn) {
  const auto field = [](const absl::Status& status) {
    const ErrorDetails details = ReadErrorDetails(status);
    return details.fields.size() == 1 ? details.fields[0].field : std::string();
  };
  v1::AskRequest request;
  request.set_model("\xff");
  request.set_question("Where?");
  EXPECT_EQ(field(client_->Ask(request).status()), "model");
  EXPECT_TRUE(server_.asked().empty());
  v1::StreamConfig config = Config();
  config.set_model("\xff");
  EXPECT_EQ(field(client_->OpenStream(config).status()), "config.model");

  auto stream = *client_->OpenStream(Config());
  v1::Query query;
  query.set_query_id("\xff");
  query.set_question("Where?");
  EXPECT_EQ(field(stream->SendQuery(query)), "query.query_id");
  EXPECT_EQ(field(stream->CancelQuery("\xff")), "cancel.query_id");
  query.set_query_id("good");
  ASSERT_TRUE(stream->SendQuery(query).ok());
  ASSERT_TRUE(stream->FinishSending().ok());
  std::string finished;
  StreamHandlers handlers;
  handlers.finished = [&](const v1::Finished& event) { finished = event.query_id(); };
  EXPECT_TRUE(stream->ReadEvents(handlers).ok());
  EXPECT_EQ(finished, "good");
}

TEST_F(SpatialQaClientTest, SaysAtOnceThatNobodyListens) {
  // Port 1 of the loopback: refused at once, long before the hour is over.
  ClientOptions patient;
  patient.connect_timeout = absl::Hours(1);
  const auto client = SpatialQaClient::Connect("127.0.0.1:1", patient);
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("127.0.0.1:1"));
}

TEST_F(SpatialQaClientTest, ListsModelsAndReadsHealth) {
  EXPECT_EQ(client_->ListModels()->models(0).name(), "fake");
  EXPECT_EQ(*client_->CheckHealth(""), ServingStatus::kServing);
  server_.SetServing(false);
  EXPECT_EQ(*client_->CheckHealth(""), ServingStatus::kNotServing);
  EXPECT_EQ(client_->CheckHealth("no.such.Service").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client_->GetModel("x").status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(SpatialQaClientTest, StreamsAudioAndQuestionsAndHandsOutEvents) {
  auto stream = *client_->OpenStream(Config());
  ASSERT_TRUE(stream->SendAudio(std::string(16, '\0')).ok());
  ASSERT_TRUE(stream->SendAudio(std::string(32, '\0')).ok());
  v1::Query query;
  query.set_query_id("q");
  query.set_question("Where?");
  ASSERT_TRUE(stream->SendQuery(query).ok());
  ASSERT_TRUE(stream->EndAudio().ok());
  ASSERT_TRUE(stream->FinishSending().ok());

  std::vector<uint64_t> acked;
  std::string text, answer;
  double scene_bytes = 0;
  StreamHandlers handlers;
  handlers.audio_ack = [&](const v1::AudioAck& ack) { acked.push_back(ack.sequence()); };
  handlers.token = [&](const v1::TokenDelta& token) { text += token.text(); };
  handlers.scene = [&](const v1::SceneUpdate& update) { scene_bytes = update.scene().duration_seconds(); };
  handlers.finished = [&](const v1::Finished& finished) { answer = finished.answer(); };
  EXPECT_TRUE(stream->ReadEvents(handlers).ok());
  EXPECT_THAT(acked, ElementsAre(0, 1));
  EXPECT_EQ(text, "heard: Where?");
  EXPECT_EQ(answer, text);
  EXPECT_EQ(scene_bytes, 48);
}

TEST_F(SpatialQaClientTest, LivesOnAfterOneQueryFailed) {
  auto stream = *client_->OpenStream(Config());
  v1::Query bad, good;
  bad.set_query_id("bad");
  bad.mutable_span()->set_start_seconds(-1);
  good.set_query_id("good");
  ASSERT_TRUE(stream->SendQuery(bad).ok());
  ASSERT_TRUE(stream->SendQuery(good).ok());
  ASSERT_TRUE(stream->FinishSending().ok());
  std::string failed, finished;
  absl::Status error;
  StreamHandlers handlers;
  handlers.query_error = [&](const std::string& id, const absl::Status& status) { failed = id, error = status; };
  handlers.finished = [&](const v1::Finished& event) { finished = event.query_id(); };
  EXPECT_TRUE(stream->ReadEvents(handlers).ok());
  EXPECT_EQ(failed, "bad");
  EXPECT_EQ(finished, "good");
  EXPECT_EQ(ReadErrorDetails(error).fields.at(0).field, "span.start_seconds");
}

TEST_F(SpatialQaClientTest, SaysWhyTheServerEndedAStream) {
  v1::StreamConfig stereo;
  stereo.set_channels(2);
  auto stream = client_->OpenStream(stereo);
  ASSERT_TRUE(stream.ok());
  EXPECT_FALSE((*stream)->Next().has_value());
  const absl::Status ended = (*stream)->Finish();
  EXPECT_EQ(DescribeError(ended), "channels: is 2, must be 4 (INVALID_ARGUMENT)");
  EXPECT_EQ((*stream)->Finish(), ended);
}

TEST_F(SpatialQaClientTest, RefusesAudioAfterItsEndAndAnythingAfterTheLastWord) {
  auto stream = *client_->OpenStream(Config());
  ASSERT_TRUE(stream->EndAudio().ok());
  EXPECT_EQ(stream->SendAudio("1234567890123456").code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(stream->FinishSending().ok());
  EXPECT_EQ(stream->SendQuery({}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(SpatialQaClientTest, CancelsAStreamFromAnotherThread) {
  auto stream = *client_->OpenStream(Config());
  std::thread other([&] { stream->Cancel(); });
  EXPECT_FALSE(stream->Next().has_value());
  other.join();
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kCancelled);
}

TEST_F(SpatialQaClientTest, LetsGoOfAStreamThatNobodyFinished) {
  auto stream = *client_->OpenStream(Config());
  stream.reset();  // must neither block nor crash
  EXPECT_TRUE(Ask("still there?").ok());
}

TEST(StatusFromWire, SurvivesDetailsThatAreNoDetails) {
  const absl::Status status = StatusFromWire(5, "no such model", "\xff\xff not a proto");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DescribeError(status), "no such model (NOT_FOUND)");
  EXPECT_EQ(StatusFromWire(99, "?", "").code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(StatusFromWire(0, "", "").ok());
}

TEST(AudioFromFile, SaysWhatIsWrongWithAPath) {
  EXPECT_EQ(AudioFromFile("/nonexistent.wav", v1::FOA_FORMAT_AMBIX).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(AudioFromFile("/", v1::FOA_FORMAT_AMBIX).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(AudioFromFile("/dev/zero", v1::FOA_FORMAT_AMBIX, 1000).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::client
