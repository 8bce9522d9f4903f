// Measures the ears on this machine: features, inference, and one training step (forward and backward), clips of 5 s.
//
//   ears_bench [threads] [batch] [seconds per measurement]
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "model/encoder/ears_network.h"
#include "model/encoder/mixed_precision.h"
#include "model/feature/foa_features.h"

namespace auricle::model {
namespace {

constexpr int kClipSeconds = 5;
constexpr int kSampleRate = 16000;

// Prints the mean time of `work` for one clip: on the clock, and of CPU (what a quiet machine would need).
void Measure(const char* name, int batch, double seconds, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  work();
  int rounds = 0;
  const auto start = Clock::now();
  const std::clock_t cpu_start = std::clock();
  double elapsed = 0;
  while (elapsed < seconds) {
    work();
    ++rounds;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  const double clips = static_cast<double>(rounds) * batch;
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  std::printf("%-34s %8.2f ms a clip %8.1f clips/s %8.2f ms of CPU a clip\n", name, 1e3 * elapsed / clips,
              clips / elapsed, 1e3 * cpu / clips);
}

torch::Tensor Loss(const EarsOutput& out) {
  return out.exist_logits.square().mean() + out.class_logits.square().mean() + out.direction.mean() +
         out.log_distance.square().mean() + out.motion_logits.square().mean() + out.activity_logits.square().mean() +
         out.frame_direction.mean() + out.frame_log_distance.square().mean() + out.sed_logits.square().mean() +
         out.log_t30.square().mean() + out.log_volume.square().mean() + out.free_field_logit.square().mean();
}

int Main(int threads, int batch, double seconds) {
  at::set_num_threads(threads);
  torch::manual_seed(1);
  const torch::Tensor audio = torch::randn({batch, 4, kClipSeconds * kSampleRate}) * 0.02;
  const FoaFeatures extract;
  Measure("features", batch, seconds, [&] { extract(audio); });
  const torch::Tensor features = extract(audio);

  EarsNetwork network(EarsConfig::Nano());
  int64_t parameters = 0;
  for (const torch::Tensor& p : network->parameters()) parameters += p.numel();
  std::printf("parameters %.2f M, batch %d, threads %d\n", parameters * 1e-6, batch, threads);
  for (const bool bf16 : {true, false}) {
    network->eval();
    Measure(bf16 ? "inference bf16" : "inference float32", batch, seconds, [&] {
      const torch::NoGradGuard no_grad;
      const Bf16Scope scope(bf16);
      network->forward(features);
    });
    network->train();
    Measure(bf16 ? "forward + backward bf16" : "forward + backward float32", batch, seconds, [&] {
      torch::Tensor loss;
      {
        const Bf16Scope scope(bf16);
        loss = Loss(network->forward(features));
      }
      network->zero_grad();
      loss.backward();
    });
  }
  return 0;
}

}  // namespace
}  // namespace auricle::model

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const int batch = argc > 2 ? std::atoi(argv[2]) : 10;
  const double seconds = argc > 3 ? std::atof(argv[3]) : 3;
  if (threads < 1 || batch < 1 || seconds <= 0) {
    std::fprintf(stderr, "usage: ears_bench [threads >= 1] [batch >= 1] [seconds > 0]\n");
    return 2;
  }
  return auricle::model::Main(threads, batch, seconds);
}
