#include "sim/scene/random.h"

#include <cmath>
#include <numbers>

namespace auricle::sim {
namespace {

// Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators": the finaliser of SplitMix64.
constexpr uint64_t kGamma = 0x9E3779B97F4A7C15ull;

constexpr uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// FNV-1a, then mixed: names differ in their last letter only.
constexpr uint64_t HashName(std::string_view name) {
  uint64_t h = 0xCBF29CE484222325ull;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return Mix(h);
}

constexpr uint64_t Combine(uint64_t a, uint64_t b) {
  return Mix(Mix(a + kGamma) ^ (b * 0xD1342543DE82EF95ull + kGamma));
}

}  // namespace

Random::Random(uint64_t seed, uint64_t index, std::string_view purpose)
    : key_(Combine(Combine(seed, index), HashName(purpose))) {}

Random Random::Fork(std::string_view purpose) const { return Random(Combine(key_, HashName(purpose))); }

Random Random::Fork(uint64_t number) const { return Random(Combine(key_ ^ 0xA5A5A5A5A5A5A5A5ull, number)); }

uint64_t Random::Bits() { return Mix(key_ + kGamma * ++counter_); }

double Random::Uniform() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }

double Random::Uniform(double low, double high) {
  if (!(high > low)) return low;
  return low + (high - low) * Uniform();
}

double Random::LogUniform(double low, double high) {
  if (!(high > low)) return low;
  return std::exp(Uniform(std::log(low), std::log(high)));
}

int64_t Random::Int(int64_t low, int64_t high) {
  if (high <= low) return low;
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  if (span == 0) return static_cast<int64_t>(Bits());
  // Reject the ragged end so that every value has the same number of preimages.
  const uint64_t limit = UINT64_MAX - (UINT64_MAX % span + 1) % span;
  uint64_t bits = Bits();
  while (bits > limit) bits = Bits();
  return static_cast<int64_t>(static_cast<uint64_t>(low) + bits % span);
}

double Random::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
  const double angle = 2.0 * std::numbers::pi * Uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

size_t Random::Weighted(std::span<const double> weights) {
  double sum = 0.0;
  for (double w : weights) sum += w;
  if (!(sum > 0.0)) return Index(weights.size());
  double target = Uniform() * sum;
  size_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0) continue;
    last = i;
    if (target < weights[i]) return i;
    target -= weights[i];
  }
  return last;
}

void FillNoise(uint64_t key, std::span<float> out) {
  // Four bytes: mean 4 * 127.5, variance 4 * (256^2 - 1) / 12.
  constexpr float kMean = 4.0f * 127.5f;
  constexpr float kScale = 1.0f / 147.80054f;
  const uint64_t base = Mix(key + kGamma);
  const auto sample = [&](uint64_t bytes) {
    const uint64_t pairs = (bytes & 0x00FF00FF) + ((bytes >> 8) & 0x00FF00FF);
    return (static_cast<float>(static_cast<int32_t>((pairs & 0xFFFF) + (pairs >> 16))) - kMean) * kScale;
  };
  for (size_t i = 0; i < out.size(); i += 2) {
    const uint64_t b = Mix(base + kGamma * (i / 2 + 1));
    out[i] = sample(b & 0xFFFFFFFF);
    if (i + 1 < out.size()) out[i + 1] = sample(b >> 32);
  }
}

}  // namespace auricle::sim
