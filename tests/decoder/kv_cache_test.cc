#include "model/decoder/kv_cache.h"

#include <gtest/gtest.h>

#include "tests/decoder/small_decoder.h"

namespace auricle::model {
namespace {

class KvCacheTest : public ::testing::Test {
 protected:
  at::Tensor Run(const at::Tensor& ids, KvCache* cache) {
    const int64_t past = cache != nullptr ? cache->length() : 0;
    const at::Tensor positions = (at::arange(ids.size(1), at::kLong) + past).expand({ids.size(0), ids.size(1)});
    return decoder_->Forward(decoder_->Embed(ids), positions, {}, cache);
  }
  static void ExpectClose(const at::Tensor& a, const at::Tensor& b) {
    EXPECT_LE((a - b).abs().max().item<double>(), 1e-5);
  }

  at::NoGradGuard no_grad_;
  const std::shared_ptr<Decoder> decoder_ = SmallDecoder(3);
  const at::Tensor ids_ = at::arange(24, at::kLong).view({2, 12}) * 7 % 261;
};

TEST_F(KvCacheTest, GivesTheSameHiddenStatesInAnyPieces) {
  const at::Tensor whole = Run(ids_, nullptr);
  for (const std::vector<int64_t>& pieces : {std::vector<int64_t>{12}, {1, 11}, {5, 4, 3}, {3, 1, 1, 1, 6}}) {
    KvCache cache(decoder_->config(), 2, 12, at::kFloat);
    int64_t at_position = 0;
    for (int64_t count : pieces) {
      ExpectClose(Run(ids_.narrow(1, at_position, count), &cache), whole.narrow(1, at_position, count));
      at_position += count;
    }
    EXPECT_EQ(cache.length(), 12);
  }
}

TEST_F(KvCacheTest, ForgetsWhatIsTruncated) {
  KvCache cache(decoder_->config(), 2, 12, at::kFloat);
  Run(ids_.narrow(1, 0, 8), &cache);
  cache.Truncate(5);
  Run((ids_ + 1).narrow(1, 5, 3), &cache);
  cache.Truncate(5);
  ExpectClose(Run(ids_.narrow(1, 5, 7), &cache), Run(ids_, nullptr).narrow(1, 5, 7));
}

TEST_F(KvCacheTest, ForksIntoIndependentContinuations) {
  KvCache trunk(decoder_->config(), 1, 6, at::kFloat);
  Run(ids_.narrow(0, 0, 1).narrow(1, 0, 6), &trunk);
  KvCache one = trunk.Fork(1, 12), two = trunk.Fork(2, 9);
  const at::Tensor tail = ids_.narrow(0, 0, 1).narrow(1, 6, 6), other = (tail + 3) % 261;
  Run(other, &one);  // must not disturb the other branch
  const at::Tensor both = at::cat({tail, other}, 0).narrow(1, 0, 3);
  const at::Tensor forked = Run(both, &two);
  const at::Tensor head = ids_.narrow(0, 0, 1).narrow(1, 0, 6);
  ExpectClose(forked[0], Run(at::cat({head, tail}, 1), nullptr)[0].narrow(0, 6, 3));
  ExpectClose(forked[1], Run(at::cat({head, other}, 1), nullptr)[0].narrow(0, 6, 3));
  EXPECT_EQ(trunk.length(), 6);
}

TEST_F(KvCacheTest, RefusesMoreThanItsCapacityAndStaysUsable) {
  KvCache cache(decoder_->config(), 2, 8, at::kFloat);
  EXPECT_THROW(Run(ids_, &cache), c10::Error);
  EXPECT_EQ(cache.length(), 0);
  Run(ids_.narrow(1, 0, 8), &cache);
  EXPECT_THROW(Run(ids_.narrow(1, 8, 1), &cache), c10::Error);
  EXPECT_THROW(cache.Truncate(9), c10::Error);
  EXPECT_THROW(cache.Fork(3, 20), c10::Error);
  EXPECT_THROW(cache.Fork(2, 7), c10::Error);
}

TEST_F(KvCacheTest, TakesTheBytesItSays) {
  const KvCache cache(decoder_->config(), 3, 10, at::kBFloat16);
  EXPECT_EQ(cache.Bytes(), 2 * 2 * 3 * 2 * 10 * 4 * 2);  // k and v, layers, rows, kv heads, positions, head_dim, bytes
}

}  // namespace
}  // namespace auricle::model
