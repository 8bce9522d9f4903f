// A real server with a fake model on a free port, and what tests need to talk to it.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "auricle/v1/inference.grpc.pb.h"
#include "auricle/v1/model.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/inference/inference_server.h"
#include "tests/server/fake_model.h"

namespace auricle::server {

// An error as a client can read it.
struct ErrorSeen {
  int code = 0;
  std::string message, reason, field, description;
  bool has_retry = false;
  double retry_seconds = 0;
};

inline ErrorSeen ReadDetails(const google::rpc::Status& status) {
  ErrorSeen seen;
  seen.code = status.code();
  seen.message = status.message();
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      seen.reason = info.reason();
      EXPECT_EQ(info.domain(), "auricle.v1");
    } else if (any.UnpackTo(&bad)) {
      seen.field = bad.field_violations(0).field();
      seen.description = bad.field_violations(0).description();
    } else if (any.UnpackTo(&retry)) {
      seen.has_retry = true;
      seen.retry_seconds = static_cast<double>(retry.retry_delay().seconds()) + retry.retry_delay().nanos() * 1e-9;
    }
  }
  return seen;
}

inline ErrorSeen ReadError(const grpc::Status& status) {
  google::rpc::Status rpc;
  EXPECT_TRUE(rpc.ParseFromString(status.error_details()));
  ErrorSeen seen = ReadDetails(rpc);
  if (status.error_details().empty()) seen.code = status.error_code();
  EXPECT_EQ(seen.code, status.error_code());
  seen.message = status.error_message();
  return seen;
}

inline ErrorSeen ReadError(const v1::QueryError& error) {
  google::rpc::Status rpc;
  EXPECT_TRUE(rpc.ParseFromString(error.status()));
  EXPECT_EQ(rpc.code(), error.code());
  return ReadDetails(rpc);
}

// A plane wave of 400 Hz from (azimuth, elevation), AmbiX, interleaved [frames, 4].
inline std::vector<float> PlaneWave(double seconds, int rate, double azimuth_deg = 40, double elevation_deg = 10,
                                    double level = 0.1) {
  const double azimuth = azimuth_deg * std::numbers::pi / 180, elevation = elevation_deg * std::numbers::pi / 180;
  const size_t frames = static_cast<size_t>(std::llround(seconds * rate));
  std::vector<float> samples(frames * 4);
  for (size_t i = 0; i < frames; ++i) {
    const double s = level * std::sin(2 * std::numbers::pi * 400 * static_cast<double>(i) / rate);
    samples[4 * i + 0] = static_cast<float>(s);
    samples[4 * i + 1] = static_cast<float>(s * std::cos(elevation) * std::sin(azimuth));
    samples[4 * i + 2] = static_cast<float>(s * std::sin(elevation));
    samples[4 * i + 3] = static_cast<float>(s * std::cos(elevation) * std::cos(azimuth));
  }
  return samples;
}

inline std::string ToBytes(const std::vector<float>& samples) {
  std::string bytes(samples.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

inline v1::AudioClip PcmClip(const std::vector<float>& samples, uint32_t rate = 16000, uint32_t channels = 4) {
  v1::AudioClip clip;
  clip.set_format(v1::FOA_FORMAT_AMBIX);
  clip.set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
  clip.set_sample_rate_hz(rate);
  clip.set_channels(channels);
  clip.set_data(ToBytes(samples));
  return clip;
}

inline v1::AskRequest AskAboutWave(const std::string& question = "Where is the tone?", double seconds = 1) {
  v1::AskRequest request;
  *request.mutable_audio() = PcmClip(PlaneWave(seconds, 16000));
  request.set_question(question);
  return request;
}

// An open StreamAsk call.
class StreamClient {
 public:
  explicit StreamClient(v1::SpatialQa::Stub& stub) : stream_(stub.StreamAsk(&context)) {}

  static v1::StreamConfig DefaultConfig(uint32_t rate = 16000) {
    v1::StreamConfig config;
    config.set_format(v1::FOA_FORMAT_AMBIX);
    config.set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
    config.set_sample_rate_hz(rate);
    config.set_channels(4);
    return config;
  }

  bool Configure(const v1::StreamConfig& config = DefaultConfig()) {
    v1::StreamAskRequest request;
    *request.mutable_config() = config;
    return stream_->Write(request);
  }
  bool SendAudio(const std::string& pcm) {
    v1::StreamAskRequest request;
    request.mutable_audio()->set_sequence(sequence_++);
    request.mutable_audio()->set_data(pcm);
    return stream_->Write(request);
  }
  bool SendAudio(const std::vector<float>& samples) { return SendAudio(ToBytes(samples)); }
  bool Query(const std::string& id, const std::string& question) {
    v1::StreamAskRequest request;
    request.mutable_query()->set_query_id(id);
    request.mutable_query()->set_question(question);
    return stream_->Write(request);
  }
  bool Cancel(const std::string& id) {
    v1::StreamAskRequest request;
    request.mutable_cancel()->set_query_id(id);
    return stream_->Write(request);
  }
  bool EndAudio() {
    v1::StreamAskRequest request;
    request.mutable_end_of_audio();
    return stream_->Write(request);
  }
  bool Write(const v1::StreamAskRequest& request) { return stream_->Write(request); }
  bool HalfClose() { return stream_->WritesDone(); }

  bool Read(v1::StreamAskResponse* event) { return stream_->Read(event); }
  // Reads until an event of this kind comes (for this query, where one is named); other events are kept in `seen`.
  v1::StreamAskResponse ReadUntil(v1::StreamAskResponse::EventCase kind, const std::string& query_id = "") {
    v1::StreamAskResponse event;
    while (stream_->Read(&event)) {
      seen.push_back(event);
      if (event.event_case() == kind && (query_id.empty() || QueryOf(event) == query_id)) return event;
    }
    ADD_FAILURE() << "the stream ended before the event";
    return v1::StreamAskResponse();
  }
  // All events that are left, and the status.
  grpc::Status Finish() {
    v1::StreamAskResponse event;
    while (stream_->Read(&event)) seen.push_back(event);
    return stream_->Finish();
  }
  static std::string QueryOf(const v1::StreamAskResponse& event) {
    switch (event.event_case()) {
      case v1::StreamAskResponse::kAccepted:
        return event.accepted().query_id();
      case v1::StreamAskResponse::kToken:
        return event.token().query_id();
      case v1::StreamAskResponse::kScene:
        return event.scene().query_id();
      case v1::StreamAskResponse::kFinished:
        return event.finished().query_id();
      case v1::StreamAskResponse::kError:
        return event.error().query_id();
      default:
        return "";
    }
  }

  grpc::ClientContext context;
  std::vector<v1::StreamAskResponse> seen;

 private:
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamAskRequest, v1::StreamAskResponse>> stream_;
  uint64_t sequence_ = 0;
};

class ServerTest : public ::testing::Test {
 protected:
  // Small limits, so that tests reach them.
  ServerTest() {
    config.listen = "127.0.0.1:0";
    config.metrics_listen = "";  // a metrics port takes two seconds to close
  }

  ~ServerTest() override {
    model->encode_gate.Open();
    model->prefill_gate.Open();
    model->step_gate.Open();
    stub.reset();
    channel.reset();
    if (server != nullptr) server->Stop();
  }

  void StartServer() {
    absl::StatusOr<std::unique_ptr<InferenceServer>> started = InferenceServer::Start(config, {model});
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    // Each test its own connection: channels to one address are shared otherwise.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel = grpc::CreateCustomChannel(server->address(), grpc::InsecureChannelCredentials(), arguments);
    stub = v1::SpatialQa::NewStub(channel);
  }

  grpc::Status Ask(const v1::AskRequest& request, v1::AskResponse* response) {
    grpc::ClientContext context;
    return stub->Ask(&context, request, response);
  }
  // After whatever went wrong, the server still answers.
  void ExpectStillServing() {
    v1::AskResponse response;
    const grpc::Status status = Ask(AskAboutWave(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.answer(), "azimuth 40.0 degrees");
  }
  double Running() { return server->metrics().requests_running.Value(); }
  double Waiting() { return server->metrics().requests_waiting.Value(); }

  ServerConfig config;
  std::shared_ptr<FakeModel> model = std::make_shared<FakeModel>();
  std::unique_ptr<InferenceServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SpatialQa::Stub> stub;
};

}  // namespace auricle::server
