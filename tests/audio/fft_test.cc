#include "model/audio/fft.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace auricle::audio {
namespace {

std::vector<float> Noise(size_t n, uint32_t seed) {
  std::mt19937 bits(seed);
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(static_cast<double>(bits()) / 2147483648.0 - 1.0);
  return out;
}

// The definition, in double.
std::vector<std::complex<double>> DirectDft(const float* x, size_t length, size_t n_fft) {
  std::vector<std::complex<double>> out(FftBins(n_fft));
  for (size_t k = 0; k < out.size(); ++k) {
    for (size_t n = 0; n < length; ++n) {
      out[k] += static_cast<double>(x[n]) * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * n % n_fft) /
                                                                static_cast<double>(n_fft));
    }
  }
  return out;
}

std::vector<double> DirectConvolution(const std::vector<float>& a, const float* b, size_t taps) {
  std::vector<double> out(a.size() + taps - 1, 0.0);
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < taps; ++j) out[i + j] += static_cast<double>(a[i]) * b[j];
  }
  return out;
}

TEST(Fft, AgreesWithTheDefinitionRowByRow) {
  constexpr size_t kBatch = 3;
  for (const size_t n_fft : {2u, 6u, 30u, 400u, 512u, 1000u}) {
    for (const size_t length : {n_fft, n_fft - n_fft / 3}) {  // a shorter row is padded with zeros
      const std::vector<float> x = Noise(kBatch * length, 7);
      const auto spectra = ForwardFft(x, kBatch, n_fft);
      ASSERT_TRUE(spectra.ok()) << spectra.status();
      ASSERT_EQ(spectra->size(), kBatch * FftBins(n_fft));
      for (size_t row = 0; row < kBatch; ++row) {
        const auto want = DirectDft(x.data() + row * length, length, n_fft);
        for (size_t k = 0; k < want.size(); ++k) {
          const std::complex<double> got((*spectra)[row * want.size() + k]);
          ASSERT_LT(std::abs(got - want[k]), 1e-6 * static_cast<double>(n_fft)) << n_fft << " bin " << k;
        }
      }
    }
  }
}

TEST(Fft, InverseUndoesForward) {
  for (const size_t n_fft : {2u, 24u, 512u, 90000u}) {
    const std::vector<float> x = Noise(2 * n_fft, 11);
    const auto back = InverseFft(*ForwardFft(x, 2, n_fft), 2, n_fft);
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(back->size(), x.size());
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR((*back)[i], x[i], 2e-6);
  }
}

TEST(Fft, RefusesSizesThatDoNotFit) {
  const std::vector<float> x(12);
  EXPECT_FALSE(ForwardFft(x, 1, 7).ok());  // odd
  EXPECT_FALSE(ForwardFft(x, 1, 0).ok());
  EXPECT_FALSE(ForwardFft(x, 1, 10).ok());   // longer than n_fft
  EXPECT_FALSE(ForwardFft(x, 5, 512).ok());  // 12 values are not 5 rows
  EXPECT_FALSE(ForwardFft(x, 0, 512).ok());
  EXPECT_FALSE(ForwardFft({}, 1, 512).ok());
  EXPECT_FALSE(InverseFft(std::vector<Complex>(12), 1, 512).ok());
}

TEST(FastFftLength, IsTheSmallestEvenProductOfTwosThreesAndFives) {
  const auto is_fast = [](size_t n) {
    if (n % 2 != 0) return false;
    for (const size_t p : {2u, 3u, 5u}) {
      while (n % p == 0) n /= p;
    }
    return n == 1;
  };
  for (size_t n = 0; n < 5000; ++n) {
    size_t want = std::max<size_t>(n, 2);
    while (!is_fast(want)) ++want;
    ASSERT_EQ(FastFftLength(n), want) << n;
  }
}

TEST(Convolve, AgreesWithTheSumInDoubleForFourChannels) {
  const std::vector<float> signal = Noise(1500, 1);
  const auto prepared = PrepareSignal(signal, 700);
  ASSERT_TRUE(prepared.ok());
  for (const size_t taps : {1u, 2u, 333u, 700u}) {
    const std::vector<float> response = Noise(4 * taps, 2);
    const auto out = Convolve(*prepared, response, 4);
    ASSERT_TRUE(out.ok()) << out.status();
    const size_t frames = signal.size() + taps - 1;
    ASSERT_EQ(out->size(), 4 * frames);
    for (size_t c = 0; c < 4; ++c) {
      const std::vector<double> want = DirectConvolution(signal, response.data() + c * taps, taps);
      double peak = 0, worst = 0;
      for (size_t i = 0; i < frames; ++i) {
        peak = std::max(peak, std::abs(want[i]));
        worst = std::max(worst, std::abs((*out)[c * frames + i] - want[i]));
      }
      EXPECT_LT(worst, 1e-6 * peak) << taps << " taps";  // -120 dB
    }
  }
}

TEST(Convolve, DelaysByAUnitImpulse) {
  const std::vector<float> signal = Noise(100, 3);
  std::vector<float> response(20, 0.0f);
  response[13] = 1.0f;
  const auto out = ConvolveOnce(signal, response, 1);
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->size(), 119u);
  for (size_t i = 0; i < out->size(); ++i) {
    EXPECT_NEAR((*out)[i], i >= 13 && i < 113 ? signal[i - 13] : 0.0f, 1e-6);
  }
}

TEST(Convolve, RefusesAResponseThatIsTooLongEmptyOrNotWholeChannels) {
  const auto prepared = PrepareSignal(Noise(100, 4), 10);
  ASSERT_TRUE(prepared.ok());
  EXPECT_FALSE(Convolve(*prepared, Noise(44, 5), 4).ok());
  EXPECT_FALSE(Convolve(*prepared, Noise(6, 5), 4).ok());
  EXPECT_FALSE(Convolve(*prepared, {}, 4).ok());
  EXPECT_FALSE(Convolve(*prepared, Noise(8, 5), 0).ok());
  EXPECT_FALSE(PrepareSignal({}, 10).ok());
  EXPECT_FALSE(PrepareSignal(Noise(5, 6), 0).ok());
}

// Scenes must not depend on how many threads a machine has.
TEST(Convolve, GivesTheSameBitsForAnyNumberOfThreads) {
  const int threads_before = at::get_num_threads();
  const std::vector<float> signal = Noise(80000, 8), response = Noise(4 * 8000, 9);
  at::set_num_threads(1);
  const auto one = ConvolveOnce(signal, response, 4);
  at::set_num_threads(3);
  const auto three = ConvolveOnce(signal, response, 4);
  EXPECT_EQ(at::get_num_threads(), 3);  // and leaves the setting alone
  at::set_num_threads(threads_before);
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(*one, *three);
}

TEST(Convolve, ServesSeveralThreadsAtOnce) {
  const auto prepared = PrepareSignal(Noise(20000, 10), 3000);
  ASSERT_TRUE(prepared.ok());
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int repeat = 0; repeat < 5; ++repeat) results[t] = *Convolve(*prepared, Noise(4 * 3000, 12), 4);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
  EXPECT_EQ(results[0], *Convolve(*prepared, Noise(4 * 3000, 12), 4));
}

}  // namespace
}  // namespace auricle::audio
