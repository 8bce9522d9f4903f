// SpatialQa.StreamAsk: audio in, questions about it in any order, events out.
//
// No thread of its own: gRPC's callbacks bring messages, the engine's thread brings answers, the registry's tick brings
// time; one lock guards the state. One read and one write are in flight at most; events that cannot be written yet wait
// in a bounded outbox.
//
// The stream ends, exactly once, when
//   - the client has half-closed, every query is finished and the outbox is written: OK;
//   - a message breaks the stream's rules (see inference.proto), once the events before it are written: that error;
//   - the client does not read: the outbox overflows, or a write takes too long: RESOURCE_EXHAUSTED, SLOW_READER;
//   - the server drains, every query is finished and the outbox is written: UNAVAILABLE, DRAINING;
//   - the client is gone or its deadline has passed: CANCELLED.
// Whatever the end, queries that are unfinished then are cancelled in the engine.
#pragma once

#include <grpcpp/impl/codegen/server_callback.h>
#include <grpcpp/server_context.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "server/inference/audio_intake.h"
#include "server/inference/engine.h"
#include "server/inference/evidence_view.h"
#include "server/inference/pcm_history.h"
#include "server/inference/serving_context.h"
#include "server/inference/stream_registry.h"

namespace auricle::server {

class StreamCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public RegisteredStream,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Begin(const ServingContext& server,
                                                                            StreamRegistry& streams,
                                                                            grpc::CallbackServerContext* context);

  // From gRPC.
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  // From the registry.
  void OnTick(absl::Time now) override;
  void OnDrain() override;

 private:
  class QuerySink;

  // What StreamConfig settled.
  struct Settings {
    PcmLayout layout;
    std::shared_ptr<InferenceModel> model;
    v1::EvidenceOptions evidence;
    double scene_update_seconds = 0;
  };
  // Audio that questions in the engine are about: the newest span, so that several questions share it.
  struct Heard {
    uint64_t first_frame = 0, last_frame = 0;
    std::shared_ptr<HeardAudio> audio;
  };

  StreamCall(const ServingContext& server, StreamRegistry& streams, grpc::CallbackServerContext* context);

  // Each returns the error that ends the stream, or OK.
  absl::Status Handle(v1::StreamAskRequest request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status HandleConfig(const v1::StreamConfig& config) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status HandleAudio(const v1::AudioChunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status HandleUnreadable(const v1::StreamAskRequest& partial, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandleQuery(v1::Query query) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The error of the query alone.
  absl::Status Ask(v1::Query query) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckQueryId(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<HeardAudio>> AudioFor(const v1::TimeSpan* span) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MaybePerceiveScene() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MaybeAcknowledge(absl::Time now, bool at_once) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  double ReceivedSeconds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Push(const v1::StreamAskResponse& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PushQueryError(const std::string& query_id, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartNextWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The query, or with an empty id the unasked look, has left the engine.
  void Forget(const std::string& query_id, const std::shared_ptr<HeardAudio>& audio)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes no more messages or events; ends with `status` once the outbox is written.
  void Close(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CutSlowReader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishNow(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ServingContext& server_;
  StreamRegistry& streams_;
  grpc::CallbackServerContext* const context_;  // valid until OnDone
  const absl::Time deadline_;
  uint64_t number_ = 0;  // in the registry; 0: refused
  std::string scene_id_;
  grpc::ByteBuffer incoming_;  // gRPC's while a read is in flight

  Mutex mutex_;
  std::optional<Settings> settings_ ABSL_GUARDED_BY(mutex_);
  std::optional<PcmHistory> history_ ABSL_GUARDED_BY(mutex_);  // there with settings_, until OnDone
  uint64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  bool unacknowledged_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time last_acknowledged_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool audio_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;

  absl::flat_hash_map<std::string, RequestId> queries_ ABSL_GUARDED_BY(mutex_);  // unfinished
  absl::flat_hash_set<std::string> used_ids_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> used_ids_in_order_ ABSL_GUARDED_BY(mutex_);
  std::optional<RequestId> scene_request_ ABSL_GUARDED_BY(mutex_);  // an unasked update under way
  double next_scene_seconds_ ABSL_GUARDED_BY(mutex_) = 0;
  Heard heard_ ABSL_GUARDED_BY(mutex_);
  SourceTracker tracker_ ABSL_GUARDED_BY(mutex_);

  std::deque<grpc::ByteBuffer> outbox_ ABSL_GUARDED_BY(mutex_);  // the front is being written while writing_
  size_t outbox_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time write_started_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // Finish was called
  absl::Time finished_at_ ABSL_GUARDED_BY(mutex_);
  bool done_ ABSL_GUARDED_BY(mutex_) = false;  // OnDone was called: context_ is gone

  std::shared_ptr<StreamCall> self_;  // until OnDone
};

}  // namespace auricle::server
