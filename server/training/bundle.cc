#include "server/training/bundle.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/tensors.h"

namespace auricle::training {
namespace {

constexpr std::string_view kPrefix = "checkpoint-", kSuffix = ".safetensors";

// Newest first.
std::vector<std::filesystem::path> Bundles(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) found.push_back(entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

}  // namespace

absl::Status WriteBundle(const std::string& folder, const Bundle& bundle) {
  model::NamedTensors tensors(bundle.tensors.begin(), bundle.tensors.end());
  const std::map<std::string, std::string> metadata = {{"step", absl::StrCat(bundle.step)},
                                                       {"total_steps", absl::StrCat(bundle.total_steps)},
                                                       {"seconds", absl::StrCat(bundle.seconds)},
                                                       {"config", bundle.config}};
  const std::string path = absl::StrFormat("%s/checkpoint-%010d.safetensors", folder, bundle.step);
  if (absl::Status status = model::SaveTensors(path, tensors, metadata); !status.ok()) return status;
  const auto all = Bundles(folder);
  std::error_code error;
  for (size_t i = 2; i < all.size(); ++i) std::filesystem::remove(all[i], error);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Bundle>> ReadNewestBundle(const std::string& folder) {
  for (const auto& path : Bundles(folder)) {
    auto reader = model::SafetensorsReader::Open(path.string());
    auto tensors = model::LoadTensors(path.string());
    if (!reader.ok() || !tensors.ok()) {
      spdlog::warn("passing over {}: {}", path.string(),
                   std::string((reader.ok() ? tensors.status() : reader.status()).message()));
      continue;
    }
    Bundle bundle;
    const auto& metadata = reader->metadata();
    auto text = [&](const char* key) {
      const auto found = metadata.find(key);
      return found == metadata.end() ? std::string() : found->second;
    };
    if (!absl::SimpleAtoi(text("step"), &bundle.step) || !absl::SimpleAtoi(text("total_steps"), &bundle.total_steps) ||
        !absl::SimpleAtod(text("seconds"), &bundle.seconds)) {
      return absl::DataLossError(absl::StrCat(path.string(), " is no checkpoint of auricle-train"));
    }
    bundle.config = text("config");
    bundle.tensors = *std::move(tensors);
    return std::optional<Bundle>(std::move(bundle));
  }
  return std::optional<Bundle>();
}

}  // namespace auricle::training
