// The projector against finite differences and against inputs whose summary is known.
#include "model/projector/projector.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "model/encoder/course.h"

namespace auricle::model {
namespace {

ProjectorConfig SmallConfig() {
  return {.expert_width = 8, .expert_hidden = 8, .bottleneck = 8, .slot_hidden = 8, .pool = 4, .decoder_width = 8};
}

// Every tensor random, float64, clips of the given lengths.
EarsOutput RandomOutput(const EarsConfig& config, const std::vector<int64_t>& counts, int64_t tokens) {
  const auto options = torch::TensorOptions(torch::kFloat64);
  const int64_t b = static_cast<int64_t>(counts.size()), k = config.slots, d = config.width;
  EarsOutput out;
  out.token_mask = torch::arange(tokens).unsqueeze(0) < torch::tensor(counts).unsqueeze(1);
  out.semantic_tokens = torch::randn({b, tokens, d}, options);
  out.spatial_tokens = torch::randn({b, tokens, d}, options);
  out.fused_tokens = torch::randn({b, tokens, d}, options);
  out.slot_embeddings = torch::randn({b, k, d}, options);
  out.exist_logits = torch::randn({b, k}, options);
  out.class_logits = torch::randn({b, k, config.classes}, options);
  const torch::Tensor v = torch::randn({b, k, 3}, options);
  out.direction = v / v.norm(2, -1, true);
  out.log_distance = torch::randn({b, k}, options);
  out.motion_logits = torch::randn({b, k, kMotionKinds}, options);
  out.course = torch::randn({b, k, kCourseValues}, options);
  out.activity_logits = torch::randn({b, k, tokens}, options);
  out.log_t30 = torch::randn({b, kReverberationBands}, options);
  out.log_volume = torch::randn({b}, options);
  out.free_field_logit = torch::randn({b}, options);
  return out;
}

class ProjectorTest : public testing::Test {
 protected:
  ProjectorTest() {
    torch::manual_seed(21);
    projector_ = Projector(ears_, SmallConfig());
    projector_->to(torch::kFloat64);
  }
  EarsConfig ears_ = EarsConfig::Tiny();
  Projector projector_{nullptr};
};

TEST_F(ProjectorTest, GradientsMatchFiniteDifferences) {
  EarsOutput heard = RandomOutput(ears_, {9, 6}, 9);
  const torch::Tensor weight =
      torch::randn({2, ProjectorImpl::TokenCount(ears_, SmallConfig(), 9), 8}, torch::kFloat64);
  const auto loss = [&] { return (projector_->forward(heard).embeddings * weight).sum(); };

  std::vector<std::pair<std::string, torch::Tensor>> checked;
  for (auto& item : projector_->named_parameters()) checked.emplace_back(item.key(), item.value());
  const std::pair<const char*, torch::Tensor*> inputs[] = {
      {"semantic", &heard.semantic_tokens}, {"spatial", &heard.spatial_tokens},
      {"fused", &heard.fused_tokens},       {"slots", &heard.slot_embeddings},
      {"exist", &heard.exist_logits},       {"class", &heard.class_logits},
      {"direction", &heard.direction},      {"distance", &heard.log_distance},
      {"motion", &heard.motion_logits},     {"course", &heard.course},
      {"activity", &heard.activity_logits}, {"t30", &heard.log_t30},
      {"volume", &heard.log_volume},        {"free field", &heard.free_field_logit}};
  for (const auto& [name, tensor] : inputs) {
    tensor->requires_grad_(true);
    checked.emplace_back(name, *tensor);
  }
  loss().backward();

  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  for (auto& [name, tensor] : checked) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    // Along a random direction: one number for the whole tensor.
    const torch::Tensor along = torch::randn_like(tensor);
    const double analytic = (tensor.grad() * along).sum().item<double>();
    tensor.add_(along, kStep);
    const double above = loss().item<double>();
    tensor.sub_(along, 2 * kStep);
    const double below = loss().item<double>();
    tensor.add_(along, kStep);
    const double numeric = (above - below) / (2 * kStep);
    EXPECT_NEAR(analytic, numeric, 1e-6 * std::max(1.0, std::abs(numeric))) << name;
    EXPECT_NE(analytic, 0) << name;
  }
}

TEST_F(ProjectorTest, TokensAreDenseThenRelationsThenSlotsThenRoomForEveryLength) {
  const torch::NoGradGuard no_grad;
  const EarsOutput heard = RandomOutput(ears_, {10, 3, 8}, 10);
  const AudioTokens tokens = projector_->forward(heard);
  // Three of the four slots are related: six ordered pairs.
  ASSERT_EQ(ears_.slots, 4);
  const int64_t rest = 6 + 4 + 1;
  EXPECT_EQ(tokens.embeddings.sizes(), (std::vector<int64_t>{3, 3 + rest, 8}));
  EXPECT_EQ(tokens.lengths[0].item<int64_t>(), 3 + rest);
  EXPECT_EQ(tokens.lengths[1].item<int64_t>(), 1 + rest);
  EXPECT_EQ(tokens.lengths[2].item<int64_t>(), 2 + rest);
  for (int64_t clip_tokens : {10, 3, 8}) {
    EXPECT_EQ(ProjectorImpl::TokenCount(ears_, SmallConfig(), clip_tokens), (clip_tokens + 3) / 4 + rest);
  }
  EXPECT_EQ(tokens.embeddings[1].slice(0, 1 + rest).abs().max().item<double>(), 0) << "zeros behind the clip";

  // Clip 1 alone gives the same tokens.
  EarsOutput alone = heard;
  for (torch::Tensor* t : {&alone.token_mask, &alone.semantic_tokens, &alone.spatial_tokens, &alone.fused_tokens}) {
    *t = t->slice(0, 1, 2).slice(1, 0, 3);
  }
  for (torch::Tensor* t : {&alone.slot_embeddings, &alone.exist_logits, &alone.class_logits, &alone.direction,
                           &alone.log_distance, &alone.motion_logits, &alone.course, &alone.activity_logits,
                           &alone.log_t30, &alone.log_volume, &alone.free_field_logit}) {
    *t = t->slice(0, 1, 2);
  }
  alone.activity_logits = alone.activity_logits.slice(2, 0, 3);
  const AudioTokens single = projector_->forward(alone);
  EXPECT_LT((single.embeddings[0] - tokens.embeddings[1].slice(0, 0, 1 + rest)).abs().max().item<double>(), 1e-12);
}

TEST_F(ProjectorTest, OrderOfTheSlotsIsByConfidenceAndNothingElse) {
  const torch::NoGradGuard no_grad;
  EarsOutput heard = RandomOutput(ears_, {8}, 8);
  heard.exist_logits = torch::tensor({{0.1, 2.0, -1.0, 1.0}}, torch::kFloat64);
  const AudioTokens tokens = projector_->forward(heard);
  EXPECT_TRUE(torch::equal(tokens.slot_order, torch::tensor({{1, 3, 0, 2}})));
  // The same sources in other slots give the same tokens.
  const torch::Tensor shuffle = torch::tensor({2, 0, 3, 1});
  EarsOutput shuffled = heard;
  for (torch::Tensor* t :
       {&shuffled.slot_embeddings, &shuffled.exist_logits, &shuffled.class_logits, &shuffled.direction,
        &shuffled.log_distance, &shuffled.motion_logits, &shuffled.course, &shuffled.activity_logits}) {
    *t = t->index_select(1, shuffle);
  }
  EXPECT_LT((projector_->forward(shuffled).embeddings - tokens.embeddings).abs().max().item<double>(), 1e-12);
}

TEST_F(ProjectorTest, SlotInputsSayWhereAndWhen) {
  const torch::NoGradGuard no_grad;
  EarsOutput heard = RandomOutput(ears_, {40, 20}, 40);
  const double azimuth = 130 * std::numbers::pi / 180, elevation = -25 * std::numbers::pi / 180;
  heard.direction[0][1] = torch::tensor(
      {std::cos(elevation) * std::cos(azimuth), std::cos(elevation) * std::sin(azimuth), std::sin(elevation)},
      torch::kFloat64);
  heard.log_distance[0][1] = std::log(3.0);
  heard.activity_logits.fill_(-20);
  heard.activity_logits[0][1].slice(0, 10, 30) = 20;  // 1.0 s to 3.0 s of 4 s
  heard.activity_logits[1][0].slice(0, 5, 40) = 20;   // 0.5 s to its end at 2 s; behind that padding
  const torch::Tensor inputs = projector_->SlotInputs(heard);
  ASSERT_EQ(inputs.size(2), ProjectorImpl::SlotInputWidth(ears_));
  // Behind the duration stands the course.
  const auto value = [&](int clip, int slot, int64_t from_end) {
    return inputs[clip][slot][-from_end - kCourseValues].item<double>();
  };
  EXPECT_TRUE(torch::equal(inputs.slice(2, -kCourseValues), heard.course));
  EXPECT_NEAR(value(0, 1, 3), 0.10, 1e-5) << "onset in tens of seconds";
  EXPECT_NEAR(value(0, 1, 2), 0.30, 1e-5) << "offset";
  EXPECT_NEAR(value(0, 1, 1), 0.40, 1e-12) << "duration";
  EXPECT_NEAR(value(1, 0, 3), 0.05, 1e-5);
  EXPECT_NEAR(value(1, 0, 2), 0.20, 1e-5);
  EXPECT_NEAR(value(1, 0, 1), 0.20, 1e-12);
  // Bins of 0.2 s: 5 to 14 are on.
  for (int bin = 0; bin < 20; ++bin) {
    EXPECT_NEAR(value(0, 1, 3 + 20 - bin), bin >= 5 && bin < 15 ? 1 : 0, 1e-6) << bin;
  }
  EXPECT_NEAR(value(0, 1, 24), std::log(3.0), 1e-12) << "log distance";
  EXPECT_NEAR(value(0, 1, 25), elevation, 1e-5) << "elevation";
  for (int n = 1; n <= 4; ++n) {
    EXPECT_NEAR(value(0, 1, 25 + 2 * (5 - n)), std::cos(n * azimuth), 1e-5) << n;
    EXPECT_NEAR(value(0, 1, 24 + 2 * (5 - n)), std::sin(n * azimuth), 1e-5) << n;
  }
}

TEST_F(ProjectorTest, RelationInputsSayHowOneSourceLiesFromAnother) {
  const torch::NoGradGuard no_grad;
  EarsOutput heard = RandomOutput(ears_, {40}, 40);
  // a: 2 m to the left (y), from 0.5 s to 2 s; b: 3 m ahead (x) and 4 m up (z), from 1 s to 3 s. All of 4 s.
  heard.direction[0][2] = torch::tensor({0.0, 1.0, 0.0}, torch::kFloat64);
  heard.direction[0][0] = torch::tensor({0.6, 0.0, 0.8}, torch::kFloat64);
  heard.log_distance[0][2] = std::log(2.0);
  heard.log_distance[0][0] = std::log(5.0);
  heard.activity_logits.fill_(-20);
  heard.activity_logits[0][2].slice(0, 5, 20) = 20;
  heard.activity_logits[0][0].slice(0, 10, 30) = 20;
  // Order: slots 1, 2, 0. Pairs (1, 2), (1, 0), (2, 1), (2, 0), (0, 1), (0, 2): the fourth is (a, b), the last (b, a).
  const torch::Tensor inputs = projector_->RelationInputs(heard, torch::tensor({{1, 2, 0, 3}}));
  ASSERT_EQ(inputs.sizes(), (std::vector<int64_t>{1, 6, ProjectorImpl::RelationInputWidth(ears_)}));
  constexpr double pi = std::numbers::pi;
  const double b_elevation = std::asin(0.8);
  // Seen from b, a is 3 m back and 2 m left, and 4 m below.
  const double way = std::atan2(2.0, -3.0), level = std::hypot(3.0, 2.0);
  for (const bool reversed : {false, true}) {
    std::vector<double> expected;
    const auto harmonics = [&expected](double angle) {
      for (int n = 1; n <= 4; ++n) {
        expected.push_back(std::cos(n * angle));
        expected.push_back(std::sin(n * angle));
      }
    };
    const double sign = reversed ? -1 : 1;
    harmonics(sign * pi / 2);
    harmonics(pi / 2);
    expected.push_back(pi / 2);
    expected.push_back(sign * -b_elevation);
    expected.push_back(sign * std::log(2.0 / 5.0));
    harmonics(reversed ? way - pi : way);
    expected.push_back(sign * -std::atan2(4.0, level));
    expected.push_back(std::log(std::hypot(level, 4.0)));
    expected.push_back(sign * (0.05 - 0.1));
    expected.push_back(sign * (0.2 - 0.3));
    expected.push_back(0.25);
    const torch::Tensor row = inputs[0][reversed ? 5 : 3];
    const int64_t identity = row.size(0) - static_cast<int64_t>(expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(row[identity + static_cast<int64_t>(i)].item<double>(), expected[i], 1e-5) << reversed << " " << i;
    }
    const int64_t first = reversed ? 0 : 2, second = reversed ? 2 : 0;
    const int64_t classes = ears_.classes;
    EXPECT_NEAR(row[0].item<double>(), 1 / (1 + std::exp(-heard.exist_logits[0][first].item<double>())), 1e-12);
    EXPECT_TRUE(torch::allclose(row.slice(0, 1, 1 + classes), torch::softmax(heard.class_logits[0][first], 0)));
    EXPECT_TRUE(torch::allclose(row.slice(0, 2 + 2 * classes, 2 + 3 * classes),
                                torch::softmax(heard.class_logits[0][second], 0)));
  }
}

TEST_F(ProjectorTest, RelatesNoMoreSlotsThanThereAreAndNoneWhereToldSo) {
  const torch::NoGradGuard no_grad;
  const EarsOutput heard = RandomOutput(ears_, {8}, 8);
  for (const auto& [related, pairs] : {std::pair{0, 0}, {1, 0}, {2, 2}, {4, 12}, {9, 12}}) {
    ProjectorConfig config = SmallConfig();
    config.related_slots = related;
    Projector projector(ears_, config);
    projector->to(torch::kFloat64);
    EXPECT_EQ(projector->forward(heard).embeddings.size(1), 2 + pairs + 4 + 1) << related;
  }
}

TEST(ProjectorConfigTest, SurvivesJsonAndNamesWhatIsWrong) {
  const auto back = ProjectorConfig::FromJson(SmallConfig().ToJson());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->decoder_width, 8);
  const auto refused = ProjectorConfig::FromJson({{"pool", 0}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("projector.pool"), absl::string_view::npos);
  EXPECT_FALSE(ProjectorConfig::FromJson({{"pol", 4}}).ok());
}

}  // namespace
}  // namespace auricle::model
