// Settings of auricle-server: one struct, one table (config.cc) that gives each setting its name, default, range and
// help. Flags, the JSON file of --config, --help and validation are all read off that table.
//
// A flag is --name value or --name=value; --reflection and --noreflection for booleans. The file holds the same names:
// {"listen": "0.0.0.0:50051", "model": ["models/nano"], "max-queued-requests": 32}. Flags win over the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::server {

struct ServerConfig {
  std::string listen = "127.0.0.1:50051";         // host:port; port 0: any free one
  std::string metrics_listen = "127.0.0.1:9464";  // the same; empty: no metrics port
  std::vector<std::string> models;                // folders; a model's name is its folder's name
  std::string default_model;                      // empty: the first of `models`
  int threads = 0;                                // inside one operation of the model; 0: one for each core
  bool reflection = false;

  double max_clip_seconds = 30;
  int64_t max_message_bytes = 64 << 20;
  int max_question_bytes = 4096;
  int max_new_tokens = 512;
  int default_new_tokens = 128;
  int max_queries_per_stream = 16;
  int max_streams = 256;
  int64_t max_stream_audio_bytes = int64_t{4} << 30;  // histories of all streams, each counted at its full length
  int64_t max_transport_bytes = int64_t{4} << 30;     // gRPC's buffers of all connections

  int max_queued_requests = 64;
  double max_queued_audio_seconds = 600;
  int max_running_requests = 8;
  int encoding_cache_clips = 8;

  int outbox_events = 4096;
  int64_t outbox_bytes = 8 << 20;
  double slow_reader_seconds = 10;
  double stalled_seconds = 5;
  double drain_seconds = 30;

  std::string training_dir;   // the coordinator's folder; empty: this process coordinates no training
  std::string bank;           // recordings for training's scenes; empty: where ./run sounds puts them
  double lease_seconds = 30;  // how long a worker may be silent

  std::string log_format = "text";
  std::string log_level = "info";
};

// Reads flags, and the file that --config names. `arguments` without the program's name. INVALID_ARGUMENT names the
// setting and its range; NOT_FOUND: no such file. `show_help` is set where --help was given.
absl::StatusOr<ServerConfig> ParseServerConfig(const std::vector<std::string>& arguments, bool* show_help);

// Every range of the table, and what must hold between settings.
absl::Status ValidateServerConfig(const ServerConfig& config);

// What --help prints.
std::string ServerConfigHelp();

}  // namespace auricle::server
