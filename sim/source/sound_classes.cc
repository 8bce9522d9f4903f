#include "sim/source/sound_classes.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace auricle::sim {
namespace internal {
extern const char* const kClassesTsv;  // classes_tsv.cc, made by CMake
}

namespace {

std::vector<SoundClass> ParseTable() {
  std::vector<SoundClass> classes;
  bool header = true;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(internal::kClassesTsv, '\n', absl::SkipEmpty()))) {
    if (header) {
      header = false;
      continue;
    }
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() == 5) classes.push_back({cells[0], cells[1], cells[2], cells[3], cells[4]});
  }
  return classes;
}

}  // namespace

std::span<const SoundClass> SoundClasses() {
  static const auto* const classes = new std::vector<SoundClass>(ParseTable());
  return *classes;
}

int FindSoundClass(std::string_view name) {
  const std::span<const SoundClass> classes = SoundClasses();
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace auricle::sim
