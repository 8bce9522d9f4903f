// A bank of made-up recordings in a temporary folder: noise bursts of several lengths in six classes and three splits.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "model/audio/audio_file.h"
#include "sim/scene/random.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// Stationary noise throughout: whatever is cut from it has the same level.
inline std::shared_ptr<const SourceBank> SmallBank() {
  static const std::shared_ptr<const SourceBank> bank = [] {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(::testing::TempDir()) / ("small_bank_" + std::to_string(::getpid()));
    fs::create_directories(folder / "audio");
    std::ofstream table(folder / "bank.tsv", std::ios::binary);
    table << "class\tgroup\tsplit\tkind\tweight\tlicence\tseconds\thighpass_hz\tstart_seconds\tend_"
             "seconds\torigin\tpath\tauthor\ttitle\n";
    const std::vector<double> lengths = {0.3, 0.8, 1.4, 3.0, 7.0, 11.0};
    uint64_t key = 1;
    for (int c = 0; c < 6; ++c) {
      for (const char* split : {"train", "validation", "test"}) {
        for (int g = 0; g < 2; ++g) {
          const std::string& name = SoundClasses()[static_cast<size_t>(c)].name;
          const std::string path = "audio/" + name + "_" + split + std::to_string(g) + ".wav";
          const double seconds = lengths[static_cast<size_t>(c + g) % lengths.size()];
          audio::FoaClip clip = audio::MakeSilentClip(static_cast<size_t>(seconds * 16000), 16000);
          std::vector<float> noise(clip.frames());
          FillNoise(key++, noise);
          for (int channel = 0; channel < 4; ++channel) {
            for (size_t i = 0; i < noise.size(); ++i) clip.channel(channel)[i] = 0.05f * noise[i];
          }
          EXPECT_TRUE(audio::WriteFoaFile((folder / path).string(), clip).ok());
          table << name << "\t" << name << "-" << split << g << "\t" << split << "\tfield\t1.0\tCC0\t" << seconds
                << "\t0\t0\t0\there\t" << path << "\tnobody\tnoise\n";
        }
      }
    }
    table.close();
    auto opened = SourceBank::Open(folder.string());
    EXPECT_TRUE(opened.ok()) << opened.status();
    // Decoded once, now, so that the files may go.
    for (size_t r = 0; r < (*opened)->recordings().size(); ++r)
      EXPECT_TRUE((*opened)->LoadDry(static_cast<int>(r), 16000).ok());
    fs::remove_all(folder);
    return *opened;
  }();
  return bank;
}

}  // namespace auricle::sim
