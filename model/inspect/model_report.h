// What a folder or file of weights is, in words: for people who have one in front of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace auricle::model {

struct ModelReport {
  std::string path;
  std::string kind;  // "Auricle model", "decoder (Hugging Face)", "decoder (GGUF)", or empty where it is none of these
  // OK: every file was read, every tensor has the shape that the configuration gives it and holds finite numbers, and
  // the tokeniser fits. Else the reason, with file and tensor or field.
  absl::Status state;
  int64_t parameters = 0;
  int64_t bytes = 0;                                       // of all files that were read
  std::string sha256;                                      // of the weights; of the index where there are shards
  std::string summary;                                     // one line
  std::vector<std::pair<std::string, std::string>> facts;  // what --explain shows, in order
};

// Reads everything and checks everything: seconds and as much memory as the model takes in float32.
ModelReport InspectModel(const std::string& path);

// Models at `path`: itself where it is one, else those of its sub-folders and *.gguf files that look like one (a
// config.json or the ending), by name. Empty where there are none.
std::vector<std::string> FindModels(const std::string& path);

}  // namespace auricle::model
