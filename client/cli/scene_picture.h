// The top view of a scene as a drawing: the map, a legend, and a strip below that shows when each source sounds.
#pragma once

#include "auricle/v1/scene.pb.h"
#include "client/cli/drawing.h"

namespace auricle::client {

// Sources of `scene` are filled discs, larger where the model is surer; those of `truth` (may be null) hollow ones.
// Painted on a light card, so that it reads on a dark page too.
Drawing ScenePicture(const v1::Scene& scene, const v1::Scene* truth);

}  // namespace auricle::client
