// What goes wrong around requests: no room, no time, clients that leave or do not read, an engine that stands still.
#include <gtest/gtest.h>

#include <thread>

#include "tests/server/probes.h"
#include "tests/server/server_fixture.h"

namespace auricle::server {
namespace {

using Event = v1::StreamAskResponse;

class FaultTest : public ServerTest {
 protected:
  // A question that another thread waits for.
  struct Pending {
    grpc::ClientContext context;
    v1::AskResponse response;
    grpc::Status status;
    std::thread thread;
  };
  std::unique_ptr<Pending> AskInBackground(const v1::AskRequest& request) {
    auto pending = std::make_unique<Pending>();
    pending->thread = std::thread(
        [this, request, raw = pending.get()] { raw->status = stub->Ask(&raw->context, request, &raw->response); });
    return pending;
  }
  // The condition must come true by itself; the test's own time limit is what ends a wait in vain.
  template <typename Condition>
  void WaitUntil(Condition condition) {
    while (!condition()) absl::SleepFor(absl::Milliseconds(1));
  }
  static v1::AskRequest Different(int i) { return AskAboutWave("Where?", 1 + 0.01 * i); }
};

TEST_F(FaultTest, AFullQueueRefusesWithRetryInfo) {
  config.max_running_requests = 1;
  config.max_queued_requests = 2;
  StartServer();
  model->encode_gate.Close();
  std::vector<std::unique_ptr<Pending>> pending;
  pending.push_back(AskInBackground(Different(0)));
  model->encode_gate.WaitForArrivals(1);
  pending.push_back(AskInBackground(Different(1)));
  pending.push_back(AskInBackground(Different(2)));
  WaitUntil([&] { return Waiting() == 2; });
  v1::AskResponse response;
  const ErrorSeen error = ReadError(Ask(Different(3), &response));
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "QUEUE_FULL");
  EXPECT_TRUE(error.has_retry);
  EXPECT_GT(error.retry_seconds, 0);

  // A query of a stream is refused alone.
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("refused", "Where?");
  const ErrorSeen refused = ReadError(client.ReadUntil(Event::kError, "refused").error());
  EXPECT_EQ(refused.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(refused.has_retry);
  EXPECT_EQ(model->encode_gate.arrived(), 1) << "refused requests cost no work";
  model->encode_gate.Open();
  for (auto& one : pending) {
    one->thread.join();
    EXPECT_TRUE(one->status.ok()) << one->status.error_message();
  }
  client.Query("accepted", "Where?");
  client.ReadUntil(Event::kFinished, "accepted");
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(FaultTest, AudioThatWaitsIsBoundedToo) {
  config.max_running_requests = 1;
  config.max_clip_seconds = 3;
  config.max_queued_audio_seconds = 3;
  StartServer();
  model->encode_gate.Close();
  auto running = AskInBackground(AskAboutWave("Where?", 3));
  model->encode_gate.WaitForArrivals(1);
  auto waiting = AskInBackground(AskAboutWave("Where?", 2));
  WaitUntil([&] { return Waiting() == 1; });
  v1::AskResponse response;
  const ErrorSeen error = ReadError(Ask(AskAboutWave("Where?", 1.5), &response));
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "AUDIO_QUEUE_FULL");
  EXPECT_TRUE(error.has_retry);
  model->encode_gate.Open();
  running->thread.join();
  waiting->thread.join();
  EXPECT_TRUE(running->status.ok());
  EXPECT_TRUE(waiting->status.ok());
}

TEST_F(FaultTest, ClipsThatAreRefusedDoNotPushOutWhatWasHeard) {
  config.max_running_requests = 1;
  config.max_queued_requests = 1;
  config.encoding_cache_clips = 1;
  StartServer();
  v1::AskResponse response;
  ASSERT_TRUE(Ask(Different(0), &response).ok());
  model->prefill_gate.Close();
  auto running = AskInBackground(Different(0));
  model->prefill_gate.WaitForArrivals(2);
  auto waiting = AskInBackground(Different(0));
  WaitUntil([&] { return Waiting() == 1; });
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(ReadError(Ask(Different(i), &response)).reason, "QUEUE_FULL");
  model->prefill_gate.Open();
  running->thread.join();
  waiting->thread.join();
  ASSERT_TRUE(Ask(Different(0), &response).ok());
  EXPECT_EQ(response.usage().cached_tokens(), response.usage().audio_tokens());
  EXPECT_EQ(model->encode_gate.arrived(), 1);
}

TEST_F(FaultTest, AnErrorOfARequestThatWasCancelledIsNotTheNextOnes) {
  StartServer();
  model->encode_gate.Close();
  model->encode_failures = 1;
  auto leaving = AskInBackground(Different(0));
  model->encode_gate.WaitForArrivals(1);
  leaving->context.TryCancel();
  leaving->thread.join();
  WaitUntil([&] { return Running() == 0; });  // the engine knows
  model->encode_gate.Open();
  WaitUntil([&] { return server->Idle(); });
  v1::AskResponse response;
  const grpc::Status status = Ask(Different(0), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(model->encode_gate.arrived(), 2);
}

TEST_F(FaultTest, CancelledRequestsAreBoundedTooWhileTheEngineIsBusy) {
  config.max_running_requests = 1;
  config.max_queued_requests = 1;
  StartServer();
  model->encode_gate.Close();
  auto running = AskInBackground(Different(0));
  model->encode_gate.WaitForArrivals(1);
  // Each frees its place at once; its audio stays until the engine comes around.
  for (int i = 1; i <= 3; ++i) {
    auto leaving = AskInBackground(Different(i));
    WaitUntil([&] { return Waiting() == 1; });
    leaving->context.TryCancel();
    leaving->thread.join();
    WaitUntil([&] { return Waiting() == 0; });
  }
  v1::AskResponse response;
  const ErrorSeen error = ReadError(Ask(Different(4), &response));
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "QUEUE_FULL");
  EXPECT_TRUE(error.has_retry);
  model->encode_gate.Open();
  running->thread.join();
  EXPECT_TRUE(running->status.ok()) << running->status.error_message();
  WaitUntil([&] { return server->Idle(); });
  ExpectStillServing();
}

TEST_F(FaultTest, TimeInTheQueueCountsTowardsTheDeadline) {
  config.max_running_requests = 1;
  StartServer();
  model->encode_gate.Close();
  auto first = AskInBackground(Different(0));
  model->encode_gate.WaitForArrivals(1);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::AskResponse response;
  const grpc::Status status = stub->Ask(&context, Different(1), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The client's clock said so; the server's deadline is later by the way there.
  WaitUntil([&] { return Waiting() == 0; });
  model->encode_gate.Open();
  first->thread.join();
  EXPECT_TRUE(first->status.ok());
  WaitUntil([&] { return Running() == 0; });
  EXPECT_EQ(model->encode_gate.arrived(), 1) << "no work for a request whose time was up";
}

TEST_F(FaultTest, AClientThatLeavesFreesItsPlace) {
  StartServer();
  model->step_gate.Close();
  auto leaving = AskInBackground(AskAboutWave("count to 500"));
  auto staying = AskInBackground(AskAboutWave("Where?"));
  WaitUntil([&] { return Running() + Waiting() == 2; });
  model->step_gate.WaitForArrivals(1);
  leaving->context.TryCancel();
  leaving->thread.join();
  EXPECT_EQ(leaving->status.error_code(), grpc::StatusCode::CANCELLED);
  // The place is free while the model still stands.
  WaitUntil([&] { return Running() + Waiting() == 1; });
  model->step_gate.Open();
  staying->thread.join();
  EXPECT_TRUE(staying->status.ok());
  EXPECT_EQ(staying->response.answer(), "azimuth 40.0 degrees");
  WaitUntil([&] { return Running() == 0 && Waiting() == 0; });
  EXPECT_LT(model->step_gate.arrived(), 100) << "the answer nobody waits for was not drawn to its end";
}

TEST_F(FaultTest, AStreamThatBreaksOffFreesItsQueries) {
  config.max_running_requests = 1;
  StartServer();
  model->step_gate.Close();
  {
    StreamClient client(*stub);
    client.Configure();
    client.SendAudio(PlaneWave(1, 16000));
    client.Query("running", "count to 500");
    client.Query("waiting", "count to 500");
    client.ReadUntil(Event::kAccepted, "waiting");
    model->step_gate.WaitForArrivals(1);
    client.context.TryCancel();
    EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  WaitUntil([&] { return Waiting() == 0 && Running() == 0; });
  model->step_gate.Open();
  ExpectStillServing();
  WaitUntil([&] { return server->metrics().streams_open.Value() == 0; });
  EXPECT_LT(model->step_gate.arrived(), 100);
}

TEST_F(FaultTest, AConnectionThatBreaksMidAnswerFreesEverything) {
  StartServer();
  model->step_gate.Close();
  {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    auto own = grpc::CreateCustomChannel(server->address(), grpc::InsecureChannelCredentials(), arguments);
    auto own_stub = v1::SpatialQa::NewStub(own);
    StreamClient client(*own_stub);
    client.Configure();
    client.SendAudio(PlaneWave(1, 16000));
    client.Query("q", "count to 500");
    client.ReadUntil(Event::kAccepted, "q");
    model->step_gate.WaitForArrivals(1);
  }  // no half-close, no Finish: the call is dropped with its connection
  WaitUntil([&] { return Waiting() == 0 && Running() == 0; });
  model->step_gate.Open();
  WaitUntil([&] { return server->metrics().streams_open.Value() == 0; });
  ExpectStillServing();
}

TEST_F(FaultTest, AClientThatDoesNotReadIsCutAndTheOthersAreServed) {
  config.outbox_events = 64;
  config.max_new_tokens = 60000;
  config.default_new_tokens = 60000;
  config.slow_reader_seconds = 0.5;
  StartServer();
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  // Far more than gRPC's windows hold.
  for (int i = 0; i < 4; ++i) client.Query(absl::StrCat("q", i), "count to 60000");
  WaitUntil([&] { return Running() > 0; });
  WaitUntil([&] { return Running() == 0 && server->metrics().streams_open.Value() == 0; });
  ExpectStillServing();
  const grpc::Status status = client.Finish();
  EXPECT_FALSE(status.ok());
  bool any_finished = false;
  for (const Event& event : client.seen) any_finished |= event.has_finished();
  EXPECT_FALSE(any_finished);
}

TEST_F(FaultTest, StreamsAreBounded) {
  config.max_streams = 1;
  StartServer();
  StreamClient first(*stub);
  first.Configure();
  first.SendAudio(PlaneWave(0.5, 16000));
  first.ReadUntil(Event::kAudioAck);
  StreamClient second(*stub);
  const ErrorSeen error = ReadError(second.Finish());
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "TOO_MANY_STREAMS");
  EXPECT_TRUE(error.has_retry);
  first.HalfClose();
  EXPECT_TRUE(first.Finish().ok());
}

TEST_F(FaultTest, TheAudioThatStreamsRememberIsBoundedTogether) {
  config.max_clip_seconds = 30;
  config.max_stream_audio_bytes = 16 << 20;  // two histories of 30 s * 16000 Hz * 16 bytes, and half a MB
  StartServer();
  const auto open = [](StreamClient& client, double history_seconds) {
    v1::StreamConfig streaming = StreamClient::DefaultConfig();
    streaming.set_history_seconds(history_seconds);
    client.Configure(streaming);
    client.SendAudio(PlaneWave(0.5, 16000));
  };
  StreamClient first(*stub);
  open(first, 0);
  first.ReadUntil(Event::kAudioAck);
  StreamClient second(*stub);
  open(second, 0);
  second.ReadUntil(Event::kAudioAck);
  StreamClient third(*stub);
  open(third, 0);
  const ErrorSeen error = ReadError(third.Finish());
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "STREAM_MEMORY_FULL");
  EXPECT_TRUE(error.has_retry);
  StreamClient brief(*stub);
  open(brief, 1);
  brief.ReadUntil(Event::kAudioAck);

  first.HalfClose();
  EXPECT_TRUE(first.Finish().ok());
  WaitUntil([&] { return server->metrics().streams_open.Value() == 2; });
  StreamClient fourth(*stub);
  open(fourth, 0);
  fourth.ReadUntil(Event::kAudioAck);
  for (StreamClient* client : {&second, &brief, &fourth}) {
    client->HalfClose();
    EXPECT_TRUE(client->Finish().ok());
  }
}

TEST_F(FaultTest, OneStreamHasAlwaysRoom) {
  config.max_stream_audio_bytes = 1 << 20;
  StartServer();
  StreamClient client(*stub);
  client.Configure();  // 30 s of it would take 7.7 MB
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("q", "Where?");
  EXPECT_EQ(client.ReadUntil(Event::kFinished, "q").finished().answer(), "azimuth 40.0 degrees");
  client.HalfClose();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(FaultTest, ALongAnswerDoesNotStallAShortOne) {
  StartServer();
  model->step_gate.Close();
  auto slow = AskInBackground(AskAboutWave("count to 500"));
  model->step_gate.WaitForArrivals(1);
  auto quick = AskInBackground(AskAboutWave("Where?"));
  WaitUntil([&] { return Running() + Waiting() == 2; });
  model->step_gate.Open();
  quick->thread.join();
  EXPECT_TRUE(quick->status.ok());
  slow->thread.join();
  EXPECT_TRUE(slow->status.ok());
  // Counted in steps of the model, not in time: the short answer was there long before the long one ended.
  EXPECT_LT(model->step_gate.arrived(), 500 + 3) << "steps were shared";
}

TEST_F(FaultTest, HealthFollowsTheEnginesHeartbeat) {
  config.stalled_seconds = 0.1;
  StartServer();
  HealthClient health(channel);
  EXPECT_EQ(health.Check(), "SERVING");
  model->encode_gate.Close();
  auto stuck = AskInBackground(Different(0));
  model->encode_gate.WaitForArrivals(1);
  WaitUntil([&] { return health.Check() == "NOT_SERVING"; });
  EXPECT_EQ(server->metrics().engine_healthy.Value(), 0);
  model->encode_gate.Open();
  stuck->thread.join();
  EXPECT_TRUE(stuck->status.ok());
  WaitUntil([&] { return health.Check() == "SERVING"; });
}

TEST_F(FaultTest, DrainingFinishesWhatIsInFlightAndRefusesTheRest) {
  StartServer();
  StreamClient idle(*stub);
  idle.Configure();
  idle.SendAudio(PlaneWave(0.5, 16000));
  idle.ReadUntil(Event::kAudioAck);
  StreamClient busy(*stub);
  busy.Configure();
  busy.SendAudio(PlaneWave(1, 16000));
  model->step_gate.Close();
  busy.Query("q", "Where?");
  busy.ReadUntil(Event::kAccepted, "q");
  auto asked = AskInBackground(Different(0));
  WaitUntil([&] { return Running() + Waiting() == 2; });
  server->StartDrain();
  EXPECT_FALSE(server->Idle());
  HealthClient health(channel);
  EXPECT_EQ(health.Check(), "NOT_SERVING");
  v1::AskResponse response;
  ErrorSeen error = ReadError(Ask(Different(1), &response));
  EXPECT_EQ(error.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(error.reason, "DRAINING");
  EXPECT_TRUE(error.has_retry);
  busy.Query("late", "Where?");
  EXPECT_EQ(ReadError(busy.ReadUntil(Event::kError, "late").error()).reason, "DRAINING");
  EXPECT_EQ(ReadError(idle.Finish()).reason, "DRAINING");
  model->step_gate.Open();
  EXPECT_EQ(busy.ReadUntil(Event::kFinished, "q").finished().answer(), "azimuth 40.0 degrees");
  EXPECT_EQ(ReadError(busy.Finish()).reason, "DRAINING");
  asked->thread.join();
  EXPECT_TRUE(asked->status.ok());
  WaitUntil([&] { return server->Idle(); });
  server->Stop();
}

TEST_F(FaultTest, StoppingEndsWhatIsLeft) {
  StartServer();
  model->step_gate.Close();
  auto asked = AskInBackground(AskAboutWave("count to 500"));
  model->step_gate.WaitForArrivals(1);
  std::thread stopping([&] { server->Stop(); });
  WaitUntil([&] { return Running() == 0; });
  model->step_gate.Open();
  stopping.join();
  asked->thread.join();
  const ErrorSeen error = ReadError(asked->status);
  EXPECT_EQ(error.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(error.reason, "DRAINING");
}

TEST_F(FaultTest, MetricsAreScraped) {
  config.metrics_listen = "127.0.0.1:0";
  StartServer();
  v1::AskResponse response;
  ASSERT_TRUE(Ask(AskAboutWave("first"), &response).ok());
  ASSERT_TRUE(Ask(AskAboutWave("second"), &response).ok());
  const std::string text = HttpGet(server->metrics_address(), "/metrics");
  for (const char* line :
       {"auricle_requests_total{code=\"OK\",method=\"Ask\"} 2", "auricle_num_requests_running 0",
        "auricle_num_requests_waiting 0", "auricle_audio_seconds_total 1", "auricle_prefix_cache_hits_total 1",
        "auricle_time_to_first_token_seconds_count 2", "auricle_inter_token_latency_seconds_count 4",
        "auricle_request_queue_time_seconds_count 2", "auricle_e2e_request_latency_seconds_count 2",
        "auricle_generation_tokens_total 6", "auricle_real_time_factor "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST_F(FaultTest, ReflectionIsOnlyThereWhereAskedFor) {
  StartServer();
  EXPECT_EQ(ReflectionStatus(channel), grpc::StatusCode::UNIMPLEMENTED);
  server->Stop();
  config.reflection = true;
  StartServer();
  EXPECT_EQ(ReflectionStatus(channel), grpc::StatusCode::OK);
}

}  // namespace
}  // namespace auricle::server
