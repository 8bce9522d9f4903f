// A server that speaks the protocol without a model: it answers by rule, so that tests of clients know what must come
// back, and it remembers what it was asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auricle/v1/inference.pb.h"

namespace auricle::test {

// In this process, on a free port of 127.0.0.1. Thread-safe.
//
// Rules, by the question's first word:
//   "refuse"   INVALID_ARGUMENT with a field violation on audio.channels
//   "busy"     RESOURCE_EXHAUSTED with RetryInfo of 20 ms for the first two calls of the same question, then answered
//   "full"     RESOURCE_EXHAUSTED without RetryInfo, always
//   "drained"  as "busy", but UNAVAILABLE
//   "gone"     UNAVAILABLE without RetryInfo, always
//   "slow"     answered after 60 ms
//   anything else is answered with "heard: QUESTION"
// A multiple-choice question gets letter B with probability 0.6, the others share the rest. The scene has one source,
// a dog 40 degrees left, and the length of the audio's data in bytes as its duration, so that tests can see which clip
// arrived. Streams: audio is acked, queries are answered in two tokens, a span that begins below 0 is a QueryError,
// audio of other than 4 channels ends the stream with INVALID_ARGUMENT.
class FakeServer {
 public:
  FakeServer();
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string address() const;

  std::vector<v1::AskRequest> asked() const;           // in order of arrival
  std::vector<v1::StreamAskRequest> streamed() const;  // messages of all streams
  std::vector<double> stream_seconds() const;          // how long each stream might live, when it was opened
  int most_in_flight() const;                          // unary calls at once
  void SetServing(bool serving);                       // of grpc.health.v1

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auricle::test
