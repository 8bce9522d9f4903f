// Which request the engine works on next. Pure policy: no threads, no clock, no audio, no gRPC, so that every sequence
// of events can be tried.
//
// Life of a request:  Admit -> queued -> encode -> prefill -> decode ... -> gone
// and from every state it can be cancelled or run past its deadline. Rules:
//   - the queue is bounded in requests and in seconds of audio; what does not fit is refused at once;
//   - first come, first served out of the queue, at most max_running at a time;
//   - decode steps of all running requests go together as one batch, and encoding or prefilling one request alternates
//     with them, so that neither a long answer nor a long clip stalls the others for more than one operation;
//   - a request leaves exactly once: by Done, or by a Decision of kind kEnd.
// Not thread-safe: the engine guards it with its lock. The engine is one thread: at most one Decision is in its hands.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace auricle::server {

using RequestId = uint64_t;

struct SchedulerLimits {
  int max_queued = 64;                    // requests that wait, >= 1
  double max_queued_audio_seconds = 600;  // audio of the requests that wait
  int max_running = 8;                    // requests between encode and their last token, >= 1
};

struct Admission {
  enum class Verdict { kAdmitted, kQueueFull, kAudioQueueFull, kDraining };
  Verdict verdict = Verdict::kAdmitted;
  int queue_position = 0;      // requests that wait ahead of it
  absl::Duration retry_after;  // when a place should be free; for the two refusals for want of room
};

struct Decision {
  enum class Kind {
    kIdle,     // nothing to do before the next Admit or Cancel
    kEnd,      // tell the request `why` it ended; it is gone already
    kEncode,   // decode and encode the audio of `id`, then Advance or Done
    kPrefill,  // begin the answer of `id`, then Advance or Done
    kStep,     // draw one token for each of `batch`, then Done for those that finished
  };
  enum class Why { kCancelled, kDeadline, kShutdown };

  Kind kind = Kind::kIdle;
  RequestId id = 0;
  Why why = Why::kCancelled;
  std::vector<RequestId> batch;
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerLimits& limits);

  // `id` must be new. A refused request is not remembered.
  Admission Admit(RequestId id, double audio_seconds, absl::Time deadline);

  // The request's place is free at once; a Decision of kind kEnd follows. False when the request is unknown (it has
  // ended already).
  bool Cancel(RequestId id);
  // Cancels everything, with Why::kShutdown.
  void Shutdown();
  // Admits nothing from now on.
  void StartDrain() { draining_ = true; }
  bool draining() const { return draining_; }

  Decision Next(absl::Time now);

  // encode -> prefill -> decode. Harmless when the request was cancelled meanwhile: Next will end it.
  void Advance(RequestId id);
  // Answered or failed. False when it was ended before (then the engine must say nothing more about it).
  bool Done(RequestId id, absl::Time now);

  int queued() const { return static_cast<int>(queue_.size()); }
  double queued_audio_seconds() const { return queued_audio_seconds_; }
  int running() const { return static_cast<int>(running_.size()); }
  // Nothing queued, running, or still to be told its end.
  bool idle() const { return requests_.empty(); }

 private:
  enum class Phase { kQueued, kEncode, kPrefill, kDecode, kEnding };
  struct Request {
    Phase phase = Phase::kQueued;
    double audio_seconds = 0;
    absl::Time deadline;
    absl::Time started;  // when it left the queue
    Decision::Why why = Decision::Why::kCancelled;
  };

  void EndNow(RequestId id, Decision::Why why);
  void EndPastDeadline(absl::Time now);
  void LeaveQueue(RequestId id);
  absl::Duration RetryAfter() const;

  const SchedulerLimits limits_;
  absl::flat_hash_map<RequestId, Request> requests_;
  std::deque<RequestId> queue_;     // phase kQueued, oldest first
  std::vector<RequestId> running_;  // phases kEncode, kPrefill, kDecode, oldest first
  std::deque<RequestId> ending_;    // phase kEnding
  double queued_audio_seconds_ = 0;
  bool last_was_long_ = false;  // the last work was an encode or a prefill
  bool draining_ = false;
  double mean_service_seconds_ = 0.5;  // exponential mean, from leaving the queue to Done
};

}  // namespace auricle::server
