// Policies that training has published: numbered weights files that rollout workers watch for and fetch.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "auricle/v1/training.grpc.pb.h"
#include "server/training/watches.h"

namespace auricle::server {

// A folder of "<run>-<version>.safetensors" files. Publishing writes a temporary file and renames it, so a version is
// whole or absent; the newest `kept` versions of a run stay, older ones are removed. Thread-safe.
class PolicyStore final : public v1::PolicyStore::CallbackService {
 public:
  // Takes up what an earlier process left in `folder`, which is made if need be.
  static absl::StatusOr<std::unique_ptr<PolicyStore>> Open(const std::string& folder, uint32_t kept = 8);
  ~PolicyStore() override;

  // Makes `weights` (a safetensors file's bytes) the newest policy of the run. INVALID_ARGUMENT unless version is above
  // the newest one.
  absl::Status Publish(const std::string& run_id, uint64_t version, const std::string& weights);

  // 0 while nothing is published.
  uint64_t Newest(const std::string& run_id) const;

  // The file of a version. NOT_FOUND.
  absl::StatusOr<std::string> PathOf(const std::string& run_id, uint64_t version) const;

  // Ends all watches. Idempotent.
  void Stop();

  grpc::ServerWriteReactor<v1::PolicyVersion>* WatchPolicy(grpc::CallbackServerContext* context,
                                                           const v1::WatchPolicyRequest* request) override;
  grpc::ServerWriteReactor<v1::WeightsChunk>* FetchWeights(grpc::CallbackServerContext* context,
                                                           const v1::FetchWeightsRequest* request) override;

 private:
  class Fetch;

  PolicyStore(std::string folder, uint32_t kept);
  absl::Status TakeUp();
  std::string FileOf(const std::string& run_id, uint64_t version) const;

  const std::string folder_;
  const uint32_t kept_;
  mutable absl::Mutex mu_;
  std::map<std::string, std::map<uint64_t, v1::PolicyVersion>> versions_ ABSL_GUARDED_BY(mu_);
  Watches<v1::PolicyVersion> watches_;
};

}  // namespace auricle::server
