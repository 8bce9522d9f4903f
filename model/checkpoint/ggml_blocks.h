// The number formats of GGUF tensors, and how their bytes become float32.
//
// Quantised types store numbers in blocks, each with scales of its own (ggml, ggml-common.h and ggml-quants.c; checked
// against gguf-py in tests/checkpoint). No LibTorch here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace auricle::model {

enum class GgmlType { kF32, kF16, kBf16, kQ8_0, kQ4_0, kQ4_1, kQ4_K, kQ6_K };

// One type's block: so many numbers in so many bytes.
struct GgmlBlock {
  GgmlType type;
  uint32_t code;  // in the file
  std::string_view name;
  int64_t numbers;
  int64_t bytes;
};

// UNIMPLEMENTED naming the code, and the name where ggml has one, for types that are not read here.
absl::StatusOr<GgmlBlock> FindGgmlBlock(uint32_t code);
const GgmlBlock& BlockOf(GgmlType type);

// Numbers of whole blocks: bytes.size() / block.bytes * block.numbers == out.size(). Bit for bit what ggml's reference
// code gives.
void Dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace auricle::model
