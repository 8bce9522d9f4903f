#include "model/text/chat_template.h"

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

void Append(std::vector<TokenId>& ids, const std::vector<TokenId>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

absl::StatusOr<ChatTemplate> ChatTemplate::Create(std::shared_ptr<const Tokenizer> tokenizer) {
  ChatTemplate chat;
  struct Wanted {
    std::string_view content;
    TokenId* id;
  };
  for (const Wanted& wanted :
       {Wanted{kAudioToken, &chat.audio_}, Wanted{kEndOfText, &chat.padding_}, Wanted{kImEnd, &chat.im_end_}}) {
    const std::optional<TokenId> id = tokenizer->AddedToken(wanted.content);
    if (!id)
      return absl::FailedPreconditionError(absl::StrCat("tokeniser: no added token ", std::string(wanted.content)));
    *wanted.id = *id;
  }
  if (!tokenizer->AddedToken(kImStart)) {
    return absl::FailedPreconditionError(absl::StrCat("tokeniser: no added token ", std::string(kImStart)));
  }
  struct Part {
    std::string text;
    std::vector<TokenId>* ids;
  };
  for (const Part& part :
       {Part{std::string(kImStart) + "user\n", &chat.before_audio_}, Part{"\n", &chat.question_prefix_},
        Part{std::string(kImEnd) + "\n" + std::string(kImStart) + "assistant\n", &chat.question_suffix_}}) {
    absl::StatusOr<std::vector<TokenId>> ids = tokenizer->Encode(part.text, SpecialTokens::kRecognise);
    if (!ids.ok()) return ids.status();
    *part.ids = *std::move(ids);
  }
  chat.stop_tokens_ = {chat.im_end_, chat.padding_};
  chat.tokenizer_ = std::move(tokenizer);
  return chat;
}

absl::StatusOr<std::vector<TokenId>> ChatTemplate::AfterAudio(std::string_view question) const {
  absl::StatusOr<std::vector<TokenId>> words = tokenizer_->Encode(question, SpecialTokens::kAsText);
  if (!words.ok()) return words.status();
  std::vector<TokenId> ids = question_prefix_;
  Append(ids, *words);
  Append(ids, question_suffix_);
  return ids;
}

absl::StatusOr<std::vector<TokenId>> ChatTemplate::Answer(std::string_view answer) const {
  absl::StatusOr<std::vector<TokenId>> ids = tokenizer_->Encode(answer, SpecialTokens::kAsText);
  if (ids.ok()) ids->push_back(im_end_);
  return ids;
}

absl::StatusOr<std::vector<TokenId>> ChatTemplate::Prompt(std::string_view question, int audio_tokens) const {
  if (audio_tokens < 0) return absl::InvalidArgumentError("audio_tokens: must be >= 0");
  absl::StatusOr<std::vector<TokenId>> after = AfterAudio(question);
  if (!after.ok()) return after.status();
  std::vector<TokenId> ids = before_audio_;
  ids.insert(ids.end(), static_cast<size_t>(audio_tokens), audio_);
  Append(ids, *after);
  return ids;
}

}  // namespace auricle::model
