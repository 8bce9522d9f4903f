// Damaged copies of good bytes, for tests of everything that reads bytes from outside.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace auricle::test {

// Copies differ by one to six of: a bit turned, a byte or a little-endian integer overwritten with a value that is
// often mishandled, a stretch cut out, doubled or moved, the end cut off, a word of the format's put in. Same seed,
// same copies.
class Mutator {
 public:
  // `words`: what the format is made of and what breaks naive readers of it.
  Mutator(uint64_t seed, std::vector<std::string> words) : random_(seed), words_(std::move(words)) {}

  std::string Mutate(std::string bytes);

 private:
  size_t Below(size_t bound);  // [0, bound), 0 where bound is 0
  void MutateOnce(std::string& bytes);

  std::mt19937_64 random_;
  std::vector<std::string> words_;
};

// Words of JSON that parsers of numbers, names and nesting trip over.
std::vector<std::string> JsonWords();

}  // namespace auricle::test
