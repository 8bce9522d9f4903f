#include "client/cli/command.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/answer_json.h"
#include "client/cpp/status_details.h"

namespace auricle::client {

std::vector<FlagSpec> ServerFlags(const std::string& timeout_default) {
  return {{"server", FlagKind::kText, "ADDRESS", "$AURICLE_SERVER or 127.0.0.1:50051", "host:port of the server"},
          {"timeout", FlagKind::kReal, "SECONDS", std::string(timeout_default),
           "give up on a call after so long; queueing counts"}};
}

FlagSpec FormatFlag() {
  return {"format", FlagKind::kChoice, "ambix|fuma|n3d", "ambix",
          "convention of the four channels: AmbiX W,Y,Z,X SN3D; FuMa W,X,Y,Z; N3D W,Y,Z,X"};
}

std::string ServerAddress(const ParsedCommand& parsed) {
  if (parsed.Given("server")) return parsed.Text("server");
  const char* environment = std::getenv("AURICLE_SERVER");
  return environment != nullptr && *environment != '\0' ? environment : "127.0.0.1:50051";
}

absl::StatusOr<std::unique_ptr<SpatialQaClient>> ConnectTo(const ParsedCommand& parsed) {
  const std::string address = ServerAddress(parsed);
  auto client = SpatialQaClient::Connect(address);
  if (absl::IsUnavailable(client.status())) {
    return absl::UnavailableError(
        absl::StrCat(client.status().message(), "; start one with ./run serve, or name it with --server"));
  }
  return client;
}

CallOptions DeadlineOf(const ParsedCommand& parsed) { return {.deadline = absl::Seconds(parsed.Real("timeout"))}; }

v1::FoaFormat FormatOf(const std::string& name) {
  if (name == "ambix") return v1::FOA_FORMAT_AMBIX;
  if (name == "fuma") return v1::FOA_FORMAT_FUMA;
  if (name == "n3d") return v1::FOA_FORMAT_N3D;
  return v1::FOA_FORMAT_UNSPECIFIED;
}

int Refuse(const absl::Status& status) {
  std::fprintf(stderr, "error: %s\n", DescribeError(status).c_str());
  return kExitRefused;
}

int RefuseAsk(const absl::Status& status, bool json, bool stream) {
  if (json) {
    nlohmann::ordered_json line;
    if (stream) line["event"] = "error";
    line["error"] = ErrorToJson(status);
    std::printf("%s\n", ToLine(line).c_str());
    std::fflush(stdout);
  }
  return Refuse(status);
}

int MisuseOf(const std::string& command, const std::string& message) {
  std::fprintf(stderr, "error: %s\nsee auricle %s --help\n", std::string(message).c_str(),
               std::string(command).c_str());
  return kExitUsage;
}

}  // namespace auricle::client
