// Random numbers that are the same on every machine, compiler and thread count.
//
// Counter-based: draw i of a stream is a hash of (key, i), so a stream has no hidden state beyond its counter, and a
// scene's stream depends on nothing but (seed, index, purpose). Distributions are written here too: those of <random>
// and of Abseil differ between implementations or processes. Logarithm, cosine and square root come from libm; scenes
// are quantities in double that no decision compares at the last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace auricle::sim {

// Not thread-safe; copy it (16 bytes and a cached normal) or derive a stream for each user with Fork.
class Random {
 public:
  explicit Random(uint64_t key) : key_(key) {}

  // Independent streams for every (seed, index, purpose). The purpose is any stable name, "room" or "train/sources".
  Random(uint64_t seed, uint64_t index, std::string_view purpose);

  // A stream of its own, independent of this one's position: the same name gives the same stream whenever it is forked.
  Random Fork(std::string_view purpose) const;
  Random Fork(uint64_t number) const;

  // 64 uniform bits.
  uint64_t Bits();
  // In [0, 1), 53 bits.
  double Uniform();
  // In [low, high); low where the interval is empty.
  double Uniform(double low, double high);
  // exp of a uniform logarithm, in [low, high]; both > 0.
  double LogUniform(double low, double high);
  // Uniform integer in [low, high], both included; low where the interval is empty. Without modulo bias.
  int64_t Int(int64_t low, int64_t high);
  // Uniform index in [0, size); size > 0.
  size_t Index(size_t size) { return static_cast<size_t>(Int(0, static_cast<int64_t>(size) - 1)); }
  bool Chance(double probability) { return Uniform() < probability; }
  // Gaussian, mean 0 and variance 1 (Box and Muller 1958).
  double Normal();
  double Normal(double mean, double deviation) { return mean + deviation * Normal(); }
  // Index drawn with probability proportional to its weight; weights >= 0 with a positive sum, else uniform.
  size_t Weighted(std::span<const double> weights);

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Index(i)]);
  }

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

// Fast white noise for audio, mean 0 and variance 1: sample i is a function of (key, i) alone. The sum of four uniform
// bytes: nearly Gaussian (kurtosis 2.7, at most 3.45 deviations), in steps of 1/148; a nanosecond a sample.
void FillNoise(uint64_t key, std::span<float> out);

}  // namespace auricle::sim
