// The bars of simulation, group by group. Each measures now, on this machine, and adds what it found to the report.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "sim/source/source_bank.h"
#include "tests/bench/bars.h"

namespace auricle::bench {

// Time of one response of a 6 x 5 x 3 m room that rings for half a second, 24 kHz, hybrid and every image, beside
// pyroomacoustics (`peer_command` for /bin/sh runs pyroom_peer.py; empty: without), and the error of what is timed.
absl::Status MeasureResponses(const std::string& peer_command, Report& report);

// Reference rooms, delays, directions, diffuse field, reciprocity, decay, Doppler shift.
absl::Status MeasureAccuracy(Report& report);

// Whole scenes on `threads` threads, times real time.
absl::Status MeasureSceneSpeed(const sim::SourceBank& bank, int threads, Report& report);

// The same `scenes` scenes on 1, 2 and 4 threads in other orders; and some of them under every instruction set.
absl::Status MeasureDeterminism(const sim::SourceBank& bank, int scenes, Report& report);

// Everything asked about `scenes` training scenes at full strength: is it audible, is the truth right, and what does a
// learner without ears (sim/bench/question_only.h) get.
absl::Status MeasureQuestions(const sim::SourceBank& bank, int scenes, int threads, Report& report);

// Resident memory over `scenes` scenes of `seconds` (0: of 5 or 10) on `threads` threads, after a warm-up.
absl::Status MeasureMemory(const sim::SourceBank& bank, int scenes, int seconds, int threads, Report& report);

}  // namespace auricle::bench
