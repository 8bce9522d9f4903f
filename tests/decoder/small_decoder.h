// A decoder of random weights, small enough to run a hundred times in a test.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <memory>

#include "model/decoder/decoder.h"

namespace auricle::model {

inline DecoderConfig SmallConfig() {
  DecoderConfig config;
  config.vocab_size = 261;
  config.hidden_size = 16;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 4;
  config.intermediate_size = 24;
  config.max_position_embeddings = 64;
  return config;
}

// Weights ten times as large as for training: the tokens must matter to each other.
inline std::shared_ptr<Decoder> SmallDecoder(uint64_t seed, const DecoderConfig& config = SmallConfig()) {
  auto decoder = std::make_shared<Decoder>(Decoder::Random(config, at::detail::createCPUGenerator(seed)).value());
  decoder->SetRequiresGrad(false);
  for (auto& [name, parameter] : decoder->NamedParameters()) {
    if (parameter.dim() == 2) parameter.mul_(10);
  }
  return decoder;
}

}  // namespace auricle::model
