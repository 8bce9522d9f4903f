#include "model/decoder/lora.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/checkpoint/temporary_folder.h"
#include "tests/decoder/golden_model.h"
#include "tests/decoder/small_decoder.h"
#include "tests/model/max_difference.h"

namespace auricle::model {
namespace {

using nlohmann::json;

at::Tensor LogitsOf(const Decoder& decoder) {
  const at::Tensor ids = at::arange(12, at::kLong).unsqueeze(0) * 7;
  return decoder.Logits(decoder.Forward(decoder.Embed(ids), Counting(12)));
}

// An adapter whose every number is drawn, so that no part of it is idle.
LoraAdapter Drawn(const LoraConfig& config, const Decoder& base) {
  LoraAdapter adapter = LoraAdapter::Random(config, base, at::detail::createCPUGenerator(3)).value();
  at::NoGradGuard no_grad;
  for (auto& [name, tensor] : adapter.NamedParameters()) {
    at::Tensor(tensor).normal_(0, 0.2, at::detail::createCPUGenerator(std::hash<std::string>()(name) % 1000));
  }
  return adapter;
}

TEST(LoraTest, ANewAdapterChangesNothing) {
  at::NoGradGuard no_grad;
  const auto base = SmallDecoder(2);
  const LoraAdapter adapter = LoraAdapter::Random({}, *base, at::detail::createCPUGenerator(1)).value();
  EXPECT_TRUE(LogitsOf(adapter.Applied(*base)).equal(LogitsOf(*base)));
}

TEST(LoraTest, AddsTheScaledProductToTheTargetsAlone) {
  at::NoGradGuard no_grad;
  const auto base = SmallDecoder(2);
  LoraConfig config;
  config.rank = 3;
  config.alpha = 6;
  config.targets = {"q_proj", "down_proj"};
  for (const bool stabilised : {false, true}) {
    config.rank_stabilised = stabilised;
    const LoraAdapter adapter = Drawn(config, *base);
    std::map<std::string, at::Tensor> factors;
    for (const auto& [name, tensor] : adapter.NamedParameters()) factors[name] = tensor;
    const Decoder changed = adapter.Applied(*base);
    const NamedTensors before = base->NamedParameters(), after = changed.NamedParameters();
    int targets = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      const std::string& name = before[i].first;
      if (name.find("q_proj") == std::string::npos && name.find("down_proj") == std::string::npos) {
        EXPECT_TRUE(before[i].second.is_same(after[i].second)) << name;  // shared, not copied
        continue;
      }
      ++targets;
      const std::string place = "base_model.model." + name.substr(0, name.size() - 7);
      const at::Tensor down = factors.at(place + ".lora_A.weight"), up = factors.at(place + ".lora_B.weight");
      // Entry by entry, in double.
      const double scale = stabilised ? 6 / std::sqrt(3.0) : 2.0;
      for (int64_t row : {int64_t{0}, before[i].second.size(0) - 1}) {
        for (int64_t column : {int64_t{0}, before[i].second.size(1) - 1}) {
          double sum = before[i].second[row][column].item<double>();
          for (int64_t r = 0; r < 3; ++r) {
            sum += scale * up[row][r].item<double>() * down[r][column].item<double>();
          }
          EXPECT_NEAR(after[i].second[row][column].item<double>(), sum, 1e-5) << name;
        }
      }
    }
    EXPECT_EQ(targets, 2 * base->config().num_hidden_layers);
  }
}

TEST(LoraTest, OnlyTheAdapterLearns) {
  const auto base = SmallDecoder(2);
  base->SetRequiresGrad(false);
  const LoraAdapter adapter = Drawn({}, *base);
  LogitsOf(adapter.Applied(*base)).square().mean().backward();
  for (const auto& [name, tensor] : adapter.NamedParameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().max().item<double>(), 0) << name;
  }
  for (const auto& [name, tensor] : base->NamedParameters()) EXPECT_FALSE(tensor.grad().defined()) << name;
}

TEST(LoraTest, ComesBackFromItsFolder) {
  at::NoGradGuard no_grad;
  const TemporaryFolder folder;
  const auto base = SmallDecoder(2);
  LoraConfig config;
  config.rank = 5;
  config.rank_stabilised = true;
  config.targets = {"v_proj", "up_proj"};
  const LoraAdapter written = Drawn(config, *base);
  ASSERT_TRUE(written.Write(folder.path(), "small").ok());
  const auto read = LoraAdapter::Read(folder.path(), *base);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(LogitsOf(read->Applied(*base)).equal(LogitsOf(written.Applied(*base))));
  EXPECT_FALSE(LogitsOf(read->Applied(*base)).equal(LogitsOf(*base)));
}

TEST(LoraTest, RefusesWhatItWouldComputeOtherwise) {
  using enum absl::StatusCode;
  const TemporaryFolder folder;
  const auto base = SmallDecoder(2);
  LoraConfig config;
  config.rank = 4;
  config.targets = {"q_proj"};
  ASSERT_TRUE(Drawn(config, *base).Write(folder.path(), "small").ok());
  const json good = json::parse(std::ifstream(folder.File("adapter_config.json")));
  const auto expect = [&](const json& change, absl::StatusCode code, const std::vector<std::string>& parts) {
    json file = good;
    file.merge_patch(change);
    std::ofstream(folder.File("adapter_config.json")) << file;
    const absl::Status status = LoraAdapter::Read(folder.path(), *base).status();
    EXPECT_EQ(status.code(), code) << change << " " << status;
    for (const std::string& part : parts) {
      EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << " lacks " << part;
    }
  };
  expect({{"peft_type", "IA3"}}, kUnimplemented, {"adapter_config.json", "peft_type"});
  expect({{"use_dora", true}}, kUnimplemented, {"use_dora"});
  expect({{"bias", "all"}}, kUnimplemented, {"bias"});
  expect({{"rank_pattern", {{"q_proj", 8}}}}, kUnimplemented, {"rank_pattern"});
  expect({{"target_modules", ".*proj"}}, kUnimplemented, {"target_modules"});
  expect({{"target_modules", {"lm_head"}}}, kDataLoss, {"target_modules", "lm_head"});
  expect({{"r", nullptr}}, kDataLoss, {"r: missing"});
  expect({{"r", 0}}, kDataLoss, {"r", "1 to 4096"});
  expect({{"r", 8}}, kDataLoss, {"lora_A", "[4, ", "[8, "});
  expect({{"lora_alpha", -1}}, kDataLoss, {"lora_alpha"});
  expect({{"target_modules", {"q_proj", "k_proj"}}}, kNotFound, {"k_proj", "lora_A"});
  expect({{"target_modules", {"k_proj"}}}, kNotFound, {"k_proj"});
  std::ofstream(folder.File("adapter_config.json")) << "{";
  EXPECT_EQ(LoraAdapter::Read(folder.path(), *base).status().code(), kDataLoss);
}

TEST(LoraTest, RefusesConfigurationsOutOfRange) {
  const auto base = SmallDecoder(2);
  for (LoraConfig config : {LoraConfig{0, 32, false, {"q_proj"}}, LoraConfig{4, 0, false, {"q_proj"}},
                            LoraConfig{4, 32, false, {}}, LoraConfig{4, 32, false, {"embed_tokens"}}}) {
    EXPECT_EQ(LoraAdapter::Random(config, *base, at::detail::createCPUGenerator(1)).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace auricle::model
