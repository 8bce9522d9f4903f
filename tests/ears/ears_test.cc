// Waveform to tokens: bad input is refused with words, batches and streams change nothing.
#include "model/projector/ears.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "model/projector/ears_stream.h"

namespace auricle::model {
namespace {

constexpr double kTolerance = 1e-4;

// Random weights; batch norms have seen something, so that eval mode is not the identity.
Ears TinyEars(int left_chunks = 24) {
  torch::manual_seed(31);
  EarsConfig config = EarsConfig::Tiny();
  config.left_chunks = left_chunks;
  EarsNetwork network(config);
  network->train();
  for (int i = 0; i < 3; ++i) network->forward(FoaFeatures(config.mels)(torch::randn({2, 4, 12800}) * 0.1));
  return Ears(network, Projector(config, ProjectorConfig{.expert_width = 8, .decoder_width = 16}));
}

torch::Tensor Sound(int64_t samples) {
  torch::Tensor audio = torch::randn({4, samples}) * 0.1;
  audio.slice(1, samples / 3, samples / 2) *= 5;  // something happens
  return audio;
}

void ExpectSame(const Heard& a, const Heard& b, int64_t item_a = 0) {
  const auto near = [&](const torch::Tensor& x, const torch::Tensor& y, const char* what) {
    ASSERT_EQ(x.sizes(), y.sizes()) << what;
    EXPECT_LT((x - y).abs().max().item<double>(), kTolerance) << what;
  };
  const auto pick = [&](const torch::Tensor& x) { return x.slice(0, item_a, item_a + 1); };
  const int64_t tokens = b.perceived.token_mask.size(1);
  const EarsOutput &p = a.perceived, &q = b.perceived;
  near(pick(p.semantic_tokens).slice(1, 0, tokens), q.semantic_tokens, "semantic");
  near(pick(p.spatial_tokens).slice(1, 0, tokens), q.spatial_tokens, "spatial");
  near(pick(p.fused_tokens).slice(1, 0, tokens), q.fused_tokens, "fused");
  near(pick(p.exist_logits), q.exist_logits, "exist");
  near(pick(p.class_logits), q.class_logits, "class");
  near(pick(p.direction), q.direction, "direction");
  near(pick(p.activity_logits).slice(2, 0, tokens), q.activity_logits, "activity");
  near(pick(p.log_t30), q.log_t30, "t30");
  const int64_t length = b.tokens.lengths[0].item<int64_t>();
  ASSERT_EQ(a.tokens.lengths[item_a].item<int64_t>(), length);
  near(pick(a.tokens.embeddings).slice(1, 0, length), b.tokens.embeddings.slice(1, 0, length), "tokens");
}

TEST(EarsTest, RefusesWhatIsNoClipAndSaysWhich) {
  const Ears ears = TinyEars();
  torch::Tensor with_nan = Sound(3200);
  with_nan[2][77] = std::numeric_limits<float>::quiet_NaN();
  for (const torch::Tensor& bad : {torch::zeros({4, 1599}), torch::zeros({3, 3200}), torch::zeros({2, 4, 3200}),
                                   torch::zeros({4, 3200}, torch::kFloat64), with_nan, torch::Tensor()}) {
    const auto heard = ears.Encode({Sound(3200), bad});
    EXPECT_EQ(heard.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(heard.status().message().find("clips[1]"), absl::string_view::npos) << heard.status();
  }
  EXPECT_EQ(ears.Encode({}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(EarsTest, HearsSilenceAndExtremesWithFiniteNumbers) {
  const Ears ears = TinyEars();
  for (const torch::Tensor& clip : {torch::zeros({4, 16000}), torch::ones({4, 16000}), torch::randn({4, 16000}) * 1e4,
                                    torch::randn({4, 16000}) * 1e-6, Sound(1600)}) {
    const auto heard = ears.Encode({clip});
    ASSERT_TRUE(heard.ok()) << heard.status();
    EXPECT_TRUE(torch::isfinite(heard->tokens.embeddings).all().item<bool>());
  }
}

TEST(EarsTest, EachClipOfAMixedBatchIsHeardAsIfAlone) {
  const Ears ears = TinyEars();
  const std::vector<torch::Tensor> clips = {Sound(30000), Sound(5000), Sound(48000)};
  const auto together = ears.Encode(clips);
  ASSERT_TRUE(together.ok()) << together.status();
  for (size_t i = 0; i < clips.size(); ++i) {
    const auto alone = ears.Encode({clips[i]});
    ASSERT_TRUE(alone.ok());
    ExpectSame(*together, *alone, static_cast<int64_t>(i));
  }
}

// How a stream may be cut: pieces of so many samples.
class EarsStreamTest : public testing::TestWithParam<int64_t> {};

TEST_P(EarsStreamTest, EverySnapshotEqualsTheClipSoFar) {
  const Ears ears = TinyEars(/*left_chunks=*/2);  // short enough that the cache is cut
  const torch::Tensor audio = Sound(49337);
  EarsStream stream(ears);
  int64_t next_look = 1700;
  for (int64_t at = 0; at < audio.size(1); at += GetParam()) {
    const int64_t end = std::min(audio.size(1), at + GetParam());
    ASSERT_TRUE(stream.Feed(audio.slice(1, at, end)).ok());
    if (end < next_look && end < audio.size(1)) continue;
    next_look = end + 5000;
    const auto snapshot = stream.Snapshot();
    const auto whole = ears.Encode({audio.slice(1, 0, end)});
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    ASSERT_TRUE(whole.ok());
    ExpectSame(*whole, *snapshot);
  }
  EXPECT_EQ(stream.samples(), audio.size(1));
}

INSTANTIATE_TEST_SUITE_P(Pieces, EarsStreamTest, testing::Values(97, 160, 1600, 6400, 7001, 49337));

TEST(EarsStreamTest, AStreamLongerThanWhatIsListenedToAgainEqualsTheClip) {
  const Ears ears = TinyEars();
  const torch::Tensor audio = Sound((kListenTokens + 17) * kSamplesPerToken);
  EarsStream stream(ears);
  for (int64_t at = 0; at < audio.size(1); at += 20000) {
    ASSERT_TRUE(stream.Feed(audio.slice(1, at, std::min(audio.size(1), at + 20000))).ok());
  }
  const auto snapshot = stream.Snapshot();
  const auto whole = ears.Encode({audio});
  ASSERT_TRUE(snapshot.ok() && whole.ok());
  ExpectSame(*whole, *snapshot);
}

TEST(EarsStreamTest, SnapshotFromLaterOnHoldsTheSameTokens) {
  const Ears ears = TinyEars();
  EarsStream stream(ears);
  ASSERT_TRUE(stream.Feed(Sound(48000)).ok());
  const auto all = stream.Snapshot(), late = stream.Snapshot(1.3);
  ASSERT_TRUE(all.ok() && late.ok());
  EXPECT_EQ(stream.first_token_of(1.3), 12);
  EXPECT_TRUE(torch::equal(all->perceived.fused_tokens.slice(1, 12), late->perceived.fused_tokens));
  EXPECT_EQ(stream.Snapshot(3.0).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(EarsStreamTest, ACopyGoesItsOwnWay) {
  const Ears ears = TinyEars();
  EarsStream stream(ears);
  const torch::Tensor audio = Sound(32000);
  ASSERT_TRUE(stream.Feed(audio).ok());
  const auto before = stream.Snapshot();
  EarsStream copy = stream;
  ASSERT_TRUE(copy.Feed(Sound(16000)).ok());
  const auto after = stream.Snapshot();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_TRUE(torch::equal(before->tokens.embeddings, after->tokens.embeddings));
  EXPECT_EQ(copy.samples(), 48000);
}

TEST(EarsStreamTest, RefusesBadAudioAndGoesOn) {
  const Ears ears = TinyEars();
  EarsStream stream(ears);
  EXPECT_EQ(stream.Snapshot().status().code(), absl::StatusCode::kFailedPrecondition);
  torch::Tensor with_infinity = torch::zeros({4, 100});
  with_infinity[0][3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(stream.Feed(with_infinity).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.Feed(torch::zeros({2, 100})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.samples(), 0);
  EXPECT_TRUE(stream.Feed(torch::zeros({4, 1600})).ok());
  EXPECT_TRUE(stream.Snapshot().ok());
}

}  // namespace
}  // namespace auricle::model
