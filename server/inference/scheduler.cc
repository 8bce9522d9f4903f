#include "server/inference/scheduler.h"

#include <algorithm>

namespace auricle::server {
namespace {

constexpr double kServiceMeanWeight = 0.2;
constexpr double kMinRetrySeconds = 0.1;
constexpr double kMaxRetrySeconds = 30;

}  // namespace

Scheduler::Scheduler(const SchedulerLimits& limits) : limits_(limits) {}

Admission Scheduler::Admit(RequestId id, double audio_seconds, absl::Time deadline) {
  Admission admission;
  if (draining_) {
    admission.verdict = Admission::Verdict::kDraining;
    return admission;
  }
  if (queued() >= limits_.max_queued) {
    admission.verdict = Admission::Verdict::kQueueFull;
    admission.retry_after = RetryAfter();
    return admission;
  }
  // An empty queue takes any clip: or a clip longer than the bound would never be served.
  if (!queue_.empty() && queued_audio_seconds_ + audio_seconds > limits_.max_queued_audio_seconds) {
    admission.verdict = Admission::Verdict::kAudioQueueFull;
    admission.retry_after = RetryAfter();
    return admission;
  }
  admission.queue_position = queued();
  requests_[id] = Request{.phase = Phase::kQueued,
                          .audio_seconds = audio_seconds,
                          .deadline = deadline,
                          .started = absl::InfinitePast(),
                          .why = Decision::Why::kCancelled};
  queue_.push_back(id);
  queued_audio_seconds_ += audio_seconds;
  return admission;
}

bool Scheduler::Cancel(RequestId id) {
  const auto it = requests_.find(id);
  if (it == requests_.end() || it->second.phase == Phase::kEnding) return false;
  EndNow(id, Decision::Why::kCancelled);
  return true;
}

void Scheduler::Shutdown() {
  draining_ = true;
  std::vector<RequestId> ids(queue_.begin(), queue_.end());
  ids.insert(ids.end(), running_.begin(), running_.end());
  for (RequestId id : ids) EndNow(id, Decision::Why::kShutdown);
}

Decision Scheduler::Next(absl::Time now) {
  EndPastDeadline(now);
  Decision decision;
  if (!ending_.empty()) {
    decision.kind = Decision::Kind::kEnd;
    decision.id = ending_.front();
    ending_.pop_front();
    decision.why = requests_.at(decision.id).why;
    requests_.erase(decision.id);
    return decision;
  }

  for (RequestId id : running_) {
    if (requests_.at(id).phase == Phase::kDecode) decision.batch.push_back(id);
  }
  const bool can_step = !decision.batch.empty();
  if (!can_step || !last_was_long_) {
    for (RequestId id : running_) {
      const Phase phase = requests_.at(id).phase;
      if (phase == Phase::kDecode) continue;
      last_was_long_ = true;
      decision.batch.clear();
      decision.kind = phase == Phase::kEncode ? Decision::Kind::kEncode : Decision::Kind::kPrefill;
      decision.id = id;
      return decision;
    }
    if (!queue_.empty() && running() < limits_.max_running) {
      last_was_long_ = true;
      decision.batch.clear();
      decision.kind = Decision::Kind::kEncode;
      decision.id = queue_.front();
      LeaveQueue(decision.id);
      Request& request = requests_.at(decision.id);
      request.phase = Phase::kEncode;
      request.started = now;
      running_.push_back(decision.id);
      return decision;
    }
  }
  last_was_long_ = false;
  if (can_step) {
    decision.kind = Decision::Kind::kStep;
    return decision;
  }
  return decision;  // idle: nothing runs and nothing waits, so no deadline can come up
}

void Scheduler::Advance(RequestId id) {
  const auto it = requests_.find(id);
  if (it == requests_.end()) return;
  if (it->second.phase == Phase::kEncode) {
    it->second.phase = Phase::kPrefill;
  } else if (it->second.phase == Phase::kPrefill) {
    it->second.phase = Phase::kDecode;
  }
}

bool Scheduler::Done(RequestId id, absl::Time now) {
  const auto it = requests_.find(id);
  if (it == requests_.end() || it->second.phase == Phase::kQueued || it->second.phase == Phase::kEnding) return false;
  const double service = absl::ToDoubleSeconds(now - it->second.started);
  mean_service_seconds_ += kServiceMeanWeight * (service - mean_service_seconds_);
  running_.erase(std::find(running_.begin(), running_.end(), id));
  requests_.erase(it);
  return true;
}

void Scheduler::EndNow(RequestId id, Decision::Why why) {
  Request& request = requests_.at(id);
  if (request.phase == Phase::kEnding) return;
  if (request.phase == Phase::kQueued) {
    LeaveQueue(id);
  } else {
    running_.erase(std::find(running_.begin(), running_.end(), id));
  }
  request.phase = Phase::kEnding;
  request.why = why;
  ending_.push_back(id);
}

void Scheduler::EndPastDeadline(absl::Time now) {
  std::vector<RequestId> late;
  for (RequestId id : queue_) {
    if (requests_.at(id).deadline <= now) late.push_back(id);
  }
  for (RequestId id : running_) {
    if (requests_.at(id).deadline <= now) late.push_back(id);
  }
  for (RequestId id : late) EndNow(id, Decision::Why::kDeadline);
}

void Scheduler::LeaveQueue(RequestId id) {
  queue_.erase(std::find(queue_.begin(), queue_.end(), id));
  queued_audio_seconds_ -= requests_.at(id).audio_seconds;
  if (queue_.empty()) queued_audio_seconds_ = 0;  // no drift from rounding
}

absl::Duration Scheduler::RetryAfter() const {
  // One place is free after one service time shared by all that run; a client that comes back then finds it.
  const double seconds = mean_service_seconds_ * std::max(1, queued()) / std::max(1, limits_.max_running);
  return absl::Seconds(std::clamp(seconds, kMinRetrySeconds, kMaxRetrySeconds));
}

}  // namespace auricle::server
