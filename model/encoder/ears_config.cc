#include "model/encoder/ears_config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace auricle::model {
namespace {

absl::Status Between(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("ears.", field, " is ", value, "; it must lie in [", low, ", ", high, "]"));
}

absl::Status CheckStack(absl::string_view field, const ConvStackConfig& stack) {
  if (stack.channels.size() != 5) {
    return absl::InvalidArgumentError(absl::StrCat("ears.", field, " must list five channel counts"));
  }
  for (const int channels : stack.channels) {
    if (absl::Status status = Between(field, channels, 4, 1024); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// One visit per field gives reading and writing their names.
template <typename Config, typename Visitor>
void VisitFields(Config& config, Visitor&& visit) {
  visit("mels", config.mels);
  visit("semantic_channels", config.semantic.channels);
  visit("spatial_channels", config.spatial.channels);
  visit("width", config.width);
  visit("heads", config.heads);
  visit("fusion_layers", config.fusion_layers);
  visit("slot_layers", config.slot_layers);
  visit("feed_forward", config.feed_forward);
  visit("slots", config.slots);
  visit("classes", config.classes);
  visit("beams", config.beams);
  visit("chunk_tokens", config.chunk_tokens);
  visit("left_chunks", config.left_chunks);
  visit("dropout", config.dropout);
}

}  // namespace

absl::Status EarsConfig::Validate() const {
  struct Range {
    const char* field;
    double value, low, high;
  };
  for (const Range& r : {Range{"mels", double(mels), 16, 128}, Range{"width", double(width), 16, 2048},
                         Range{"heads", double(heads), 1, 32}, Range{"fusion_layers", double(fusion_layers), 1, 24},
                         Range{"slot_layers", double(slot_layers), 1, 24},
                         Range{"feed_forward", double(feed_forward), 16, 8192}, Range{"slots", double(slots), 1, 16},
                         Range{"classes", double(classes), 1, 4096}, Range{"chunk_tokens", double(chunk_tokens), 1, 64},
                         Range{"left_chunks", double(left_chunks), 0, 4096}, Range{"dropout", dropout, 0, 0.9}}) {
    if (absl::Status status = Between(r.field, r.value, r.low, r.high); !status.ok()) return status;
  }
  if (mels % 16 != 0) return absl::InvalidArgumentError("ears.mels must be a multiple of 16");
  if (width % (2 * heads) != 0) return absl::InvalidArgumentError("ears.width must be a multiple of 2 * ears.heads");
  if (absl::Status status = CheckStack("semantic_channels", semantic); !status.ok()) return status;
  return CheckStack("spatial_channels", spatial);
}

absl::StatusOr<EarsConfig> EarsConfig::FromJson(const nlohmann::json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("ears must be an object");
  EarsConfig config;
  config.beams = false;  // folders from before there were beams do not speak of them
  absl::Status status;
  size_t known = 0;
  VisitFields(config, [&](const char* name, auto& field) {
    const auto found = json.find(name);
    if (found == json.end()) return;
    ++known;
    try {
      found->get_to(field);
    } catch (const nlohmann::json::exception& error) {
      status.Update(absl::InvalidArgumentError(absl::StrCat("ears.", name, ": ", error.what())));
    }
  });
  if (!status.ok()) return status;
  if (known != json.size()) {
    const nlohmann::json defaults = config.ToJson();
    for (const auto& [name, value] : json.items()) {
      if (!defaults.contains(name)) return absl::InvalidArgumentError(absl::StrCat("ears.", name, " is not a setting"));
    }
  }
  if (status = config.Validate(); !status.ok()) return status;
  return config;
}

nlohmann::json EarsConfig::ToJson() const {
  nlohmann::json json = nlohmann::json::object();
  VisitFields(*this, [&](const char* name, const auto& field) { json[name] = field; });
  return json;
}

EarsConfig EarsConfig::Tiny() {
  EarsConfig config;
  config.mels = 16;
  config.semantic.channels = {4, 8, 8, 8, 8};
  config.spatial.channels = {8, 8, 8, 12, 12};
  config.width = 32;
  config.heads = 2;
  config.fusion_layers = 2;
  config.slot_layers = 1;
  config.feed_forward = 48;
  config.classes = 8;
  return config;
}

}  // namespace auricle::model
