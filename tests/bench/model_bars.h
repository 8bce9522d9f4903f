// The bars of a model that the questions of asa-bench do not measure. Each group renders scenes of the test split (new
// recordings, new rooms), measures now, on this machine, and adds what it found to the report.
#pragma once

#include "absl/status/status.h"
#include "model/spatial_lalm.h"
#include "sim/source/source_bank.h"
#include "tests/bench/bars.h"

namespace auricle::bench {

// `scenes` scenes of one source at rest, turned by 90, 180 and 270 degrees (exact: X and Y change places and signs).
// The share of turned scenes whose azimuth turned along within 10 degrees: that of the evidence, and the one that is
// answered.
absl::Status MeasureEquivariance(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                                 Report& report);

// `scenes` scenes fed in pieces of 320 ms against the same scenes at once: evidence and greedy answers.
absl::Status MeasureStreaming(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes, Report& report);

// Speed of hearing 10 s, first token after it, peak memory of this process; threads as set by the caller.
absl::Status MeasureCost(const model::SpatialLalm& model, const sim::SourceBank& bank, Report& report);

// How far the confidences of the evidence are from how often they are right, over `scenes` scenes each of one to four
// sources. For the record: no floors.
absl::Status MeasureCalibration(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                                Report& report);

// What is heard of `scenes` scenes a condition while one thing changes: noise, reverberation, number of sources,
// distance, sample rate and order of the channels. For the record: no floors.
absl::Status MeasureRobustness(const model::SpatialLalm& model, const sim::SourceBank& bank, int scenes,
                               Report& report);

}  // namespace auricle::bench
