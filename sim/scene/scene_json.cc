#include "sim/scene/scene_json.h"

#include <google/protobuf/util/json_util.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"

namespace auricle::sim {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

}  // namespace

std::string SceneToJsonText(const v1::Scene& scene) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  return google::protobuf::util::MessageToJsonString(scene, &text, options).ok() ? text : "{}";
}

absl::StatusOr<v1::Scene> ParseScene(const std::string& json, const std::string& where) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::Scene scene;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &scene, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": is not a Scene in JSON: ", std::string(status.message())));
  }
  return scene;
}

absl::StatusOr<v1::Scene> ReadSceneFile(const std::string& path) {
  const absl::StatusOr<std::string> text = model::ReadWholeFile(path, kMostBytes);
  if (!text.ok()) return text.status();
  return ParseScene(*text, path);
}

}  // namespace auricle::sim
