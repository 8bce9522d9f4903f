// Variants of the benchmark's audio that take something away: what is still answered then was not heard.
#ifndef SIM_BENCH_CONTROLS_H_
#define SIM_BENCH_CONTROLS_H_

#include <optional>
#include <span>
#include <string_view>

#include "model/audio/foa.h"

namespace auricle::sim {

enum class Control {
  kZeroSpatial,  // Y = Z = X = 0: no direction left
  kSilence,      // all zero: the question alone
  kMono,         // W copied to all four channels: a wrong direction that never changes
};

std::span<const Control> AllControls();
std::string_view ControlName(Control control);  // "zero-spatial", "silence", "mono"
std::optional<Control> FindControl(std::string_view name);

audio::FoaClip ApplyControl(Control control, const audio::FoaClip& clip);

}  // namespace auricle::sim

#endif  // SIM_BENCH_CONTROLS_H_
