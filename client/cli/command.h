// The commands of the program `auricle`, one file each, and what they share: the flags that name the server, the
// connection, and how a failure is shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/audio.pb.h"
#include "client/cli/command_line.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {

// A command: its table of flags, and what runs once they are parsed. Returns an exit code; prints on its own.
struct Command {
  CommandSpec spec;
  int (*run)(const ParsedCommand& parsed);
};

Command AskCommand();
Command SceneCommand();
Command EvalCommand();
Command ModelsCommand();
Command HealthCommand();
Command SimulateCommand();
Command VerifyCommand();
Command ExportCommand();
Command ImportCommand();
Command DemoCommand();

// --server and --timeout, as every command that talks to a server has them.
std::vector<FlagSpec> ServerFlags(const std::string& timeout_default);
// --format.
FlagSpec FormatFlag();

// --server, else $AURICLE_SERVER, else 127.0.0.1:50051.
std::string ServerAddress(const ParsedCommand& parsed);
absl::StatusOr<std::unique_ptr<SpatialQaClient>> ConnectTo(const ParsedCommand& parsed);
CallOptions DeadlineOf(const ParsedCommand& parsed);
v1::FoaFormat FormatOf(const std::string& name);

// "error: ..." on stderr; returns kExitRefused.
int Refuse(const absl::Status& status);
// The same of `auricle ask`, whose stdout is read by programs where `json`: {"error": ...} goes there too, as the event
// {"event": "error", "error": ...} where it belongs to a `stream`.
int RefuseAsk(const absl::Status& status, bool json, bool stream);
// "error: ..." and where to read on; returns kExitUsage.
int MisuseOf(const std::string& command, const std::string& message);

}  // namespace auricle::client
