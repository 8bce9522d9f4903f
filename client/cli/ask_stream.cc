#include "client/cli/ask_stream.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/answer_json.h"
#include "client/cli/answer_text.h"
#include "client/cli/ask_request.h"
#include "client/cli/command.h"
#include "client/cli/scene_words.h"
#include "client/cli/terminal.h"
#include "client/cpp/status_details.h"
#include "model/audio/audio_file.h"

namespace auricle::client {
namespace {

constexpr int kChunksPerSecond = 10;

// Shows events; used by the reading thread alone.
class EventPrinter {
 public:
  EventPrinter(bool json, bool no_color)
      : json_(json), style_(TerminalStyle::For(stdout, no_color)), note_style_(TerminalStyle::For(stderr, no_color)) {}

  StreamHandlers Handlers(std::atomic<bool>& answered) {
    StreamHandlers handlers;
    handlers.accepted = [this](const v1::Accepted& accepted) {
      if (json_) {
        return Line({{"event", "accepted"},
                     {"query_id", accepted.query_id()},
                     {"queue_position", accepted.queue_position()},
                     {"heard", {accepted.heard().start_seconds(), accepted.heard().end_seconds()}}});
      }
      Note(absl::StrFormat("asked about %.1f-%.1f s, %d ahead in the queue", accepted.heard().start_seconds(),
                           accepted.heard().end_seconds(), accepted.queue_position()));
    };
    handlers.audio_ack = [this](const v1::AudioAck& ack) {
      if (json_) {
        return Line(
            {{"event", "audio_ack"}, {"sequence", ack.sequence()}, {"received_seconds", ack.received_seconds()}});
      }
      if (ack.received_seconds() < next_ack_note_) return;
      next_ack_note_ = ack.received_seconds() + 1.0;
      Note(absl::StrFormat("%.1f s of audio arrived", ack.received_seconds()));
    };
    handlers.token = [this](const v1::TokenDelta& token) {
      if (json_) {
        return Line(
            {{"event", "token"}, {"query_id", token.query_id()}, {"index", token.index()}, {"text", token.text()}});
      }
      std::printf("%s", token.text().c_str());
      std::fflush(stdout);
      in_answer_ = true;
      shown_ += token.text();
    };
    handlers.scene = [this](const v1::SceneUpdate& update) {
      if (!update.query_id().empty()) answer_.mutable_scene()->CopyFrom(update.scene());
      if (json_) {
        return Line({{"event", "scene"}, {"query_id", update.query_id()}, {"scene", SceneToJson(update.scene())}});
      }
      if (!update.query_id().empty()) return;  // shown with the answer
      Note(absl::StrCat("scene: ", update.scene().sources().empty() ? "no source" : ""));
      for (const v1::Source& source : update.scene().sources()) Note("  " + SourceText(source));
    };
    handlers.finished = [this, &answered](const v1::Finished& finished) {
      answer_.set_answer(finished.answer());
      answer_.set_letter(finished.letter());
      *answer_.mutable_probabilities() = finished.probabilities();
      *answer_.mutable_usage() = finished.usage();
      if (json_) {
        nlohmann::ordered_json line = {{"event", "finished"}, {"query_id", finished.query_id()}};
        line.update(AnswerToJson(answer_));
        Line(line);
      } else {
        if (std::exchange(in_answer_, false)) std::printf("\n");
        // The tokens may have shown less than the whole answer.
        if (shown_ != finished.answer()) std::printf("%s\n", style_.Bold(finished.answer()).c_str());
        std::printf("%s", EvidenceText(answer_, style_).c_str());
      }
      answered = true;
    };
    handlers.query_error = [this, &answered](const std::string& query_id, const absl::Status& status) {
      if (json_) Line({{"event", "error"}, {"query_id", query_id}, {"error", ErrorToJson(status)}});
      query_status_ = status;
      answered = true;
    };
    return handlers;
  }

  const absl::Status& query_status() const { return query_status_; }

 private:
  void Line(const nlohmann::ordered_json& json) {
    std::printf("%s\n", ToLine(json).c_str());
    std::fflush(stdout);
  }
  void Note(const std::string& text) {
    if (std::exchange(in_answer_, false)) std::printf("\n");
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", note_style_.Dim(text).c_str());
  }

  bool json_;
  TerminalStyle style_, note_style_;
  bool in_answer_ = false;  // the cursor stands behind a token
  std::string shown_;       // the tokens so far
  double next_ack_note_ = 1.0;
  v1::AskResponse answer_;
  absl::Status query_status_;
};

// Where the chunks come from: at most `frames` frames a call, empty at the end.
struct ChunkSource {
  uint32_t sample_rate_hz = 0;
  uint32_t channels = 0;
  v1::AudioEncoding encoding = v1::AUDIO_ENCODING_UNSPECIFIED;
  bool real_time = false;   // must be paced here
  double most_seconds = 0;  // more audio will not come
  std::function<absl::StatusOr<std::string>(size_t frames)> next;
};

ChunkSource FromBuffer(audio::AudioBuffer buffer, bool real_time) {
  ChunkSource source;
  source.sample_rate_hz = static_cast<uint32_t>(buffer.sample_rate);
  source.channels = static_cast<uint32_t>(buffer.channels);
  source.encoding = v1::AUDIO_ENCODING_PCM_F32LE;
  source.real_time = real_time;
  source.most_seconds = static_cast<double>(buffer.frames()) / buffer.sample_rate;
  source.next = [buffer = std::move(buffer), at = size_t{0}](size_t frames) mutable -> absl::StatusOr<std::string> {
    const size_t take = std::min(frames, buffer.frames() - at);
    const float* begin = buffer.interleaved.data() + at * buffer.channels;
    at += take;
    return std::string(reinterpret_cast<const char*>(begin), take * buffer.channels * sizeof(float));
  };
  return source;
}

absl::StatusOr<ChunkSource> OpenAudio(const AskStreamOptions& options) {
  if (options.path != "-") {
    absl::StatusOr<audio::AudioBuffer> buffer = audio::ReadAudioFile(options.path);
    if (!buffer.ok()) return buffer.status();
    return FromBuffer(*std::move(buffer), /*real_time=*/true);
  }
  if (isatty(STDIN_FILENO) != 0) return absl::InvalidArgumentError("stdin: is a terminal, must be a pipe with audio");
  absl::StatusOr<PcmInput> input = PcmInput::Open(STDIN_FILENO, options.raw);
  if (!input.ok()) return input.status();
  if (input->encoding() == v1::AUDIO_ENCODING_FILE) {
    absl::StatusOr<std::string> bytes = input->Read(size_t{256} << 20);
    if (!bytes.ok()) return bytes.status();
    absl::StatusOr<audio::AudioBuffer> buffer = audio::ReadAudioBytes(*bytes);
    if (!buffer.ok()) return buffer.status();
    return FromBuffer(*std::move(buffer), /*real_time=*/true);
  }
  ChunkSource source;
  source.sample_rate_hz = input->sample_rate_hz();
  source.channels = input->channels();
  source.encoding = input->encoding();
  source.most_seconds = options.stdin_seconds;
  const auto most_frames = static_cast<size_t>(options.stdin_seconds * input->sample_rate_hz());
  source.next = [input = *input, left = most_frames](size_t frames) mutable {
    const size_t take = std::min(frames, left);
    left -= take;
    return input.Read(take);
  };
  return source;
}

// Sends until the audio ends, the answer is there or the server has had enough (how it ended is the reader's to say).
// Otherwise the error that is ours: audio that cannot be read, a question that cannot be sent.
absl::Status SendAll(AskStream& stream, ChunkSource& audio, const AskStreamOptions& options,
                     const std::atomic<bool>& answered) {
  const size_t frames_per_chunk = std::max<size_t>(audio.sample_rate_hz / kChunksPerSecond, 1);
  const size_t bytes_per_frame = audio.channels * (audio.encoding == v1::AUDIO_ENCODING_PCM_S16LE ? 2 : 4);
  const auto start = std::chrono::steady_clock::now();
  bool asked = false;
  double sent_seconds = 0;
  absl::Status status;
  const auto ask = [&] {
    asked = true;
    status = stream.SendQuery(options.query);
    return status.ok();
  };
  while (!(asked && answered)) {
    absl::StatusOr<std::string> chunk = audio.next(frames_per_chunk);
    if (!chunk.ok()) status = chunk.status();
    if (!chunk.ok() || chunk->empty()) break;
    sent_seconds += static_cast<double>(chunk->size() / bytes_per_frame) / audio.sample_rate_hz;
    // A chunk leaves when its last sample would have been heard.
    if (audio.real_time) std::this_thread::sleep_until(start + std::chrono::duration<double>(sent_seconds));
    status = stream.SendAudio(*chunk);
    if (!status.ok()) break;
    if (!asked && options.ask_at_seconds.has_value() && sent_seconds >= *options.ask_at_seconds && !ask()) break;
  }
  if (!asked && status.ok()) ask();
  stream.EndAudio().IgnoreError();
  stream.FinishSending().IgnoreError();
  return absl::IsUnavailable(status) ? absl::OkStatus() : status;
}

}  // namespace

int RunAskStream(const SpatialQaClient& client, AskStreamOptions options) {
  std::optional<InterruptEndsReading> guard;
  if (options.path == "-") guard.emplace();
  absl::StatusOr<ChunkSource> audio = OpenAudio(options);
  const auto refuse = [&](const absl::Status& status) { return RefuseAsk(status, options.json, /*stream=*/true); };
  if (!audio.ok()) return refuse(audio.status());
  options.config.set_sample_rate_hz(audio->sample_rate_hz);
  options.config.set_channels(audio->channels);
  options.config.set_encoding(audio->encoding);
  options.call.deadline += absl::Seconds(audio->most_seconds);
  absl::StatusOr<std::unique_ptr<AskStream>> stream = client.OpenStream(options.config, options.call);
  if (!stream.ok()) return refuse(stream.status());

  std::atomic<bool> answered = false;
  EventPrinter printer(options.json, options.no_color);
  absl::Status ended;
  std::thread reader([&] { ended = (*stream)->ReadEvents(printer.Handlers(answered)); });
  const absl::Status source_status = SendAll(**stream, *audio, options, answered);
  reader.join();
  if (!ended.ok()) return refuse(ended);
  if (!printer.query_status().ok()) return Refuse(printer.query_status());  // as an event it was printed
  if (!source_status.ok()) return refuse(source_status);
  return answered ? kExitOk : refuse(absl::UnknownError("the stream ended without an answer"));
}

}  // namespace auricle::client
