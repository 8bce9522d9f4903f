#include "model/decoder/decoder.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "model/decoder/rms_norm.h"

namespace auricle::model {
namespace {

// Frequencies of rotary position embedding (Su et al. 2021, RoFormer, eq. 15), with Llama 3.1's stretching: wavelengths
// beyond original/low_freq_factor are divided by factor, those below original/high_freq_factor are kept, a linear blend
// in between (transformers, modeling_rope_utils). Computed in double: at position 8192 a float32 frequency error shows.
at::Tensor InverseFrequencies(const DecoderConfig& config) {
  const int64_t half = config.head_dim / 2;
  at::Tensor frequencies = at::empty({half}, at::kFloat);
  float* out = frequencies.data_ptr<float>();
  const Llama3RopeScaling& scaling = config.rope_scaling;
  for (int64_t i = 0; i < half; ++i) {
    double frequency =
        std::pow(config.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim));
    if (scaling.factor != 0) {
      const double turns = scaling.original_max_position_embeddings * frequency / (2 * std::numbers::pi);
      const double keep = std::clamp(
          (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor), 0.0, 1.0);
      frequency *= keep + (1 - keep) / scaling.factor;
    }
    out[i] = static_cast<float>(frequency);
  }
  return frequencies;
}

// cos and sin of every position's angles, each half-frequency twice: [..., head_dim].
struct Rotation {
  at::Tensor cos, sin;
};

Rotation RotationAt(const at::Tensor& positions, const at::Tensor& inverse_frequency, at::ScalarType dtype) {
  const at::Tensor angles = positions.to(at::kFloat).unsqueeze(-1) * inverse_frequency;
  const at::Tensor twice = at::cat({angles, angles}, -1);
  return {twice.cos().to(dtype), twice.sin().to(dtype)};
}

// x [B, heads, T, head_dim]; the pairs are (j, j + head_dim / 2), as in Hugging Face's checkpoints.
at::Tensor Rotate(const at::Tensor& x, const Rotation& rotation) {
  const std::vector<at::Tensor> halves = x.chunk(2, -1);
  return x * rotation.cos + at::cat({-halves[1], halves[0]}, -1) * rotation.sin;
}

// [B, T, heads * head_dim] -> [B, heads, T, head_dim]
at::Tensor SplitHeads(const at::Tensor& x, int64_t head_dim) {
  return x.view({x.size(0), x.size(1), -1, head_dim}).transpose(1, 2);
}

// Query head h belongs to key/value head h / group.
at::Tensor RepeatHeads(const at::Tensor& x, int64_t group) {
  if (group == 1) return x;
  return x.unsqueeze(2)
      .expand({x.size(0), x.size(1), group, x.size(2), x.size(3)})
      .reshape({x.size(0), x.size(1) * group, x.size(2), x.size(3)});
}

// query [B, heads, T, head_dim]; key, value [B, kv_heads, S, head_dim] -> [B, T, heads * head_dim]
at::Tensor Attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const at::Tensor& mask,
                  bool causal) {
  const int64_t group = query.size(1) / key.size(1);
  const at::Tensor context = at::scaled_dot_product_attention(
      query, RepeatHeads(key, group), RepeatHeads(value, group),
      mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt, /*dropout_p=*/0.0, causal);
  return context.transpose(1, 2).flatten(2);
}

std::string LayerPrefix(size_t layer) { return absl::StrCat("model.layers.", layer, "."); }

}  // namespace

Decoder::Decoder(const DecoderConfig& config)
    : config_(config),
      layers_(static_cast<size_t>(config.num_hidden_layers)),
      inverse_frequency_(InverseFrequencies(config)) {}

// Calls visit(name, tensor, shape) for each weight that the configuration has, in a fixed order.
template <typename Visitor>
void Decoder::VisitParameters(Visitor visit) {
  const int64_t d = config_.hidden_size, inner = config_.intermediate_size;
  const int64_t q = config_.num_attention_heads * config_.head_dim, kv = config_.num_key_value_heads * config_.head_dim;
  visit("model.embed_tokens.weight", embed_tokens_, {config_.vocab_size, d});
  for (size_t i = 0; i < layers_.size(); ++i) {
    DecoderLayer& layer = layers_[i];
    const std::string prefix = LayerPrefix(i);
    const auto linear = [&](const char* name, at::Tensor& weight, at::Tensor& bias, bool has_bias, int64_t out,
                            int64_t in) {
      visit(absl::StrCat(prefix, name, ".weight"), weight, {out, in});
      if (has_bias) visit(absl::StrCat(prefix, name, ".bias"), bias, {out});
    };
    visit(prefix + "input_layernorm.weight", layer.input_layernorm, {d});
    linear("self_attn.q_proj", layer.q_proj, layer.q_bias, config_.qkv_bias, q, d);
    linear("self_attn.k_proj", layer.k_proj, layer.k_bias, config_.qkv_bias, kv, d);
    linear("self_attn.v_proj", layer.v_proj, layer.v_bias, config_.qkv_bias, kv, d);
    linear("self_attn.o_proj", layer.o_proj, layer.o_bias, config_.output_bias, d, q);
    visit(prefix + "post_attention_layernorm.weight", layer.post_attention_layernorm, {d});
    linear("mlp.gate_proj", layer.gate_proj, layer.gate_bias, config_.mlp_bias, inner, d);
    linear("mlp.up_proj", layer.up_proj, layer.up_bias, config_.mlp_bias, inner, d);
    linear("mlp.down_proj", layer.down_proj, layer.down_bias, config_.mlp_bias, d, inner);
  }
  visit("model.norm.weight", norm_, {d});
  if (!config_.tie_word_embeddings) visit("lm_head.weight", lm_head_, {config_.vocab_size, d});
}

absl::StatusOr<Decoder> Decoder::Random(const DecoderConfig& config, at::Generator generator) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  try {
    Decoder decoder(config);
    const double into_residual = 0.02 / std::sqrt(2.0 * static_cast<double>(config.num_hidden_layers));
    decoder.VisitParameters([&](const std::string& name, at::Tensor& tensor, std::vector<int64_t> shape) {
      if (name.ends_with(".bias")) {
        tensor = at::zeros(shape, at::kFloat);
      } else if (name.ends_with("norm.weight")) {
        tensor = at::ones(shape, at::kFloat);
      } else {
        const bool residual = name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight");
        tensor = at::empty(shape, at::kFloat).normal_(0, residual ? into_residual : 0.02, generator);
      }
    });
    if (config.tie_word_embeddings) decoder.lm_head_ = decoder.embed_tokens_;
    decoder.SetRequiresGrad(true);
    return decoder;
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat("decoder: ", error.what()));
  }
}

absl::StatusOr<Decoder> Decoder::FromCheckpoint(const DecoderConfig& config, CheckpointTensors& tensors,
                                                const std::string& prefix, at::ScalarType dtype) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  absl::Status status;
  try {
    Decoder decoder(config);
    decoder.VisitParameters([&](const std::string& name, at::Tensor& tensor, std::vector<int64_t> shape) {
      if (!status.ok()) return;
      absl::StatusOr<at::Tensor> taken = tensors.Take(prefix + name, shape, dtype);
      if (taken.ok()) {
        tensor = *std::move(taken);
      } else {
        status = taken.status();
      }
    });
    if (!status.ok()) return status;
    if (config.tie_word_embeddings) {
      decoder.lm_head_ = decoder.embed_tokens_;
      tensors.Ignore(prefix + "lm_head.weight");
    }
    return decoder;
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat(tensors.origin(), ": ", error.what()));
  }
}

NamedTensors Decoder::NamedParameters() const {
  NamedTensors parameters;
  const_cast<Decoder*>(this)->VisitParameters([&](const std::string& name, at::Tensor& tensor, std::vector<int64_t>) {
    parameters.emplace_back(name, tensor);
  });
  return parameters;
}

void Decoder::SetRequiresGrad(bool requires_grad) {
  VisitParameters(
      [&](const std::string&, at::Tensor& tensor, std::vector<int64_t>) { tensor.set_requires_grad(requires_grad); });
}

Decoder Decoder::Mapped(
    const std::function<at::Tensor(const std::string& name, const at::Tensor& weight)>& change) const {
  Decoder mapped = *this;
  mapped.VisitParameters([&](const std::string& name, at::Tensor& tensor, std::vector<int64_t>) {
    const at::Tensor before = tensor;
    tensor = change(name, before);
  });
  if (config_.tie_word_embeddings) mapped.lm_head_ = mapped.embed_tokens_;
  return mapped;
}

void Decoder::ConvertTo(at::ScalarType dtype) {
  VisitParameters(
      [&](const std::string&, at::Tensor& tensor, std::vector<int64_t>) { tensor = tensor.detach().to(dtype); });
  if (config_.tie_word_embeddings) lm_head_ = embed_tokens_;
}

at::Tensor Decoder::Embed(const at::Tensor& ids) const { return at::embedding(embed_tokens_, ids); }

at::Tensor Decoder::Norm(const at::Tensor& x, const at::Tensor& weight) const {
  return RmsNorm(x, weight, config_.rms_norm_eps);
}

// SwiGLU (Shazeer 2020).
at::Tensor Decoder::FeedForward(const DecoderLayer& layer, const at::Tensor& x) const {
  const at::Tensor gate = at::silu(at::linear(x, layer.gate_proj, layer.gate_bias));
  return at::linear(gate * at::linear(x, layer.up_proj, layer.up_bias), layer.down_proj, layer.down_bias);
}

at::Tensor Decoder::Forward(const at::Tensor& embeds, const at::Tensor& positions, const at::Tensor& mask,
                            KvCache* cache, std::vector<at::Tensor>* residuals) const {
  TORCH_CHECK(embeds.dim() == 3 && embeds.size(2) == config_.hidden_size, "Decoder::Forward: embeds are ",
              embeds.sizes(), ", not [B, T, ", config_.hidden_size, "]");
  TORCH_CHECK(positions.sizes() == embeds.sizes().slice(0, 2), "Decoder::Forward: positions are ", positions.sizes());
  const int64_t batch = embeds.size(0), count = embeds.size(1), past = cache != nullptr ? cache->length_ : 0;
  if (cache != nullptr) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "Decoder::Forward: a cache keeps no gradients; use NoGradGuard");
    TORCH_CHECK(cache->batch() == batch && past + count <= cache->capacity(), "Decoder::Forward: ", batch, " rows of ",
                count, " positions do not fit into a cache of ", cache->batch(), " rows with ", past, " of ",
                cache->capacity(), " taken");
  }
  at::Tensor sees = mask;
  bool causal = false;
  if (sees.defined()) {
    TORCH_CHECK(sees.scalar_type() == at::kBool && sees.size(-1) == past + count,
                "Decoder::Forward: the mask must be bool with ", past + count, " keys");
    sees = sees | ~sees.any(-1, /*keepdim=*/true);
  } else if (past == 0) {
    causal = count > 1;
  } else if (count > 1) {  // the built-in causal mask is aligned to the first key, not to the last
    sees = at::ones({count, past + count}, at::TensorOptions(at::kBool).device(embeds.device())).tril(past);
  }

  at::Tensor x = embeds;
  Rotation rotation;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const DecoderLayer& layer = layers_[i];
    const at::Tensor normed = Norm(x, layer.input_layernorm);
    at::Tensor query = SplitHeads(at::linear(normed, layer.q_proj, layer.q_bias), config_.head_dim);
    at::Tensor key = SplitHeads(at::linear(normed, layer.k_proj, layer.k_bias), config_.head_dim);
    at::Tensor value = SplitHeads(at::linear(normed, layer.v_proj, layer.v_bias), config_.head_dim);
    if (!rotation.cos.defined()) {  // in the projections' dtype, which autocast decides
      rotation = RotationAt(positions.unsqueeze(1), inverse_frequency_.to(embeds.device()), query.scalar_type());
    }
    query = Rotate(query, rotation);
    key = Rotate(key, rotation);
    if (cache != nullptr) {
      const auto layer_index = static_cast<int64_t>(i);
      cache->keys_[layer_index].narrow(2, past, count).copy_(key);
      cache->values_[layer_index].narrow(2, past, count).copy_(value);
      key = cache->keys_[layer_index].narrow(2, 0, past + count).to(query.scalar_type());
      value = cache->values_[layer_index].narrow(2, 0, past + count).to(query.scalar_type());
    }
    x = x + at::linear(Attend(query, key, value, sees, causal), layer.o_proj, layer.o_bias);
    x = x + FeedForward(layer, Norm(x, layer.post_attention_layernorm));
    if (residuals != nullptr) residuals->push_back(x);
  }
  if (cache != nullptr) cache->length_ += count;
  return Norm(x, norm_);
}

at::Tensor Decoder::Step(const at::Tensor& embeds, const at::Tensor& positions,
                         std::span<KvCache* const> caches) const {
  const auto requests = static_cast<int64_t>(caches.size());
  TORCH_CHECK(embeds.dim() == 2 && embeds.size(0) == requests && embeds.size(1) == config_.hidden_size &&
                  positions.dim() == 1 && positions.size(0) == requests,
              "Decoder::Step: embeds are ", embeds.sizes(), " and positions ", positions.sizes(), " for ", requests,
              " caches");
  TORCH_CHECK(!at::GradMode::is_enabled(), "Decoder::Step: a cache keeps no gradients; use NoGradGuard");
  for (const KvCache* cache : caches) {
    TORCH_CHECK(cache->batch() == 1 && cache->length_ < cache->capacity(),
                "Decoder::Step: needs caches of one row with room for one more");
  }
  at::Tensor x = embeds;  // [N, d]
  const Rotation rotation =
      RotationAt(positions.view({1, 1, requests}), inverse_frequency_.to(embeds.device()), dtype());
  for (size_t i = 0; i < layers_.size(); ++i) {
    const DecoderLayer& layer = layers_[i];
    const auto layer_index = static_cast<int64_t>(i);
    const at::Tensor normed = Norm(x, layer.input_layernorm).unsqueeze(0);
    // [1, heads, N, head_dim]: the N requests stand where positions usually do.
    const at::Tensor query =
        Rotate(SplitHeads(at::linear(normed, layer.q_proj, layer.q_bias), config_.head_dim), rotation);
    const at::Tensor key =
        Rotate(SplitHeads(at::linear(normed, layer.k_proj, layer.k_bias), config_.head_dim), rotation);
    const at::Tensor value = SplitHeads(at::linear(normed, layer.v_proj, layer.v_bias), config_.head_dim);
    std::vector<at::Tensor> contexts;
    contexts.reserve(caches.size());
    for (int64_t n = 0; n < requests; ++n) {
      KvCache& cache = *caches[static_cast<size_t>(n)];
      cache.keys_[layer_index].narrow(2, cache.length_, 1).copy_(key.narrow(2, n, 1));
      cache.values_[layer_index].narrow(2, cache.length_, 1).copy_(value.narrow(2, n, 1));
      contexts.push_back(Attend(query.narrow(2, n, 1), cache.keys_[layer_index].narrow(2, 0, cache.length_ + 1),
                                cache.values_[layer_index].narrow(2, 0, cache.length_ + 1), {}, /*causal=*/false)
                             .squeeze(0));
    }
    x = x + at::linear(at::cat(contexts, 0), layer.o_proj, layer.o_bias);
    x = x + FeedForward(layer, Norm(x, layer.post_attention_layernorm));
  }
  for (KvCache* cache : caches) ++cache->length_;
  return Norm(x, norm_);
}

at::Tensor Decoder::Logits(const at::Tensor& hidden) const { return at::linear(hidden, lm_head_); }

}  // namespace auricle::model
