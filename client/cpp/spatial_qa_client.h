// The SDK: ask a server what sounds where, about a clip (Ask) or about audio that still arrives (OpenStream).
//
//   auto client = SpatialQaClient::Connect("127.0.0.1:50051");
//   v1::AskRequest request;
//   *request.mutable_audio() = *AudioFromFile("clip.flac", v1::FOA_FORMAT_AMBIX);
//   request.set_question("Where is the dog?");
//   auto response = (*client)->Ask(request);   // response->answer(), response->scene()
//
// Every failure is an absl::Status with the server's own code; client/cpp/status_details.h reads the field violations,
// the reason and the delay before another try that came with it. Nothing here throws, retries or logs. No gRPC header
// is needed to use it but for ClientOptions.credentials.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auricle/v1/audio.pb.h"
#include "auricle/v1/inference.pb.h"
#include "auricle/v1/model.pb.h"

namespace grpc {
class ChannelCredentials;
}

namespace auricle::client {

struct ClientOptions {
  // How long Connect waits for an address that stays silent. A refused connection fails at once.
  absl::Duration connect_timeout = absl::Seconds(5);
  // Null: no encryption.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // Largest answer accepted, bytes.
  int max_receive_bytes = 64 << 20;
  // Proxies of the environment (http_proxy) are ignored unless asked for: a server is usually near.
  bool use_http_proxy = false;
};

struct CallOptions {
  // From now to the end of the call, queueing included; DEADLINE_EXCEEDED after it. For a stream: its whole life.
  absl::Duration deadline = absl::InfiniteDuration();
};

// What becomes of a stream's events, one function a kind; those left empty are skipped.
struct StreamHandlers {
  std::function<void(const v1::Accepted&)> accepted;
  std::function<void(const v1::AudioAck&)> audio_ack;
  std::function<void(const v1::TokenDelta&)> token;
  std::function<void(const v1::SceneUpdate&)> scene;
  std::function<void(const v1::Finished&)> finished;
  // One query failed; the stream lives on. The status is unpacked with its details.
  std::function<void(const std::string& query_id, const absl::Status&)> query_error;
};

// One live conversation: audio and questions up, events down.
//
// Thread-safety: any thread may send (sends are serialised inside), one thread at a time reads, and Cancel may come
// from anywhere. Sending blocks while the server is slower than the sender; read at the same time, or a server that is
// bounded in what it holds for the reader and a sender that waits for the server may wait for each other.
// The client that opened it must outlive it. Destruction cancels a stream that has not ended.
class AskStream {
 public:
  ~AskStream();
  AskStream(const AskStream&) = delete;
  AskStream& operator=(const AskStream&) = delete;

  // PCM as the StreamConfig said, whole frames; chunks are numbered here, from 0.
  // FAILED_PRECONDITION after EndAudio or FinishSending; UNAVAILABLE when the server has ended the stream (Finish tells
  // why). The other senders return the same two.
  absl::Status SendAudio(std::string_view pcm);
  // These two INVALID_ARGUMENT also for text that is not UTF-8: nothing is sent then, and the stream lives on.
  absl::Status SendQuery(const v1::Query& query);
  absl::Status CancelQuery(const std::string& query_id);
  // No more audio will come; questions still may.
  absl::Status EndAudio();
  // Nothing more will come; the server ends the stream once every query is finished. Safe to call twice.
  absl::Status FinishSending();

  // The next event; blocks. Empty at the stream's end.
  std::optional<v1::StreamAskResponse> Next();
  // Next until the end, each event to its handler, on this thread; then Finish.
  absl::Status ReadEvents(const StreamHandlers& handlers);
  // How the stream ended. Reads what is left, so it may block; same answer when called again. Reading thread only.
  absl::Status Finish();
  // Gives the stream up: Next ends soon, Finish says CANCELLED.
  void Cancel();

 private:
  friend class SpatialQaClient;
  struct State;
  explicit AskStream(std::unique_ptr<State> state);
  absl::Status Send(v1::StreamAskRequest& request);

  std::unique_ptr<State> state_;
};

enum class ServingStatus { kServing, kNotServing, kUnknown };

// A connection to one server; reconnects by itself. Thread-safe: one client serves any number of threads.
class SpatialQaClient {
 public:
  // `address` is a gRPC target, "host:port". UNAVAILABLE when the connection is refused or
  // nothing answers within options.connect_timeout.
  static absl::StatusOr<std::unique_ptr<SpatialQaClient>> Connect(const std::string& address,
                                                                  const ClientOptions& options = {});
  ~SpatialQaClient();
  SpatialQaClient(const SpatialQaClient&) = delete;
  SpatialQaClient& operator=(const SpatialQaClient&) = delete;

  // One question on one clip; blocks. Codes as in auricle/v1/inference.proto; text that is not UTF-8 is refused here
  // (gRPC could not carry it), as INVALID_ARGUMENT with its field.
  absl::StatusOr<v1::AskResponse> Ask(const v1::AskRequest& request, const CallOptions& options = {}) const;

  // Opens a stream and sends `config` as its first message. A config that the server refuses shows in Next and Finish,
  // not here; a model's name that is not UTF-8 is INVALID_ARGUMENT.
  absl::StatusOr<std::unique_ptr<AskStream>> OpenStream(const v1::StreamConfig& config,
                                                        const CallOptions& options = {}) const;

  absl::StatusOr<v1::ListModelsResponse> ListModels(const CallOptions& options = {}) const;
  // Empty name: the default model.
  absl::StatusOr<v1::ModelInfo> GetModel(const std::string& name, const CallOptions& options = {}) const;

  // grpc.health.v1. `service` empty: the whole server. NOT_FOUND for a service that the server does not know.
  absl::StatusOr<ServingStatus> CheckHealth(const std::string& service, const CallOptions& options = {}) const;

 private:
  struct Stubs;
  explicit SpatialQaClient(std::unique_ptr<Stubs> stubs);

  std::unique_ptr<Stubs> stubs_;
};

// A file's bytes as the clip of a request (AUDIO_ENCODING_FILE), unread: the server decodes and judges it.
// NOT_FOUND, PERMISSION_DENIED, or INVALID_ARGUMENT for a folder and for files over `max_bytes`.
absl::StatusOr<v1::AudioClip> AudioFromFile(const std::string& path, v1::FoaFormat format,
                                            uint64_t max_bytes = uint64_t{256} << 20);

}  // namespace auricle::client
