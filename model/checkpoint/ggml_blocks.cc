#include "model/checkpoint/ggml_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

constexpr std::array<GgmlBlock, 8> kBlocks = {{
    {GgmlType::kF32, 0, "F32", 1, 4},
    {GgmlType::kF16, 1, "F16", 1, 2},
    {GgmlType::kQ4_0, 2, "Q4_0", 32, 18},
    {GgmlType::kQ4_1, 3, "Q4_1", 32, 20},
    {GgmlType::kQ8_0, 8, "Q8_0", 32, 34},
    {GgmlType::kQ4_K, 12, "Q4_K", 256, 144},
    {GgmlType::kQ6_K, 14, "Q6_K", 256, 210},
    {GgmlType::kBf16, 30, "BF16", 1, 2},
}};

// Types that exist and are not read: for the message alone.
constexpr std::pair<uint32_t, std::string_view> kOthers[] = {{6, "Q5_0"},  {7, "Q5_1"},  {9, "Q8_1"}, {10, "Q2_K"},
                                                             {11, "Q3_K"}, {13, "Q5_K"}, {15, "Q8_K"}};

uint16_t Word(const std::byte* at) {
  return static_cast<uint16_t>(std::to_integer<unsigned>(at[0]) | std::to_integer<unsigned>(at[1]) << 8);
}

// IEEE 754 binary16.
float Half(const std::byte* at) {
  const uint32_t bits = Word(at);
  const uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0) {  // zero and subnormals: fraction times 2^-24
    const float size = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -size : size;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

unsigned U8(const std::byte* at) { return std::to_integer<unsigned>(*at); }
int I8(const std::byte* at) { return static_cast<int8_t>(std::to_integer<unsigned char>(*at)); }

// d, then 32 signed bytes.
void BlockQ8_0(const std::byte* in, float* out) {
  const float d = Half(in);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(I8(in + 2 + i));
}

// d, then 16 bytes: low nibbles are numbers 0..15, high ones 16..31, each less 8.
void BlockQ4_0(const std::byte* in, float* out) {
  const float d = Half(in);
  for (int i = 0; i < 16; ++i) {
    const unsigned pair = U8(in + 2 + i);
    out[i] = d * static_cast<float>(static_cast<int>(pair & 15) - 8);
    out[i + 16] = d * static_cast<float>(static_cast<int>(pair >> 4) - 8);
  }
}

// d, m, then nibbles as in Q4_0: d q + m.
void BlockQ4_1(const std::byte* in, float* out) {
  const float d = Half(in), m = Half(in + 2);
  for (int i = 0; i < 16; ++i) {
    const unsigned pair = U8(in + 4 + i);
    out[i] = d * static_cast<float>(pair & 15) + m;
    out[i + 16] = d * static_cast<float>(pair >> 4) + m;
  }
}

// d, dmin, 12 bytes with eight scales and eight minima of six bits, 128 bytes of nibbles. Each run of 32 numbers has
// its own scale and minimum; a run of low nibbles comes before that of the high ones.
void BlockQ4_K(const std::byte* in, float* out) {
  const float d = Half(in), least = Half(in + 2);
  const std::byte* packed = in + 4;
  const std::byte* nibbles = in + 16;
  for (int run = 0; run < 8; ++run) {
    unsigned scale, minimum;
    if (run < 4) {
      scale = U8(packed + run) & 63;
      minimum = U8(packed + run + 4) & 63;
    } else {
      const unsigned low = U8(packed + run + 4);
      scale = (low & 15) | (U8(packed + run - 4) >> 6) << 4;
      minimum = low >> 4 | (U8(packed + run) >> 6) << 4;
    }
    const float step = d * static_cast<float>(scale), offset = least * static_cast<float>(minimum);
    const std::byte* from = nibbles + run / 2 * 32;
    const int shift = run % 2 * 4;
    for (int i = 0; i < 32; ++i) out[run * 32 + i] = step * static_cast<float>(U8(from + i) >> shift & 15) - offset;
  }
}

// 128 bytes of low nibbles, 64 bytes of two high bits each, 16 signed scales (one for 16 numbers), d. Less 32.
void BlockQ6_K(const std::byte* in, float* out) {
  const float d = Half(in + 208);
  for (int half = 0; half < 2; ++half) {
    const std::byte* low = in + half * 64;
    const std::byte* high = in + 128 + half * 32;
    const std::byte* scales = in + 192 + half * 8;
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int i = 0; i < 32; ++i) {
        const unsigned four = U8(low + quarter % 2 * 32 + i) >> quarter / 2 * 4 & 15;
        const unsigned two = U8(high + i) >> quarter * 2 & 3;
        const int q = static_cast<int>(four | two << 4) - 32;
        out[half * 128 + quarter * 32 + i] =
            d * static_cast<float>(I8(scales + quarter * 2 + i / 16)) * static_cast<float>(q);
      }
    }
  }
}

}  // namespace

absl::StatusOr<GgmlBlock> FindGgmlBlock(uint32_t code) {
  for (const GgmlBlock& block : kBlocks) {
    if (block.code == code) return block;
  }
  std::string_view name = "unknown";
  for (const auto& [other, other_name] : kOthers) {
    if (other == code) name = other_name;
  }
  return absl::UnimplementedError(absl::StrCat("type ", code, " (", std::string(name),
                                               ") is not read; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K and Q6_K are"));
}

const GgmlBlock& BlockOf(GgmlType type) {
  return *std::find_if(kBlocks.begin(), kBlocks.end(), [&](const GgmlBlock& block) { return block.type == type; });
}

void Dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> out) {
  if (type == GgmlType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size_bytes());
    return;
  }
  const GgmlBlock& block = BlockOf(type);
  const std::byte* in = bytes.data();
  for (float* to = out.data(); to < out.data() + out.size(); to += block.numbers, in += block.bytes) {
    switch (type) {
      case GgmlType::kF32:
        break;
      case GgmlType::kF16:
        *to = Half(in);
        break;
      case GgmlType::kBf16:
        *to = std::bit_cast<float>(static_cast<uint32_t>(Word(in)) << 16);
        break;
      case GgmlType::kQ8_0:
        BlockQ8_0(in, to);
        break;
      case GgmlType::kQ4_0:
        BlockQ4_0(in, to);
        break;
      case GgmlType::kQ4_1:
        BlockQ4_1(in, to);
        break;
      case GgmlType::kQ4_K:
        BlockQ4_K(in, to);
        break;
      case GgmlType::kQ6_K:
        BlockQ6_K(in, to);
        break;
    }
  }
}

}  // namespace auricle::model
