#include "server/inference/stream_call.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/inference/request_checks.h"
#include "server/runtime/error_details.h"
#include "server/runtime/grpc_order.h"
#include "server/runtime/log.h"
#include "server/runtime/steady_clock.h"
#include "server/runtime/wire.h"

namespace auricle::server {
namespace {

constexpr size_t kMaxQueryIdBytes = 128;
constexpr size_t kRememberedQueryIds = 4096;
constexpr absl::Duration kAcknowledgeEvery = absl::Milliseconds(200);
constexpr double kMinSceneUpdateSeconds = 0.5, kMaxSceneUpdateSeconds = 60;

absl::Status BadOrder(absl::string_view reason, absl::string_view message) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, reason, message);
}

}  // namespace

// One query, or (with an empty id) one unasked look at the scene.
class StreamCall::QuerySink final : public AnswerSink {
 public:
  QuerySink(std::shared_ptr<StreamCall> call, std::string query_id, std::shared_ptr<HeardAudio> audio)
      : call_(std::move(call)), query_id_(std::move(query_id)), audio_(std::move(audio)) {}

  void OnHeard(const std::shared_ptr<const EncodedAudio>& encoded) override {
    MutexLock lock(call_->mutex_);
    const v1::EvidenceOptions& evidence = call_->settings_->evidence;
    if (evidence.omit_scene() && !query_id_.empty()) return;
    v1::StreamAskResponse event;
    event.mutable_scene()->set_query_id(query_id_);
    *event.mutable_scene()->mutable_scene() = ViewEvidence(encoded->scene(), call_->scene_id_, audio_->start_seconds(),
                                                           audio_->end_seconds(), evidence.include_tracks());
    call_->tracker_.Name(event.mutable_scene()->mutable_scene());
    call_->Push(event);
  }

  void OnToken(const std::string& text, uint32_t index) override {
    v1::StreamAskResponse event;
    event.mutable_token()->set_query_id(query_id_);
    event.mutable_token()->set_text(text);
    event.mutable_token()->set_index(index);
    MutexLock lock(call_->mutex_);
    call_->Push(event);
  }

  void OnFinished(Answer answer) override {
    if (!query_id_.empty()) {
      call_->server_.metrics.CountRequest("Query",
                                          answer.finish_reason == v1::FINISH_REASON_CANCELLED ? "CANCELLED" : "OK");
    }
    v1::StreamAskResponse event;
    v1::Finished& finished = *event.mutable_finished();
    finished.set_query_id(query_id_);
    finished.set_answer(std::move(answer.text));
    finished.set_letter(std::move(answer.letter));
    for (v1::OptionProbability& option : answer.probabilities) *finished.add_probabilities() = std::move(option);
    finished.set_finish_reason(answer.finish_reason);
    *finished.mutable_usage() = std::move(answer.usage);
    MutexLock lock(call_->mutex_);
    if (!query_id_.empty()) call_->Push(event);
    call_->Forget(query_id_, audio_);
  }

  void OnFailed(const absl::Status& status) override {
    if (!query_id_.empty()) call_->server_.metrics.CountRequest("Query", absl::StatusCodeToString(status.code()));
    MutexLock lock(call_->mutex_);
    if (!query_id_.empty()) {
      call_->PushQueryError(query_id_, status);
    } else {
      Log(LogLevel::kWarning, "scene_update_failed", {{"code", absl::StatusCodeToString(status.code())}});
    }
    call_->Forget(query_id_, audio_);
  }

 private:
  const std::shared_ptr<StreamCall> call_;
  const std::string query_id_;
  const std::shared_ptr<HeardAudio> audio_;
};

StreamCall::StreamCall(const ServingContext& server, StreamRegistry& streams, grpc::CallbackServerContext* context)
    : server_(server), streams_(streams), context_(context), deadline_(absl::FromChrono(context->deadline())) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamCall::Begin(const ServingContext& server,
                                                                               StreamRegistry& streams,
                                                                               grpc::CallbackServerContext* context) {
  std::shared_ptr<StreamCall> call(new StreamCall(server, streams, context));
  call->self_ = call;
  const absl::StatusOr<uint64_t> number = streams.Add(call);
  MutexLock lock(call->mutex_);
  if (!number.ok()) {
    call->FinishNow(number.status());
    return call.get();
  }
  call->number_ = *number;
  call->scene_id_ = absl::StrCat("stream-", *number);
  HandToGrpc(call.get());
  call->StartRead(&call->incoming_);
  return call.get();
}

void StreamCall::OnReadDone(bool ok) {
  TakeFromGrpc(this);
  v1::StreamAskRequest request;
  absl::Status parsed;
  if (ok) {
    if (incoming_.Length() > server_.limits.max_message_bytes()) {
      parsed = OverLimit("MESSAGE_TOO_LARGE", "message",
                         absl::StrCat(incoming_.Length(), " bytes; at most ", server_.limits.max_message_bytes(),
                                      " (max_message_bytes)"),
                         "max_message_bytes", absl::StrCat(server_.limits.max_message_bytes()));
    } else {
      parsed = ParseMessage(incoming_, &request);
    }
    incoming_.Clear();
  }
  MutexLock lock(mutex_);
  if (finished_ || closing_.has_value()) return;
  if (!ok) {
    half_closed_ = true;
    MaybeAcknowledge(SteadyNow(), /*at_once=*/true);
    FinishIfDue();
    return;
  }
  const absl::Status status = parsed.ok() ? Handle(std::move(request)) : HandleUnreadable(request, parsed);
  if (!status.ok()) return Close(status);
  if (finished_ || closing_.has_value()) return;
  HandToGrpc(this);
  StartRead(&incoming_);
}

absl::Status StreamCall::Handle(v1::StreamAskRequest request) {
  if (request.message_case() == v1::StreamAskRequest::MESSAGE_NOT_SET) {
    return InvalidField("MESSAGE_EMPTY", "message", "must be one of config, audio, query, end_of_audio, cancel");
  }
  if (request.has_config()) return HandleConfig(request.config());
  if (!settings_.has_value()) {
    return BadOrder("STREAM_CONFIG_MISSING", "config: must be the first message of the stream");
  }
  switch (request.message_case()) {
    case v1::StreamAskRequest::kAudio:
      return HandleAudio(request.audio());
    case v1::StreamAskRequest::kQuery:
      HandleQuery(std::move(*request.mutable_query()));
      break;
    case v1::StreamAskRequest::kEndOfAudio:
      audio_ended_ = true;
      MaybeAcknowledge(SteadyNow(), /*at_once=*/true);
      break;
    case v1::StreamAskRequest::kCancel:
      // An id that is not there has just finished: no error.
      if (const auto it = queries_.find(request.cancel().query_id()); it != queries_.end()) {
        server_.engine.Cancel(it->second);
      }
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status StreamCall::HandleConfig(const v1::StreamConfig& config) {
  if (settings_.has_value()) return BadOrder("STREAM_CONFIG_REPEATED", "config: must be sent once");
  absl::StatusOr<std::shared_ptr<InferenceModel>> model = server_.models.Find(config.model(), "config.model");
  if (!model.ok()) return model.status();
  const absl::StatusOr<PcmLayout> layout = InspectStreamConfig(config);
  if (!layout.ok()) return layout.status();
  const double interval = config.scene_update_interval_seconds();
  // Negated comparisons, so that NaN fails them.
  if (interval != 0 && !(interval >= kMinSceneUpdateSeconds && interval <= kMaxSceneUpdateSeconds)) {
    return InvalidField(
        "INTERVAL_OUT_OF_RANGE", "config.scene_update_interval_seconds",
        absl::StrCat(interval, " s; must be 0 or ", kMinSceneUpdateSeconds, " to ", kMaxSceneUpdateSeconds));
  }
  const double most = server_.limits.max_clip_seconds();
  if (!(config.history_seconds() >= 0 && config.history_seconds() <= most)) {
    return InvalidField("HISTORY_OUT_OF_RANGE", "config.history_seconds",
                        absl::StrCat(config.history_seconds(), " s; must be above 0 and at most ", most,
                                     " (max_clip_seconds), or 0 for that"));
  }
  const double history = config.history_seconds() == 0 ? most : config.history_seconds();
  const uint64_t frames = std::max<uint64_t>(1, static_cast<uint64_t>(std::floor(history * layout->sample_rate)));
  if (absl::Status status = streams_.ReserveAudio(number_, frames * layout->frame_bytes()); !status.ok()) return status;
  settings_ = Settings{
      .layout = *layout, .model = *std::move(model), .evidence = config.evidence(), .scene_update_seconds = interval};
  history_.emplace(layout->frame_bytes(), frames);
  next_scene_seconds_ = interval;
  return absl::OkStatus();
}

absl::Status StreamCall::HandleAudio(const v1::AudioChunk& chunk) {
  if (audio_ended_) return BadOrder("AUDIO_AFTER_END", "audio: must not follow end_of_audio");
  if (chunk.sequence() != next_sequence_) {
    return InvalidField(
        "SEQUENCE_GAP", "audio.sequence",
        absl::StrCat(chunk.sequence(), "; must be ", next_sequence_, ", chunks count from 0 without gaps"));
  }
  if (absl::Status status = InspectChunk(chunk.data(), settings_->layout, history_->end_frame()); !status.ok()) {
    return status;
  }
  ++next_sequence_;
  history_->Append(chunk.data());
  unacknowledged_ = true;
  MaybeAcknowledge(SteadyNow(), /*at_once=*/false);
  MaybePerceiveScene();
  return absl::OkStatus();
}

absl::Status StreamCall::HandleUnreadable(const v1::StreamAskRequest& partial, const absl::Status& status) {
  // A question that is not UTF-8 is the trouble of one query, as long as it is known which.
  if (!settings_.has_value() || !partial.has_query() || partial.query().query_id().empty() ||
      ReasonOf(status) != "INVALID_UTF8" || absl::StrContains(status.message(), "query.query_id")) {
    return status;
  }
  server_.metrics.CountRequest("Query", absl::StatusCodeToString(status.code()));
  PushQueryError(partial.query().query_id(), status);
  return absl::OkStatus();
}

void StreamCall::HandleQuery(v1::Query query) {
  const std::string id = query.query_id();
  const absl::Status status = Ask(std::move(query));
  if (status.ok()) return;
  server_.metrics.CountRequest("Query", absl::StatusCodeToString(status.code()));
  PushQueryError(id, status);
}

absl::Status StreamCall::Ask(v1::Query query) {
  const std::string id = query.query_id();
  if (absl::Status status = CheckQueryId(id); !status.ok()) return status;
  if (draining_) return server::Draining();
  if (queries_.size() >= server_.limits.max_queries_per_stream()) {
    return WithRetryAfter(OverLimit("TOO_MANY_QUERIES", "query",
                                    absl::StrCat(queries_.size(), " queries of this stream are unfinished; at most ",
                                                 server_.limits.max_queries_per_stream(), " (max_queries_per_stream)"),
                                    "max_queries_per_stream", absl::StrCat(server_.limits.max_queries_per_stream())),
                          absl::Milliseconds(500));
  }
  if (absl::Status status = CheckQuestion(query.question(), query.options(), server_.limits, "query."); !status.ok()) {
    return status;
  }
  absl::StatusOr<v1::SamplingParams> sampling =
      CompleteSampling(query.sampling(), server_.limits, server_.config.default_new_tokens, "query.");
  if (!sampling.ok()) return sampling.status();
  const absl::StatusOr<std::shared_ptr<HeardAudio>> audio = AudioFor(query.has_span() ? &query.span() : nullptr);
  if (!audio.ok()) return audio.status();

  Job job;
  job.model = settings_->model;
  job.audio = *audio;
  job.question = std::move(*query.mutable_question());
  job.options.assign(query.options().begin(), query.options().end());
  job.sampling = *std::move(sampling);
  job.deadline = deadline_;
  job.sink = std::make_shared<QuerySink>(shared_from_this(), id, *audio);
  // The lock is held: no event of this query can come before Accepted.
  const absl::StatusOr<Engine::Ticket> ticket = server_.engine.Submit(std::move(job));
  if (!ticket.ok()) return ticket.status();
  queries_[id] = ticket->id;
  used_ids_.insert(id);
  used_ids_in_order_.push_back(id);
  if (used_ids_in_order_.size() > kRememberedQueryIds) {
    used_ids_.erase(used_ids_in_order_.front());
    used_ids_in_order_.pop_front();
  }
  v1::StreamAskResponse event;
  event.mutable_accepted()->set_query_id(id);
  event.mutable_accepted()->set_queue_position(ticket->queue_position);
  event.mutable_accepted()->mutable_heard()->set_start_seconds((*audio)->start_seconds());
  event.mutable_accepted()->mutable_heard()->set_end_seconds((*audio)->end_seconds());
  Push(event);
  return absl::OkStatus();
}

absl::Status StreamCall::CheckQueryId(const std::string& id) {
  if (id.empty() || id.size() > kMaxQueryIdBytes) {
    return InvalidField("QUERY_ID_INVALID", "query.query_id",
                        absl::StrCat(id.size(), " bytes; must be 1 to ", kMaxQueryIdBytes));
  }
  if (used_ids_.contains(id)) {
    return InvalidField("QUERY_ID_NOT_UNIQUE", "query.query_id", "was used before; must be unique in the stream");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<HeardAudio>> StreamCall::AudioFor(const v1::TimeSpan* span) {
  const double rate = settings_->layout.sample_rate;
  const double oldest = static_cast<double>(history_->first_frame()) / rate;
  if (ReceivedSeconds() - oldest < kMinAudioSeconds - 1e-9) {
    return BadOrder("AUDIO_TOO_SHORT", absl::StrFormat("audio: %.4g s have arrived; a query needs at least %g s",
                                                       ReceivedSeconds(), kMinAudioSeconds));
  }
  const absl::StatusOr<ResolvedSpan> part = ResolveSpan(span, oldest, ReceivedSeconds(), "query.span");
  if (!part.ok()) return part.status();
  Heard heard;
  heard.first_frame =
      std::max(history_->first_frame(), static_cast<uint64_t>(std::llround(part->start_seconds * rate)));
  heard.last_frame = std::min(history_->end_frame(), static_cast<uint64_t>(std::llround(part->end_seconds * rate)));
  if (heard_.audio != nullptr && heard_.first_frame == heard.first_frame && heard_.last_frame == heard.last_frame) {
    return heard_.audio;
  }
  AudioPayload payload;
  payload.layout = settings_->layout;
  payload.pieces = history_->Slice(heard.first_frame, heard.last_frame);
  payload.start_seconds = static_cast<double>(heard.first_frame) / rate;
  payload.end_seconds = static_cast<double>(heard.last_frame) / rate;
  payload.field = "audio.data";
  heard.audio = std::make_shared<HeardAudio>(std::move(payload), server_.limits.max_clip_seconds());
  heard_ = heard;
  return heard.audio;
}

void StreamCall::MaybePerceiveScene() {
  if (settings_->scene_update_seconds == 0 || scene_request_.has_value() || draining_ ||
      ReceivedSeconds() < next_scene_seconds_) {
    return;
  }
  while (next_scene_seconds_ <= ReceivedSeconds()) next_scene_seconds_ += settings_->scene_update_seconds;
  const absl::StatusOr<std::shared_ptr<HeardAudio>> audio = AudioFor(nullptr);
  if (!audio.ok()) return;
  Job job;
  job.model = settings_->model;
  job.audio = *audio;
  job.deadline = deadline_;
  job.sink = std::make_shared<QuerySink>(shared_from_this(), "", *audio);
  const absl::StatusOr<Engine::Ticket> ticket = server_.engine.Submit(std::move(job));
  if (ticket.ok()) scene_request_ = ticket->id;  // a full queue: this update is left out
}

void StreamCall::MaybeAcknowledge(absl::Time now, bool at_once) {
  if (!unacknowledged_ || (!at_once && now - last_acknowledged_ < kAcknowledgeEvery)) return;
  unacknowledged_ = false;
  last_acknowledged_ = now;
  v1::StreamAskResponse event;
  event.mutable_audio_ack()->set_sequence(next_sequence_ - 1);
  event.mutable_audio_ack()->set_received_seconds(ReceivedSeconds());
  Push(event);
}

double StreamCall::ReceivedSeconds() const {
  return static_cast<double>(history_->end_frame()) / settings_->layout.sample_rate;
}

void StreamCall::Push(const v1::StreamAskResponse& event) {
  if (finished_ || closing_.has_value()) return;
  outbox_.push_back(SerializeMessage(event));
  outbox_bytes_ += outbox_.back().Length();
  if (outbox_.size() > static_cast<size_t>(server_.config.outbox_events) ||
      outbox_bytes_ > static_cast<size_t>(server_.config.outbox_bytes)) {
    return CutSlowReader();
  }
  StartNextWrite();
}

void StreamCall::PushQueryError(const std::string& query_id, const absl::Status& status) {
  v1::StreamAskResponse event;
  event.mutable_error()->set_query_id(Echo(query_id));  // one that was refused for its length may be megabytes
  event.mutable_error()->set_code(static_cast<int>(status.code()));
  event.mutable_error()->set_message(std::string(status.message()));
  event.mutable_error()->set_status(ToRpcStatus(status).SerializeAsString());
  Push(event);
}

void StreamCall::StartNextWrite() {
  if (writing_ || finished_ || outbox_.empty()) return;
  writing_ = true;
  write_started_ = SteadyNow();
  StartWrite(&outbox_.front());
}

void StreamCall::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  outbox_bytes_ -= outbox_.front().Length();
  outbox_.pop_front();
  if (finished_) return;
  if (!ok) return FinishNow(absl::CancelledError("the client is gone"));
  StartNextWrite();
  FinishIfDue();
}

void StreamCall::Forget(const std::string& query_id, const std::shared_ptr<HeardAudio>& audio) {
  // A question that failed says nothing against the audio; audio that cannot be heard is not worth sharing.
  if (heard_.audio == audio && audio->unhearable()) heard_ = Heard{};
  if (query_id.empty()) {
    scene_request_.reset();
    if (!finished_ && !closing_.has_value() && !half_closed_) MaybePerceiveScene();
  } else {
    queries_.erase(query_id);
  }
  FinishIfDue();
}

void StreamCall::Close(const absl::Status& status) {
  if (finished_ || closing_.has_value()) return;
  closing_ = status;
  for (const auto& [id, request] : queries_) server_.engine.Cancel(request);
  if (scene_request_.has_value()) server_.engine.Cancel(*scene_request_);
  FinishIfDue();
}

void StreamCall::CutSlowReader() {
  FinishNow(ErrorWithReason(absl::StatusCode::kResourceExhausted, "SLOW_READER",
                            "the client does not read its events as fast as they come"));
}

void StreamCall::FinishIfDue() {
  if (finished_ || writing_ || !outbox_.empty()) return;
  if (closing_.has_value()) return FinishNow(*closing_);
  if (!queries_.empty() || scene_request_.has_value()) return;
  if (half_closed_) return FinishNow(absl::OkStatus());
  if (draining_) return FinishNow(server::Draining());
}

void StreamCall::FinishNow(const absl::Status& status) {
  if (finished_) return;
  finished_ = true;
  finished_at_ = SteadyNow();
  for (const auto& [id, request] : queries_) server_.engine.Cancel(request);
  if (scene_request_.has_value()) server_.engine.Cancel(*scene_request_);
  // Events that are not being written yet are dropped; the one that is must stay until gRPC lets go of it.
  while (outbox_.size() > (writing_ ? 1u : 0u)) {
    outbox_bytes_ -= outbox_.back().Length();
    outbox_.pop_back();
  }
  const std::string code = absl::StatusCodeToString(status.code());
  server_.metrics.CountStream(code);
  Log(LogLevel::kInfo, "stream_finished",
      {{"stream", number_},
       {"code", code},
       {"reason", ReasonOf(status)},
       {"audio_seconds", history_.has_value() ? ReceivedSeconds() : 0.0}});
  Finish(ToGrpcStatus(status));
}

void StreamCall::OnCancel() {
  MutexLock lock(mutex_);
  FinishNow(absl::CancelledError("cancelled by the client"));
}

void StreamCall::OnTick(absl::Time now) {
  MutexLock lock(mutex_);
  if (done_) return;
  const absl::Duration patience = absl::Seconds(server_.config.slow_reader_seconds);
  if (finished_) {
    // The status itself cannot get past a client that does not read: give the connection's resources back.
    if (now - finished_at_ > patience) context_->TryCancel();
    return;
  }
  if (writing_ && now - write_started_ > patience) return CutSlowReader();
  if (settings_.has_value() && !closing_.has_value()) MaybeAcknowledge(now, /*at_once=*/false);
}

void StreamCall::OnDrain() {
  MutexLock lock(mutex_);
  draining_ = true;
  FinishIfDue();
}

void StreamCall::OnDone() {
  std::shared_ptr<StreamCall> last;  // freed at the end, unless the engine still holds a query of it
  {
    MutexLock lock(mutex_);
    done_ = true;
    // The engine may keep this call for a while: its memory is given back now.
    heard_ = Heard{};
    history_.reset();
    last = std::move(self_);
  }
  if (number_ != 0) streams_.Remove(number_);
}

}  // namespace auricle::server
