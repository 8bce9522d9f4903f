// `auricle ask --stream`: the clip is sent as it would be heard, 100 ms at a time, and every event is shown as it
// comes.
#pragma once

#include <optional>
#include <string>

#include "auricle/v1/inference.pb.h"
#include "client/cli/pcm_input.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {

struct AskStreamOptions {
  std::string path;  // "-": stdin, which sets its own pace; a file is sent in real time
  RawPcmFormat raw;
  double stdin_seconds = 30;  // of PCM on stdin: its audio ends after so much if the pipe has not
  v1::StreamConfig config;    // encoding, rate and channels are filled in from the audio
  v1::Query query;
  // Ask once so many seconds of audio were sent; absent: at the end.
  std::optional<double> ask_at_seconds;
  bool json = false;  // one JSON object an event on stdout
  bool no_color = false;
  CallOptions call;  // its deadline is for what comes beside the audio: sending that takes as long as it lasts
};

// Returns an exit code.
int RunAskStream(const SpatialQaClient& client, AskStreamOptions options);

}  // namespace auricle::client
