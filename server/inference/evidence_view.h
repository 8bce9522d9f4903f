// The evidence as one request sees it: put on the clock of its clip or stream, with tracks only where asked for.
#pragma once

#include <string>

#include "auricle/v1/inference.pb.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::server {

// `perceived` starts at 0; the audio lay from start_seconds to end_seconds at the latest: a file that does not say how
// long it is ends where its duration_seconds do. Spans and frames move by start_seconds; duration_seconds stays the
// length of what was heard.
v1::Scene ViewEvidence(const v1::Scene& perceived, const std::string& scene_id, double start_seconds,
                       double end_seconds, bool include_tracks);

// Gives perceived sources the ids that they had in the stream's earlier scene. The same sound is the nearest one of
// equal class within 30 degrees, nearest pair first; a source without a match gets a new id. One for each stream; not
// thread-safe.
class SourceTracker {
 public:
  void Name(v1::Scene* scene);

 private:
  v1::Scene last_;
  uint64_t next_ = 0;
};

}  // namespace auricle::server
