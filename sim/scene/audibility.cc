#include "sim/scene/audibility.h"

namespace auricle::sim {

bool IsAudible(const v1::SourceFrame& frame) {
  if (frame.activity() < 0.5f) return false;
  if (frame.has_audible()) return frame.audible();
  return !frame.has_signal_to_rest_db() || frame.signal_to_rest_db() >= kAudibleSignalToRestDb;
}

}  // namespace auricle::sim
