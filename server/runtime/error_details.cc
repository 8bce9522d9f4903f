#include "server/runtime/error_details.h"

#include <google/protobuf/any.pb.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace auricle::server {
namespace {

constexpr absl::string_view kTypePrefix = "type.googleapis.com/";
constexpr size_t kMaxEchoBytes = 1024;

template <typename Message>
std::string TypeUrl() {
  return absl::StrCat(kTypePrefix, Message::descriptor()->full_name());
}

template <typename Message>
void Attach(absl::Status& status, const Message& detail) {
  status.SetPayload(TypeUrl<Message>(), absl::Cord(detail.SerializeAsString()));
}

void AttachReason(absl::Status& status, absl::string_view reason, const ErrorMetadata& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(status, info);
}

void AttachField(absl::Status& status, absl::string_view field, absl::string_view description) {
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
  Attach(status, bad);
}

}  // namespace

absl::Status ErrorWithReason(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                             const ErrorMetadata& metadata) {
  absl::Status status(code, message);
  AttachReason(status, reason, metadata);
  return status;
}

absl::Status InvalidField(absl::string_view reason, absl::string_view field, absl::string_view description) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(field, ": ", description));
  AttachReason(status, reason, {{"field", std::string(field)}});
  AttachField(status, field, description);
  return status;
}

absl::Status OverLimit(absl::string_view reason, absl::string_view field, absl::string_view description,
                       absl::string_view limit, absl::string_view maximum) {
  absl::Status status = absl::ResourceExhaustedError(absl::StrCat(field, ": ", description));
  AttachReason(status, reason,
               {{"field", std::string(field)}, {"limit", std::string(limit)}, {"maximum", std::string(maximum)}});
  AttachField(status, field, description);
  return status;
}

absl::Status QueueFull(absl::string_view reason, absl::string_view message, absl::Duration retry_after) {
  return WithRetryAfter(ErrorWithReason(absl::StatusCode::kResourceExhausted, reason, message), retry_after);
}

absl::Status Draining() {
  return WithRetryAfter(ErrorWithReason(absl::StatusCode::kUnavailable, "DRAINING",
                                        "the server is shutting down and takes no new requests"),
                        absl::Seconds(1));
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after) {
  google::rpc::RetryInfo retry;
  const int64_t nanos = absl::ToInt64Nanoseconds(retry_after);
  retry.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  Attach(status, retry);
  return status;
}

std::string Echo(absl::string_view sent) {
  if (sent.size() <= kMaxEchoBytes) return std::string(sent);
  size_t end = kMaxEchoBytes;
  while (end > 0 && (static_cast<unsigned char>(sent[end]) & 0xC0) == 0x80) --end;  // not within a character
  return std::string(sent.substr(0, end));
}

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status rpc;
  if (!status.ok() && ReasonOf(status).empty()) {
    // Every error has a reason: the code's own name where nothing more is known.
    absl::Status with_reason = status;
    AttachReason(with_reason, absl::StatusCodeToString(status.code()), {});
    return ToRpcStatus(with_reason);
  }
  rpc.set_code(static_cast<int>(status.code()));
  rpc.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    google::protobuf::Any* any = rpc.add_details();
    any->set_type_url(std::string(type_url));
    any->set_value(std::string(payload));
  });
  return rpc;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      ToRpcStatus(status).SerializeAsString());
}

std::string ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl<google::rpc::ErrorInfo>());
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

}  // namespace auricle::server
