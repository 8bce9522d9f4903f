#include "server/inference/request_checks.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/runtime/error_details.h"

namespace auricle::server {
namespace {

constexpr int kMinOptions = 2, kMaxOptions = 26;
constexpr size_t kMaxOptionBytes = 1024;
constexpr double kMaxTemperature = 2;

bool IsBlank(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isspace(c); });
}

}  // namespace

absl::Status CheckQuestion(absl::string_view question, const google::protobuf::RepeatedPtrField<std::string>& options,
                           const v1::ServerLimits& limits, absl::string_view path) {
  const std::string field = absl::StrCat(path, "question");
  if (IsBlank(question)) return InvalidField("QUESTION_EMPTY", field, "is empty; must be 1 byte or more of text");
  if (question.size() > limits.max_question_bytes()) {
    return InvalidField(
        "QUESTION_TOO_LONG", field,
        absl::StrCat(question.size(), " bytes; must be 1 to ", limits.max_question_bytes(), " (max_question_bytes)"));
  }
  if (options.empty()) return absl::OkStatus();
  if (options.size() < kMinOptions || options.size() > kMaxOptions) {
    return InvalidField("OPTIONS_COUNT", absl::StrCat(path, "options"),
                        absl::StrCat(options.size(), " options; must be none, or ", kMinOptions, " to ", kMaxOptions));
  }
  for (int i = 0; i < options.size(); ++i) {
    if (!IsBlank(options[i]) && options[i].size() <= kMaxOptionBytes) continue;
    return InvalidField(
        "OPTION_INVALID", absl::StrCat(path, "options[", i, "]"),
        absl::StrCat(options[i].size(), " bytes; must be 1 to ", kMaxOptionBytes, ", and not only white space"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::SamplingParams> CompleteSampling(const v1::SamplingParams& asked, const v1::ServerLimits& limits,
                                                    uint32_t default_new_tokens, absl::string_view path) {
  v1::SamplingParams sampling = asked;
  constexpr absl::string_view kReason = "SAMPLING_OUT_OF_RANGE";
  // Negated comparisons, so that NaN fails them.
  if (!(asked.temperature() >= 0 && asked.temperature() <= kMaxTemperature)) {
    return InvalidField(kReason, absl::StrCat(path, "sampling.temperature"),
                        absl::StrCat(asked.temperature(), "; must be 0 to ", kMaxTemperature));
  }
  if (!(asked.top_p() >= 0 && asked.top_p() <= 1)) {
    return InvalidField(kReason, absl::StrCat(path, "sampling.top_p"),
                        absl::StrCat(asked.top_p(), "; must be above 0 and at most 1, or 0 for off"));
  }
  if (asked.max_new_tokens() > limits.max_new_tokens()) {
    return InvalidField(kReason, absl::StrCat(path, "sampling.max_new_tokens"),
                        absl::StrCat(asked.max_new_tokens(), "; must be 1 to ", limits.max_new_tokens(),
                                     " (max_new_tokens), or 0 for the default"));
  }
  if (sampling.top_p() == 0) sampling.set_top_p(1);
  if (sampling.max_new_tokens() == 0) sampling.set_max_new_tokens(default_new_tokens);
  return sampling;
}

}  // namespace auricle::server
