// Many clients at once for a while, against a server that runs already: does it answer, and does its memory stay flat?
//
//   serve_soak --address 127.0.0.1:50051 --pid 1234 [--seconds 60] [--clients 8] [--warm-up 10] [--json]
//
// Half of the clients ask about whole clips, half stream, some cancel or leave. Errors other than RESOURCE_EXHAUSTED
// count against the server; memory is VmRSS of --pid, its mean over the last fifth of the time against its mean over
// the fifth after the warm-up. Prints a table, or one JSON object a line; exits with 1 where a bar is missed.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "auricle/v1/inference.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace v1 = auricle::v1;

constexpr int kRate = 16000;
constexpr double kMaxGrowth = 0.05;

struct Settings {
  std::string address = "127.0.0.1:50051";
  int pid = 0, seconds = 60, clients = 8, warm_up = 10;
  bool json = false;
};

struct Tally {
  std::mutex mutex;
  std::map<std::string, int> by_code;  // "OK", "RESOURCE_EXHAUSTED", ... and "cancelled by us"
  std::vector<double> seconds;         // of answered questions

  void Count(const std::string& code) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++by_code[code];
  }
  void Answered(double took) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++by_code["OK"];
    seconds.push_back(took);
  }
};

std::string CodeName(int code) {
  static const char* const kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code < 17 ? kNames[code] : std::to_string(code);
}

// A wave from a random direction: no two clips are equal, so nothing is answered from what was heard before.
std::string Wave(std::mt19937& random, double seconds) {
  const double azimuth = std::uniform_real_distribution<>(-std::numbers::pi, std::numbers::pi)(random);
  const double hertz = std::uniform_real_distribution<>(200, 2000)(random);
  const size_t frames = static_cast<size_t>(seconds * kRate);
  std::vector<float> samples(frames * 4);
  for (size_t i = 0; i < frames; ++i) {
    const double s = 0.1 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kRate);
    samples[4 * i] = static_cast<float>(s);
    samples[4 * i + 1] = static_cast<float>(s * std::sin(azimuth));
    samples[4 * i + 3] = static_cast<float>(s * std::cos(azimuth));
  }
  std::string bytes(samples.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void AskOnce(v1::SpatialQa::Stub& stub, std::mt19937& random, Tally& tally) {
  v1::AskRequest request;
  request.mutable_audio()->set_format(v1::FOA_FORMAT_AMBIX);
  request.mutable_audio()->set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
  request.mutable_audio()->set_sample_rate_hz(kRate);
  request.mutable_audio()->set_channels(4);
  request.mutable_audio()->set_data(Wave(random, 1 + random() % 5));
  request.set_question("Where is the sound?");
  if (random() % 2 == 0) {
    for (const char* option : {"left", "right", "front", "back"}) request.add_options(option);
  }
  grpc::ClientContext context;
  v1::AskResponse response;
  const bool leaves = random() % 10 == 0;
  if (leaves) context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(random() % 50));
  const Clock::time_point start = Clock::now();
  const grpc::Status status = stub.Ask(&context, request, &response);
  if (status.ok()) {
    tally.Answered(Since(start));
  } else if (leaves && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    tally.Count("left by us");
  } else {
    tally.Count(CodeName(status.error_code()));
  }
}

void StreamOnce(v1::SpatialQa::Stub& stub, std::mt19937& random, Tally& tally) {
  grpc::ClientContext context;
  const auto stream = stub.StreamAsk(&context);
  v1::StreamAskRequest request;
  v1::StreamConfig& config = *request.mutable_config();
  config.set_format(v1::FOA_FORMAT_AMBIX);
  config.set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
  config.set_sample_rate_hz(kRate);
  config.set_channels(4);
  config.set_scene_update_interval_seconds(1);
  stream->Write(request);
  const std::string pcm = Wave(random, 4);
  constexpr size_t kChunk = kRate / 10 * 16;
  const bool leaves = random() % 10 == 0, cancels = random() % 4 == 0;
  const Clock::time_point start = Clock::now();
  int queries = 0;
  for (size_t i = 0; i < pcm.size(); i += kChunk) {
    v1::StreamAskRequest message;
    message.mutable_audio()->set_sequence(i / kChunk);
    message.mutable_audio()->set_data(pcm.substr(i, kChunk));
    if (!stream->Write(message)) break;
    if (i / kChunk % 10 != 9) continue;
    v1::StreamAskRequest asked;
    asked.mutable_query()->set_query_id(std::to_string(queries++));
    asked.mutable_query()->set_question("What do you hear now?");
    asked.mutable_query()->mutable_sampling()->set_max_new_tokens(32);
    stream->Write(asked);
    if (cancels && queries == 2) {
      v1::StreamAskRequest cancel;
      cancel.mutable_cancel()->set_query_id("1");
      stream->Write(cancel);
    }
  }
  if (leaves) {
    context.TryCancel();
  } else {
    stream->WritesDone();
  }
  v1::StreamAskResponse event;
  while (stream->Read(&event)) {
    if (event.has_finished()) {
      if (event.finished().finish_reason() == v1::FINISH_REASON_CANCELLED) {
        tally.Count("cancelled by us");
      } else {
        tally.Answered(Since(start));
      }
    }
    if (event.has_error()) tally.Count(CodeName(event.error().code()));
  }
  const grpc::Status status = stream->Finish();
  if (leaves && status.error_code() == grpc::StatusCode::CANCELLED) {
    tally.Count("left by us");
  } else if (!status.ok()) {
    tally.Count("stream " + CodeName(status.error_code()));
  }
}

double ResidentMegabytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "VmRSS:") continue;
    double kilobytes = 0;
    file >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

double Mean(const std::vector<double>& values, size_t first, size_t last) {
  double sum = 0;
  for (size_t i = first; i < last; ++i) sum += values[i];
  return last > first ? sum / static_cast<double>(last - first) : 0;
}

bool Parse(int argc, char** argv, Settings* settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--json") {
      settings->json = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (flag == "--address") {
      settings->address = value;
    } else if (flag == "--pid") {
      settings->pid = std::atoi(value.c_str());
    } else if (flag == "--seconds") {
      settings->seconds = std::atoi(value.c_str());
    } else if (flag == "--clients") {
      settings->clients = std::atoi(value.c_str());
    } else if (flag == "--warm-up") {
      settings->warm_up = std::atoi(value.c_str());
    } else {
      return false;
    }
  }
  return settings->pid > 0 && settings->seconds > settings->warm_up && settings->warm_up >= 0 && settings->clients > 0;
}

void Report(bool json, const char* name, double value, const char* unit, double floor, bool ok) {
  if (json) {
    std::printf("%s\n", nlohmann::ordered_json({{"name", name},
                                                {"value", value},
                                                {"unit", unit},
                                                {"peer", nullptr},
                                                {"peer_value", nullptr},
                                                {"ratio", nullptr},
                                                {"floor", floor},
                                                {"ok", ok}})
                            .dump()
                            .c_str());
  } else {
    std::printf("%-28s %12.3f %-10s bar %-8g %s\n", name, value, unit, floor, ok ? "ok" : "MISSED");
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!Parse(argc, argv, &settings)) {
    std::fprintf(stderr,
                 "serve_soak --address HOST:PORT --pid N [--seconds 60] [--clients 8] [--warm-up 10] [--json]\n");
    return 2;
  }
  Tally tally;
  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < settings.clients; ++i) {
    clients.emplace_back([&, i] {
      std::mt19937 random(static_cast<uint32_t>(i) + 1);
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      const auto stub = v1::SpatialQa::NewStub(
          grpc::CreateCustomChannel(settings.address, grpc::InsecureChannelCredentials(), arguments));
      while (!stop) (i % 2 == 0 ? AskOnce : StreamOnce)(*stub, random, tally);
    });
  }
  std::vector<double> resident;  // a reading each quarter of a second
  const Clock::time_point start = Clock::now();
  while (Since(start) < settings.seconds) {
    resident.push_back(ResidentMegabytes(settings.pid));
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  stop = true;
  for (std::thread& client : clients) client.join();

  const size_t warm = resident.size() * static_cast<size_t>(settings.warm_up) / static_cast<size_t>(settings.seconds);
  const size_t fifth = std::max<size_t>(1, (resident.size() - warm) / 5);
  const double before = Mean(resident, warm, warm + fifth);
  const double after = Mean(resident, resident.size() - fifth, resident.size());
  const double growth = before > 0 ? after / before - 1 : 1;
  int errors = 0;
  for (const auto& [code, count] : tally.by_code) {
    const bool expected = code == "OK" || code == "RESOURCE_EXHAUSTED" || code.find("by us") != std::string::npos;
    if (!expected) errors += count;
    std::fprintf(stderr, "%-24s %d\n", code.c_str(), count);
  }
  std::sort(tally.seconds.begin(), tally.seconds.end());
  const auto quantile = [&](double q) {
    return tally.seconds.empty()
               ? 0
               : tally.seconds[static_cast<size_t>(q * static_cast<double>(tally.seconds.size() - 1))];
  };
  const double answered = static_cast<double>(tally.seconds.size());
  Report(settings.json, "soak_answers", answered, "answers", 1, answered >= 1);
  Report(settings.json, "soak_errors", errors, "errors", 0, errors == 0);
  Report(settings.json, "soak_rss_growth", growth, "ratio", kMaxGrowth, growth < kMaxGrowth);
  std::fprintf(stderr, "resident %.1f -> %.1f MB; seconds to an answer: median %.3f, p95 %.3f\n", before, after,
               quantile(0.5), quantile(0.95));
  return answered >= 1 && errors == 0 && growth < kMaxGrowth ? 0 : 1;
}
