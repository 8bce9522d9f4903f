// A benchmark run as a page for people: tables, class confusions, and where azimuths go wrong.
#pragma once

#include <string>

#include "sim/bench/scoring.h"

namespace auricle::sim {

// One file of HTML with its pictures (SVG) inside and nothing to load: scores by level and task with their intervals
// and controls; true against perceived class; a rose of azimuth errors; azimuth error against distance, reverberation
// and number of sources (medians and quartiles). `title` names the model and the benchmark.
std::string HtmlReport(const BenchmarkReport& report, const std::string& title);

}  // namespace auricle::sim
