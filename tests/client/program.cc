#include "tests/client/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <tuple>
#include <utility>

extern char** environ;

namespace auricle::test {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) read_end = ends[0], write_end = ends[1];
  }
};

int Spawn(const std::string& path, const std::vector<std::string>& words,
          const std::map<std::string, std::string>& environment, int in, int out, int err) {
  std::vector<std::string> storage = {path};
  storage.insert(storage.end(), words.begin(), words.end());
  std::vector<std::string> settings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string setting = *entry;
    if (environment.find(setting.substr(0, setting.find('='))) == environment.end()) settings.push_back(setting);
  }
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  std::vector<char*> argv, envp;
  for (std::string& word : storage) argv.push_back(word.data());
  for (std::string& setting : settings) envp.push_back(setting.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, 2);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, path.c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

ProgramResult RunProgram(const std::string& path, const std::vector<std::string>& words, const std::string& stdin_bytes,
                         const std::map<std::string, std::string>& environment) {
  signal(SIGPIPE, SIG_IGN);  // a program may end before it has read all of its input
  ProgramResult result;
  Pipe in, out, err;
  const int pid = Spawn(path, words, environment, in.read_end, out.write_end, err.write_end);
  close(in.read_end), close(out.write_end), close(err.write_end);
  if (pid < 0) {
    close(in.write_end), close(out.read_end), close(err.read_end);
    result.err = "cannot start " + path;
    return result;
  }
  // A full pipe must never stop the writing here while the program waits to be read.
  fcntl(in.write_end, F_SETFL, O_NONBLOCK);
  size_t written = 0;
  if (stdin_bytes.empty()) close(in.write_end), in.write_end = -1;
  while (out.read_end >= 0 || err.read_end >= 0 || in.write_end >= 0) {
    pollfd waits[3] = {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {in.write_end, POLLOUT, 0}};
    poll(waits, 3, -1);
    char block[1 << 15];
    for (const auto& [descriptor, text, wait] :
         {std::tuple{&out.read_end, &result.out, &waits[0]}, std::tuple{&err.read_end, &result.err, &waits[1]}}) {
      if (*descriptor < 0 || wait->revents == 0) continue;
      const ssize_t got = read(*descriptor, block, sizeof block);
      if (got > 0) {
        text->append(block, got);
      } else {
        close(*descriptor);
        *descriptor = -1;
      }
    }
    if (in.write_end >= 0 && waits[2].revents != 0) {
      const ssize_t put = write(in.write_end, stdin_bytes.data() + written, stdin_bytes.size() - written);
      if (put > 0) written += put;
      if (put < 0 || written == stdin_bytes.size()) close(in.write_end), in.write_end = -1;
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  result.exit_code = ExitCode(status);
  return result;
}

BackgroundProgram::BackgroundProgram(const std::string& path, const std::vector<std::string>& words) {
  Pipe out;
  pid_ = Spawn(path, words, {}, -1, out.write_end, -1);
  close(out.write_end);
  out_ = out.read_end;
}

BackgroundProgram::~BackgroundProgram() {
  if (Running()) Signal(SIGTERM);
  Wait();
  close(out_);
}

std::string BackgroundProgram::ReadLine() {
  while (true) {
    if (const size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    char block[4096];
    const ssize_t got = read(out_, block, sizeof block);
    if (got <= 0) return std::exchange(pending_, "");
    pending_.append(block, got);
  }
}

void BackgroundProgram::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

bool BackgroundProgram::Running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_code_ = ExitCode(status);
  pid_ = -1;
  return false;
}

int BackgroundProgram::Wait() {
  if (pid_ > 0) {
    int status = 0;
    waitpid(pid_, &status, 0);
    exit_code_ = ExitCode(status);
    pid_ = -1;
  }
  return exit_code_;
}

}  // namespace auricle::test
