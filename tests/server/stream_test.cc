// StreamAsk through gRPC with a fake model.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/server_fixture.h"

namespace auricle::server {
namespace {

using Event = v1::StreamAskResponse;

class StreamTest : public ServerTest {};

std::string Joined(const std::vector<Event>& events, const std::string& query_id) {
  std::string text;
  for (const Event& event : events) {
    if (event.has_token() && event.token().query_id() == query_id) text += event.token().text();
  }
  return text;
}

TEST_F(StreamTest, AnswersAQueryAboutWhatHasArrived) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000, 90));
  client.Query("a", "Where?");
  const Event first = client.ReadUntil(Event::kFinished, "a");
  EXPECT_EQ(first.finished().answer(), "azimuth 90.0 degrees");
  EXPECT_EQ(Joined(client.seen, "a"), first.finished().answer());
  // Three seconds from the other side weigh more: the second answer hears all four.
  client.SendAudio(PlaneWave(3, 16000, -90));
  client.Query("b", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "b").finished().answer(), "azimuth -90.0 degrees");
  client.HalfClose();
  const grpc::Status status = client.Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(StreamTest, SendsEventsOfAQueryInOrder) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.EndAudio();
  client.Query("q", "count to 6");
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  std::vector<Event::EventCase> kinds;
  uint32_t next_index = 0;
  for (const Event& event : client.seen) {
    if (event.has_audio_ack()) continue;
    kinds.push_back(event.event_case());
    if (event.has_token()) {
      EXPECT_EQ(event.token().index(), next_index++);
    }
    if (event.has_accepted()) {
      EXPECT_DOUBLE_EQ(event.accepted().heard().start_seconds(), 0);
      EXPECT_DOUBLE_EQ(event.accepted().heard().end_seconds(), 1);
    }
  }
  EXPECT_EQ(kinds,
            (std::vector<Event::EventCase>{Event::kAccepted, Event::kScene, Event::kToken, Event::kToken, Event::kToken,
                                           Event::kToken, Event::kToken, Event::kToken, Event::kFinished}));
}

TEST_F(StreamTest, HearsTheSameAsAskWhateverTheChunks) {
  StartServer();
  for (const int rate : {16000, 44100, 8000}) {
    const std::vector<float> samples = PlaneWave(2.5, rate, -63, 21, 0.05);
    v1::AskRequest request;
    *request.mutable_audio() = PcmClip(samples, static_cast<uint32_t>(rate));
    request.set_question("Where?");
    v1::AskResponse whole;
    ASSERT_TRUE(Ask(request, &whole).ok());

    StreamClient client(*stub);
    client.Configure(StreamClient::DefaultConfig(static_cast<uint32_t>(rate)));
    const size_t chunk = static_cast<size_t>(rate) / 10 * 4;
    for (size_t i = 0; i < samples.size(); i += chunk) {
      const size_t end = std::min(samples.size(), i + chunk);
      client.SendAudio(
          std::vector<float>(samples.begin() + static_cast<long>(i), samples.begin() + static_cast<long>(end)));
    }
    client.Query("q", "Where?");
    const Event scene = client.ReadUntil(Event::kScene, "q");
    const Event finished = client.ReadUntil(Event::kFinished, "q");
    EXPECT_EQ(finished.finished().answer(), whole.answer());
    ASSERT_EQ(scene.scene().scene().sources_size(), 1);
    const v1::Source &a = scene.scene().scene().sources(0), &b = whole.scene().sources(0);
    EXPECT_DOUBLE_EQ(a.direction().azimuth_deg(), b.direction().azimuth_deg());
    EXPECT_DOUBLE_EQ(a.direction().elevation_deg(), b.direction().elevation_deg());
    EXPECT_DOUBLE_EQ(a.distance_m(), b.distance_m());
    client.HalfClose();
    EXPECT_TRUE(client.Finish().ok());
  }
}

TEST_F(StreamTest, SharesWhatItHeardBetweenQueriesOnTheSameAudio) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("a", "Where?");
  client.Query("b", "How far?");
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  EXPECT_EQ(model->encode_gate.arrived(), 1);
  for (const Event& event : client.seen) {
    if (!event.has_finished()) continue;
    EXPECT_EQ(event.finished().usage().cached_tokens(), event.finished().query_id() == "a" ? 0u : 3u);
  }
}

TEST_F(StreamTest, AQueryThatFailsLeavesTheAudioAsHeard) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("a", "Where?");
  client.ReadUntil(Event::kFinished, "a");
  client.Query("b", "fail please");
  client.ReadUntil(Event::kError, "b");
  client.Query("c", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "c").finished().usage().cached_tokens(), 3u);
  EXPECT_EQ(model->encode_gate.arrived(), 1);
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(StreamTest, AudioThatCouldNotBeHeardIsTriedAnewEvenAfterACancellation) {
  StartServer();
  model->encode_gate.Close();
  model->encode_failures = 1;
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("a", "Where?");
  model->encode_gate.WaitForArrivals(1);
  client.Cancel("a");
  // Messages are handled in order: the refusal of this one tells that the cancellation has been.
  client.Query("", "sentinel");
  client.ReadUntil(Event::kError);
  model->encode_gate.Open();
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "a").finished().finish_reason(), v1::FINISH_REASON_CANCELLED);
  client.Query("b", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "b").finished().answer(), "azimuth 40.0 degrees");
  EXPECT_EQ(model->encode_gate.arrived(), 2);
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(StreamTest, AnswersAboutASpanAndForgetsWhatIsOlderThanItsHistory) {
  StartServer();
  v1::StreamConfig streaming = StreamClient::DefaultConfig();
  streaming.set_history_seconds(2);
  StreamClient client(*stub);
  client.Configure(streaming);
  client.SendAudio(PlaneWave(2, 16000, 90));
  client.SendAudio(PlaneWave(1, 16000, -90));
  client.SendAudio(PlaneWave(1, 16000, 0));
  v1::StreamAskRequest request;
  v1::Query& query = *request.mutable_query();
  query.set_query_id("span");
  query.set_question("Where?");
  query.mutable_span()->set_start_seconds(2);
  query.mutable_span()->set_end_seconds(3);
  client.Write(request);
  const Event scene = client.ReadUntil(Event::kScene, "span");
  EXPECT_DOUBLE_EQ(scene.scene().scene().heard().start_seconds(), 2);
  EXPECT_DOUBLE_EQ(scene.scene().scene().sources(0).active(0).end_seconds(), 3);
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "span").finished().answer(), "azimuth -90.0 degrees");

  query.set_query_id("forgotten");
  query.mutable_span()->set_start_seconds(0.5);
  client.Write(request);
  ErrorSeen error = ReadError(client.ReadUntil(Event::kError, "forgotten").error());
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(error.field, "query.span.start_seconds");

  query.set_query_id("future");
  query.mutable_span()->set_start_seconds(3);
  query.mutable_span()->set_end_seconds(5);
  client.Write(request);
  error = ReadError(client.ReadUntil(Event::kError, "future").error());
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(error.field, "query.span.end_seconds");

  query.set_query_id("all");
  query.clear_span();
  client.Write(request);
  const Event accepted = client.ReadUntil(Event::kAccepted, "all");
  EXPECT_DOUBLE_EQ(accepted.accepted().heard().start_seconds(), 2);
  EXPECT_DOUBLE_EQ(accepted.accepted().heard().end_seconds(), 4);
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(StreamTest, CancelsOneQueryAndAnswersTheOthers) {
  StartServer();
  model->step_gate.Close();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("long", "count to 100");
  client.Query("short", "Where?");
  client.ReadUntil(Event::kAccepted, "short");
  model->step_gate.WaitForArrivals(1);
  client.Cancel("long");
  client.Cancel("nobody");
  // Messages are handled in order: the refusal of this one tells that the cancellation has been.
  client.Query("", "sentinel");
  client.ReadUntil(Event::kError);
  model->step_gate.Open();
  const Event cancelled = client.ReadUntil(Event::kFinished, "long");
  EXPECT_EQ(cancelled.finished().finish_reason(), v1::FINISH_REASON_CANCELLED);
  EXPECT_LT(cancelled.finished().usage().completion_tokens(), 100u);
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  const bool answered = std::any_of(client.seen.begin(), client.seen.end(), [](const Event& event) {
    return event.has_finished() && event.finished().query_id() == "short" &&
           event.finished().answer() == "azimuth 40.0 degrees";
  });
  EXPECT_TRUE(answered);
  EXPECT_EQ(Running(), 0);
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(StreamTest, CancelsAQueryThatWaits) {
  config.max_running_requests = 1;
  StartServer();
  model->step_gate.Close();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("first", "Where?");
  model->step_gate.WaitForArrivals(1);
  client.Query("waits", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kAccepted, "waits").accepted().queue_position(), 0u);
  client.Query("behind", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kAccepted, "behind").accepted().queue_position(), 1u);
  client.Cancel("waits");
  client.Query("", "sentinel");
  client.ReadUntil(Event::kError);
  EXPECT_EQ(Waiting(), 1);
  model->step_gate.Open();
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  std::vector<std::string> finished;
  for (const Event& event : client.seen) {
    if (!event.has_finished()) continue;
    finished.push_back(event.finished().query_id());
    EXPECT_EQ(event.finished().finish_reason() == v1::FINISH_REASON_CANCELLED, event.finished().query_id() == "waits");
  }
  EXPECT_EQ(finished, (std::vector<std::string>{"waits", "first", "behind"}));
}

TEST_F(StreamTest, PerceivesTheSceneUnaskedAndKeepsSourceIds) {
  StartServer();
  v1::StreamConfig streaming = StreamClient::DefaultConfig();
  streaming.set_scene_update_interval_seconds(0.5);
  StreamClient client(*stub);
  client.Configure(streaming);
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    client.SendAudio(PlaneWave(0.5, 16000, 40 + 2 * i));
    const Event update = client.ReadUntil(Event::kScene);
    EXPECT_EQ(update.scene().query_id(), "");
    ASSERT_EQ(update.scene().scene().sources_size(), 1);
    ids.push_back(update.scene().scene().sources(0).id());
    EXPECT_NEAR(update.scene().scene().heard().end_seconds(), 0.5 * (i + 1), 1e-9);
  }
  EXPECT_EQ(ids[1], ids[0]);
  EXPECT_EQ(ids[2], ids[0]);
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(StreamTest, TakesAHundredThousandOneSampleChunks) {
  StartServer();
  constexpr int kChunks = 100'000;
  StreamClient client(*stub);
  client.Configure();
  const std::string bytes = ToBytes(PlaneWave(kChunks / 16000.0, 16000));
  ASSERT_EQ(bytes.size(), static_cast<size_t>(kChunks) * 16);
  for (int i = 0; i < kChunks; ++i) ASSERT_TRUE(client.SendAudio(bytes.substr(static_cast<size_t>(i) * 16, 16)));
  client.Query("q", "Where?");
  client.HalfClose();
  ASSERT_TRUE(client.Finish().ok());
  int acks = 0;
  uint64_t last_sequence = 0;
  for (const Event& event : client.seen) {
    if (event.has_audio_ack()) {
      ++acks;
      last_sequence = event.audio_ack().sequence();
    }
    if (event.has_finished()) {
      EXPECT_EQ(event.finished().answer(), "azimuth 40.0 degrees");
    }
    if (event.has_accepted()) {
      EXPECT_DOUBLE_EQ(event.accepted().heard().end_seconds(), kChunks / 16000.0);
    }
  }
  EXPECT_EQ(last_sequence, static_cast<uint64_t>(kChunks) - 1);
  EXPECT_LT(acks, kChunks / 100);
}

TEST_F(StreamTest, AcknowledgesAudioWithoutBeingPushed) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  for (int i = 0; i < 5; ++i) client.SendAudio(PlaneWave(0.1, 16000));
  Event ack;
  do {
    ack = client.ReadUntil(Event::kAudioAck);
  } while (ack.audio_ack().sequence() < 4);
  EXPECT_DOUBLE_EQ(ack.audio_ack().received_seconds(), 0.5);
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(StreamTest, EndsWithOkWhenNothingIsAsked) {
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

}  // namespace
}  // namespace auricle::server
