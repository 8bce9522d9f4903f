// The top view of a scene in a terminal: rings of distance in Braille dots, sources as coloured markers, a legend.
#pragma once

#include <string>

#include "auricle/v1/scene.pb.h"
#include "client/cli/terminal.h"

namespace auricle::client {

// Lines of at most 80 columns, the last one ended. Perceived sources are ●1, ●2, ... in the order of the scene; those
// of `truth` (may be null) are ○a, ○b, ...
std::string SceneMap(const v1::Scene& scene, const v1::Scene* truth, const TerminalStyle& style);

}  // namespace auricle::client
