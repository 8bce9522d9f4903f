#include "sim/dataset/manifest.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/sha256.h"
#include "nlohmann/json.hpp"

namespace auricle::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "auricle-shards/1";
constexpr size_t kMostBytes = size_t{1} << 28;
constexpr size_t kShaDigits = 64;

std::string PathOf(const std::string& folder, const std::string& file) {
  return (std::filesystem::path(folder) / file).string();
}

absl::Status Wrong(const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::StatusOr<ShardEntry> ReadEntry(const Json& json, const std::string& path, size_t at) {
  const std::string field = absl::StrCat("shards[", at, "]");
  if (!json.is_object()) return Wrong(path, absl::StrCat(field, ": must be an object"));
  const auto text = [&](const char* name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : std::string();
  };
  ShardEntry entry;
  entry.file = text("file");
  if (entry.file.empty() || entry.file.find('/') != std::string::npos || entry.file[0] == '.') {
    return Wrong(path, absl::StrCat(field, ".file: is \"", entry.file, "\", must be the name of a file beside it"));
  }
  entry.sha256 = text("sha256");
  if (entry.sha256.size() != kShaDigits || !std::ranges::all_of(entry.sha256, absl::ascii_isxdigit)) {
    return Wrong(path, absl::StrCat(field, ".sha256: must be 64 hexadecimal digits"));
  }
  for (const char* name : {"first_index", "scenes", "bytes"}) {
    if (!json.contains(name) || !json[name].is_number_unsigned()) {
      return Wrong(path, absl::StrCat(field, ".", name, ": must be a whole number, 0 or more"));
    }
  }
  entry.first_index = json["first_index"].get<uint64_t>();
  entry.scenes = json["scenes"].get<int64_t>();
  entry.bytes = json["bytes"].get<uint64_t>();
  return entry;
}

}  // namespace

const ShardEntry* Manifest::Find(const std::string& file) const {
  const auto entry = std::ranges::find(shards, file, &ShardEntry::file);
  return entry == shards.end() ? nullptr : &*entry;
}

void Manifest::Put(ShardEntry entry) {
  std::erase_if(shards, [&](const ShardEntry& old) { return old.file == entry.file; });
  const auto place = std::ranges::upper_bound(shards, entry.first_index, {}, &ShardEntry::first_index);
  shards.insert(place, std::move(entry));
}

absl::StatusOr<Manifest> ReadManifest(const std::string& folder) {
  const std::string path = PathOf(folder, kManifestName);
  const absl::StatusOr<std::string> text = model::ReadWholeFile(path, kMostBytes);
  if (!text.ok()) return text.status();
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Wrong(path, "is not a JSON object");
  if (!json.contains("format") || json["format"] != kFormat) {
    return Wrong(path, absl::StrCat("format: must be \"", kFormat, "\""));
  }
  if (!json.contains("made_from") || !json["made_from"].is_object()) return Wrong(path, "made_from: must be an object");
  if (!json.contains("shards") || !json["shards"].is_array()) return Wrong(path, "shards: must be a list");
  Manifest manifest;
  manifest.made_from = json["made_from"].dump();
  for (size_t i = 0; i < json["shards"].size(); ++i) {
    absl::StatusOr<ShardEntry> entry = ReadEntry(json["shards"][i], path, i);
    if (!entry.ok()) return entry.status();
    manifest.Put(*std::move(entry));
  }
  return manifest;
}

absl::Status WriteManifest(const std::string& folder, const Manifest& manifest) {
  Json json;
  json["format"] = kFormat;
  json["made_from"] = Json::parse(manifest.made_from, nullptr, /*allow_exceptions=*/false);
  json["shards"] = Json::array();
  for (const ShardEntry& entry : manifest.shards) {
    json["shards"].push_back({{"file", entry.file},
                              {"first_index", entry.first_index},
                              {"scenes", entry.scenes},
                              {"bytes", entry.bytes},
                              {"sha256", entry.sha256}});
  }
  const std::string text = json.dump(1) + "\n";
  const std::string_view pieces[] = {text};
  return model::WriteFileAtomically(PathOf(folder, kManifestName), pieces);
}

absl::StatusOr<ShardEntry> DescribeShard(const std::string& folder, const std::string& file, uint64_t first_index,
                                         int64_t scenes) {
  const std::string path = PathOf(folder, file);
  absl::StatusOr<std::string> sha256 = model::Sha256OfFile(path);
  if (!sha256.ok()) return sha256.status();
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return absl::NotFoundError(absl::StrCat(path, ": ", error.message()));
  return ShardEntry{file, first_index, scenes, bytes, *std::move(sha256)};
}

absl::Status CheckShard(const std::string& folder, const ShardEntry& entry) {
  const absl::StatusOr<ShardEntry> there = DescribeShard(folder, entry.file, entry.first_index, entry.scenes);
  if (!there.ok()) return there.status();
  const std::string path = PathOf(folder, entry.file);
  if (there->bytes != entry.bytes) {
    return absl::DataLossError(absl::StrCat(path, ": has ", there->bytes, " bytes, its manifest says ", entry.bytes));
  }
  if (there->sha256 != entry.sha256) {
    return absl::DataLossError(
        absl::StrCat(path, ": has the sha256 ", there->sha256, ", its manifest says ", entry.sha256));
  }
  return absl::OkStatus();
}

}  // namespace auricle::sim
