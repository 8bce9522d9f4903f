// Ask through gRPC with a fake model.
#include <gtest/gtest.h>

#include "server/inference/ask_call.h"
#include "server/runtime/error_details.h"
#include "tests/server/server_fixture.h"

namespace auricle::server {
namespace {

class AskTest : public ServerTest {};

TEST_F(AskTest, AnswersWithEvidenceAndUsage) {
  StartServer();
  v1::AskResponse response;
  const grpc::Status status = Ask(AskAboutWave(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.answer(), "azimuth 40.0 degrees");
  EXPECT_EQ(response.finish_reason(), v1::FINISH_REASON_STOP);
  EXPECT_EQ(response.model(), "fake");
  EXPECT_EQ(response.model_version(), "0123456789ab");
  ASSERT_EQ(response.scene().sources_size(), 1);
  EXPECT_NEAR(response.scene().sources(0).direction().azimuth_deg(), 40, 1e-3);
  EXPECT_NEAR(response.scene().sources(0).direction().elevation_deg(), 10, 1e-3);
  EXPECT_EQ(response.scene().sources(0).frames_size(), 0);
  EXPECT_DOUBLE_EQ(response.usage().audio_seconds(), 1);
  EXPECT_EQ(response.usage().completion_tokens(), 3u);
  EXPECT_EQ(response.usage().audio_tokens(), 3u);
  EXPECT_EQ(response.usage().cached_tokens(), 0u);
  EXPECT_GE(response.usage().total_seconds(), response.usage().time_to_first_token_seconds());
  EXPECT_GE(response.usage().time_to_first_token_seconds(), response.usage().queue_seconds());
}

TEST_F(AskTest, GivesTracksOnlyWhereAskedAndNoSceneWhereNotWanted) {
  StartServer();
  v1::AskRequest request = AskAboutWave();
  request.mutable_evidence()->set_include_tracks(true);
  v1::AskResponse response;
  ASSERT_TRUE(Ask(request, &response).ok());
  EXPECT_EQ(response.scene().sources(0).frames_size(), 10);
  request.mutable_evidence()->set_omit_scene(true);
  ASSERT_TRUE(Ask(request, &response).ok());
  EXPECT_FALSE(response.has_scene());
}

TEST_F(AskTest, AnswersMultipleChoiceWithLetterAndProbabilities) {
  StartServer();
  v1::AskRequest request = AskAboutWave("12345");  // 5 % 4 = 1: B
  for (const char* option : {"left", "right", "front", "back"}) request.add_options(option);
  v1::AskResponse response;
  ASSERT_TRUE(Ask(request, &response).ok());
  EXPECT_EQ(response.letter(), "B");
  EXPECT_EQ(response.answer(), "B. right");
  ASSERT_EQ(response.probabilities_size(), 4);
  float sum = 0;
  for (const auto& option : response.probabilities()) sum += option.probability();
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(AskTest, StopsAtTheLengthAskedFor) {
  StartServer();
  v1::AskRequest request = AskAboutWave("count to 20");
  request.mutable_sampling()->set_max_new_tokens(5);
  v1::AskResponse response;
  ASSERT_TRUE(Ask(request, &response).ok());
  EXPECT_EQ(response.answer(), "0 1 2 3 4");
  EXPECT_EQ(response.finish_reason(), v1::FINISH_REASON_LENGTH);
}

TEST_F(AskTest, HearsOnlyTheSpanThatIsNamed) {
  StartServer();
  v1::AskRequest request;
  std::vector<float> samples = PlaneWave(1, 16000, 90);
  const std::vector<float> later = PlaneWave(1, 16000, -90);
  samples.insert(samples.end(), later.begin(), later.end());
  *request.mutable_audio() = PcmClip(samples);
  request.set_question("Where?");
  request.mutable_span()->set_start_seconds(1);
  v1::AskResponse response;
  ASSERT_TRUE(Ask(request, &response).ok());
  EXPECT_EQ(response.answer(), "azimuth -90.0 degrees");
  EXPECT_DOUBLE_EQ(response.scene().heard().start_seconds(), 1);
  EXPECT_DOUBLE_EQ(response.scene().heard().end_seconds(), 2);
  EXPECT_DOUBLE_EQ(response.scene().sources(0).active(0).start_seconds(), 1);
  EXPECT_DOUBLE_EQ(response.usage().audio_seconds(), 1);
}

// FuMa and N3D of the same wave: the conventions of audio.proto, written out.
TEST_F(AskTest, ConvertsDeclaredConventions) {
  StartServer();
  const std::vector<float> ambix = PlaneWave(1, 16000, 40, 10);
  std::vector<float> fuma(ambix.size()), n3d(ambix.size());
  for (size_t i = 0; i < ambix.size(); i += 4) {
    const float w = ambix[i], y = ambix[i + 1], z = ambix[i + 2], x = ambix[i + 3];
    const float root3 = std::sqrt(3.0f);
    fuma[i] = w / std::sqrt(2.0f), fuma[i + 1] = x, fuma[i + 2] = y, fuma[i + 3] = z;
    n3d[i] = w, n3d[i + 1] = y * root3, n3d[i + 2] = z * root3, n3d[i + 3] = x * root3;
  }
  for (const auto& [format, samples] : {std::pair{v1::FOA_FORMAT_FUMA, fuma}, std::pair{v1::FOA_FORMAT_N3D, n3d}}) {
    v1::AskRequest request = AskAboutWave();
    *request.mutable_audio() = PcmClip(samples);
    request.mutable_audio()->set_format(format);
    v1::AskResponse response;
    ASSERT_TRUE(Ask(request, &response).ok());
    EXPECT_EQ(response.answer(), "azimuth 40.0 degrees");
    EXPECT_NEAR(response.scene().sources(0).direction().elevation_deg(), 10, 1e-3);
    EXPECT_NEAR(response.scene().sources(0).distance_m(), 1 / (0.1 / std::sqrt(2.0)), 1e-2);
  }
}

TEST_F(AskTest, HearsAClipOnceForSeveralQuestions) {
  StartServer();
  v1::AskResponse response;
  ASSERT_TRUE(Ask(AskAboutWave("first"), &response).ok());
  EXPECT_EQ(response.usage().cached_tokens(), 0u);
  ASSERT_TRUE(Ask(AskAboutWave("second"), &response).ok());
  EXPECT_EQ(response.usage().cached_tokens(), response.usage().audio_tokens());
  EXPECT_EQ(model->encode_gate.arrived(), 1);
  v1::AskRequest other = AskAboutWave("third");
  other.mutable_audio()->mutable_data()->back() ^= 1;
  ASSERT_TRUE(Ask(other, &response).ok());
  EXPECT_EQ(response.usage().cached_tokens(), 0u);
  EXPECT_EQ(model->encode_gate.arrived(), 2);
}

TEST_F(AskTest, AQuestionThatFailsLeavesTheClipAsHeard) {
  StartServer();
  v1::AskResponse response;
  ASSERT_TRUE(Ask(AskAboutWave("first"), &response).ok());
  EXPECT_EQ(Ask(AskAboutWave("fail please"), &response).error_code(), grpc::StatusCode::INTERNAL);
  ASSERT_TRUE(Ask(AskAboutWave("second"), &response).ok());
  EXPECT_EQ(response.usage().cached_tokens(), response.usage().audio_tokens());
  EXPECT_EQ(model->encode_gate.arrived(), 1);
}

TEST_F(AskTest, AClipThatCouldNotBeHeardIsTriedAnew) {
  StartServer();
  model->encode_failures = 1;
  v1::AskResponse response;
  EXPECT_EQ(Ask(AskAboutWave("first"), &response).error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(Ask(AskAboutWave("second"), &response).ok());
  EXPECT_EQ(model->encode_gate.arrived(), 2);
}

TEST(WhyCancelledTest, TellsTheDeadlineFromAClientThatLeft) {
  const absl::Time deadline = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_EQ(WhyCancelled(deadline - absl::Seconds(1), deadline).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(WhyCancelled(deadline - absl::Seconds(1), absl::InfiniteFuture()).code(), absl::StatusCode::kCancelled);
  // The client's clock for it began a moment earlier than ours.
  for (const absl::Duration after : {absl::Milliseconds(-5), absl::ZeroDuration(), absl::Seconds(1)}) {
    const absl::Status status = WhyCancelled(deadline + after, deadline);
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(ReasonOf(status), "DEADLINE_EXCEEDED");
  }
}

TEST_F(AskTest, PassesTheModelsErrorOnWithAReason) {
  StartServer();
  v1::AskResponse response;
  const ErrorSeen error = ReadError(Ask(AskAboutWave("fail please"), &response));
  EXPECT_EQ(error.code, grpc::StatusCode::INTERNAL);
  EXPECT_EQ(error.reason, "INTERNAL");
  ExpectStillServing();
}

TEST_F(AskTest, TellsItsModels) {
  config.max_clip_seconds = 12;
  StartServer();
  const auto control = v1::ModelControl::NewStub(channel);
  {
    grpc::ClientContext context;
    v1::ListModelsResponse response;
    ASSERT_TRUE(control->ListModels(&context, {}, &response).ok());
    ASSERT_EQ(response.models_size(), 1);
    EXPECT_EQ(response.models(0).name(), "fake");
    EXPECT_EQ(response.models(0).state(), v1::MODEL_STATE_SERVING);
    EXPECT_TRUE(response.models(0).is_default());
    EXPECT_DOUBLE_EQ(response.models(0).limits().max_clip_seconds(), 12);
  }
  {
    grpc::ClientContext context;
    v1::GetModelRequest request;
    v1::ModelInfo info;
    ASSERT_TRUE(control->GetModel(&context, request, &info).ok());
    EXPECT_EQ(info.name(), "fake");
  }
  {
    grpc::ClientContext context;
    v1::GetModelRequest request;
    request.set_name("other");
    v1::ModelInfo info;
    const ErrorSeen error = ReadError(control->GetModel(&context, request, &info));
    EXPECT_EQ(error.code, grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(error.reason, "MODEL_NOT_FOUND");
  }
  {
    grpc::ClientContext context;
    v1::ModelInfo info;
    EXPECT_EQ(control->LoadModel(&context, {}, &info).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
}

}  // namespace
}  // namespace auricle::server
