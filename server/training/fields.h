// Strict reading of a JSON object: every field is known, of the right type and in range, or the reader says which is
// not.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace auricle::training {

// Reads fields of one object into variables that hold the defaults, and writes what was understood into `effective`.
// The first error sticks; Finish returns it, or refuses fields that nobody asked for.
class Fields {
 public:
  // `path` names the object in messages ("encoder.augment"). `json` and `effective` must outlive this object.
  Fields(const nlohmann::json& json, std::string path, nlohmann::json& effective);

  // Closed ranges.
  void Number(const char* name, double& value, double low, double high);
  void Integer(const char* name, int64_t& value, int64_t low, int64_t high);
  void Flag(const char* name, bool& value);
  void Text(const char* name, std::string& value);
  void Words(const char* name, std::vector<std::string>& values);
  // The object of that name, an empty one where it is absent; its own Fields does the rest.
  const nlohmann::json& Object(const char* name);
  const nlohmann::json& List(const char* name);
  nlohmann::json& Effective(const char* name) { return effective_[name]; }
  std::string Path(const std::string& name) const;
  void Fail(const std::string& name, const std::string& what);
  void Take(const absl::Status& status) {
    if (status_.ok()) status_ = status;
  }

  absl::Status Finish() const;

 private:
  const nlohmann::json* Find(const char* name);

  const nlohmann::json& json_;
  std::string path_;
  nlohmann::json& effective_;
  std::set<std::string> known_;
  absl::Status status_;
};

// Path of the first field in which two objects differ ("encoder.batch: 24 here, 16 there"), or empty.
std::string FirstDifference(const nlohmann::json& here, const nlohmann::json& there, const std::string& path = "");

}  // namespace auricle::training
