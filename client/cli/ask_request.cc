#include "client/cli/ask_request.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

absl::StatusOr<v1::AudioClip> ReadClipFromPipe(v1::FoaFormat format, const RawPcmFormat& raw, double seconds) {
  if (isatty(STDIN_FILENO) != 0) {
    return absl::InvalidArgumentError("stdin: is a terminal, must be a pipe with audio (arecord ... | auricle ask - ...)");
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
  const absl::StatusOr<std::string> more = input->Read(1);
  if (more.ok() && !more->empty()) std::fprintf(stderr, "note: asking about the first %g s of stdin (--seconds)\n", seconds);
  return clip;
}

}  // namespace

std::vector<std::string> OptionsOf(const ParsedCommand& parsed) {
  std::vector<std::string> options;
  if (parsed.Given("choices")) options = absl::StrSplit(parsed.Text("choices"), '|');
  for (const std::string& choice : parsed.Texts("choice")) options.push_back(choice);
  return options;
}

v1::SamplingParams SamplingOf(const ParsedCommand& parsed) {
  v1::SamplingParams sampling;
  sampling.set_temperature(static_cast<float>(parsed.Real("temperature")));
  sampling.set_top_p(static_cast<float>(parsed.Real("top-p")));
  sampling.set_top_k(static_cast<uint32_t>(parsed.Integer("top-k")));
  sampling.set_max_new_tokens(static_cast<uint32_t>(parsed.Integer("max-tokens")));
  sampling.set_seed(static_cast<uint64_t>(parsed.Integer("seed")));
  return sampling;
}

absl::StatusOr<v1::TimeSpan> SpanOf(const ParsedCommand& parsed) {
  const std::vector<std::string> ends = absl::StrSplit(parsed.Text("span"), ':');
  double start = 0, end = 0;
  if (ends.size() != 2 || !absl::SimpleAtod(ends[0], &start) || (!ends[1].empty() && !absl::SimpleAtod(ends[1], &end))) {
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

InterruptEndsReading::InterruptEndsReading() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = 0;  // no SA_RESTART: read() returns EINTR
  sigaction(SIGINT, &action, nullptr);
}

InterruptEndsReading::~InterruptEndsReading() { signal(SIGINT, SIG_DFL); }

}  // namespace auricle::client
