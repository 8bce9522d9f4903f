#include "server/inference/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/runtime/error_details.h"
#include "server/runtime/steady_clock.h"

namespace auricle::server {
namespace {

constexpr absl::Duration kIdleTick = absl::Seconds(1);
constexpr absl::Duration kRetryWhenClearing = absl::Seconds(1);

}  // namespace

// A request and how far it has come.
struct Engine::Work {
  RequestId id = 0;
  Job job;
  absl::Time admitted, started = absl::InfinitePast(), first_token = absl::InfinitePast(), last_token;
  std::shared_ptr<const EncodedAudio> encoded;
  bool audio_reused = false;
  std::unique_ptr<Generation> generation;
  std::string text;
  uint32_t tokens = 0;

  // A file may not say how long it is: then only hearing it tells.
  double audio_seconds() const {
    return encoded != nullptr ? encoded->scene().duration_seconds() : job.audio->seconds();
  }
};

Engine::Engine(const SchedulerLimits& limits, Metrics& metrics, Clock clock)
    : metrics_(metrics),
      clock_(clock),
      max_works_(2 * (static_cast<size_t>(limits.max_queued) + static_cast<size_t>(limits.max_running))),
      scheduler_(limits),
      last_tick_(SteadyNow()) {
  thread_ = std::thread([this] { Run(); });
}

Engine::~Engine() { Stop(); }

absl::StatusOr<Engine::Ticket> Engine::Submit(Job job) {
  const absl::Time now = clock_();
  auto work = std::make_unique<Work>();
  const double audio_seconds = job.audio->seconds();
  const absl::Time deadline = job.deadline;
  work->job = std::move(job);
  work->admitted = now;

  MutexLock lock(mutex_);
  if (works_.size() >= max_works_ && !scheduler_.draining()) {
    metrics_.CountRefusal("QUEUE_FULL");
    return QueueFull("QUEUE_FULL",
                     absl::StrCat("the queue is full: ", works_.size(), " requests wait, run or are being cancelled"),
                     kRetryWhenClearing);
  }
  const RequestId id = next_id_++;
  const Admission admission = scheduler_.Admit(id, audio_seconds, deadline);
  switch (admission.verdict) {
    case Admission::Verdict::kAdmitted:
      break;
    case Admission::Verdict::kQueueFull:
      metrics_.CountRefusal("QUEUE_FULL");
      return QueueFull("QUEUE_FULL", absl::StrCat("the queue is full: ", scheduler_.queued(), " requests wait"),
                       admission.retry_after);
    case Admission::Verdict::kAudioQueueFull:
      metrics_.CountRefusal("AUDIO_QUEUE_FULL");
      return QueueFull("AUDIO_QUEUE_FULL",
                       absl::StrCat("the queue is full: ", scheduler_.queued_audio_seconds(), " s of audio wait"),
                       admission.retry_after);
    case Admission::Verdict::kDraining:
      metrics_.CountRefusal("DRAINING");
      return server::Draining();
  }
  if (works_.empty()) last_tick_ = SteadyNow();  // a long idle time is no standstill
  work->id = id;
  works_[id] = std::move(work);
  UpdateGauges();
  changed_.NotifyAll();
  return Ticket{.id = id, .queue_position = admission.queue_position};
}

void Engine::Cancel(RequestId id) {
  MutexLock lock(mutex_);
  if (!scheduler_.Cancel(id)) return;
  UpdateGauges();
  changed_.NotifyAll();
}

void Engine::StartDrain() {
  MutexLock lock(mutex_);
  scheduler_.StartDrain();
}

bool Engine::draining() const {
  MutexLock lock(mutex_);
  return scheduler_.draining();
}

bool Engine::Idle() const {
  MutexLock lock(mutex_);
  return works_.empty() && !telling_end_;
}

void Engine::Stop() {
  {
    MutexLock lock(mutex_);
    if (!stopping_) scheduler_.Shutdown();
    stopping_ = true;
    UpdateGauges();
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

bool Engine::Stalled(absl::Duration limit) const {
  MutexLock lock(mutex_);
  return !works_.empty() && SteadyNow() - last_tick_ > limit;
}

void Engine::Run() {
  for (;;) {
    while (Turn()) {
    }
    MutexLock lock(mutex_);
    last_tick_ = SteadyNow();
    if (!scheduler_.idle()) continue;
    if (stopping_) return;
    changed_.WaitFor(mutex_, kIdleTick);
  }
}

bool Engine::Turn() {
  Decision decision;
  Work* work = nullptr;
  std::unique_ptr<Work> ended;
  {
    MutexLock lock(mutex_);
    last_tick_ = SteadyNow();
    decision = scheduler_.Next(clock_());
    UpdateGauges();
    if (decision.kind == Decision::Kind::kIdle) return false;
    if (decision.kind == Decision::Kind::kEnd) {
      ended = std::move(works_.at(decision.id));
      works_.erase(decision.id);
      telling_end_ = true;
    } else if (decision.kind != Decision::Kind::kStep) {
      work = works_.at(decision.id).get();
    }
  }
  switch (decision.kind) {
    case Decision::Kind::kEnd:
      End(std::move(ended), decision.why);
      break;
    case Decision::Kind::kEncode:
      Encode(*work);
      break;
    case Decision::Kind::kPrefill:
      Prefill(*work);
      break;
    case Decision::Kind::kStep:
      Step(decision.batch);
      break;
    case Decision::Kind::kIdle:
      break;
  }
  return true;
}

void Engine::Encode(Work& work) {
  work.started = clock_();
  metrics_.queue_time.Observe(absl::ToDoubleSeconds(work.started - work.admitted));
  const absl::StatusOr<HeardAudio::Result> heard = work.job.audio->Hear(*work.job.model);
  if (!heard.ok()) return Fail(work, heard.status());
  work.encoded = heard->encoded;
  work.audio_reused = heard->reused;
  if (!heard->reused) {
    metrics_.audio_seconds.Increment(work.audio_seconds());
    metrics_.real_time_factor.Set(absl::ToDoubleSeconds(clock_() - work.started) / work.audio_seconds());
  }
  {
    MutexLock lock(mutex_);
    scheduler_.Advance(work.id);
  }
  work.job.sink->OnHeard(work.encoded);
  if (work.job.question.empty()) {
    Answer answer;
    answer.finish_reason = v1::FINISH_REASON_STOP;
    Finish(work, std::move(answer));
  }
}

void Engine::Prefill(Work& work) {
  absl::StatusOr<std::unique_ptr<Generation>> generation =
      work.job.model->StartGeneration(work.encoded, work.job.question, work.job.options, work.job.sampling);
  if (!generation.ok()) return Fail(work, generation.status());
  work.generation = std::move(*generation);
  metrics_.prompt_tokens.Increment(work.generation->prompt_tokens());
  metrics_.prefix_cache_queries.Increment();
  if (work.audio_reused) metrics_.prefix_cache_hits.Increment();
  MutexLock lock(mutex_);
  scheduler_.Advance(work.id);
}

void Engine::Step(const std::vector<RequestId>& batch) {
  std::vector<Work*> works;
  {
    MutexLock lock(mutex_);
    for (RequestId id : batch) works.push_back(works_.at(id).get());
  }
  // One call for each model that has answers under way.
  while (!works.empty()) {
    InferenceModel* model = works.front()->job.model.get();
    std::vector<Work*> mine, others;
    std::vector<Generation*> generations;
    for (Work* work : works) {
      if (work->job.model.get() == model) {
        mine.push_back(work);
        generations.push_back(work->generation.get());
      } else {
        others.push_back(work);
      }
    }
    std::vector<absl::StatusOr<TokenStep>> steps = model->Step(generations);
    const absl::Time now = clock_();
    for (size_t i = 0; i < mine.size(); ++i) {
      Work& work = *mine[i];
      if (i >= steps.size()) {
        Fail(work, absl::InternalError("the model gave no token"));
        continue;
      }
      if (!steps[i].ok()) {
        Fail(work, steps[i].status());
        continue;
      }
      const TokenStep& step = *steps[i];
      if (work.first_token == absl::InfinitePast()) {
        work.first_token = now;
        metrics_.time_to_first_token.Observe(absl::ToDoubleSeconds(now - work.admitted));
      } else {
        metrics_.inter_token_latency.Observe(absl::ToDoubleSeconds(now - work.last_token));
      }
      work.last_token = now;
      if (step.is_token || !step.text.empty()) {
        work.text += step.text;
        const uint32_t index = work.tokens;
        if (step.is_token) ++work.tokens;
        work.job.sink->OnToken(step.text, index);
      }
      if (step.finish == v1::FINISH_REASON_UNSPECIFIED) continue;
      Answer answer;
      answer.letter = work.generation->letter();
      answer.probabilities = work.generation->probabilities();
      answer.finish_reason = step.finish;
      Finish(work, std::move(answer));
    }
    works = std::move(others);
  }
}

void Engine::End(std::unique_ptr<Work> work, Decision::Why why) {
  switch (why) {
    case Decision::Why::kCancelled: {
      Answer answer;
      answer.text = std::move(work->text);
      answer.finish_reason = v1::FINISH_REASON_CANCELLED;
      FillUsage(*work, &answer.usage);
      work->job.sink->OnFinished(std::move(answer));
      break;
    }
    case Decision::Why::kDeadline:
      work->job.sink->OnFailed(ErrorWithReason(
          absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
          work->started == absl::InfinitePast() ? "the deadline passed in the queue" : "the deadline passed"));
      break;
    case Decision::Why::kShutdown:
      work->job.sink->OnFailed(server::Draining());
      break;
  }
  work.reset();
  MutexLock lock(mutex_);
  telling_end_ = false;
}

void Engine::Finish(Work& work, Answer answer) {
  const std::unique_ptr<Work> done = TakeDone(work.id);
  if (done == nullptr) return;
  answer.text = std::move(done->text);
  FillUsage(*done, &answer.usage);
  metrics_.end_to_end_latency.Observe(answer.usage.total_seconds());
  metrics_.generation_tokens.Increment(done->tokens);
  done->job.sink->OnFinished(std::move(answer));
  MutexLock lock(mutex_);
  telling_end_ = false;
}

void Engine::Fail(Work& work, const absl::Status& status) {
  const std::unique_ptr<Work> done = TakeDone(work.id);
  if (done == nullptr) return;
  done->job.sink->OnFailed(status);
  MutexLock lock(mutex_);
  telling_end_ = false;
}

std::unique_ptr<Engine::Work> Engine::TakeDone(RequestId id) {
  MutexLock lock(mutex_);
  if (!scheduler_.Done(id, clock_())) return nullptr;
  std::unique_ptr<Work> work = std::move(works_.at(id));
  works_.erase(id);
  telling_end_ = true;
  UpdateGauges();
  return work;
}

void Engine::FillUsage(const Work& work, v1::Usage* usage) const {
  const absl::Time now = clock_();
  usage->set_audio_seconds(work.audio_seconds());
  if (work.encoded != nullptr) usage->set_audio_tokens(work.encoded->audio_tokens());
  if (work.generation != nullptr) {
    usage->set_prompt_tokens(work.generation->prompt_tokens());
    // A model may read the audio into its prefix as it hears it; that is reuse for later questions only.
    if (work.audio_reused) {
      usage->set_cached_tokens(std::max(work.generation->cached_tokens(), work.encoded->audio_tokens()));
    }
  }
  usage->set_completion_tokens(work.tokens);
  const absl::Time started = work.started == absl::InfinitePast() ? now : work.started;
  usage->set_queue_seconds(absl::ToDoubleSeconds(started - work.admitted));
  if (work.first_token != absl::InfinitePast()) {
    usage->set_time_to_first_token_seconds(absl::ToDoubleSeconds(work.first_token - work.admitted));
  }
  usage->set_total_seconds(absl::ToDoubleSeconds(now - work.admitted));
}

void Engine::UpdateGauges() {
  metrics_.requests_running.Set(scheduler_.running());
  metrics_.requests_waiting.Set(scheduler_.queued());
  metrics_.waiting_audio_seconds.Set(scheduler_.queued_audio_seconds());
}

}  // namespace auricle::server
