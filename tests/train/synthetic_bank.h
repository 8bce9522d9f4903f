// A bank of recordings made of tones and noise, so that tests of learning need no downloads.
#pragma once

#include <string>

namespace auricle::train {

// Writes bank.tsv and WAV files into `folder`: eight classes, three groups each in train, one in validation and test.
void MakeSyntheticBank(const std::string& folder);

}  // namespace auricle::train
