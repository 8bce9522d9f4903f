// What every call of SpatialQa needs of the server. All of it outlives the calls.
#pragma once

#include "server/inference/encoding_cache.h"
#include "server/inference/engine.h"
#include "server/inference/model_registry.h"
#include "server/runtime/config.h"
#include "server/runtime/metrics.h"

namespace auricle::server {

struct ServingContext {
  const ServerConfig& config;
  const v1::ServerLimits& limits;
  const ModelRegistry& models;
  Engine& engine;
  Metrics& metrics;
  EncodingCache& heard;
};

}  // namespace auricle::server
