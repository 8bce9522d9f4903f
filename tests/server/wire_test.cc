#include "server/runtime/wire.h"

#include <gtest/gtest.h>

#include "auricle/v1/inference.pb.h"
#include "server/runtime/error_details.h"

namespace auricle::server {
namespace {

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

TEST(WireTest, ReadsWhatItWrote) {
  v1::AskRequest sent, received;
  sent.set_question("¿Dónde está el perro? 犬は?");
  ASSERT_TRUE(ParseMessage(SerializeMessage(sent), &received).ok());
  EXPECT_EQ(received.SerializeAsString(), sent.SerializeAsString());
}

TEST(WireTest, NamesThePathOfAStringThatIsNotUtf8) {
  v1::StreamAskRequest sent, received;
  sent.mutable_query()->set_query_id("seven");
  sent.mutable_query()->set_question("caf\xE9");
  const absl::Status status = ParseMessage(SerializeMessage(sent), &received);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "INVALID_UTF8");
  EXPECT_EQ(status.message(), "query.question: is not valid UTF-8");
  EXPECT_EQ(received.query().query_id(), "seven");
}

TEST(WireTest, RefusesBytesThatAreNoMessage) {
  v1::AskRequest received;
  const absl::Status status = ParseMessage(Buffer("\xFF\xFF\xFF\xFF\xFF"), &received);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "MALFORMED_MESSAGE");
}

}  // namespace
}  // namespace auricle::server
