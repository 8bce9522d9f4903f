#include "server/training/team.h"

#include <c10/util/Exception.h>

#include <atomic>
#include <utility>

namespace auricle::training {

Team::Team(int size, std::function<void(int)> prepare) : prepare_(std::move(prepare)) {
  for (int i = 0; i < size; ++i) threads_.emplace_back([this, i] { Loop(i); });
}

Team::~Team() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::Run(const std::function<void(int)>& job) {
  std::unique_lock lock(mutex_);
  job_ = &job;
  busy_ = size();
  ++round_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return busy_ == 0; });
  job_ = nullptr;
}

absl::Status Team::ForEach(int64_t count, const std::function<absl::Status(int64_t)>& job) {
  std::atomic<int64_t> next{0};
  std::vector<absl::Status> statuses(threads_.size());
  Run([&](int t) {
    try {
      for (int64_t i = next++; i < count; i = next++) statuses[t].Update(job(i));
    } catch (const c10::Error& error) {
      statuses[t].Update(absl::InternalError(error.what_without_backtrace()));
    }
  });
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void Team::Loop(int index) {
  prepare_(index);
  uint64_t seen = 0;
  for (;;) {
    const std::function<void(int)>* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || round_ != seen; });
      if (stopping_) return;
      seen = round_;
      job = job_;
    }
    (*job)(index);
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) changed_.notify_all();
  }
}

}  // namespace auricle::training
