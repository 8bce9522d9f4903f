#include "server/runtime/wire.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/runtime/error_details.h"

namespace auricle::server {
namespace {

// RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = static_cast<unsigned char>(text[i]);
    const int extra = lead < 0x80 ? 0 : lead < 0xC2 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : -1;
    if (extra < 0 || i + static_cast<size_t>(extra) >= text.size()) return false;
    for (int k = 1; k <= extra; ++k) {
      const unsigned char next = static_cast<unsigned char>(text[i + static_cast<size_t>(k)]);
      unsigned char low = 0x80, high = 0xBF;
      if (k == 1 && lead == 0xE0) low = 0xA0;
      if (k == 1 && lead == 0xED) high = 0x9F;
      if (k == 1 && lead == 0xF0) low = 0x90;
      if (k == 1 && lead == 0xF4) high = 0x8F;
      if (next < low || next > high) return false;
    }
    i += 1 + static_cast<size_t>(extra);
  }
  return true;
}

// Path of the first string that is not UTF-8, as far as `fields`, parsed without a schema, match `type`; or "".
std::string FindInvalidString(const google::protobuf::UnknownFieldSet& fields,
                              const google::protobuf::Descriptor& type) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& unknown = fields.field(i);
    const google::protobuf::FieldDescriptor* field = type.FindFieldByNumber(unknown.number());
    if (field == nullptr || unknown.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) continue;
    if (field->type() == google::protobuf::FieldDescriptor::TYPE_STRING && !IsUtf8(unknown.length_delimited())) {
      return field->name();
    }
    if (field->type() == google::protobuf::FieldDescriptor::TYPE_MESSAGE) {
      google::protobuf::UnknownFieldSet inner;
      if (!inner.ParseFromString(unknown.length_delimited())) continue;
      const std::string path = FindInvalidString(inner, *field->message_type());
      if (!path.empty()) return absl::StrCat(field->name(), ".", path);
    }
  }
  return "";
}

}  // namespace

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer first = bytes;  // shares the slices
  {
    grpc::ProtoBufferReader reader(&first);
    if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  }
  grpc::ByteBuffer again = bytes;
  grpc::ProtoBufferReader reader(&again);
  google::protobuf::UnknownFieldSet fields;
  if (reader.status().ok() && fields.ParseFromZeroCopyStream(&reader)) {
    const std::string path = FindInvalidString(fields, *message->GetDescriptor());
    if (!path.empty()) return InvalidField("INVALID_UTF8", path, "is not valid UTF-8");
  }
  return ErrorWithReason(absl::StatusCode::kInvalidArgument, "MALFORMED_MESSAGE",
                         absl::StrCat("the bytes are not a ", message->GetDescriptor()->full_name()));
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  // Cannot fail for a message below 2 GiB, which the limits of the server keep all of them.
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace auricle::server
