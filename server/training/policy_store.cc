#include "server/training/policy_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/sha256.h"
#include "server/runtime/error_details.h"
#include "server/runtime/grpc_order.h"

namespace auricle::server {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunkBytes = 1 << 20;
constexpr char kSuffix[] = ".safetensors";

absl::StatusOr<v1::PolicyVersion> Describe(const std::string& run_id, uint64_t version, const std::string& path) {
  absl::StatusOr<std::string> sha256 = model::Sha256OfFile(path);
  if (!sha256.ok()) return sha256.status();
  v1::PolicyVersion description;
  description.set_run_id(run_id);
  description.set_version(version);
  description.set_sha256(*std::move(sha256));
  description.set_size_bytes(fs::file_size(path));
  return description;
}

}  // namespace

// One client's fetch: reads and writes a chunk at a time from its own open file, which outlives a removal by the store.
class PolicyStore::Fetch final : public grpc::ServerWriteReactor<v1::WeightsChunk> {
 public:
  Fetch(const std::string& path, uint64_t offset) : file_(path, std::ios::binary), offset_(offset) {
    if (!file_.is_open()) {  // removed since it was looked up
      End(grpc::Status(grpc::StatusCode::NOT_FOUND, "version: is not kept any more; watch for a newer one"));
      return;
    }
    file_.seekg(static_cast<std::streamoff>(offset));
    Next();
  }

  explicit Fetch(const absl::Status& error) { End(ToGrpcStatus(error)); }

  void OnWriteDone(bool ok) override {
    TakeFromGrpc(this);
    if (!ok) {
      End(grpc::Status::CANCELLED);
    } else {
      Next();
    }
  }

  void OnDone() override {
    TakeFromGrpc(this);
    delete this;
  }

 private:
  void End(const grpc::Status& status) {
    HandToGrpc(this);
    Finish(status);
  }

  void Next() {
    std::string* data = chunk_.mutable_data();
    data->resize(kChunkBytes);
    file_.read(data->data(), kChunkBytes);
    data->resize(static_cast<size_t>(file_.gcount()));
    if (data->empty()) {
      End(file_.bad() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the weights cannot be read") : grpc::Status::OK);
      return;
    }
    chunk_.set_offset(offset_);
    offset_ += data->size();
    HandToGrpc(this);
    StartWrite(&chunk_);
  }

  std::ifstream file_;
  uint64_t offset_ = 0;
  v1::WeightsChunk chunk_;
};

absl::StatusOr<std::unique_ptr<PolicyStore>> PolicyStore::Open(const std::string& folder, uint32_t kept) {
  if (kept == 0) return absl::InvalidArgumentError("kept: is 0, must be at least 1");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  std::unique_ptr<PolicyStore> store(new PolicyStore(folder, kept));
  if (absl::Status status = store->TakeUp(); !status.ok()) return status;
  return store;
}

PolicyStore::PolicyStore(std::string folder, uint32_t kept) : folder_(std::move(folder)), kept_(kept) {}

PolicyStore::~PolicyStore() { Stop(); }

absl::Status PolicyStore::TakeUp() {
  absl::MutexLock lock(&mu_);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != kSuffix) continue;
    const std::string stem = entry.path().stem().string();
    const size_t dash = stem.rfind('-');
    uint64_t version = 0;
    if (dash == std::string::npos || !absl::SimpleAtoi(stem.substr(dash + 1), &version)) continue;
    absl::StatusOr<v1::PolicyVersion> description = Describe(stem.substr(0, dash), version, entry.path().string());
    if (!description.ok()) return description.status();
    versions_[stem.substr(0, dash)][version] = *std::move(description);
  }
  return absl::OkStatus();
}

std::string PolicyStore::FileOf(const std::string& run_id, uint64_t version) const {
  return absl::StrCat(folder_, "/", run_id, "-", version, kSuffix);
}

absl::Status PolicyStore::Publish(const std::string& run_id, uint64_t version, const std::string& weights) {
  if (version <= Newest(run_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("version: is ", version, ", must be above the newest one, ", Newest(run_id)));
  }
  const std::string path = FileOf(run_id, version);
  const std::string_view pieces[] = {weights};
  if (absl::Status status = model::WriteFileAtomically(path, pieces); !status.ok()) return status;
  absl::StatusOr<v1::PolicyVersion> description = Describe(run_id, version, path);
  if (!description.ok()) return description.status();

  {
    absl::MutexLock lock(&mu_);
    auto& run = versions_[run_id];
    run[version] = *std::move(description);
    while (run.size() > kept_) {
      std::error_code ignored;
      fs::remove(FileOf(run_id, run.begin()->first), ignored);
      run.erase(run.begin());
    }
  }
  watches_.Notify();
  return absl::OkStatus();
}

uint64_t PolicyStore::Newest(const std::string& run_id) const {
  absl::MutexLock lock(&mu_);
  const auto run = versions_.find(run_id);
  return run == versions_.end() || run->second.empty() ? 0 : run->second.rbegin()->first;
}

absl::StatusOr<std::string> PolicyStore::PathOf(const std::string& run_id, uint64_t version) const {
  absl::MutexLock lock(&mu_);
  const auto run = versions_.find(run_id);
  if (run == versions_.end() || run->second.count(version) == 0) {
    return ErrorWithReason(absl::StatusCode::kNotFound, "POLICY_NOT_FOUND",
                           absl::StrCat("run '", run_id, "' has no policy ", version));
  }
  return FileOf(run_id, version);
}

void PolicyStore::Stop() { watches_.Stop(); }

grpc::ServerWriteReactor<v1::PolicyVersion>* PolicyStore::WatchPolicy(grpc::CallbackServerContext*,
                                                                      const v1::WatchPolicyRequest* request) {
  using Pull = Watches<v1::PolicyVersion>::Pull;
  return watches_.Add(
      [this, run_id = request->run_id(), sent = request->known_version()](v1::PolicyVersion* message) mutable {
        // A slow reader is sent the newest version when it is ready and never the ones between.
        absl::MutexLock lock(&mu_);
        const auto run = versions_.find(run_id);
        if (run == versions_.end() || run->second.empty() || run->second.rbegin()->first <= sent) return Pull::kNothing;
        *message = run->second.rbegin()->second;
        sent = message->version();
        return Pull::kMessage;
      });
}

grpc::ServerWriteReactor<v1::WeightsChunk>* PolicyStore::FetchWeights(grpc::CallbackServerContext*,
                                                                      const v1::FetchWeightsRequest* request) {
  const absl::StatusOr<std::string> path = PathOf(request->run_id(), request->version());
  if (!path.ok()) return new Fetch(path.status());
  std::error_code error;
  const uint64_t size = fs::file_size(*path, error);
  if (error || request->offset() > size) {
    return new Fetch(ErrorWithReason(absl::StatusCode::kOutOfRange, "OFFSET_OUT_OF_RANGE",
                                     absl::StrCat("offset: is ", request->offset(), ", must be in [0, ", size, "]")));
  }
  return new Fetch(*path, request->offset());
}

}  // namespace auricle::server
