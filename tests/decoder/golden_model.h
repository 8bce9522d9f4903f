// One of the small reference models of shared/reference/golden, with what it is known to compute.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "model/decoder/decoder.h"

namespace auricle::model {

struct GoldenModel {
  static std::string Folder(const std::string& name) {
    return std::string(AURICLE_SHARED_DIR) + "/reference/golden/" + name + "/";
  }
  static bool Exists() { return std::filesystem::exists(Folder("llama-tiny")); }
  static nlohmann::json Json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }

  explicit GoldenModel(const std::string& name, const std::string& config_file = "config.json",
                       at::ScalarType dtype = at::kFloat)
      : expected(LoadTensors(Folder(name) + "expected.safetensors").value()),
        facts(Json(Folder(name) + "expected.json")) {
    const DecoderConfig config = ParseDecoderConfig(Json(Folder(name) + config_file), config_file).value();
    CheckpointTensors weights = CheckpointTensors::Open(Folder(name) + "model.safetensors").value();
    decoder = std::make_shared<Decoder>(Decoder::FromCheckpoint(config, weights, "", dtype).value());
    EXPECT_TRUE(weights.RefuseLeftovers().ok()) << weights.RefuseLeftovers();
  }

  // Embeddings of the audio case's row: those of its ids, replaced at the audio positions. [1, 24, d]
  at::Tensor AudioRow(const at::Tensor& audio) const {
    const at::Tensor embeds = decoder->Embed(expected.at("audio.input_ids"));
    return at::cat({embeds.narrow(0, 0, 6), audio, embeds.narrow(0, 12, 12)}, 0).unsqueeze(0);
  }

  std::map<std::string, at::Tensor> expected;
  nlohmann::json facts;
  std::shared_ptr<Decoder> decoder;
};

// int64 [1, count]: 0, 1, 2, ...
inline at::Tensor Counting(int64_t count) { return at::arange(count, at::kLong).unsqueeze(0); }

}  // namespace auricle::model
