// Runs a program of the build as a subprocess: words in, exit code and output back.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auricle::test {

struct ProgramResult {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string out;
  std::string err;
};

// `stdin_bytes` are written to its standard input, which is then closed; `environment` is added to this process's.
ProgramResult RunProgram(const std::string& path, const std::vector<std::string>& words,
                         const std::string& stdin_bytes = "",
                         const std::map<std::string, std::string>& environment = {});

// A program that runs beside the test: SIGTERM and wait on destruction.
class BackgroundProgram {
 public:
  BackgroundProgram(const std::string& path, const std::vector<std::string>& words);
  ~BackgroundProgram();
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  // The next line of its standard output; blocks; empty at the end.
  std::string ReadLine();
  void Signal(int signal);
  // Waits for its end; the exit code.
  int Wait();
  bool Running();

 private:
  int pid_ = -1;
  int out_ = -1;
  int exit_code_ = -1;
  std::string pending_;
};

}  // namespace auricle::test
