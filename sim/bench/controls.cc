#include "sim/bench/controls.h"

#include <algorithm>
#include <iterator>

namespace auricle::sim {
namespace {

constexpr Control kControls[] = {Control::kZeroSpatial, Control::kSilence, Control::kMono};
constexpr std::string_view kNames[] = {"zero-spatial", "silence", "mono"};

}  // namespace

std::span<const Control> AllControls() { return kControls; }

std::string_view ControlName(Control control) { return kNames[static_cast<int>(control)]; }

std::optional<Control> FindControl(std::string_view name) {
  for (Control control : kControls) {
    if (ControlName(control) == name) return control;
  }
  return std::nullopt;
}

audio::FoaClip ApplyControl(Control control, const audio::FoaClip& clip) {
  audio::FoaClip changed = clip;
  for (int c = 0; c < audio::kFoaChannels; ++c) {
    const std::span<float> channel = changed.channel(c);
    if (control == Control::kMono) {
      std::ranges::copy(clip.channel(audio::kW), channel.begin());
    } else if (control == Control::kSilence || c != audio::kW) {
      std::ranges::fill(channel, 0.0f);
    }
  }
  return changed;
}

}  // namespace auricle::sim
