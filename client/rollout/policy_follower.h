// Keeps the newest policy of a run loaded: watches for it, fetches it (going on where a broken fetch stopped), checks
// its sha256, loads it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "auricle/v1/training.grpc.pb.h"
#include "model/spatial_lalm.h"

namespace auricle::client {

struct Policy {
  uint64_t version = 0;
  std::shared_ptr<const model::SpatialLalm> model;
};

// Thread-safe; a thread of its own follows.
class PolicyFollower {
 public:
  // `base_folder`: the model folder whose config.json and tokenizer.json the policies share. `work_folder` receives the
  // fetched weights and is made if need be.
  PolicyFollower(std::shared_ptr<grpc::Channel> channel, std::string run_id, std::string base_folder,
                 std::string work_folder);
  ~PolicyFollower();

  // The newest policy, as soon as there is one of at least `version`. DEADLINE_EXCEEDED after `patience`, with the last
  // error of fetching or loading.
  absl::StatusOr<Policy> AtLeast(uint64_t version, absl::Duration patience) const;

 private:
  void Follow();
  absl::StatusOr<Policy> Fetch(const v1::PolicyVersion& version);

  const std::unique_ptr<v1::PolicyStore::Stub> stub_;
  const std::string run_id_;
  const std::string base_folder_;
  const std::string work_folder_;
  mutable absl::Mutex mu_;
  Policy policy_ ABSL_GUARDED_BY(mu_);
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
  grpc::ClientContext* watch_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace auricle::client
