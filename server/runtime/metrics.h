// Prometheus metrics of one server, with the stems that operators of language-model servers know.
//
// Histograms are in seconds. Everything here is thread-safe and cheap enough for each token.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace auricle::server {

class Metrics {
 public:
  Metrics();

  // auricle_requests_total{method,code}: method "Ask" or "Query" (of a stream), code as gRPC spells it ("OK", ...).
  void CountRequest(absl::string_view method, absl::string_view code);
  // auricle_streams_total{code}
  void CountStream(absl::string_view code);
  // auricle_admission_refusals_total{reason}
  void CountRefusal(absl::string_view reason);

  std::shared_ptr<prometheus::Registry> registry;

 private:
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Counter>& streams_;
  prometheus::Family<prometheus::Counter>& refusals_;

 public:
  prometheus::Gauge& requests_running;         // auricle_num_requests_running
  prometheus::Gauge& requests_waiting;         // auricle_num_requests_waiting
  prometheus::Gauge& waiting_audio_seconds;    // auricle_waiting_audio_seconds
  prometheus::Gauge& streams_open;             // auricle_num_streams_open
  prometheus::Gauge& engine_healthy;           // auricle_engine_healthy
  prometheus::Gauge& real_time_factor;         // auricle_real_time_factor: seconds of work for a second of audio heard
  prometheus::Histogram& time_to_first_token;  // auricle_time_to_first_token_seconds
  prometheus::Histogram& inter_token_latency;  // auricle_inter_token_latency_seconds
  prometheus::Histogram& queue_time;           // auricle_request_queue_time_seconds
  prometheus::Histogram& end_to_end_latency;   // auricle_e2e_request_latency_seconds
  prometheus::Counter& audio_seconds;          // auricle_audio_seconds_total: heard by the model
  prometheus::Counter& prompt_tokens;          // auricle_prompt_tokens_total
  prometheus::Counter& generation_tokens;      // auricle_generation_tokens_total
  prometheus::Counter& prefix_cache_queries;   // auricle_prefix_cache_queries_total: prompts begun
  prometheus::Counter& prefix_cache_hits;      // auricle_prefix_cache_hits_total: of these, audio already heard
};

// Serves `metrics` on its own port under /metrics until destroyed.
class MetricsServer {
 public:
  // `listen`: host:port, port 0 for a free one. UNAVAILABLE when the port cannot be bound.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& listen, const Metrics& metrics);

  const std::string& address() const { return address_; }  // with the real port

 private:
  MetricsServer(std::unique_ptr<prometheus::Exposer> exposer, std::string address);
  std::unique_ptr<prometheus::Exposer> exposer_;
  std::string address_;
};

}  // namespace auricle::server
