#include "tests/client/fake_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "auricle/v1/inference.grpc.pb.h"
#include "auricle/v1/model.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace auricle::test {
namespace {

google::rpc::Status Refusal(int code, const std::string& message, const std::string& reason) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("auricle.v1");
  status.add_details()->PackFrom(info);
  return status;
}

google::rpc::Status FieldRefusal(const std::string& field, const std::string& description) {
  google::rpc::Status status = Refusal(grpc::StatusCode::INVALID_ARGUMENT, field + ": " + description, "BAD_FIELD");
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field(field);
  bad_request.mutable_field_violations(0)->set_description(description);
  status.add_details()->PackFrom(bad_request);
  return status;
}

grpc::Status OnWire(const google::rpc::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()};
}

v1::Scene DogScene(double duration) {
  v1::Scene scene;
  scene.set_duration_seconds(duration);
  v1::Source& dog = *scene.add_sources();
  dog.set_id("1");
  dog.set_class_name("dog_bark");
  dog.set_class_label("a dog barking");
  dog.set_confidence(0.9f);
  dog.mutable_direction()->set_azimuth_deg(40);
  dog.set_distance_m(2);
  v1::TimeSpan& span = *dog.add_active();
  span.set_start_seconds(0.5);
  span.set_end_seconds(1.5);
  scene.mutable_room()->set_volume_m3(60);
  scene.mutable_room()->set_t30_seconds(0.4);
  return scene;
}

template <typename Answer, typename Options>
void FillAnswer(const std::string& question, const Options& options, Answer& answer) {
  answer.set_answer("heard: " + question);
  answer.set_finish_reason(v1::FINISH_REASON_STOP);
  answer.mutable_usage()->set_time_to_first_token_seconds(0.0125);
  if (options.empty()) return;
  answer.set_letter("B");
  answer.set_answer("B. " + options[1]);
  for (int i = 0; i < options.size(); ++i) {
    auto& probability = *answer.add_probabilities();
    probability.set_letter(std::string(1, static_cast<char>('A' + i)));
    probability.set_option(options[i]);
    probability.set_probability(i == 1 ? 0.6f : 0.4f / static_cast<float>(options.size() - 1));
  }
}

}  // namespace

struct FakeServer::Impl final : v1::SpatialQa::Service, v1::ModelControl::Service {
  std::mutex mutex;
  std::vector<v1::AskRequest> asked;
  std::vector<v1::StreamAskRequest> streamed;
  std::vector<double> stream_seconds;
  std::map<std::string, int> tries;
  int in_flight = 0, most_in_flight = 0;
  int port = 0;
  std::unique_ptr<grpc::Server> server;

  grpc::Status Ask(grpc::ServerContext*, const v1::AskRequest* request, v1::AskResponse* response) override {
    const std::string rule = request->question().substr(0, request->question().find(' '));
    int tried;
    {
      const std::lock_guard lock(mutex);
      asked.push_back(*request);
      tried = tries[request->question()]++;
      most_in_flight = std::max(most_in_flight, ++in_flight);
    }
    if (rule == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(60));
    {
      const std::lock_guard lock(mutex);
      --in_flight;
    }
    if (rule == "refuse") return OnWire(FieldRefusal("audio.channels", "is 2, must be 4"));
    if (rule == "full")
      return OnWire(Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "clip is over the limit", "CLIP_TOO_LONG"));
    if (rule == "gone") return OnWire(Refusal(grpc::StatusCode::UNAVAILABLE, "nobody is here", "GONE"));
    if ((rule == "busy" || rule == "drained") && tried < 2) {
      google::rpc::Status status =
          rule == "busy" ? Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "QUEUE_FULL")
                         : Refusal(grpc::StatusCode::UNAVAILABLE, "the server is going down", "DRAINING");
      google::rpc::RetryInfo retry;
      retry.mutable_retry_delay()->set_nanos(20'000'000);
      status.add_details()->PackFrom(retry);
      return OnWire(status);
    }
    FillAnswer(request->question(), request->options(), *response);
    *response->mutable_scene() = DogScene(static_cast<double>(request->audio().data().size()));
    response->set_model("fake");
    return grpc::Status::OK;
  }

  grpc::Status StreamAsk(grpc::ServerContext* context,
                         grpc::ServerReaderWriter<v1::StreamAskResponse, v1::StreamAskRequest>* stream) override {
    {
      const std::chrono::duration<double> left = context->deadline() - std::chrono::system_clock::now();
      const std::lock_guard lock(mutex);
      stream_seconds.push_back(left.count());
    }
    v1::StreamAskRequest message;
    double bytes = 0;
    while (stream->Read(&message)) {
      {
        const std::lock_guard lock(mutex);
        streamed.push_back(message);
      }
      v1::StreamAskResponse event;
      if (message.has_config() && message.config().channels() != 4) {
        return OnWire(FieldRefusal("channels", "is " + std::to_string(message.config().channels()) + ", must be 4"));
      }
      if (message.has_audio()) {
        bytes += static_cast<double>(message.audio().data().size());
        event.mutable_audio_ack()->set_sequence(message.audio().sequence());
        stream->Write(event);
      }
      if (!message.has_query()) continue;
      const v1::Query& query = message.query();
      if (query.span().start_seconds() < 0) {
        const google::rpc::Status refusal = FieldRefusal("span.start_seconds", "is negative");
        event.mutable_error()->set_query_id(query.query_id());
        event.mutable_error()->set_code(refusal.code());
        event.mutable_error()->set_message(refusal.message());
        event.mutable_error()->set_status(refusal.SerializeAsString());
        stream->Write(event);
        continue;
      }
      event.mutable_accepted()->set_query_id(query.query_id());
      stream->Write(event);
      *event.mutable_scene()->mutable_scene() = DogScene(bytes);
      event.mutable_scene()->set_query_id(query.query_id());
      stream->Write(event);
      for (const std::string& text : {std::string("heard: "), query.question()}) {
        event.mutable_token()->set_query_id(query.query_id());
        event.mutable_token()->set_text(text);
        stream->Write(event);
      }
      event.mutable_finished()->set_query_id(query.query_id());
      FillAnswer(query.question(), query.options(), *event.mutable_finished());
      stream->Write(event);
    }
    return grpc::Status::OK;
  }

  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest*,
                          v1::ListModelsResponse* response) override {
    v1::ModelInfo& model = *response->add_models();
    model.set_name("fake");
    model.set_state(v1::MODEL_STATE_SERVING);
    model.set_is_default(true);
    model.set_parameters(12'300'000);
    return grpc::Status::OK;
  }
};

FakeServer::FakeServer() : impl_(std::make_unique<Impl>()) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &impl_->port);
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.RegisterService(static_cast<v1::SpatialQa::Service*>(impl_.get()));
  builder.RegisterService(static_cast<v1::ModelControl::Service*>(impl_.get()));
  impl_->server = builder.BuildAndStart();
}

FakeServer::~FakeServer() { impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2)); }

std::string FakeServer::address() const { return "127.0.0.1:" + std::to_string(impl_->port); }

std::vector<v1::AskRequest> FakeServer::asked() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->asked;
}

std::vector<v1::StreamAskRequest> FakeServer::streamed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->streamed;
}

std::vector<double> FakeServer::stream_seconds() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->stream_seconds;
}

int FakeServer::most_in_flight() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->most_in_flight;
}

void FakeServer::SetServing(bool serving) { impl_->server->GetHealthCheckService()->SetServingStatus(serving); }

}  // namespace auricle::test
