// The one place where errors get the details that clients act upon.
//
// Inside the server an error is an absl::Status whose payloads are google.rpc messages (ErrorInfo, BadRequest,
// RetryInfo), keyed by their type URL. At the edge it becomes a google.rpc.Status: in the trailer
// `grpc-status-details-bin` of a call, or in QueryError.status of one query of a stream.
#pragma once

#include <grpcpp/support/status.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"

namespace auricle::server {

inline constexpr absl::string_view kErrorDomain = "auricle.v1";

using ErrorMetadata = std::map<std::string, std::string>;

// `code` with google.rpc.ErrorInfo. `reason` is UPPER_SNAKE.
absl::Status ErrorWithReason(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                             const ErrorMetadata& metadata = {});

// INVALID_ARGUMENT with BadRequest: `field` is the path in the request ("sampling.top_p"), `description` says what is
// wrong and which values are allowed. The message is "field: description".
absl::Status InvalidField(absl::string_view reason, absl::string_view field, absl::string_view description);

// RESOURCE_EXHAUSTED for a request that is too large for a fixed limit: trying again does not help, so no RetryInfo.
// ErrorInfo.metadata has `limit` (the name in ServerLimits or ModelInfo) and `maximum`; BadRequest names the field.
absl::Status OverLimit(absl::string_view reason, absl::string_view field, absl::string_view description,
                       absl::string_view limit, absl::string_view maximum);

// RESOURCE_EXHAUSTED with RetryInfo: there is no room now. `reason` QUEUE_FULL, AUDIO_QUEUE_FULL, TOO_MANY_STREAMS or
// STREAM_MEMORY_FULL.
absl::Status QueueFull(absl::string_view reason, absl::string_view message, absl::Duration retry_after);

// UNAVAILABLE with RetryInfo, reason DRAINING: this server is going away, another may serve.
absl::Status Draining();

// Adds RetryInfo to any error.
absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after);

// What a client sent, as far as an error may repeat it: at most 1 KiB, cut between two characters. Errors go into
// trailers, which clients bound (8 KiB), and into the outbox of a stream.
std::string Echo(absl::string_view sent);

// OK gives an empty Status.
google::rpc::Status ToRpcStatus(const absl::Status& status);
grpc::Status ToGrpcStatus(const absl::Status& status);

// ErrorInfo.reason, or "" where the status carries none.
std::string ReasonOf(const absl::Status& status);

}  // namespace auricle::server
