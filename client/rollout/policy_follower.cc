#include "client/rollout/policy_follower.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/work_session.h"
#include "model/checkpoint/sha256.h"

namespace auricle::client {
namespace {

namespace fs = std::filesystem;

// Between two attempts to reach the store.
constexpr absl::Duration kRetryInterval = absl::Seconds(1);

}  // namespace

PolicyFollower::PolicyFollower(std::shared_ptr<grpc::Channel> channel, std::string run_id, std::string base_folder,
                               std::string work_folder)
    : stub_(v1::PolicyStore::NewStub(std::move(channel))),
      run_id_(std::move(run_id)),
      base_folder_(std::move(base_folder)),
      work_folder_(std::move(work_folder)),
      thread_([this] { Follow(); }) {}

PolicyFollower::~PolicyFollower() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    if (watch_ != nullptr) watch_->TryCancel();
  }
  thread_.join();
}

absl::StatusOr<Policy> PolicyFollower::AtLeast(uint64_t version, absl::Duration patience) const {
  absl::MutexLock lock(&mu_);
  const auto there = [this, version]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return policy_.model != nullptr && policy_.version >= version;
  };
  if (mu_.AwaitWithTimeout(absl::Condition(&there), patience)) return policy_;
  return absl::DeadlineExceededError(absl::StrCat("no policy ", version, " or later of run '", run_id_, "' came",
                                                  last_error_.ok() ? "" : ": ", last_error_.message()));
}

void PolicyFollower::Follow() {
  while (true) {
    grpc::ClientContext context;
    v1::WatchPolicyRequest request;
    request.set_run_id(run_id_);
    {
      absl::MutexLock lock(&mu_);
      if (stopping_) return;
      watch_ = &context;
      request.set_known_version(policy_.version);
    }
    const auto reader = stub_->WatchPolicy(&context, request);
    v1::PolicyVersion version;
    bool fetched = true;
    while (fetched && reader->Read(&version)) {
      absl::StatusOr<Policy> policy = Fetch(version);
      fetched = policy.ok();
      absl::MutexLock lock(&mu_);
      last_error_ = policy.status();
      if (fetched) policy_ = *std::move(policy);
    }
    // The server takes a version that it has sent for delivered: only a new watch sends it again.
    if (!fetched) context.TryCancel();
    const grpc::Status status = reader->Finish();
    absl::MutexLock lock(&mu_);
    watch_ = nullptr;
    if (fetched && !status.ok()) last_error_ = ToStatus(status);
    mu_.AwaitWithTimeout(absl::Condition(&stopping_), kRetryInterval);
  }
}

absl::StatusOr<Policy> PolicyFollower::Fetch(const v1::PolicyVersion& version) {
  std::error_code error;
  fs::create_directories(work_folder_, error);
  for (const char* file : {"config.json", "tokenizer.json"}) {
    fs::copy_file(fs::path(base_folder_) / file, fs::path(work_folder_) / file, fs::copy_options::overwrite_existing,
                  error);
    if (error) return absl::UnavailableError(absl::StrCat(work_folder_, "/", file, ": ", error.message()));
  }
  const std::string path = absl::StrCat(work_folder_, "/model.safetensors"),
                    part = absl::StrCat(path, ".", version.version(), ".part");
  const uint64_t have = fs::exists(part) ? fs::file_size(part) : 0;
  if (have < version.size_bytes()) {
    grpc::ClientContext context;
    v1::FetchWeightsRequest request;
    request.set_run_id(run_id_);
    request.set_version(version.version());
    request.set_offset(have);
    std::ofstream file(part, std::ios::binary | std::ios::app);
    const auto reader = stub_->FetchWeights(&context, request);
    v1::WeightsChunk chunk;
    while (file && reader->Read(&chunk))
      file.write(chunk.data().data(), static_cast<std::streamsize>(chunk.data().size()));
    file.close();
    if (!file) return absl::UnavailableError(absl::StrCat(part, ": cannot be written"));
    if (const grpc::Status status = reader->Finish(); !status.ok()) return ToStatus(status);
  }
  const absl::StatusOr<std::string> sha256 = model::Sha256OfFile(part);
  if (!sha256.ok()) return sha256.status();
  if (*sha256 != version.sha256()) {
    fs::remove(part, error);
    return absl::DataLossError(
        absl::StrCat("policy ", version.version(), ": its sha256 is ", *sha256, ", must be ", version.sha256()));
  }
  fs::rename(part, path, error);
  if (error) return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
  absl::StatusOr<std::shared_ptr<const model::SpatialLalm>> loaded = model::SpatialLalm::Load(work_folder_);
  if (!loaded.ok()) return loaded.status();
  return Policy{version.version(), *std::move(loaded)};
}

}  // namespace auricle::client
