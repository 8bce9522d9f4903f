// How a source moved while it sounded: straight lines through its track.
#pragma once

#include "torch/types.h"

namespace auricle::model {

// Values of a course, in this order: change of azimuth (radians, to the left), of elevation (radians), of ln distance
// and of level (as given) over the time that the source sounds; that time in units of ten seconds; root mean square of
// what the line leaves of the azimuth (radians); cosine of the mean elevation.
inline constexpr int kCourseValues = 7;

// Least-squares lines through tracks of B x K sources over N tokens, each token weighted.
// weights [B, K, N] in [0, 1]; directions [B, K, N, 3] unit vectors; log_distance, level [B, K, N].
// Returns [B, K, kCourseValues] float32; zeros but for the last where nothing sounds. Azimuths count from the mean
// direction, so the seam at 180 degrees does not matter; changes are clamped to [-3, 3]. Differentiable.
torch::Tensor CourseOf(const torch::Tensor& weights, const torch::Tensor& directions, const torch::Tensor& log_distance,
                       const torch::Tensor& level);

}  // namespace auricle::model
