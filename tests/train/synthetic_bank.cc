#include "tests/train/synthetic_bank.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <vector>

#include "sim/source/sound_classes.h"

namespace auricle::train {
namespace {

void WriteWav(const std::string& path, const std::vector<float>& samples, uint32_t rate) {
  std::ofstream out(path, std::ios::binary);
  const uint32_t bytes = static_cast<uint32_t>(samples.size()) * 2;
  auto u32 = [&](uint32_t v) { out.write(reinterpret_cast<const char*>(&v), 4); };
  auto u16 = [&](uint16_t v) { out.write(reinterpret_cast<const char*>(&v), 2); };
  out << "RIFF";
  u32(36 + bytes);
  out << "WAVEfmt ";
  u32(16);
  u16(1);
  u16(1);
  u32(rate);
  u32(rate * 2);
  u16(2);
  u16(16);
  out << "data";
  u32(bytes);
  for (float s : samples) u16(static_cast<uint16_t>(static_cast<int16_t>(std::lround(s * 30000))));
}

}  // namespace

void MakeSyntheticBank(const std::string& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream table(folder + "/bank.tsv");
  table << "class\tgroup\tsplit\tkind\tweight\tlicence\tseconds\thighpass_hz\tstart_seconds\tend_"
           "seconds\torigin\tpath\tauthor\ttitle\n";
  constexpr uint32_t kRate = 16000;
  const char* splits[] = {"train", "train", "train", "validation", "test"};
  for (int c = 0; c < 8; ++c) {
    const std::string name(sim::SoundClasses()[c].name);
    for (int g = 0; g < 5; ++g) {
      std::minstd_rand random(static_cast<uint32_t>(c * 10 + g + 1));
      std::vector<float> samples(kRate);
      const double frequency = 200.0 * (c + 1) * (1 + 0.05 * g);
      for (size_t i = 0; i < samples.size(); ++i) {
        const double t = static_cast<double>(i) / kRate;
        const double noise = static_cast<double>(random()) / std::minstd_rand::max() - 0.5;
        samples[i] = static_cast<float>(0.4 * std::sin(2 * std::numbers::pi * frequency * t) + 0.2 * noise);
      }
      const std::string path = name + "-" + std::to_string(g) + ".wav";
      WriteWav(folder + "/" + path, samples, kRate);
      table << name << "\t" << name << ":" << g << "\t" << splits[g] << "\tevent\t1.0\tCC0\t1.0\t0\t0\t0\ttest\t"
            << path << "\ttest\ttone\n";
    }
  }
}

}  // namespace auricle::train
