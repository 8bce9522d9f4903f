// From the flags of `auricle ask` to the request: the audio, the question, the options, the sampling.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/inference.pb.h"
#include "client/cli/command_line.h"
#include "client/cli/pcm_input.h"

namespace auricle::client {

// --rate, --encoding, --channels, --seconds: how stdin is read.
std::vector<FlagSpec> StdinFlags();
// What is wrong with them: out of range, or given although CLIP is a file. Empty where nothing is.
std::string StdinComplaint(const ParsedCommand& parsed);

// --choices "a|b|c" (white space around an option is dropped) and every --choice as it is, in that order.
std::vector<std::string> OptionsOf(const ParsedCommand& parsed);
v1::SamplingParams SamplingOf(const ParsedCommand& parsed);
// --span START:END. INVALID_ARGUMENT when it is not two numbers.
absl::StatusOr<v1::TimeSpan> SpanOf(const ParsedCommand& parsed);
RawPcmFormat RawFormatOf(const ParsedCommand& parsed);

// The clip of a file, or of stdin where `path` is "-": at most `stdin_seconds` of it, or until Ctrl-C.
absl::StatusOr<v1::AudioClip> ReadClip(const std::string& path, v1::FoaFormat format, const RawPcmFormat& raw,
                                       double stdin_seconds);

// While it lives, the first Ctrl-C ends a blocking read (and only that) instead of the process: who records into a pipe
// stops the recording with the same keys. One at a time; main thread.
class InterruptEndsReading {
 public:
  InterruptEndsReading();
  ~InterruptEndsReading();
  InterruptEndsReading(const InterruptEndsReading&) = delete;
  InterruptEndsReading& operator=(const InterruptEndsReading&) = delete;
};

}  // namespace auricle::client
