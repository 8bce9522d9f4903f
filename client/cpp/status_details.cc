#include "client/cpp/status_details.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace auricle::client {
namespace {

template <typename Detail>
std::optional<Detail> FindDetail(const absl::Status& status) {
  const std::string url = absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name());
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

}  // namespace

ErrorDetails ReadErrorDetails(const absl::Status& status) {
  ErrorDetails details;
  if (const auto info = FindDetail<google::rpc::ErrorInfo>(status)) {
    details.reason = info->reason();
    details.domain = info->domain();
    details.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  if (const auto bad_request = FindDetail<google::rpc::BadRequest>(status)) {
    for (const auto& violation : bad_request->field_violations()) {
      details.fields.push_back({violation.field(), violation.description()});
    }
  }
  if (const auto retry = FindDetail<google::rpc::RetryInfo>(status)) {
    details.retry_delay =
        absl::Seconds(retry->retry_delay().seconds()) + absl::Nanoseconds(retry->retry_delay().nanos());
  }
  return details;
}

std::string DescribeError(const absl::Status& status) {
  if (status.ok()) return "OK";
  const ErrorDetails details = ReadErrorDetails(status);
  const std::string code = absl::StatusCodeToString(status.code());
  std::string line;
  if (!details.fields.empty()) {
    line = absl::StrJoin(details.fields, "; ", [](std::string* out, const FieldViolation& violation) {
      absl::StrAppend(out, violation.field, ": ", violation.description);
    });
    absl::StrAppend(&line, " (", code, ")");
  } else {
    absl::StrAppend(&line, status.message().empty() ? "no message" : status.message(), " (", code,
                    details.reason.empty() ? "" : ", ", details.reason, ")");
  }
  if (details.retry_delay.has_value()) {
    absl::StrAppend(&line, absl::StrFormat(", try again in %.1f s", absl::ToDoubleSeconds(*details.retry_delay)));
  }
  return line;
}

absl::Status StatusFromWire(int code, const std::string& message, const std::string& serialised_details) {
  // gRPC's codes are Abseil's; a number past both lists becomes UNKNOWN.
  absl::Status status(code >= 0 && code <= 16 ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      message);
  google::rpc::Status details;
  if (status.ok() || !details.ParseFromString(serialised_details)) {
    return status;
  }
  for (const auto& detail : details.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

absl::Status InvalidField(const std::string& field, const std::string& description) {
  google::rpc::BadRequest bad_request;
  auto& violation = *bad_request.add_field_violations();
  violation.set_field(field);
  violation.set_description(description);
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(field, ": ", description));
  status.SetPayload(absl::StrCat("type.googleapis.com/", bad_request.GetDescriptor()->full_name()),
                    absl::Cord(bad_request.SerializeAsString()));
  return status;
}

}  // namespace auricle::client
