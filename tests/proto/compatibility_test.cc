#include "tests/proto/compatibility.h"

#include <fstream>
#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace auricle::proto_test {
namespace {

using google::protobuf::FileDescriptorSet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

FileDescriptorSet Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  FileDescriptorSet set;
  EXPECT_TRUE(file.good() && set.ParseFromString(bytes.str())) << path;
  return set;
}

FileDescriptorSet Current() { return Read(AURICLE_DESCRIPTOR_SET); }

google::protobuf::FileDescriptorProto* File(FileDescriptorSet& set, const std::string& name) {
  for (auto& file : *set.mutable_file()) {
    if (file.name() == name) return &file;
  }
  ADD_FAILURE() << name;
  return nullptr;
}

TEST(Protocol, OnlyAddsToTheCommittedSnapshot) {
  const FileDescriptorSet snapshot = Read(AURICLE_SOURCE_DIR "/tests/proto/auricle.v1.binpb");
  EXPECT_THAT(BreakingChanges(snapshot, Current(), "auricle.v1"), IsEmpty())
      << "Clients in the field would break. An intended addition needs no new snapshot; to freeze additions run "
         "./run build && cp build/release/proto/auricle.v1.binpb tests/proto/";
}

TEST(Protocol, HasTheFiveServicesBesideHealth) {
  const FileDescriptorSet current = Current();
  std::set<std::string> services;
  for (const auto& file : current.file()) {
    if (file.package() != "auricle.v1") continue;
    for (const auto& service : file.service()) services.insert(service.name());
  }
  EXPECT_THAT(services, ElementsAre("ModelControl", "PolicyStore", "SpatialQa", "TrainingControl", "WorkCoordinator"));
}

TEST(BreakingChanges, AreNoneAfterAnAddition) {
  FileDescriptorSet after = Current();
  auto* field = File(after, "auricle/v1/question.proto")->mutable_message_type(0)->add_field();
  field->set_name("added");
  field->set_number(1000);
  EXPECT_THAT(BreakingChanges(Current(), after, "auricle.v1"), IsEmpty());
}

TEST(BreakingChanges, NameARenumberedField) {
  FileDescriptorSet after = Current();
  File(after, "auricle/v1/question.proto")->mutable_message_type(0)->mutable_field(0)->set_number(77);
  EXPECT_THAT(BreakingChanges(Current(), after, "auricle.v1"),
              ElementsAre("auricle.v1.Question.id: number was 1, is 77"));
}

TEST(BreakingChanges, NameARemovedFieldMethodAndEnumValue) {
  FileDescriptorSet after = Current();
  File(after, "auricle/v1/question.proto")->mutable_message_type(0)->mutable_field()->RemoveLast();
  auto* inference = File(after, "auricle/v1/inference.proto");
  inference->mutable_service(0)->mutable_method()->RemoveLast();
  File(after, "auricle/v1/audio.proto")->mutable_enum_type(0)->mutable_value()->RemoveLast();
  EXPECT_THAT(BreakingChanges(Current(), after, "auricle.v1"),
              ElementsAre("auricle.v1.Question.key: removed", "auricle.v1.FoaFormat.FOA_FORMAT_N3D: removed",
                          "auricle.v1.SpatialQa.StreamAsk: removed"));
}

TEST(BreakingChanges, NameAChangedTypeAndStreaming) {
  FileDescriptorSet after = Current();
  File(after, "auricle/v1/question.proto")
      ->mutable_message_type(0)
      ->mutable_field(0)
      ->set_type(google::protobuf::FieldDescriptorProto::TYPE_BYTES);
  File(after, "auricle/v1/inference.proto")->mutable_service(0)->mutable_method(1)->set_client_streaming(false);
  EXPECT_THAT(BreakingChanges(Current(), after, "auricle.v1"),
              ElementsAre("auricle.v1.Question.id: type changed", "auricle.v1.SpatialQa.StreamAsk: streaming changed"));
}

}  // namespace
}  // namespace auricle::proto_test
