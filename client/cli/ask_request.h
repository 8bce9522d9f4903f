// From the flags of `auricle ask` to the request: the audio, the question, the options, the sampling.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/inference.pb.h"
#include "client/cli/command_line.h"
#include "client/cli/pcm_input.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {

// The most that --seconds may say.
inline constexpr double kLongestStdinSeconds = 86400;

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

// CLIP as the flags say, and the connection to whom it is about to be sent.
struct ClipAndServer {
  v1::AudioClip clip;
  std::unique_ptr<SpatialQaClient> client;
};
// A recording is made only once: stdin is read after the server has answered. A file is read before, so that what is
// wrong with it needs no server to be said.
absl::StatusOr<ClipAndServer> ReadClipAndConnect(const ParsedCommand& parsed);

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
