// Messages to and from gRPC's byte buffers.
//
// Services that take users' text parse it themselves: generated gRPC code answers a string that is not UTF-8 with
// INTERNAL and no reason, where a client should read INVALID_ARGUMENT and the field's name.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"

namespace auricle::server {

// INVALID_ARGUMENT: a string field is not UTF-8 (reason INVALID_UTF8, its path named) or the bytes are no such message
// (reason MALFORMED_MESSAGE). `message` then holds the fields that came before the bad one.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

}  // namespace auricle::server
