// What gRPC promises about the threads that call a reactor, told to ThreadSanitizer.
//
// gRPC calls a reactor back only after what was done before StartRead, StartWrite or Finish asked for it, though on
// whatever thread is free. The packaged gRPC is not built with ThreadSanitizer, which therefore does not know; reactors
// whose members are ordered by this promise alone, without a lock, say so here. Nothing happens in other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace auricle::server {

// Before StartRead, StartWrite and Finish.
inline void HandToGrpc([[maybe_unused]] void* reactor) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(reactor);
#endif
}

// First in OnReadDone, OnWriteDone, OnCancel and OnDone.
inline void TakeFromGrpc([[maybe_unused]] void* reactor) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(reactor);
#endif
}

}  // namespace auricle::server
