#include "server/inference/inference_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/runtime/log.h"
#include "server/runtime/steady_clock.h"

namespace auricle::server {
namespace {

constexpr absl::Duration kWatchEvery = absl::Milliseconds(50);
constexpr absl::Duration kStopGrace = absl::Seconds(2);
// Up to twice our own limit it is we who refuse, with details; above, gRPC refuses before it takes memory.
constexpr int64_t kTransportSlack = 2;
constexpr char kReflectionPlugin[] = "proto_server_reflection";

// Linking gRPC's reflection turns it on for every server of the process; this turns it off again.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) { return plugin->name() == kReflectionPlugin; });
  }
};

void PrepareGrpcOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

}  // namespace

v1::ServerLimits LimitsOf(const ServerConfig& config) {
  v1::ServerLimits limits;
  limits.set_max_clip_seconds(config.max_clip_seconds);
  limits.set_max_message_bytes(static_cast<uint64_t>(config.max_message_bytes));
  limits.set_max_question_bytes(static_cast<uint32_t>(config.max_question_bytes));
  limits.set_max_new_tokens(static_cast<uint32_t>(config.max_new_tokens));
  limits.set_max_queries_per_stream(static_cast<uint32_t>(config.max_queries_per_stream));
  limits.set_max_queued_requests(static_cast<uint32_t>(config.max_queued_requests));
  return limits;
}

InferenceServer::InferenceServer(const ServerConfig& config) : config_(config), limits_(LimitsOf(config)) {}

absl::StatusOr<std::unique_ptr<InferenceServer>> InferenceServer::Start(
    const ServerConfig& config, std::vector<std::shared_ptr<InferenceModel>> models,
    std::vector<std::unique_ptr<ServicePlugin>> plugins) {
  if (absl::Status status = ValidateServerConfig(config); !status.ok()) return status;
  PrepareGrpcOnce();
  std::unique_ptr<InferenceServer> server(new InferenceServer(config));
  absl::StatusOr<ModelRegistry> registry =
      ModelRegistry::Create(std::move(models), config.default_model, server->limits_);
  if (!registry.ok()) return registry.status();
  server->models_ = std::make_unique<ModelRegistry>(*std::move(registry));
  server->heard_ = std::make_unique<EncodingCache>(static_cast<size_t>(config.encoding_cache_clips));
  const SchedulerLimits scheduling{.max_queued = config.max_queued_requests,
                                   .max_queued_audio_seconds = config.max_queued_audio_seconds,
                                   .max_running = config.max_running_requests};
  server->engine_ = std::make_unique<Engine>(scheduling, server->metrics_);
  server->streams_ = std::make_unique<StreamRegistry>(
      static_cast<size_t>(config.max_streams), static_cast<uint64_t>(config.max_stream_audio_bytes), server->metrics_);
  server->context_ = std::make_unique<ServingContext>(ServingContext{.config = server->config_,
                                                                     .limits = server->limits_,
                                                                     .models = *server->models_,
                                                                     .engine = *server->engine_,
                                                                     .metrics = server->metrics_,
                                                                     .heard = *server->heard_});
  server->spatial_qa_ = std::make_unique<SpatialQaService>(*server->context_, *server->streams_);
  server->model_control_ = std::make_unique<ModelControlService>(*server->models_);
  server->plugins_ = std::move(plugins);
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  server->watch_ = std::thread([raw = server.get()] { raw->Watch(); });
  return server;
}

absl::Status InferenceServer::Listen() {
  if (!config_.metrics_listen.empty()) {
    absl::StatusOr<std::unique_ptr<MetricsServer>> metrics_server =
        MetricsServer::Start(config_.metrics_listen, metrics_);
    if (!metrics_server.ok()) return metrics_server.status();
    metrics_server_ = *std::move(metrics_server);
  }
  grpc::ServerBuilder builder;
  if (!config_.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<int64_t>(config_.max_message_bytes * kTransportSlack, INT32_MAX)));
  grpc::ResourceQuota transport;
  transport.Resize(static_cast<size_t>(config_.max_transport_bytes));
  builder.SetResourceQuota(transport);
  // Two servers on one port would share it silently.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A client whose network is cut sends no goodbye: ping quiet connections, and let clients ping too.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  int port = 0;
  builder.AddListeningPort(config_.listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(spatial_qa_.get());
  builder.RegisterService(model_control_.get());
  for (const auto& plugin : plugins_) {
    for (grpc::Service* service : plugin->Services()) builder.RegisterService(service);
  }
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("listen: cannot serve on ", config_.listen));
  }
  address_ = absl::StrCat(config_.listen.substr(0, config_.listen.rfind(':')), ":", port);
  for (const char* name : {"", v1::SpatialQa::service_full_name(), v1::ModelControl::service_full_name()}) {
    server_->GetHealthCheckService()->SetServingStatus(name, true);
  }
  return absl::OkStatus();
}

InferenceServer::~InferenceServer() { Stop(); }

std::string InferenceServer::metrics_address() const {
  return metrics_server_ == nullptr ? "" : metrics_server_->address();
}

void InferenceServer::StartDrain() {
  {
    MutexLock lock(mutex_);
    draining_ = true;
  }
  server_->GetHealthCheckService()->SetServingStatus(false);
  engine_->StartDrain();
  for (const auto& plugin : plugins_) plugin->StartDrain();
  streams_->StartDrain();
}

bool InferenceServer::Idle() const {
  return engine_->Idle() && streams_->empty() &&
         std::all_of(plugins_.begin(), plugins_.end(), [](const auto& plugin) { return plugin->Idle(); });
}

void InferenceServer::Stop() {
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (server_ != nullptr) {
    StartDrain();
    engine_->Stop();
    server_->Shutdown(absl::ToChronoTime(absl::Now() + kStopGrace));
    server_->Wait();
    for (const auto& plugin : plugins_) plugin->Stop();
  } else if (engine_ != nullptr) {
    engine_->Stop();
  }
  if (watch_.joinable()) watch_.join();
  server_.reset();
  metrics_server_.reset();
}

void InferenceServer::Watch() {
  bool serving = true;
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) changed_.WaitFor(mutex_, kWatchEvery);
      if (stopping_) return;
      if (!draining_) {
        const bool stalled = engine_->Stalled(absl::Seconds(config_.stalled_seconds));
        if (serving == stalled) {
          serving = !stalled;
          server_->GetHealthCheckService()->SetServingStatus(serving);
          metrics_.engine_healthy.Set(serving ? 1 : 0);
          Log(serving ? LogLevel::kInfo : LogLevel::kError, serving ? "engine_moves_again" : "engine_stands_still", {});
        }
      }
    }
    streams_->Tick(SteadyNow());
  }
}

}  // namespace auricle::server
