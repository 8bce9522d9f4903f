#include "server/inference/ask_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/inference/audio_intake.h"
#include "server/inference/evidence_view.h"
#include "server/inference/request_checks.h"
#include "server/runtime/error_details.h"
#include "server/runtime/log.h"
#include "server/runtime/wire.h"

namespace auricle::server {
namespace {

constexpr char kSceneId[] = "clip";
// The client's deadline began before ours, by the time that its request took to get here: it hangs up a moment before
// our clock says that the time is over.
constexpr absl::Duration kDeadlineSlack = absl::Milliseconds(50);

}  // namespace

absl::Status WhyCancelled(absl::Time now, absl::Time deadline) {
  if (now < deadline - kDeadlineSlack) return absl::CancelledError("cancelled by the client");
  return ErrorWithReason(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline passed");
}

AskCall::AskCall(const ServingContext& server, grpc::CallbackServerContext* context, grpc::ByteBuffer* response)
    : server_(server), begun_(absl::Now()), deadline_(absl::FromChrono(context->deadline())), response_(response) {}

grpc::ServerUnaryReactor* AskCall::Begin(const ServingContext& server, grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  std::shared_ptr<AskCall> call(new AskCall(server, context, response));
  {
    MutexLock lock(call->mutex_);
    call->self_ = call;
  }
  if (absl::Status status = call->Submit(*request); !status.ok()) call->FinishOnce(status, nullptr);
  return call.get();
}

absl::Status AskCall::Submit(const grpc::ByteBuffer& bytes) {
  if (server_.engine.draining()) return server::Draining();
  if (bytes.Length() > server_.limits.max_message_bytes()) {
    return OverLimit("MESSAGE_TOO_LARGE", "audio.data",
                     absl::StrCat("the message has ", bytes.Length(), " bytes; at most ",
                                  server_.limits.max_message_bytes(), " (max_message_bytes)"),
                     "max_message_bytes", absl::StrCat(server_.limits.max_message_bytes()));
  }
  v1::AskRequest request;
  if (absl::Status status = ParseMessage(bytes, &request); !status.ok()) return status;
  absl::StatusOr<std::shared_ptr<InferenceModel>> model = server_.models.Find(request.model(), "model");
  if (!model.ok()) return model.status();
  if (absl::Status status = CheckQuestion(request.question(), request.options(), server_.limits, ""); !status.ok()) {
    return status;
  }
  absl::StatusOr<v1::SamplingParams> sampling =
      CompleteSampling(request.sampling(), server_.limits, server_.config.default_new_tokens, "");
  if (!sampling.ok()) return sampling.status();
  absl::StatusOr<AudioPayload> payload =
      InspectClip(std::move(*request.mutable_audio()), request.has_span() ? &request.span() : nullptr,
                  server_.limits.max_clip_seconds());
  if (!payload.ok()) return payload.status();

  model_ = *std::move(model);
  evidence_ = request.evidence();
  const EncodingCache::Found clip =
      server_.heard.FindOrAdd(absl::StrCat(model_->Info().name(), "@", model_->Info().version()), *std::move(payload),
                              server_.limits.max_clip_seconds());
  Job job;
  job.model = model_;
  job.audio = audio_ = clip.audio;
  job.question = std::move(*request.mutable_question());
  job.options.assign(request.options().begin(), request.options().end());
  job.sampling = *std::move(sampling);
  job.deadline = deadline_;
  job.sink = shared_from_this();
  MutexLock lock(mutex_);  // OnCancel waits until the id is known
  const absl::StatusOr<Engine::Ticket> ticket = server_.engine.Submit(std::move(job));
  if (!ticket.ok()) {
    if (clip.added) server_.heard.Forget(audio_);
    return ticket.status();
  }
  request_ = ticket->id;
  return absl::OkStatus();
}

void AskCall::OnHeard(const std::shared_ptr<const EncodedAudio>& encoded) {
  server_.heard.Keep(audio_);
  if (evidence_.omit_scene()) return;
  scene_ = ViewEvidence(encoded->scene(), kSceneId, audio_->start_seconds(), audio_->end_seconds(),
                        evidence_.include_tracks());
}

void AskCall::OnToken(const std::string& /*text*/, uint32_t /*index*/) {}

void AskCall::OnFinished(Answer answer) {
  if (answer.finish_reason == v1::FINISH_REASON_CANCELLED) {
    if (!audio_->heard_well()) server_.heard.Forget(audio_);
    return FinishOnce(WhyCancelled(absl::Now(), deadline_), nullptr);
  }
  v1::AskResponse response;
  response.set_answer(std::move(answer.text));
  response.set_letter(std::move(answer.letter));
  for (v1::OptionProbability& option : answer.probabilities) *response.add_probabilities() = std::move(option);
  if (!evidence_.omit_scene()) *response.mutable_scene() = std::move(scene_);
  response.set_finish_reason(answer.finish_reason);
  *response.mutable_usage() = std::move(answer.usage);
  response.set_model(model_->Info().name());
  response.set_model_version(model_->Info().version());
  FinishOnce(absl::OkStatus(), &response);
}

void AskCall::OnFailed(const absl::Status& status) {
  // A question that failed says nothing against the clip.
  if (!audio_->heard_well()) server_.heard.Forget(audio_);
  FinishOnce(status, nullptr);
}

void AskCall::OnCancel() {
  RequestId request = 0;
  {
    MutexLock lock(mutex_);
    request = request_;
  }
  if (request != 0) server_.engine.Cancel(request);
  FinishOnce(WhyCancelled(absl::Now(), deadline_), nullptr);
}

void AskCall::FinishOnce(const absl::Status& status, const v1::AskResponse* response) {
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    finished_ = true;
    if (response != nullptr) *response_ = SerializeMessage(*response);
    response_ = nullptr;
  }
  const std::string code = absl::StatusCodeToString(status.code());
  server_.metrics.CountRequest("Ask", code);
  Log(LogLevel::kInfo, "request_finished",
      {{"method", "Ask"},
       {"code", code},
       {"reason", ReasonOf(status)},
       {"audio_seconds", audio_ != nullptr ? audio_->seconds() : 0.0},
       {"seconds", absl::ToDoubleSeconds(absl::Now() - begun_)}});
  Finish(ToGrpcStatus(status));
}

void AskCall::OnDone() {
  std::shared_ptr<AskCall> last;  // freed at the end, after the lock, unless the engine still holds it
  MutexLock lock(mutex_);
  last = std::move(self_);
}

}  // namespace auricle::server
