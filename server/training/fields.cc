#include "server/training/fields.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace auricle::training {
namespace {
const nlohmann::json kNoObject = nlohmann::json::object();
const nlohmann::json kNoList = nlohmann::json::array();
}  // namespace

Fields::Fields(const nlohmann::json& json, std::string path, nlohmann::json& effective)
    : json_(json), path_(std::move(path)), effective_(effective) {
  effective_ = nlohmann::json::object();
  if (!json_.is_object()) status_ = absl::InvalidArgumentError(absl::StrCat(path_, " must be an object"));
}

std::string Fields::Path(const std::string& name) const {
  return path_.empty() ? name : absl::StrCat(path_, ".", name);
}

void Fields::Fail(const std::string& name, const std::string& what) {
  Take(absl::InvalidArgumentError(absl::StrCat(Path(name), " ", what)));
}

const nlohmann::json* Fields::Find(const char* name) {
  known_.insert(name);
  if (!json_.is_object()) return nullptr;
  const auto found = json_.find(name);
  return found == json_.end() ? nullptr : &*found;
}

void Fields::Number(const char* name, double& value, double low, double high) {
  if (const nlohmann::json* found = Find(name)) {
    if (!found->is_number()) return Fail(name, "must be a number");
    value = found->get<double>();
  }
  if (!(value >= low && value <= high)) Fail(name, absl::StrCat("must be in [", low, ", ", high, "], not ", value));
  effective_[name] = value;
}

void Fields::Integer(const char* name, int64_t& value, int64_t low, int64_t high) {
  if (const nlohmann::json* found = Find(name)) {
    if (!found->is_number_integer()) return Fail(name, "must be a whole number");
    value = found->get<int64_t>();
  }
  if (value < low || value > high) Fail(name, absl::StrCat("must be in [", low, ", ", high, "], not ", value));
  effective_[name] = value;
}

void Fields::Flag(const char* name, bool& value) {
  if (const nlohmann::json* found = Find(name)) {
    if (!found->is_boolean()) return Fail(name, "must be true or false");
    value = found->get<bool>();
  }
  effective_[name] = value;
}

void Fields::Text(const char* name, std::string& value) {
  if (const nlohmann::json* found = Find(name)) {
    if (!found->is_string()) return Fail(name, "must be a text");
    value = found->get<std::string>();
  }
  effective_[name] = value;
}

void Fields::Words(const char* name, std::vector<std::string>& values) {
  if (const nlohmann::json* found = Find(name)) {
    values.clear();
    if (!found->is_array()) return Fail(name, "must be a list of texts");
    for (const nlohmann::json& item : *found) {
      if (!item.is_string()) return Fail(name, "must be a list of texts");
      values.push_back(item.get<std::string>());
    }
  }
  effective_[name] = values;
}

const nlohmann::json& Fields::Object(const char* name) {
  const nlohmann::json* found = Find(name);
  return found == nullptr ? kNoObject : *found;
}

const nlohmann::json& Fields::List(const char* name) {
  const nlohmann::json* found = Find(name);
  if (found == nullptr) return kNoList;
  if (!found->is_array()) Fail(name, "must be a list");
  return found->is_array() ? *found : kNoList;
}

absl::Status Fields::Finish() const {
  if (!status_.ok()) return status_;
  for (const auto& item : json_.items()) {
    if (!known_.contains(item.key())) {
      return absl::InvalidArgumentError(absl::StrCat(Path(item.key()), " is not a field of this configuration"));
    }
  }
  return absl::OkStatus();
}

std::string FirstDifference(const nlohmann::json& here, const nlohmann::json& there, const std::string& path) {
  if (here == there) return "";
  const std::string dot = path.empty() ? "" : path + ".";
  if (here.is_object() && there.is_object()) {
    for (const auto& item : here.items()) {
      const auto other = there.find(item.key());
      const std::string inner =
          FirstDifference(item.value(), other == there.end() ? nlohmann::json() : *other, dot + item.key());
      if (!inner.empty()) return inner;
    }
    for (const auto& item : there.items()) {
      if (!here.contains(item.key()))
        return absl::StrCat(dot, item.key(), ": absent here, ", item.value().dump(), " there");
    }
  }
  return absl::StrCat(path, ": ", here.dump(), " here, ", there.dump(), " there");
}

}  // namespace auricle::training
