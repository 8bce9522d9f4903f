// SpatialQa.Ask: one clip, one question, one answer.
#pragma once

#include <grpcpp/impl/codegen/server_callback.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/inference/engine.h"
#include "server/inference/serving_context.h"

namespace auricle::server {

// How a call ends that was cancelled from outside at `now`. gRPC cancels for two reasons, the client has left or the
// deadline has passed, and does not say which.
absl::Status WhyCancelled(absl::Time now, absl::Time deadline);

// One call. It lives until gRPC is done with it and the engine has let go of it, whichever comes later.
//
// Finish is called exactly once:
//   - at once, when the request is refused;
//   - by the engine, with the answer or an error;
//   - by OnCancel, when the client is gone or the deadline has passed (the engine then drops the request).
class AskCall final : public grpc::ServerUnaryReactor, public AnswerSink, public std::enable_shared_from_this<AskCall> {
 public:
  // Returned to gRPC, which calls OnDone on it at the end.
  static grpc::ServerUnaryReactor* Begin(const ServingContext& server, grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response);

  void OnHeard(const std::shared_ptr<const EncodedAudio>& encoded) override;
  void OnToken(const std::string& text, uint32_t index) override;
  void OnFinished(Answer answer) override;
  void OnFailed(const absl::Status& status) override;

  void OnCancel() override;
  void OnDone() override;

 private:
  AskCall(const ServingContext& server, grpc::CallbackServerContext* context, grpc::ByteBuffer* response);

  absl::Status Submit(const grpc::ByteBuffer& request);
  void FinishOnce(const absl::Status& status, const v1::AskResponse* response);

  const ServingContext& server_;
  const absl::Time begun_, deadline_;
  std::shared_ptr<HeardAudio> audio_;
  std::shared_ptr<InferenceModel> model_;
  v1::EvidenceOptions evidence_;
  v1::Scene scene_;  // the engine's thread only

  Mutex mutex_;
  grpc::ByteBuffer* response_ ABSL_GUARDED_BY(mutex_);  // gRPC's; gone after Finish
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  RequestId request_ ABSL_GUARDED_BY(mutex_) = 0;          // 0: not submitted yet
  std::shared_ptr<AskCall> self_ ABSL_GUARDED_BY(mutex_);  // until OnDone
};

}  // namespace auricle::server
