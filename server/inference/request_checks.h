// Checks on what is asked, apart from audio: question, options, sampling. The same for Ask and for a stream's Query.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "auricle/v1/inference.pb.h"
#include "auricle/v1/model.pb.h"

namespace auricle::server {

// `path` goes before the field's name in errors: "" for Ask, "query." for a stream.
// INVALID_ARGUMENT: empty or only white space, longer than limits.max_question_bytes; fewer than 2 or more than 26
// options, one of them empty or longer than 1024 bytes.
absl::Status CheckQuestion(absl::string_view question, const google::protobuf::RepeatedPtrField<std::string>& options,
                           const v1::ServerLimits& limits, absl::string_view path);

// With defaults filled in: top_p and max_new_tokens are set. INVALID_ARGUMENT names the field and its range.
absl::StatusOr<v1::SamplingParams> CompleteSampling(const v1::SamplingParams& asked, const v1::ServerLimits& limits,
                                                    uint32_t default_new_tokens, absl::string_view path);

}  // namespace auricle::server
