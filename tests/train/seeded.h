// A random generator of known seed.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace auricle::train {

inline at::Generator Seeded(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

}  // namespace auricle::train
