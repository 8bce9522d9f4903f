#include "model/decoder/rms_norm.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace auricle::model {
namespace {

// Sums run over this many lanes: a fixed order of additions that the compiler may vectorise.
constexpr int64_t kLanes = 16;
// Rows that one thread takes at least.
constexpr int64_t kGrainRows = 64;
// Partial sums of the weight's gradient: a fixed number, so that the result does not depend on the number of threads.
constexpr int64_t kBlocks = 32;

// sum of f(i) for i in [0, count)
template <typename Term>
float LaneSum(int64_t count, Term term) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] += term(i + k);
  }
  float sum = 0;
  for (; i < count; ++i) sum += term(i);
  for (float lane : lanes) sum += lane;
  return sum;
}

// x [rows, d] -> out [rows, d], scales [rows] = 1 / sqrt(mean(x^2) + eps)
template <typename Out>
void NormRows(const float* x, const float* weight, double eps, int64_t rows, int64_t d, Out* out, float* scales) {
  at::parallel_for(0, rows, kGrainRows, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* row = x + r * d;
      Out* to = out + r * d;
      const float squares = LaneSum(d, [row](int64_t i) { return row[i] * row[i]; });
      const float scale =
          static_cast<float>(1.0 / std::sqrt(static_cast<double>(squares) / static_cast<double>(d) + eps));
      scales[r] = scale;
      for (int64_t i = 0; i < d; ++i) to[i] = static_cast<Out>(row[i] * scale * weight[i]);
    }
  });
}

// y_i = s w_i x_i with s = (mean x^2 + eps)^(-1/2), so  dx_i = s (w_i g_i - x_i s^2 / d * sum_j w_j g_j x_j)  and
// dw_i = sum over rows of g_i x_i s.  partial [kBlocks, d] is zero on entry.
template <typename Grad>
void NormRowsBackward(const float* x, const float* weight, const float* scales, const Grad* grad, int64_t rows,
                      int64_t d, float* grad_x, float* partial) {
  const int64_t block = (rows + kBlocks - 1) / kBlocks;
  at::parallel_for(0, kBlocks, 1, [&](int64_t first, int64_t last) {
    std::vector<float> g(static_cast<size_t>(d));
    for (int64_t b = first; b < last; ++b) {
      float* sum = partial + b * d;
      for (int64_t r = b * block; r < std::min(rows, (b + 1) * block); ++r) {
        const float* row = x + r * d;
        float* to = grad_x + r * d;
        const float scale = scales[r];
        for (int64_t i = 0; i < d; ++i) g[static_cast<size_t>(i)] = static_cast<float>(grad[r * d + i]);
        const float* gradient = g.data();
        const float dot = LaneSum(d, [=](int64_t i) { return weight[i] * gradient[i] * row[i]; });
        const float pull = dot * scale * scale / static_cast<float>(d);
        for (int64_t i = 0; i < d; ++i) to[i] = scale * (weight[i] * gradient[i] - row[i] * pull);
        for (int64_t i = 0; i < d; ++i) sum[i] += gradient[i] * row[i] * scale;
      }
    }
  });
}

struct Normed {
  at::Tensor out;     // as x, dtype `as`
  at::Tensor scales;  // [rows]
};

Normed NormForward(const at::Tensor& x, const at::Tensor& weight, double eps, at::ScalarType as) {
  const int64_t d = x.size(-1), rows = x.numel() / std::max<int64_t>(d, 1);
  Normed normed{at::empty(x.sizes(), x.options().dtype(as)), at::empty({rows}, x.options())};
  const float* from = x.const_data_ptr<float>();
  const float* w = weight.const_data_ptr<float>();
  float* scales = normed.scales.mutable_data_ptr<float>();
  if (as == at::kBFloat16) {
    NormRows(from, w, eps, rows, d, normed.out.mutable_data_ptr<at::BFloat16>(), scales);
  } else {
    NormRows(from, w, eps, rows, d, normed.out.mutable_data_ptr<float>(), scales);
  }
  return normed;
}

class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double eps, int64_t as) {
    Normed normed = NormForward(x, weight, eps, static_cast<at::ScalarType>(as));
    context->save_for_backward({x, weight, normed.scales});
    return normed.out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &scales = saved[2];
    const int64_t d = x.size(-1), rows = x.numel() / std::max<int64_t>(d, 1);
    at::Tensor grad = grads[0].contiguous();
    if (grad.scalar_type() != at::kBFloat16) grad = grad.to(at::kFloat);
    at::Tensor grad_x = at::empty_like(x), partial = at::zeros({kBlocks, d}, x.options());
    const auto run = [&](const auto* g) {
      NormRowsBackward(x.const_data_ptr<float>(), weight.const_data_ptr<float>(), scales.const_data_ptr<float>(), g,
                       rows, d, grad_x.mutable_data_ptr<float>(), partial.mutable_data_ptr<float>());
    };
    if (grad.scalar_type() == at::kBFloat16) {
      run(grad.const_data_ptr<at::BFloat16>());
    } else {
      run(grad.const_data_ptr<float>());
    }
    return {grad_x, partial.sum(0), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const bool fused = x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  const bool autocast = at::autocast::is_autocast_enabled(x.device().type());
  const at::ScalarType as =
      autocast && x.scalar_type() == at::kFloat ? at::autocast::get_autocast_dtype(x.device().type()) : x.scalar_type();
  if (fused && (as == at::kFloat || as == at::kBFloat16)) {
    const at::Tensor rows = x.contiguous();
    const bool gradient = at::GradMode::is_enabled() && (rows.requires_grad() || weight.requires_grad());
    if (!gradient) return NormForward(rows, weight.contiguous(), eps, as).out;
    return RmsNormFunction::apply(rows, weight.contiguous(), eps, static_cast<int64_t>(as));
  }
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = (wide.square().mean(-1, /*keepdim=*/true) + eps).rsqrt();
  return ((wide * scale).to(x.scalar_type()) * weight).to(as);
}

}  // namespace auricle::model
