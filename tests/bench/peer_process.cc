#include "tests/bench/peer_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"

namespace auricle::bench {

absl::StatusOr<std::unique_ptr<PeerProcess>> PeerProcess::Start(const std::string& command) {
  int in[2], out[2];
  if (pipe(in) != 0) return absl::InternalError("no pipe for the peer");
  if (pipe(out) != 0) {
    close(in[0]);
    close(in[1]);
    return absl::InternalError("no pipe for the peer");
  }
  signal(SIGPIPE, SIG_IGN);  // a peer that has ended shows as a failed write
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  if (pid < 0) {
    close(in[1]);
    close(out[0]);
    return absl::InternalError("no process for the peer");
  }
  return std::unique_ptr<PeerProcess>(new PeerProcess(pid, in[1], out[0]));
}

PeerProcess::~PeerProcess() {
  close(to_);
  close(from_);
  waitpid(pid_, nullptr, 0);
}

absl::StatusOr<nlohmann::json> PeerProcess::Ask(const nlohmann::json& request) {
  const std::string line = request.dump() + "\n";
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = write(to_, line.data() + sent, line.size() - sent);
    if (n <= 0) return absl::UnavailableError("the peer has ended");
    sent += static_cast<size_t>(n);
  }
  size_t end;
  while ((end = read_.find('\n')) == std::string::npos) {
    char bytes[4096];
    const ssize_t n = read(from_, bytes, sizeof bytes);
    if (n <= 0) return absl::UnavailableError("the peer has ended (what it said stands above)");
    read_.append(bytes, static_cast<size_t>(n));
  }
  const nlohmann::json answer = nlohmann::json::parse(read_.substr(0, end), nullptr, /*allow_exceptions=*/false);
  read_.erase(0, end + 1);
  if (!answer.is_object()) return absl::UnavailableError("the peer does not answer with an object");
  if (answer.contains("error")) return absl::UnavailableError(absl::StrCat("the peer: ", answer["error"].dump()));
  return answer;
}

}  // namespace auricle::bench
