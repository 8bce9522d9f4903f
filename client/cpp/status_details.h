// google.rpc.Status on the client's side: what a server said beyond code and message.
//
// A call's error arrives as absl::Status whose payloads are the packed details, keyed by type URL
// ("type.googleapis.com/google.rpc.BadRequest", ...), so that it passes unharmed through code that knows nothing of
// gRPC; ReadErrorDetails unpacks them again. Free functions without state: thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace auricle::client {

// google.rpc.BadRequest.FieldViolation: which field of the request is wrong, and what is allowed there.
struct FieldViolation {
  std::string field;        // path in the request, "audio.channels"
  std::string description;  // "is 2, must be 4"
};

// Everything a server attached to an error. Parts that it left out are empty.
struct ErrorDetails {
  std::string reason;  // google.rpc.ErrorInfo.reason, UPPER_SNAKE
  std::string domain;  // "auricle.v1" for errors of Auricle itself, empty for errors of the transport
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> fields;
  std::optional<absl::Duration> retry_delay;  // google.rpc.RetryInfo: when asking again makes sense
};

ErrorDetails ReadErrorDetails(const absl::Status& status);

// One line for people: "audio.channels: is 2, must be 4 (INVALID_ARGUMENT)"; without field violations
// "the queue is full (RESOURCE_EXHAUSTED, QUEUE_FULL), try again in 1.5 s". "OK" for OK.
std::string DescribeError(const absl::Status& status);

// From the wire: `serialised_details` is a google.rpc.Status (trailer grpc-status-details-bin, QueryError.status),
// empty where there is none; what cannot be parsed is left out, code and message stay.
absl::Status StatusFromWire(int code, const std::string& message, const std::string& serialised_details);

// INVALID_ARGUMENT with the field as a google.rpc.BadRequest: for what is refused before it is sent.
absl::Status InvalidField(const std::string& field, const std::string& description);

}  // namespace auricle::client
