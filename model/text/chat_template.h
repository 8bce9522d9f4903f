// The one prompt form that Auricle's models are trained and asked with (ChatML):
//
//   <|im_start|>user\n<|audio|>...<|audio|>\n{question}<|im_end|>\n<|im_start|>assistant\n
//
// with one <|audio|> for each audio token; the answer follows and ends with <|im_end|>. The text around the audio
// is encoded in separate parts, and the question with special tokens off, so no question can forge a turn.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

inline constexpr std::string_view kImStart = "<|im_start|>";
inline constexpr std::string_view kImEnd = "<|im_end|>";
inline constexpr std::string_view kAudioToken = "<|audio|>";
inline constexpr std::string_view kEndOfText = "<|endoftext|>";  // also the padding token

// Immutable; safe for concurrent use.
class ChatTemplate {
 public:
  // FAILED_PRECONDITION where the tokeniser lacks <|im_start|>, <|im_end|>, <|audio|> or <|endoftext|>.
  static absl::StatusOr<ChatTemplate> Create(std::shared_ptr<const Tokenizer> tokenizer);

  // Part 1: "<|im_start|>user\n". The audio tokens follow: a prefix that all questions on one clip share.
  const std::vector<TokenId>& before_audio() const { return before_audio_; }
  // Part 2: "\n{question}<|im_end|>\n<|im_start|>assistant\n". INVALID_ARGUMENT: the question is not UTF-8.
  absl::StatusOr<std::vector<TokenId>> AfterAudio(std::string_view question) const;
  // The answer as training sees it: its ids, special tokens off, and <|im_end|>.
  absl::StatusOr<std::vector<TokenId>> Answer(std::string_view answer) const;
  // Parts 1 and 2 with `audio_tokens` place-holders (id audio()) between.
  absl::StatusOr<std::vector<TokenId>> Prompt(std::string_view question, int audio_tokens) const;

  TokenId audio() const { return audio_; }
  TokenId padding() const { return padding_; }
  // An answer ends at any of these: <|im_end|>, <|endoftext|>.
  std::span<const TokenId> stop_tokens() const { return stop_tokens_; }
  const std::shared_ptr<const Tokenizer>& tokenizer() const { return tokenizer_; }

 private:
  ChatTemplate() = default;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<TokenId> before_audio_, question_prefix_, question_suffix_, stop_tokens_;
  TokenId audio_ = 0, padding_ = 0, im_end_ = 0;
};

}  // namespace auricle::model
