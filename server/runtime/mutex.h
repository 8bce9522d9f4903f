// std::mutex with Clang's thread-safety annotations.
//
// Not absl::Mutex: the packaged Abseil is not built for ThreadSanitizer, which then cannot see that absl::Mutex orders
// anything and reports every guarded member. std::mutex ends in pthread calls that it does see.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace auricle::server {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class ConditionVariable {
 public:
  void NotifyAll() { condition_.notify_all(); }

  // Waits until notified, woken for no reason, or `timeout` has passed; `mutex` is held before and after.
  void WaitFor(Mutex& mutex, absl::Duration timeout) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
#ifdef ABSL_HAVE_THREAD_SANITIZER
    // On the system clock, because wait_for ends in pthread_cond_clockwait, which GCC 12's ThreadSanitizer misses.
    condition_.wait_until(lock, std::chrono::system_clock::now() + absl::ToChronoMicroseconds(timeout));
#else
    // On the steady clock: a wall clock that is set back by an hour must not make this wait an hour longer.
    condition_.wait_for(lock, absl::ToChronoMicroseconds(timeout));
#endif
    lock.release();
  }

 private:
  std::condition_variable condition_;
};

}  // namespace auricle::server
