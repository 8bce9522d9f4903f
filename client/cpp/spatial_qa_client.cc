#include "client/cpp/spatial_qa_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "auricle/v1/inference.grpc.pb.h"
#include "auricle/v1/model.grpc.pb.h"
#include "client/cpp/status_details.h"

namespace auricle::client {
namespace {

absl::Status FromGrpc(const grpc::Status& status) {
  return StatusFromWire(static_cast<int>(status.error_code()), status.error_message(), status.error_details());
}

void ApplyOptions(const CallOptions& options, grpc::ClientContext& context) {
  if (options.deadline != absl::InfiniteDuration()) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + options.deadline));
  }
}

template <typename Response, typename Call>
absl::StatusOr<Response> Unary(const CallOptions& options, const Call& call) {
  grpc::ClientContext context;
  ApplyOptions(options, context);
  Response response;
  const grpc::Status status = call(&context, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

// grpc.health.v1 is one string (field 1) there and one enum (field 1) back: written out here, because the distribution
// ships no generated stub for it.
grpc::ByteBuffer HealthRequest(const std::string& service) {
  std::string bytes;
  if (!service.empty()) {
    bytes.push_back(0x0a);
    for (size_t length = service.size(); true; length >>= 7) {
      bytes.push_back(static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
      if (length <= 0x7f) break;
    }
    bytes += service;
  }
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

ServingStatus ParseHealthResponse(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.TrySingleSlice(&slice).ok() || slice.size() != 2 || slice.begin()[0] != 0x08)
    return ServingStatus::kUnknown;
  switch (slice.begin()[1]) {
    case 1:
      return ServingStatus::kServing;
    case 2:
      return ServingStatus::kNotServing;
    default:
      return ServingStatus::kUnknown;
  }
}

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsUtf8(const std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const int length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (int k = 1; k < length; ++k) {
      if ((static_cast<uint8_t>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = static_cast<uint8_t>(length > 1 ? text[i + 1] : 0);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

// A message with a string that is not UTF-8 cannot be parsed: it would end a whole stream. Fields are named by their
// path, as the server does.
absl::Status CheckText(const std::string& field, const std::string& text) {
  return IsUtf8(text) ? absl::OkStatus() : InvalidField(field, "is not valid UTF-8");
}

// `prefix`: the path of the message that carries them ("query." on a stream).
absl::Status CheckQuestion(const std::string& prefix, const std::string& question,
                           const google::protobuf::RepeatedPtrField<std::string>& options) {
  if (absl::Status status = CheckText(prefix + "question", question); !status.ok()) return status;
  for (int i = 0; i < options.size(); ++i) {
    absl::Status status = CheckText(absl::StrCat(prefix, "options[", i, "]"), options[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

struct AskStream::State {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamAskRequest, v1::StreamAskResponse>> call;

  std::mutex sending;       // guards what follows, and the order of writes
  uint64_t next_chunk = 0;  // sequence of the next AudioChunk
  bool audio_ended = false;
  bool sending_finished = false;

  std::optional<absl::Status> ended;  // reading thread only
};

AskStream::AskStream(std::unique_ptr<State> state) : state_(std::move(state)) {}

AskStream::~AskStream() {
  if (!state_->ended.has_value()) {
    Cancel();
    Finish().IgnoreError();
  }
}

absl::Status AskStream::Send(v1::StreamAskRequest& request) {
  const std::lock_guard lock(state_->sending);
  if (state_->sending_finished) return absl::FailedPreconditionError("the sending half of the stream is closed");
  const bool is_audio = request.message_case() == v1::StreamAskRequest::kAudio;
  if (state_->audio_ended && (is_audio || request.message_case() == v1::StreamAskRequest::kEndOfAudio)) {
    return absl::FailedPreconditionError("the stream's audio has ended");
  }
  if (is_audio) request.mutable_audio()->set_sequence(state_->next_chunk++);
  if (!state_->call->Write(request)) return absl::UnavailableError("the server has ended the stream");
  if (request.message_case() == v1::StreamAskRequest::kEndOfAudio) state_->audio_ended = true;
  return absl::OkStatus();
}

absl::Status AskStream::SendAudio(std::string_view pcm) {
  v1::StreamAskRequest request;
  request.mutable_audio()->set_data(pcm.data(), pcm.size());
  return Send(request);
}

absl::Status AskStream::SendQuery(const v1::Query& query) {
  if (absl::Status status = CheckText("query.query_id", query.query_id()); !status.ok()) return status;
  if (absl::Status status = CheckQuestion("query.", query.question(), query.options()); !status.ok()) return status;
  v1::StreamAskRequest request;
  *request.mutable_query() = query;
  return Send(request);
}

absl::Status AskStream::CancelQuery(const std::string& query_id) {
  if (absl::Status status = CheckText("cancel.query_id", query_id); !status.ok()) return status;
  v1::StreamAskRequest request;
  request.mutable_cancel()->set_query_id(query_id);
  return Send(request);
}

absl::Status AskStream::EndAudio() {
  v1::StreamAskRequest request;
  request.mutable_end_of_audio();
  return Send(request);
}

absl::Status AskStream::FinishSending() {
  const std::lock_guard lock(state_->sending);
  if (state_->sending_finished) return absl::OkStatus();
  state_->sending_finished = true;
  if (!state_->call->WritesDone()) return absl::UnavailableError("the server has ended the stream");
  return absl::OkStatus();
}

std::optional<v1::StreamAskResponse> AskStream::Next() {
  v1::StreamAskResponse event;
  if (state_->ended.has_value() || !state_->call->Read(&event)) return std::nullopt;
  return event;
}

absl::Status AskStream::ReadEvents(const StreamHandlers& handlers) {
  while (const std::optional<v1::StreamAskResponse> event = Next()) {
    switch (event->event_case()) {
      case v1::StreamAskResponse::kAccepted:
        if (handlers.accepted) handlers.accepted(event->accepted());
        break;
      case v1::StreamAskResponse::kAudioAck:
        if (handlers.audio_ack) handlers.audio_ack(event->audio_ack());
        break;
      case v1::StreamAskResponse::kToken:
        if (handlers.token) handlers.token(event->token());
        break;
      case v1::StreamAskResponse::kScene:
        if (handlers.scene) handlers.scene(event->scene());
        break;
      case v1::StreamAskResponse::kFinished:
        if (handlers.finished) handlers.finished(event->finished());
        break;
      case v1::StreamAskResponse::kError:
        if (handlers.query_error) {
          const v1::QueryError& error = event->error();
          handlers.query_error(error.query_id(), StatusFromWire(error.code(), error.message(), error.status()));
        }
        break;
      case v1::StreamAskResponse::EVENT_NOT_SET:
        break;  // an event of a newer server
    }
  }
  return Finish();
}

absl::Status AskStream::Finish() {
  if (!state_->ended.has_value()) {
    v1::StreamAskResponse event;
    while (state_->call->Read(&event)) {
    }
    state_->ended = FromGrpc(state_->call->Finish());
  }
  return *state_->ended;
}

void AskStream::Cancel() { state_->context.TryCancel(); }

struct SpatialQaClient::Stubs {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SpatialQa::Stub> spatial_qa;
  std::unique_ptr<v1::ModelControl::Stub> model_control;
};

SpatialQaClient::SpatialQaClient(std::unique_ptr<Stubs> stubs) : stubs_(std::move(stubs)) {}
SpatialQaClient::~SpatialQaClient() = default;

absl::StatusOr<std::unique_ptr<SpatialQaClient>> SpatialQaClient::Connect(const std::string& address,
                                                                          const ClientOptions& options) {
  if (address.empty()) return absl::InvalidArgumentError("address: is empty, must be host:port");
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_receive_bytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, options.use_http_proxy ? 1 : 0);
  auto stubs = std::make_unique<Stubs>();
  stubs->channel = grpc::CreateCustomChannel(
      address, options.credentials ? options.credentials : grpc::InsecureChannelCredentials(), arguments);
  // A refused connection is known at once; only an address that says nothing is waited for.
  const auto give_up = absl::ToChronoTime(absl::Now() + options.connect_timeout);
  for (grpc_connectivity_state state; (state = stubs->channel->GetState(true)) != GRPC_CHANNEL_READY;) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !stubs->channel->WaitForStateChange(state, give_up)) {
      return absl::UnavailableError(absl::StrCat("no server answers at ", address));
    }
  }
  stubs->spatial_qa = v1::SpatialQa::NewStub(stubs->channel);
  stubs->model_control = v1::ModelControl::NewStub(stubs->channel);
  return std::unique_ptr<SpatialQaClient>(new SpatialQaClient(std::move(stubs)));
}

absl::StatusOr<v1::AskResponse> SpatialQaClient::Ask(const v1::AskRequest& request, const CallOptions& options) const {
  if (absl::Status status = CheckText("model", request.model()); !status.ok()) return status;
  if (absl::Status status = CheckQuestion("", request.question(), request.options()); !status.ok()) return status;
  return Unary<v1::AskResponse>(
      options, [&](auto* context, auto* response) { return stubs_->spatial_qa->Ask(context, request, response); });
}

absl::StatusOr<std::unique_ptr<AskStream>> SpatialQaClient::OpenStream(const v1::StreamConfig& config,
                                                                       const CallOptions& options) const {
  if (absl::Status status = CheckText("config.model", config.model()); !status.ok()) return status;
  auto state = std::make_unique<AskStream::State>();
  ApplyOptions(options, state->context);
  state->call = stubs_->spatial_qa->StreamAsk(&state->context);
  if (state->call == nullptr) return absl::UnavailableError("the stream could not be opened");
  std::unique_ptr<AskStream> stream(new AskStream(std::move(state)));
  v1::StreamAskRequest first;
  *first.mutable_config() = config;
  if (!stream->Send(first).ok()) {
    const absl::Status ended = stream->Finish();
    return ended.ok() ? absl::UnavailableError("the server ended the stream at once") : ended;
  }
  return stream;
}

absl::StatusOr<v1::ListModelsResponse> SpatialQaClient::ListModels(const CallOptions& options) const {
  return Unary<v1::ListModelsResponse>(options, [&](auto* context, auto* response) {
    return stubs_->model_control->ListModels(context, v1::ListModelsRequest(), response);
  });
}

absl::StatusOr<v1::ModelInfo> SpatialQaClient::GetModel(const std::string& name, const CallOptions& options) const {
  v1::GetModelRequest request;
  request.set_name(name);
  return Unary<v1::ModelInfo>(options, [&](auto* context, auto* response) {
    return stubs_->model_control->GetModel(context, request, response);
  });
}

absl::StatusOr<ServingStatus> SpatialQaClient::CheckHealth(const std::string& service,
                                                           const CallOptions& options) const {
  grpc::ClientContext context;
  ApplyOptions(options, context);
  const grpc::ByteBuffer request = HealthRequest(service);
  grpc::ByteBuffer response;
  grpc::GenericStub stub(stubs_->channel);
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  if (!status.ok()) return FromGrpc(status);
  return ParseHealthResponse(response);
}

absl::StatusOr<v1::AudioClip> AudioFromFile(const std::string& path, v1::FoaFormat format, uint64_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  if (status.type() == std::filesystem::file_type::directory) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder, must be an audio file"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::PermissionDeniedError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  v1::AudioClip clip;
  clip.set_format(format);
  clip.set_encoding(v1::AUDIO_ENCODING_FILE);
  std::string& data = *clip.mutable_data();
  // Read to the end and not to the reported size: pipes and process substitutions have none.
  char block[1 << 16];
  while (file.read(block, sizeof block), file.gcount() > 0) {
    data.append(block, static_cast<size_t>(file.gcount()));
    if (data.size() > max_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": is over the limit of ", max_bytes, " bytes"));
    }
  }
  return clip;
}

}  // namespace auricle::client
