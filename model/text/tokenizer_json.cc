#include "model/text/tokenizer_json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "model/text/byte_alphabet.h"

namespace auricle::model {
namespace {

using nlohmann::json;

class Parser {
 public:
  explicit Parser(const std::string& origin) : origin_(origin) {}

  absl::StatusOr<TokenizerParts> Parse(const json& file) {
    if (!file.is_object()) return Bad("file", "not a JSON object");
    absl::Status status = ParseAddedTokens(Field(file, "added_tokens"));
    if (status.ok()) status = ParseModel(Field(file, "model"));
    if (status.ok()) status = ParseNormaliser(Field(file, "normalizer"));
    if (status.ok()) status = ParsePreTokeniser(Field(file, "pre_tokenizer"));
    if (status.ok() && !byte_level_) status = Bad("pre_tokenizer", "not byte-level (no step of type ByteLevel)");
    if (!status.ok()) return status;
    return std::move(parts_);
  }

 private:
  absl::Status Bad(const std::string& field, const std::string& reason) const {
    return absl::DataLossError(absl::StrCat(origin_, ": ", field, ": ", reason));
  }

  // Null where the field is absent.
  static const json& Field(const json& object, const char* name) {
    static const json null;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found == object.end() ? null : *found;
  }
  static bool Flag(const json& object, const char* name, bool otherwise) {
    const json& value = Field(object, name);
    return value.is_boolean() ? value.get<bool>() : otherwise;
  }
  static std::string Text(const json& object, const char* name) {
    const json& value = Field(object, name);
    return value.is_string() ? value.get<std::string>() : "";
  }

  absl::Status ParseAddedTokens(const json& list) {
    if (list.is_null()) return absl::OkStatus();
    if (!list.is_array()) return Bad("added_tokens", "not a list");
    std::set<std::string> contents;
    std::set<TokenId> ids;
    for (const json& entry : list) {
      AddedTokenEntry token{Text(entry, "content"), -1, Flag(entry, "special", false)};
      if (Field(entry, "id").is_number_unsigned()) token.id = entry["id"].get<TokenId>();
      if (token.content.empty() || token.id < 0) return Bad("added_tokens", "an entry without content or id");
      if (!contents.insert(token.content).second || !ids.insert(token.id).second) {
        return Bad("added_tokens", absl::StrCat(token.content, " repeats a content or an id"));
      }
      for (const char* option : {"single_word", "lstrip", "rstrip"}) {
        if (Flag(entry, option, false))
          return Bad("added_tokens", absl::StrCat(token.content, ": ", option, " is not supported"));
      }
      parts_.added.push_back(std::move(token));
    }
    return absl::OkStatus();
  }

  absl::Status ParseModel(const json& model) {
    const std::string type = Text(model, "type");
    if (!model.is_object() || (type != "BPE" && !(type.empty() && model.contains("merges")))) {
      return Bad("model.type", absl::StrCat("\"", type, "\" is not supported, only BPE"));
    }
    if (Flag(model, "byte_fallback", false)) return Bad("model.byte_fallback", "not supported: not byte-level BPE");
    for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!Text(model, affix).empty()) return Bad(absl::StrCat("model.", affix), "not supported: not byte-level BPE");
    }
    parts_.encoder.set_ignore_merges(Flag(model, "ignore_merges", false));
    const json& vocabulary = Field(model, "vocab");
    if (!vocabulary.is_object()) return Bad("model.vocab", "missing or not an object");
    std::set<std::string> added;
    for (const AddedTokenEntry& token : parts_.added) added.insert(token.content);
    for (const auto& [spelled, id] : vocabulary.items()) {
      if (added.contains(spelled)) continue;  // some files list added tokens here, too
      if (!id.is_number_unsigned()) return Bad("model.vocab", absl::StrCat("the id of ", spelled, " is not a number"));
      std::optional<std::string> bytes = BytesFromAlphabet(spelled);
      if (!bytes) return Bad("model.vocab", absl::StrCat(spelled, " is not spelled in the byte-level alphabet"));
      if (absl::Status status = parts_.encoder.AddToken(*std::move(bytes), id.get<TokenId>()); !status.ok()) {
        return Bad("model.vocab", std::string(status.message()));
      }
    }
    for (const AddedTokenEntry& token : parts_.added) {
      if (!parts_.encoder.Bytes(token.id).empty()) {
        return Bad("added_tokens", absl::StrCat(token.content, " has the id of another token"));
      }
    }
    return ParseMerges(Field(model, "merges"));
  }

  absl::Status ParseMerges(const json& merges) {
    if (!merges.is_array()) return Bad("model.merges", "missing or not a list");
    for (const json& merge : merges) {
      std::string left, right;
      if (merge.is_string()) {  // "a b": the alphabet spells a space as another character, so there is one
        const std::string both = merge.get<std::string>();
        const size_t space = both.find(' ');
        if (space == std::string::npos) return Bad("model.merges", absl::StrCat("\"", both, "\" is no pair"));
        left = both.substr(0, space), right = both.substr(space + 1);
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        left = merge[0].get<std::string>(), right = merge[1].get<std::string>();
      } else {
        return Bad("model.merges", "an entry is neither \"a b\" nor [\"a\", \"b\"]");
      }
      const std::optional<std::string> left_bytes = BytesFromAlphabet(left), right_bytes = BytesFromAlphabet(right);
      if (!left_bytes || !right_bytes) {
        return Bad("model.merges", absl::StrCat(left, " ", right, " is not spelled in the byte-level alphabet"));
      }
      if (absl::Status status = parts_.encoder.AddMerge(*left_bytes, *right_bytes); !status.ok()) {
        return Bad("model.merges", absl::StrCat(std::string(status.message()), ": ", left, " ", right));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ParseNormaliser(const json& normaliser) {
    if (normaliser.is_null()) return absl::OkStatus();
    const std::string type = Text(normaliser, "type");
    if (type == "Sequence" && Field(normaliser, "normalizers").is_array()) {
      for (const json& step : normaliser["normalizers"]) {
        // One level: a file that nests deeper is refused below, since a Sequence inside is no known form.
        if (Text(step, "type") == "Sequence") return Bad("normalizer", "nested Sequence is not supported");
        if (absl::Status status = ParseNormaliser(step); !status.ok()) return status;
      }
      return absl::OkStatus();
    }
    for (const auto& [name, form] : {std::pair{"NFC", UnicodeForm::kNfc}, std::pair{"NFD", UnicodeForm::kNfd},
                                     std::pair{"NFKC", UnicodeForm::kNfkc}, std::pair{"NFKD", UnicodeForm::kNfkd}}) {
      if (type == name) {
        parts_.normalisation.push_back(form);
        return absl::OkStatus();
      }
    }
    return Bad("normalizer.type", absl::StrCat("\"", type, "\" is not supported"));
  }

  absl::Status AddSplit(std::string_view pattern) {
    absl::StatusOr<SplitPattern> compiled = SplitPattern::Compile(pattern);
    if (!compiled.ok()) return Bad("pre_tokenizer", std::string(compiled.status().message()));
    parts_.pre_tokenizer.AddSplit(*std::move(compiled));
    return absl::OkStatus();
  }

  absl::Status ParsePreTokeniser(const json& step) {
    const std::string type = Text(step, "type");
    if (type == "Sequence" && Field(step, "pretokenizers").is_array()) {
      for (const json& inner : step["pretokenizers"]) {
        if (Text(inner, "type") == "Sequence") return Bad("pre_tokenizer", "nested Sequence is not supported");
        if (absl::Status status = ParsePreTokeniser(inner); !status.ok()) return status;
      }
      return absl::OkStatus();
    }
    if (type == "ByteLevel") {
      byte_level_ = true;
      if (Flag(step, "add_prefix_space", true)) parts_.pre_tokenizer.AddPrefixSpace();
      return Flag(step, "use_regex", true) ? AddSplit(kGpt2Pattern) : absl::OkStatus();
    }
    if (type == "Digits") return AddSplit(Flag(step, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
    if (type == "Split") {
      const std::string pattern = Text(Field(step, "pattern"), "Regex");
      if (pattern.empty()) return Bad("pre_tokenizer.pattern", "only {\"Regex\": ...} is supported");
      if (Text(step, "behavior") != "Isolated" || Flag(step, "invert", false)) {
        return Bad("pre_tokenizer.behavior", "only Isolated, not inverted, is supported");
      }
      return AddSplit(pattern);
    }
    return Bad("pre_tokenizer.type", absl::StrCat("\"", type, "\" is not supported"));
  }

  const std::string& origin_;
  TokenizerParts parts_;
  bool byte_level_ = false;
};

}  // namespace

absl::StatusOr<TokenizerParts> ParseTokenizerJson(std::string_view text, const std::string& origin) {
  const json file = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) return absl::DataLossError(absl::StrCat(origin, ": not valid JSON"));
  return Parser(origin).Parse(file);
}

}  // namespace auricle::model
