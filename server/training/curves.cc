#include "server/training/curves.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace auricle::training {

absl::StatusOr<Curves> Curves::Open(const std::string& folder, const std::string& stem, int64_t next_step) {
  Curves curves;
  const std::string jsonl = absl::StrCat(folder, "/", stem, ".jsonl"), csv = absl::StrCat(folder, "/", stem, ".csv");
  {
    std::ifstream in(jsonl);
    std::string line;
    while (std::getline(in, line)) {
      // A torn last line of a killed run is no JSON and is dropped like the rows after the checkpoint.
      const auto json = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!json.is_object() || !json.contains("step") || json["step"].get<int64_t>() >= next_step) continue;
      Point point{json["step"].get<int64_t>(), {}};
      for (const auto& item : json.items()) {
        if (item.key() == "step" || !(item.value().is_number() || item.value().is_null())) continue;
        point.row.emplace_back(item.key(), item.value().is_null() ? std::nan("") : item.value().get<double>());
      }
      curves.points_.push_back(std::move(point));
    }
  }
  curves.jsonl_.open(jsonl, std::ios::trunc);
  curves.csv_.open(csv, std::ios::trunc);
  if (!curves.jsonl_ || !curves.csv_) return absl::UnavailableError(absl::StrCat("cannot write ", jsonl));
  std::vector<Point> kept;
  kept.swap(curves.points_);
  for (const Point& point : kept) curves.Append(point.step, point.row);
  return curves;
}

void Curves::Append(int64_t step, const Row& row) {
  if (points_.empty()) {
    csv_ << "step";
    for (const auto& [name, value] : row) csv_ << "," << name;
    csv_ << "\n";
  }
  points_.push_back({step, row});
  jsonl_ << "{\"step\": " << step;
  csv_ << step;
  for (const auto& [name, value] : row) {
    // Nine digits give a float back exactly.
    const std::string number = std::isfinite(value) ? absl::StrFormat("%.9g", value) : "null";
    jsonl_ << ", \"" << name << "\": " << number;
    csv_ << "," << (number == "null" ? "" : number);
  }
  jsonl_ << "}" << std::endl;
  csv_ << std::endl;
}

}  // namespace auricle::training
