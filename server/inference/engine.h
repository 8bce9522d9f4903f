// The one thread that owns the models. Requests come in by Submit from any thread; what becomes of them goes out
// through their AnswerSink, always on the engine's thread, in order, and ends with exactly one OnFinished or OnFailed.
//
// Between any two operations on a model (hear one clip, begin one answer, one token for all answers under way) the
// scheduler decides anew, so a cancellation or a deadline takes effect after at most one operation.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "auricle/v1/inference.pb.h"
#include "server/inference/engine_model.h"
#include "server/inference/heard_audio.h"
#include "server/inference/scheduler.h"
#include "server/runtime/metrics.h"
#include "server/runtime/mutex.h"

namespace auricle::server {

struct Answer {
  std::string text;
  std::string letter;
  std::vector<v1::OptionProbability> probabilities;
  v1::FinishReason finish_reason = v1::FINISH_REASON_UNSPECIFIED;
  v1::Usage usage;
};

// Called by the engine's thread with no lock held. Implementations return quickly: the engine waits for them.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  // The audio has been heard; before any token. `encoded` may be kept.
  virtual void OnHeard(const std::shared_ptr<const EncodedAudio>& encoded) = 0;
  virtual void OnToken(const std::string& text, uint32_t index) = 0;
  // STOP or LENGTH; CANCELLED with what there was of the answer when Cancel was called.
  virtual void OnFinished(Answer answer) = 0;
  virtual void OnFailed(const absl::Status& status) = 0;
};

struct Job {
  std::shared_ptr<InferenceModel> model;
  std::shared_ptr<HeardAudio> audio;
  // Empty: only perceive the scene; the job is finished after OnHeard.
  std::string question;
  std::vector<std::string> options;
  v1::SamplingParams sampling;  // complete: see InferenceModel::StartGeneration
  absl::Time deadline = absl::InfiniteFuture();
  std::shared_ptr<AnswerSink> sink;
};

class Engine {
 public:
  using Clock = absl::Time (*)();

  // Starts the thread. `metrics` outlives the engine. The clock, that of the deadlines, is read by several threads.
  Engine(const SchedulerLimits& limits, Metrics& metrics, Clock clock = absl::Now);
  // As Stop().
  ~Engine();

  struct Ticket {
    RequestId id = 0;
    int queue_position = 0;
  };
  // RESOURCE_EXHAUSTED (QUEUE_FULL, AUDIO_QUEUE_FULL) or UNAVAILABLE (DRAINING), with RetryInfo; the sink then hears
  // nothing. The sink may be called before this returns. Requests that were cancelled give up their place at once, but
  // keep their audio until the thread comes around to them: they count up to as many again as there are places.
  absl::StatusOr<Ticket> Submit(Job job);
  // Asks for OnFinished with CANCELLED. Harmless for an id that has ended.
  void Cancel(RequestId id);

  void StartDrain();
  bool draining() const;
  // Nothing queued or running, and all sinks have heard their end.
  bool Idle() const;
  // Ends everything with UNAVAILABLE and joins the thread.
  void Stop();

  // There is work and the thread has not come around for `limit`.
  bool Stalled(absl::Duration limit) const;

 private:
  struct Work;

  void Run();
  // One decision; false when there is nothing to do.
  bool Turn();
  void Encode(Work& work);
  void Prefill(Work& work);
  void Step(const std::vector<RequestId>& batch);
  void End(std::unique_ptr<Work> work, Decision::Why why);
  void Finish(Work& work, Answer answer);
  void Fail(Work& work, const absl::Status& status);
  // Takes the request out; null when it was cancelled meanwhile (Turn will end it).
  std::unique_ptr<Work> TakeDone(RequestId id);
  void FillUsage(const Work& work, v1::Usage* usage) const;
  void UpdateGauges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Metrics& metrics_;
  const Clock clock_;
  const size_t max_works_;
  mutable Mutex mutex_;
  ConditionVariable changed_;
  Scheduler scheduler_ ABSL_GUARDED_BY(mutex_);
  // The map is guarded; a Work itself belongs to the engine's thread once Submit has put it there.
  absl::flat_hash_map<RequestId, std::unique_ptr<Work>> works_ ABSL_GUARDED_BY(mutex_);
  RequestId next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Time last_tick_ ABSL_GUARDED_BY(mutex_);      // SteadyNow
  bool telling_end_ ABSL_GUARDED_BY(mutex_) = false;  // a sink is being told its end
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace auricle::server
