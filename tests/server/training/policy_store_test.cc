#include "server/training/policy_store.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace auricle::server {
namespace {

class PolicyStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/policies_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    store_ = *PolicyStore::Open(folder_, 2);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(store_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::PolicyStore::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }

  void TearDown() override {
    store_->Stop();
    server_->Shutdown();
  }

  grpc::Status Fetch(uint64_t version, uint64_t offset, std::string* bytes) {
    grpc::ClientContext context;
    v1::FetchWeightsRequest request;
    request.set_run_id("run");
    request.set_version(version);
    request.set_offset(offset);
    auto reader = stub_->FetchWeights(&context, request);
    v1::WeightsChunk chunk;
    while (reader->Read(&chunk)) {
      EXPECT_EQ(chunk.offset(), offset + bytes->size());
      EXPECT_LE(chunk.data().size(), 1u << 20);
      bytes->append(chunk.data());
    }
    return reader->Finish();
  }

  std::string folder_;
  std::unique_ptr<PolicyStore> store_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::PolicyStore::Stub> stub_;
};

std::string Weights(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

TEST_F(PolicyStoreTest, SendsAPolicyWholeAndFromAnyOffset) {
  const std::string weights = Weights((5 << 20) / 2);
  ASSERT_TRUE(store_->Publish("run", 1, weights).ok());
  std::string whole, rest;
  ASSERT_TRUE(Fetch(1, 0, &whole).ok());
  EXPECT_EQ(whole, weights);
  ASSERT_TRUE(Fetch(1, 1'234'567, &rest).ok());
  EXPECT_EQ(rest, weights.substr(1'234'567));
}

TEST_F(PolicyStoreTest, SaysWhenAVersionOrOffsetIsNotThere) {
  ASSERT_TRUE(store_->Publish("run", 1, Weights(10)).ok());
  std::string bytes;
  EXPECT_EQ(Fetch(2, 0, &bytes).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Fetch(1, 11, &bytes).error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_TRUE(Fetch(1, 10, &bytes).ok());
  EXPECT_EQ(bytes, "");
}

TEST_F(PolicyStoreTest, TellsWatchersTheNewestVersionAndThenEachLaterOne) {
  ASSERT_TRUE(store_->Publish("run", 1, Weights(10)).ok());
  ASSERT_TRUE(store_->Publish("run", 2, Weights(20)).ok());
  grpc::ClientContext context;
  v1::WatchPolicyRequest request;
  request.set_run_id("run");
  auto reader = stub_->WatchPolicy(&context, request);
  v1::PolicyVersion version;
  ASSERT_TRUE(reader->Read(&version));
  EXPECT_EQ(version.version(), 2u);
  EXPECT_EQ(version.size_bytes(), 20u);
  ASSERT_TRUE(store_->Publish("another", 9, Weights(10)).ok());
  ASSERT_TRUE(store_->Publish("run", 3, Weights(30)).ok());
  ASSERT_TRUE(reader->Read(&version));
  EXPECT_EQ(version.version(), 3u);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(PolicyStoreTest, NamesAVersionByTheSha256OfItsBytes) {
  ASSERT_TRUE(store_->Publish("run", 1, "abc").ok());
  grpc::ClientContext context;
  v1::WatchPolicyRequest request;
  request.set_run_id("run");
  auto reader = stub_->WatchPolicy(&context, request);
  v1::PolicyVersion version;
  ASSERT_TRUE(reader->Read(&version));
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(version.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  context.TryCancel();
}

TEST_F(PolicyStoreTest, KeepsTheNewestVersionsOverARestart) {
  for (uint64_t version = 1; version <= 3; ++version)
    ASSERT_TRUE(store_->Publish("run", version, Weights(version)).ok());
  EXPECT_EQ(store_->Publish("run", 3, Weights(1)).code(), absl::StatusCode::kInvalidArgument);
  const auto reopened = PolicyStore::Open(folder_, 2);
  ASSERT_TRUE(reopened.ok());
  EXPECT_EQ((*reopened)->Newest("run"), 3u);
  EXPECT_EQ((*reopened)->PathOf("run", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE((*reopened)->PathOf("run", 2).ok());
}

}  // namespace
}  // namespace auricle::server
