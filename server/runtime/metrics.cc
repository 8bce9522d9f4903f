#include "server/runtime/metrics.h"

#include <exception>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace auricle::server {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Registry;

prometheus::Family<prometheus::Counter>& CounterFamily(Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Counter& Counter(Registry& registry, const char* name, const char* help) {
  return CounterFamily(registry, name, help).Add({});
}
prometheus::Gauge& Gauge(Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Histogram& Histogram(Registry& registry, const char* name, const char* help,
                                 const prometheus::Histogram::BucketBoundaries& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

const prometheus::Histogram::BucketBoundaries kLatency = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                          1,     2.5,  5,     10,   30,  60};
const prometheus::Histogram::BucketBoundaries kTokenLatency = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                               0.1,   0.25,   0.5,   1,    2.5};

}  // namespace

Metrics::Metrics()
    : registry(std::make_shared<Registry>()),
      requests_(CounterFamily(*registry, "auricle_requests_total", "Requests answered or refused, by method and code")),
      streams_(CounterFamily(*registry, "auricle_streams_total", "Streams ended, by code")),
      refusals_(CounterFamily(*registry, "auricle_admission_refusals_total", "Requests that got no place, by reason")),
      requests_running(Gauge(*registry, "auricle_num_requests_running", "Requests that the engine works on")),
      requests_waiting(Gauge(*registry, "auricle_num_requests_waiting", "Requests in the queue")),
      waiting_audio_seconds(Gauge(*registry, "auricle_waiting_audio_seconds", "Audio of the requests in the queue")),
      streams_open(Gauge(*registry, "auricle_num_streams_open", "Open StreamAsk calls")),
      engine_healthy(Gauge(*registry, "auricle_engine_healthy", "1 while the engine moves, 0 when it stands still")),
      real_time_factor(Gauge(*registry, "auricle_real_time_factor",
                             "Seconds of work to hear one second of audio, for the last clip")),
      time_to_first_token(
          Histogram(*registry, "auricle_time_to_first_token_seconds", "From admission to the first token", kLatency)),
      inter_token_latency(Histogram(*registry, "auricle_inter_token_latency_seconds", "Between two tokens of an answer",
                                    kTokenLatency)),
      queue_time(Histogram(*registry, "auricle_request_queue_time_seconds", "From admission to the engine's first work",
                           kLatency)),
      end_to_end_latency(
          Histogram(*registry, "auricle_e2e_request_latency_seconds", "From admission to the end", kLatency)),
      audio_seconds(Counter(*registry, "auricle_audio_seconds_total", "Audio heard by the model, seconds")),
      prompt_tokens(Counter(*registry, "auricle_prompt_tokens_total", "Prompt tokens, audio included")),
      generation_tokens(Counter(*registry, "auricle_generation_tokens_total", "Tokens of answers")),
      prefix_cache_queries(Counter(*registry, "auricle_prefix_cache_queries_total", "Answers begun")),
      prefix_cache_hits(
          Counter(*registry, "auricle_prefix_cache_hits_total", "Answers begun on audio that had been heard already")) {
  engine_healthy.Set(1);
}

void Metrics::CountRequest(absl::string_view method, absl::string_view code) {
  requests_.Add({{"method", std::string(method)}, {"code", std::string(code)}}).Increment();
}

void Metrics::CountStream(absl::string_view code) { streams_.Add({{"code", std::string(code)}}).Increment(); }

void Metrics::CountRefusal(absl::string_view reason) { refusals_.Add({{"reason", std::string(reason)}}).Increment(); }

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& listen, const Metrics& metrics) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(listen, /*num_threads=*/1);
    exposer->RegisterCollectable(metrics.registry);
    const std::vector<int> ports = exposer->GetListeningPorts();
    const std::string host = listen.substr(0, listen.rfind(':'));
    const std::string address = absl::StrCat(host, ":", ports.empty() ? 0 : ports.front());
    return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(exposer), address));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("metrics-listen: cannot serve on ", listen, ": ", error.what()));
  }
}

MetricsServer::MetricsServer(std::unique_ptr<prometheus::Exposer> exposer, std::string address)
    : exposer_(std::move(exposer)), address_(std::move(address)) {}

}  // namespace auricle::server
