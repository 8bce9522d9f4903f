#include "tests/proto/compatibility.h"

#include "absl/strings/str_cat.h"

namespace auricle::proto_test {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::ServiceDescriptorProto;

using Lines = std::vector<std::string>;

// The element of `items` with the same name, or nullptr.
template <typename Items>
auto FindByName(const Items& items, const std::string& name) -> decltype(&*items.begin()) {
  for (const auto& item : items) {
    if (item.name() == name) return &item;
  }
  return nullptr;
}

std::string OneofName(const DescriptorProto& message, const FieldDescriptorProto& field) {
  return field.has_oneof_index() ? message.oneof_decl(field.oneof_index()).name() : "";
}

void CompareEnum(const std::string& scope, const EnumDescriptorProto& before, const EnumDescriptorProto& after,
                 Lines& lines) {
  for (const auto& value : before.value()) {
    const std::string path = absl::StrCat(scope, before.name(), ".", value.name());
    const auto* now = FindByName(after.value(), value.name());
    if (now == nullptr) {
      lines.push_back(absl::StrCat(path, ": removed"));
    } else if (now->number() != value.number()) {
      lines.push_back(absl::StrCat(path, ": number was ", value.number(), ", is ", now->number()));
    }
  }
}

void CompareMessage(const std::string& scope, const DescriptorProto& before, const DescriptorProto& after,
                    Lines& lines) {
  const std::string inner = absl::StrCat(scope, before.name(), ".");
  for (const auto& field : before.field()) {
    const std::string path = absl::StrCat(inner, field.name());
    const auto* now = FindByName(after.field(), field.name());
    if (now == nullptr) {
      lines.push_back(absl::StrCat(path, ": removed"));
      continue;
    }
    if (now->number() != field.number()) {
      lines.push_back(absl::StrCat(path, ": number was ", field.number(), ", is ", now->number()));
    }
    if (now->type() != field.type() || now->type_name() != field.type_name()) {
      lines.push_back(absl::StrCat(path, ": type changed"));
    }
    if (now->label() != field.label() || now->proto3_optional() != field.proto3_optional()) {
      lines.push_back(absl::StrCat(path, ": label changed"));
    }
    if (OneofName(before, field) != OneofName(after, *now)) lines.push_back(absl::StrCat(path, ": oneof changed"));
  }
  for (const auto& nested : before.nested_type()) {
    const auto* now = FindByName(after.nested_type(), nested.name());
    if (now == nullptr) {
      lines.push_back(absl::StrCat(inner, nested.name(), ": removed"));
    } else {
      CompareMessage(inner, nested, *now, lines);
    }
  }
  for (const auto& nested : before.enum_type()) {
    const auto* now = FindByName(after.enum_type(), nested.name());
    if (now == nullptr) {
      lines.push_back(absl::StrCat(inner, nested.name(), ": removed"));
    } else {
      CompareEnum(inner, nested, *now, lines);
    }
  }
}

void CompareService(const std::string& scope, const ServiceDescriptorProto& before, const ServiceDescriptorProto& after,
                    Lines& lines) {
  for (const auto& method : before.method()) {
    const std::string path = absl::StrCat(scope, before.name(), ".", method.name());
    const auto* now = FindByName(after.method(), method.name());
    if (now == nullptr) {
      lines.push_back(absl::StrCat(path, ": removed"));
      continue;
    }
    if (now->input_type() != method.input_type() || now->output_type() != method.output_type()) {
      lines.push_back(absl::StrCat(path, ": request or response type changed"));
    }
    if (now->client_streaming() != method.client_streaming() || now->server_streaming() != method.server_streaming()) {
      lines.push_back(absl::StrCat(path, ": streaming changed"));
    }
  }
}

// Where a message, enum or service lives may change (wire and API do not see files): all files are one list.
template <typename Item, typename Member, typename Compare>
void CompareAll(const FileDescriptorSet& before, const FileDescriptorSet& after, const std::string& package,
                Member member, Compare compare, Lines& lines) {
  const std::string scope = absl::StrCat(package, ".");
  for (const auto& file : before.file()) {
    if (file.package() != package) continue;
    for (const Item& item : (file.*member)()) {
      const Item* now = nullptr;
      for (const auto& other : after.file()) {
        if (other.package() == package && now == nullptr) now = FindByName((other.*member)(), item.name());
      }
      if (now == nullptr) {
        lines.push_back(absl::StrCat(scope, item.name(), ": removed"));
      } else {
        compare(scope, item, *now, lines);
      }
    }
  }
}

}  // namespace

std::vector<std::string> BreakingChanges(const FileDescriptorSet& before, const FileDescriptorSet& after,
                                         const std::string& package) {
  using google::protobuf::FileDescriptorProto;
  using google::protobuf::RepeatedPtrField;
  Lines lines;
  using Messages = const RepeatedPtrField<DescriptorProto>& (FileDescriptorProto::*)() const;
  using Enums = const RepeatedPtrField<EnumDescriptorProto>& (FileDescriptorProto::*)() const;
  using Services = const RepeatedPtrField<ServiceDescriptorProto>& (FileDescriptorProto::*)() const;
  CompareAll<DescriptorProto>(before, after, package, static_cast<Messages>(&FileDescriptorProto::message_type),
                              CompareMessage, lines);
  CompareAll<EnumDescriptorProto>(before, after, package, static_cast<Enums>(&FileDescriptorProto::enum_type),
                                  CompareEnum, lines);
  CompareAll<ServiceDescriptorProto>(before, after, package, static_cast<Services>(&FileDescriptorProto::service),
                                     CompareService, lines);
  return lines;
}

}  // namespace auricle::proto_test
