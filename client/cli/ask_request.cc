#include "client/cli/ask_request.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

// Flags are 64 bits wide, the messages' fields 32: a number past them stays too large for the server to take.
uint32_t Capped(int64_t number) { return static_cast<uint32_t>(std::min<int64_t>(number, UINT32_MAX)); }

absl::StatusOr<v1::AudioClip> ReadClipFromPipe(v1::FoaFormat format, const RawPcmFormat& raw, double seconds) {
  if (isatty(STDIN_FILENO) != 0) {
    return absl::InvalidArgumentError(
        "stdin: is a terminal, must be a pipe with audio (arecord ... | auricle ask - ...)");
  }
  const InterruptEndsReading guard;
  absl::StatusOr<PcmInput> input = PcmInput::Open(STDIN_FILENO, raw);
  if (!input.ok()) return input.status();
  v1::AudioClip clip;
  clip.set_format(format);
  clip.set_encoding(input->encoding());
  if (input->encoding() == v1::AUDIO_ENCODING_FILE) {
    absl::StatusOr<std::string> bytes = input->Read(kMaxFileBytes);
    if (!bytes.ok()) return bytes.status();
    clip.set_data(*std::move(bytes));
    return clip;
  }
  clip.set_sample_rate_hz(input->sample_rate_hz());
  clip.set_channels(input->channels());
  absl::StatusOr<std::string> samples = input->Read(static_cast<size_t>(seconds * input->sample_rate_hz()));
  if (!samples.ok()) return samples.status();
  clip.set_data(*std::move(samples));
  if (!input->AtEnd()) std::fprintf(stderr, "note: asking about the first %g s of stdin (--seconds)\n", seconds);
  return clip;
}

}  // namespace

std::vector<FlagSpec> StdinFlags() {
  return {{"rate", FlagKind::kInteger, "HZ", "16000", "raw PCM on stdin: samples a second"},
          {"encoding", FlagKind::kChoice, "s16|f32", "s16", "raw PCM on stdin: little-endian 16-bit or float"},
          {"channels", FlagKind::kInteger, "N", "4", "raw PCM on stdin: channels"},
          {"seconds", FlagKind::kReal, "SECONDS", "30", "stdin: listen to so much audio if the pipe has not ended"}};
}

std::string StdinComplaint(const ParsedCommand& parsed) {
  for (const FlagSpec& flag : StdinFlags()) {
    if (parsed.positionals[0] != "-" && parsed.Given(flag.name)) {
      return absl::StrCat("--", flag.name, ": describes stdin, but CLIP is not -");
    }
  }
  // No wider than this program needs to stay sane; what the server takes is the server's to say.
  if (parsed.Integer("channels") < 1 || parsed.Integer("channels") > 1024) return "--channels: must be 1 to 1024";
  if (parsed.Integer("rate") > 1'000'000'000) return "--rate: must be at most 1000000000";
  if (!(parsed.Real("seconds") > 0 && parsed.Real("seconds") <= kLongestStdinSeconds))
    return "--seconds: must be over 0, at most 86400";
  return "";
}

std::vector<std::string> OptionsOf(const ParsedCommand& parsed) {
  std::vector<std::string> options;
  if (parsed.Given("choices")) {
    for (const std::string& option : std::vector<std::string>(absl::StrSplit(parsed.Text("choices"), '|'))) {
      options.emplace_back(absl::StripAsciiWhitespace(option));
    }
  }
  for (const std::string& choice : parsed.Texts("choice")) options.push_back(choice);
  return options;
}

v1::SamplingParams SamplingOf(const ParsedCommand& parsed) {
  v1::SamplingParams sampling;
  sampling.set_temperature(static_cast<float>(parsed.Real("temperature")));
  sampling.set_top_p(static_cast<float>(parsed.Real("top-p")));
  sampling.set_top_k(Capped(parsed.Integer("top-k")));
  sampling.set_max_new_tokens(Capped(parsed.Integer("max-tokens")));
  sampling.set_seed(static_cast<uint64_t>(parsed.Integer("seed")));
  return sampling;
}

absl::StatusOr<v1::TimeSpan> SpanOf(const ParsedCommand& parsed) {
  const std::vector<std::string> ends = absl::StrSplit(parsed.Text("span"), ':');
  double start = 0, end = 0;
  if (ends.size() != 2 || !absl::SimpleAtod(ends[0], &start) ||
      (!ends[1].empty() && !absl::SimpleAtod(ends[1], &end))) {
    return absl::InvalidArgumentError(
        absl::StrCat("--span: is \"", parsed.Text("span"), "\", must be START:END in seconds, or START: to the end"));
  }
  v1::TimeSpan span;
  span.set_start_seconds(start);
  span.set_end_seconds(end);
  return span;
}

RawPcmFormat RawFormatOf(const ParsedCommand& parsed) {
  return {.sample_rate_hz = static_cast<uint32_t>(parsed.Integer("rate")),
          .channels = static_cast<uint32_t>(parsed.Integer("channels")),
          .encoding = parsed.Text("encoding") == "f32" ? v1::AUDIO_ENCODING_PCM_F32LE : v1::AUDIO_ENCODING_PCM_S16LE};
}

absl::StatusOr<v1::AudioClip> ReadClip(const std::string& path, v1::FoaFormat format, const RawPcmFormat& raw,
                                       double stdin_seconds) {
  return path == "-" ? ReadClipFromPipe(format, raw, stdin_seconds) : AudioFromFile(path, format, kMaxFileBytes);
}

absl::StatusOr<ClipAndServer> ReadClipAndConnect(const ParsedCommand& parsed) {
  const std::string& path = parsed.positionals[0];
  absl::StatusOr<std::unique_ptr<SpatialQaClient>> client;
  if (path == "-") {
    client = ConnectTo(parsed);
    if (!client.ok()) return client.status();
  }
  absl::StatusOr<v1::AudioClip> clip =
      ReadClip(path, FormatOf(parsed.Text("format")), RawFormatOf(parsed), parsed.Real("seconds"));
  if (!clip.ok()) return clip.status();
  if (path != "-") {
    client = ConnectTo(parsed);
    if (!client.ok()) return client.status();
  }
  ClipAndServer both;
  both.clip = *std::move(clip);
  both.client = *std::move(client);
  return both;
}

InterruptEndsReading::InterruptEndsReading() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  // No SA_RESTART: read() returns EINTR. The second Ctrl-C ends the process as ever.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

InterruptEndsReading::~InterruptEndsReading() { signal(SIGINT, SIG_DFL); }

}  // namespace auricle::client
