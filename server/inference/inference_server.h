// The serving process in one object: engine, services, health, metrics. Tests start it inside themselves; the program
// auricle-server wraps it in flags and signals (server_process.h).
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/inference/engine_model.h"
#include "server/inference/model_control_service.h"
#include "server/inference/service_plugin.h"
#include "server/inference/serving_context.h"
#include "server/inference/spatial_qa_service.h"
#include "server/inference/stream_registry.h"
#include "server/runtime/config.h"
#include "server/runtime/metrics.h"
#include "server/runtime/mutex.h"

namespace auricle::server {

class InferenceServer {
 public:
  // Binds, serves and reports healthy. INVALID_ARGUMENT: configuration or models; UNAVAILABLE: a port cannot be bound.
  static absl::StatusOr<std::unique_ptr<InferenceServer>> Start(
      const ServerConfig& config, std::vector<std::shared_ptr<InferenceModel>> models,
      std::vector<std::unique_ptr<ServicePlugin>> plugins = {});
  // As Stop().
  ~InferenceServer();

  const std::string& address() const { return address_; }  // with the real port
  std::string metrics_address() const;                     // empty: none
  Metrics& metrics() { return metrics_; }

  // NOT_SERVING, no new requests; what is in flight goes on. Streams end once their queries are finished.
  void StartDrain();
  // After StartDrain: nothing is left in flight.
  bool Idle() const;
  // Ends what is left with UNAVAILABLE, closes the ports, joins all threads. Safe to repeat.
  void Stop();

 private:
  explicit InferenceServer(const ServerConfig& config);
  absl::Status Listen();
  void Watch();

  const ServerConfig config_;
  v1::ServerLimits limits_;
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> models_;
  std::unique_ptr<EncodingCache> heard_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<StreamRegistry> streams_;
  std::unique_ptr<ServingContext> context_;
  std::unique_ptr<SpatialQaService> spatial_qa_;
  std::unique_ptr<ModelControlService> model_control_;
  std::vector<std::unique_ptr<ServicePlugin>> plugins_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<MetricsServer> metrics_server_;
  std::string address_;

  Mutex mutex_;
  ConditionVariable changed_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watch_;
};

// The limits that ModelControl tells, from the configuration.
v1::ServerLimits LimitsOf(const ServerConfig& config);

}  // namespace auricle::server
