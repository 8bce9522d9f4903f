#include "model/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "model/text/tokenizer_json.h"
#include "model/text/utf8.h"

namespace auricle::model {
namespace {
constexpr std::streamoff kMaxFileBytes = 64 << 20;
}

struct Tokenizer::Tables {
  TokenizerParts parts;
  // Added tokens whose content begins with a byte, longest first: the longest match at a place counts.
  std::array<std::vector<const AddedTokenEntry*>, 256> by_first_byte;
  absl::flat_hash_map<TokenId, const AddedTokenEntry*> by_id;

  const AddedTokenEntry* AddedAt(std::string_view text) const {
    for (const AddedTokenEntry* token : by_first_byte[static_cast<unsigned char>(text.front())]) {
      if (text.starts_with(token->content)) return token;
    }
    return nullptr;
  }

  // Calls on_added(token) and on_text(stretch between added tokens) in order until one fails.
  template <typename OnAdded, typename OnText>
  absl::Status ForEachStretch(std::string_view text, SpecialTokens special, OnAdded on_added, OnText on_text) const {
    if (const std::optional<size_t> bad = FirstInvalidUtf8(text)) {
      return absl::InvalidArgumentError(absl::StrCat("text is not valid UTF-8 at byte ", *bad));
    }
    size_t begin = 0;
    for (size_t at = 0; special == SpecialTokens::kRecognise && at < text.size();) {
      const AddedTokenEntry* token = AddedAt(text.substr(at));
      if (token == nullptr) {
        ++at;
        continue;
      }
      if (at > begin) {
        if (absl::Status status = on_text(text.substr(begin, at - begin)); !status.ok()) return status;
      }
      on_added(*token);
      begin = at += token->content.size();
    }
    return begin < text.size() ? on_text(text.substr(begin)) : absl::OkStatus();
  }

  absl::Status AppendPieces(std::string_view stretch, std::vector<std::string>& pieces) const {
    std::string text(stretch);
    for (UnicodeForm form : parts.normalisation) {
      absl::StatusOr<std::string> normalised = Normalise(text, form);
      if (!normalised.ok()) return normalised.status();
      text = *std::move(normalised);
    }
    return parts.pre_tokenizer.Split(text, pieces);
  }
};

Tokenizer::Tokenizer(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Tokenizer::~Tokenizer() = default;

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff bytes = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (bytes < 0) return absl::NotFoundError(absl::StrCat(path, ": cannot open: ", std::strerror(errno)));
  if (bytes > kMaxFileBytes) return absl::DataLossError(absl::StrCat(path, ": larger than ", kMaxFileBytes, " bytes"));
  std::string content(static_cast<size_t>(bytes), '\0');
  file.seekg(0);
  if (!file.read(content.data(), bytes)) return absl::DataLossError(absl::StrCat(path, ": cannot read"));
  return FromJson(content, path);
}

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::FromJson(std::string_view json, const std::string& origin) {
  absl::StatusOr<TokenizerParts> parts = ParseTokenizerJson(json, origin);
  if (!parts.ok()) return parts.status();
  auto tables = std::make_unique<Tables>();
  tables->parts = *std::move(parts);
  for (const AddedTokenEntry& token : tables->parts.added) {
    tables->by_first_byte[static_cast<unsigned char>(token.content.front())].push_back(&token);
    tables->by_id[token.id] = &token;
  }
  for (auto& bucket : tables->by_first_byte) {
    std::sort(bucket.begin(), bucket.end(),
              [](const AddedTokenEntry* a, const AddedTokenEntry* b) { return a->content.size() > b->content.size(); });
  }
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(tables)));
}

absl::StatusOr<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, SpecialTokens special) const {
  std::vector<TokenId> ids;
  std::vector<std::string> pieces;
  absl::Status status = tables_->ForEachStretch(
      text, special, [&](const AddedTokenEntry& token) { ids.push_back(token.id); },
      [&](std::string_view stretch) {
        pieces.clear();
        absl::Status split = tables_->AppendPieces(stretch, pieces);
        for (const std::string& piece : pieces) tables_->parts.encoder.Encode(piece, ids);
        return split;
      });
  if (!status.ok()) return status;
  return ids;
}

absl::StatusOr<std::vector<std::string>> Tokenizer::Split(std::string_view text, SpecialTokens special) const {
  std::vector<std::string> pieces;
  absl::Status status = tables_->ForEachStretch(
      text, special, [&](const AddedTokenEntry& token) { pieces.push_back(token.content); },
      [&](std::string_view stretch) { return tables_->AppendPieces(stretch, pieces); });
  if (!status.ok()) return status;
  return pieces;
}

std::string Tokenizer::Decode(const std::vector<TokenId>& ids, bool skip_special) const {
  std::string bytes;
  for (TokenId id : ids) {
    if (!(skip_special && IsSpecial(id))) bytes += TokenBytes(id);
  }
  std::string text;
  AppendRepairedUtf8(bytes, text);
  return text;
}

std::string_view Tokenizer::TokenBytes(TokenId id) const {
  const auto added = tables_->by_id.find(id);
  return added != tables_->by_id.end() ? std::string_view(added->second->content) : tables_->parts.encoder.Bytes(id);
}

bool Tokenizer::IsSpecial(TokenId id) const {
  const auto added = tables_->by_id.find(id);
  return added != tables_->by_id.end() && added->second->special;
}

std::optional<TokenId> Tokenizer::AddedToken(std::string_view content) const {
  for (const AddedTokenEntry& token : tables_->parts.added) {
    if (token.content == content) return token.id;
  }
  return std::nullopt;
}

int64_t Tokenizer::size() const {
  int64_t size = tables_->parts.encoder.size();
  for (const AddedTokenEntry& token : tables_->parts.added) size = std::max(size, token.id + 1);
  return size;
}

}  // namespace auricle::model
