// A decoder-only transformer of the Llama / Qwen2 family: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
//
// It works on embeddings, not ids, so that audio tokens can stand among the words, and it stops before the vocabulary
// head, so that training computes the head only where there are targets.
//
// Shapes: B rows, T new positions, S = cached + T positions in all, d = hidden_size.
//
// These are tensor-level functions: a wrong shape throws c10::Error, as ATen's own do. The callers at the library's
// edge (generate/, spatial_lalm.h, train/) turn that into a Status.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/tensors.h"
#include "model/decoder/decoder_config.h"
#include "model/decoder/kv_cache.h"

namespace auricle::model {

// One layer's weights, [out, in] as at::linear takes them. Undefined where the configuration has no such bias.
struct DecoderLayer {
  at::Tensor input_layernorm;           // [d]
  at::Tensor q_proj, q_bias;            // [heads * head_dim, d], [heads * head_dim]
  at::Tensor k_proj, k_bias;            // [kv_heads * head_dim, d], [kv_heads * head_dim]
  at::Tensor v_proj, v_bias;            // as k
  at::Tensor o_proj, o_bias;            // [d, heads * head_dim], [d]
  at::Tensor post_attention_layernorm;  // [d]
  at::Tensor gate_proj, gate_bias;      // [intermediate, d], [intermediate]
  at::Tensor up_proj, up_bias;          // as gate
  at::Tensor down_proj, down_bias;      // [d, intermediate], [d]
};

// Forward, Embed, Logits and Step only read the weights: safe from several threads at once, each with its own cache.
class Decoder {
 public:
  // For training from scratch: normal(0, 0.02), the projections that write into the residual stream (o_proj, down_proj)
  // by 0.02 / sqrt(2 * layers) (GPT-2), norms 1, biases 0. float32 leaf tensors that require gradients.
  static absl::StatusOr<Decoder> Random(const DecoderConfig& config, at::Generator generator);

  // Takes the tensors of the configuration under `prefix` + Hugging Face's names
  // ("model.layers.0.self_attn.q_proj.weight",
  // ...), converted to `dtype`. No gradients required (SetRequiresGrad). A stored lm_head.weight is ignored, as
  // transformers does, where the configuration ties it to the embedding. Errors: as CheckpointTensors::Take.
  static absl::StatusOr<Decoder> FromCheckpoint(const DecoderConfig& config, CheckpointTensors& tensors,
                                                const std::string& prefix, at::ScalarType dtype);

  const DecoderConfig& config() const { return config_; }
  at::ScalarType dtype() const { return embed_tokens_.scalar_type(); }

  // Hugging Face's names and the tensors themselves (shared, not copied): for optimisers, checkpoints, LoRA.
  NamedTensors NamedParameters() const;
  // Makes all weights leaves that require gradients, or stops it.
  void SetRequiresGrad(bool requires_grad);
  // The decoder whose weights are change(name, weight); a weight that comes back as it is stays shared.
  Decoder Mapped(const std::function<at::Tensor(const std::string& name, const at::Tensor& weight)>& change) const;
  // Replaces every weight by its conversion; for inference in bf16 after training in float32.
  void ConvertTo(at::ScalarType dtype);

  // ids: int64 [B, T] or [T], each in [0, vocab_size). Returns [B, T, d] or [T, d].
  at::Tensor Embed(const at::Tensor& ids) const;

  // embeds [B, T, d]; positions int64 [B, T] (rotary angle of each new position; restarts and gaps are fine).
  // mask: bool, [B, 1, T, S] or broadcastable to it, true where a query may look at a key; undefined means causal.
  // A query that may look at nothing is allowed to see everything, since an empty softmax is NaN and spreads.
  // cache: null, or what came before; the new keys and values are appended (no gradients then). Throws when it is full.
  // residuals: where not null, receives the residual stream after each layer, before the final norm, for tests.
  // Returns hidden states after the final norm, [B, T, d].
  at::Tensor Forward(const at::Tensor& embeds, const at::Tensor& positions, const at::Tensor& mask = {},
                     KvCache* cache = nullptr, std::vector<at::Tensor>* residuals = nullptr) const;

  // One new position for each of N independent requests whose caches differ in length; caches[i] has batch 1 and room
  // for one more. The projections run for all N together, attention for each by itself. embeds [N, d], positions int64
  // [N]. Returns [N, d]. Equal to N calls of Forward up to rounding.
  at::Tensor Step(const at::Tensor& embeds, const at::Tensor& positions, std::span<KvCache* const> caches) const;

  // hidden [..., d] after the final norm -> logits [..., vocab_size], in the hidden states' dtype.
  at::Tensor Logits(const at::Tensor& hidden) const;

  const std::vector<DecoderLayer>& layers() const { return layers_; }

 private:
  explicit Decoder(const DecoderConfig& config);
  template <typename Visitor>
  void VisitParameters(Visitor visit);
  at::Tensor Norm(const at::Tensor& x, const at::Tensor& weight) const;
  at::Tensor FeedForward(const DecoderLayer& layer, const at::Tensor& x) const;

  DecoderConfig config_;
  at::Tensor embed_tokens_;  // [vocab, d]
  std::vector<DecoderLayer> layers_;
  at::Tensor norm_;               // [d]
  at::Tensor lm_head_;            // [vocab, d]; the embedding itself where tied
  at::Tensor inverse_frequency_;  // float32 [head_dim / 2]
};

}  // namespace auricle::model
