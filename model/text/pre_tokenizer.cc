#include "model/text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utf8proc.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

// Unicode's White_Space property (PropList.txt), for use inside a character class.
constexpr std::string_view kWhiteSpace =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

// Replaces \s and \S, whose meaning differs between regex engines, by White_Space written out.
absl::StatusOr<std::string> SpellOutWhiteSpace(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's') {
        (out += in_class ? "" : "[") += kWhiteSpace;
        out += in_class ? "" : "]";
      } else if (escaped == 'S' && !in_class) {
        ((out += "[^") += kWhiteSpace) += "]";
      } else if (escaped == 'S') {
        return absl::InvalidArgumentError(R"(\S inside a character class is not supported)");
      } else {
        out += {c, escaped};
      }
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      out += c;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];  // a literal ]
      continue;
    }
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

std::string Pcre2Message(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

absl::StatusOr<std::string> Normalise(std::string_view text, UnicodeForm form) {
  int options = UTF8PROC_STABLE;
  if (form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc) options |= UTF8PROC_COMPOSE;
  if (form == UnicodeForm::kNfd || form == UnicodeForm::kNfkd) options |= UTF8PROC_DECOMPOSE;
  if (form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &mapped, static_cast<utf8proc_option_t>(options));
  if (length < 0) return absl::InternalError(absl::StrCat("Unicode normalisation: ", utf8proc_errmsg(length)));
  std::string normalised(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
  std::free(mapped);
  return normalised;
}

absl::StatusOr<SplitPattern> SplitPattern::Compile(std::string_view pattern) {
  absl::StatusOr<std::string> spelled = SpellOutWhiteSpace(pattern);
  if (!spelled.ok()) return spelled.status();
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled->data()), spelled->size(),
                                   PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  if (code == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("split pattern: ", Pcre2Message(error), " at offset ", offset));
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it matching is slower, not different
  SplitPattern compiled;
  compiled.code_ = std::shared_ptr<const void>(
      code, [](const void* p) { pcre2_code_free(const_cast<pcre2_code*>(static_cast<const pcre2_code*>(p))); });
  return compiled;
}

absl::Status SplitPattern::Split(std::string_view text, std::vector<std::string_view>& pieces) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(code, nullptr), &pcre2_match_data_free);
  if (match == nullptr) return absl::ResourceExhaustedError("no memory for a regular expression's match");
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t emitted = 0;  // everything before is in a piece
  size_t from = 0;
  while (from < text.size()) {
    int found = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, match.get(), nullptr);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      found = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match.get(), nullptr);
    }
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) return absl::ResourceExhaustedError(absl::StrCat("split pattern: ", Pcre2Message(found)));
    const PCRE2_SIZE* span = pcre2_get_ovector_pointer(match.get());
    if (span[1] <= span[0]) {  // an empty match splits nothing; go on after the next character
      from = span[0] + 1;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
      continue;
    }
    if (span[0] > emitted) pieces.push_back(text.substr(emitted, span[0] - emitted));
    pieces.push_back(text.substr(span[0], span[1] - span[0]));
    emitted = from = span[1];
  }
  if (emitted < text.size()) pieces.push_back(text.substr(emitted));
  return absl::OkStatus();
}

absl::Status PreTokenizer::Split(std::string_view text, std::vector<std::string>& pieces) const {
  std::vector<std::string> current = {std::string(text)};
  for (const Step& step : steps_) {
    if (step.prefix_space) {
      for (std::string& piece : current) {
        if (!piece.starts_with(' ')) piece.insert(piece.begin(), ' ');
      }
      continue;
    }
    std::vector<std::string> finer;
    std::vector<std::string_view> parts;
    for (const std::string& piece : current) {
      parts.clear();
      if (absl::Status status = step.pattern.Split(piece, parts); !status.ok()) return status;
      finer.insert(finer.end(), parts.begin(), parts.end());
    }
    current = std::move(finer);
  }
  for (std::string& piece : current) pieces.push_back(std::move(piece));
  return absl::OkStatus();
}

}  // namespace auricle::model
