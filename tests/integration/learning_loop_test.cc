// The learning loop over real sockets and processes: a server that coordinates, workers of both kinds, a policy that
// gets better, and workers that are killed on the way.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "model/audio/audio_file.h"
#include "model/tiny_model.h"
#include "server/inference/inference_server.h"
#include "server/inference/spatial_lalm_adapter.h"
#include "server/training/training_service.h"
#include "tests/client/program.h"
#include "tests/train/synthetic_bank.h"

namespace auricle::server {
namespace {

namespace fs = std::filesystem;

// Questions whose words say which option is right, so that even the tiny model's ears do not matter: a policy learns it
// by reading, and a policy that does not read stays at one in four.
class ReadingTask final : public RolloutSource {
 public:
  ReadingTask() : flac_(*audio::EncodeFoaFlac(audio::MakeSilentClip(3200, 16000))) {}

  std::optional<v1::SimulationTask> Scenes(uint64_t /*number*/) const override { return std::nullopt; }

  std::vector<v1::RolloutTask> Questions(uint64_t number, const v1::SimulationResult* /*scenes*/) const override {
    const char* const words[] = {"first", "second"};
    const size_t which = number % 2;
    v1::RolloutTask task;
    task.mutable_clip()->set_format(v1::FOA_FORMAT_AMBIX);
    task.mutable_clip()->set_encoding(v1::AUDIO_ENCODING_FILE);
    task.mutable_clip()->set_data(flac_);
    v1::Question& question = *task.mutable_question();
    question.set_id(absl::StrCat("reading/", number));
    question.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
    question.set_text(absl::StrCat("Take the ", words[which], "."));
    // One token each: to random weights, options of several are as good as certain or impossible, and nothing is tried.
    for (const char* option : {"1", "2", "3", "4"}) question.add_options(option);
    question.mutable_key()->set_letter(std::string(1, static_cast<char>('A' + which)));
    question.mutable_key()->set_reference(question.options(static_cast<int>(which)));
    return {task};
  }

 private:
  const std::string flac_;
};

// The same, but no answer is ever right: there is nothing to learn from.
class HopelessTask final : public RolloutSource {
 public:
  std::optional<v1::SimulationTask> Scenes(uint64_t number) const override { return reading_.Scenes(number); }
  std::vector<v1::RolloutTask> Questions(uint64_t number, const v1::SimulationResult* scenes) const override {
    std::vector<v1::RolloutTask> tasks = reading_.Questions(number, scenes);
    for (v1::RolloutTask& task : tasks) task.mutable_question()->mutable_key()->set_letter("E");
    return tasks;
  }

 private:
  ReadingTask reading_;
};

class LearningLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("learning_loop_", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    ASSERT_TRUE(model::WriteTinyModel(ModelFolder(), 1).ok());
  }

  void TearDown() override {
    server_ = nullptr;
    fs::remove_all(folder_);
  }

  std::string ModelFolder() const { return (folder_ / "tiny").string(); }
  std::string TrainingFolder() const { return (folder_ / "training").string(); }
  std::string BankFolder() const { return (folder_ / "bank").string(); }
  const std::string& Address() const { return server_->address(); }

  // Goes on with what the folder holds. Without `make_source`: scenes of the bank.
  void StartServer(decltype(TrainingServiceOptions::make_source) make_source) {
    server_ = nullptr;
    auto training = TrainingService::Open({.folder = TrainingFolder(),
                                           .bank_folder = BankFolder(),
                                           .lease_ttl = absl::Seconds(3),
                                           .make_source = std::move(make_source)});
    ASSERT_TRUE(training.ok()) << training.status();
    auto model = LoadSpatialLalm(ModelFolder());
    ASSERT_TRUE(model.ok()) << model.status();
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    config.metrics_listen = "";
    std::vector<std::unique_ptr<ServicePlugin>> plugins;
    plugins.push_back(*std::move(training));
    auto server = InferenceServer::Start(config, {*std::move(model)}, std::move(plugins));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::TrainingControl::NewStub(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()));
  }

  void StartReadingServer() {
    StartServer([](const v1::StartRunRequest&) { return std::make_unique<ReadingTask>(); });
  }

  v1::StartRunRequest Request(uint64_t steps) const {
    v1::StartRunRequest request;
    request.set_run_id("reading");
    request.set_model_folder(ModelFolder());
    request.set_steps(steps);
    request.mutable_grpo()->set_group_size(8);
    request.mutable_grpo()->set_groups_per_step(4);
    request.mutable_grpo()->set_learning_rate(3e-3f);
    // Once the task is learned all answers of a group are right; steps must go on counting then.
    request.mutable_grpo()->set_keep_groups_without_spread(true);
    return request;
  }

  v1::TrainingRun Start(const v1::StartRunRequest& request) {
    grpc::ClientContext context;
    v1::TrainingRun run;
    const grpc::Status status = stub_->StartRun(&context, request, &run);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return run;
  }

  v1::TrainingRun GetRun(const std::string& id) {
    grpc::ClientContext context;
    v1::GetRunRequest request;
    request.set_run_id(id);
    v1::TrainingRun run;
    const grpc::Status status = stub_->GetRun(&context, request, &run);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return run;
  }

  std::unique_ptr<grpc::ClientReader<v1::StepReport>> Watch(grpc::ClientContext& context, const std::string& id) {
    v1::WatchRunRequest watch;
    watch.set_run_id(id);
    watch.set_from_step(1);
    return stub_->WatchRun(&context, watch);
  }

  using Worker = std::unique_ptr<test::BackgroundProgram>;
  Worker StartProgram(const std::string& program, std::vector<std::string> words, const std::string& name) {
    words.insert(words.end(), {"--server", Address(), "--name", name});
    auto worker = std::make_unique<test::BackgroundProgram>(AURICLE_BIN_DIR "/" + program, words);
    EXPECT_NE(worker->ReadLine().find("working"), std::string::npos);
    return worker;
  }
  Worker StartWorker(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"--model", ModelFolder(), "--work-folder", (folder_ / name).string()};
    words.insert(words.end(), more.begin(), more.end());
    return StartProgram("auricle-rollout-worker", words, name);
  }

  fs::path folder_;
  std::unique_ptr<InferenceServer> server_;
  std::unique_ptr<v1::TrainingControl::Stub> stub_;
};

void ExpectNothingLost(const v1::UnitCounts& units) {
  const uint64_t waiting = units.submitted() - units.trained() - units.dropped();
  EXPECT_EQ(units.created(),
            units.pending() + units.leased() + waiting + units.trained() + units.dropped() + units.dead());
  EXPECT_EQ(units.dead(), 0u);
}

TEST_F(LearningLoopTest, RewardRisesAndAKilledWorkersUnitIsDoneByTheOther) {
  constexpr uint64_t kSteps = 24;
  StartReadingServer();
  Worker doomed = StartWorker("doomed");
  Start(Request(kSteps));
  grpc::ClientContext context;
  const auto reports = Watch(context, "reading");
  v1::StepReport report;
  ASSERT_TRUE(reports->Read(&report));
  double first = report.reward_mean(), last = 0;
  uint64_t steps = 1;
  // The only worker dies at some point of its work; what it held runs out and goes to the next one.
  doomed->Signal(SIGKILL);
  Worker heir = StartWorker("heir");
  while (reports->Read(&report)) {
    ++steps;
    EXPECT_EQ(report.step(), steps);
    if (steps <= 5) first += report.reward_mean();
    if (steps > kSteps - 5) last += report.reward_mean();
  }
  EXPECT_TRUE(reports->Finish().ok());
  EXPECT_EQ(steps, kSteps);
  EXPECT_LT(first / 5, 0.6);
  EXPECT_GT(last / 5, first / 5 + 0.25);

  const v1::TrainingRun run = GetRun("reading");
  EXPECT_EQ(run.state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(run.policy_version(), kSteps + 1);
  ExpectNothingLost(run.units());
  // Every unit before the newest trained one is settled: nothing of the killed worker's was lost.
  EXPECT_GE(run.units().trained() + run.units().dropped(), kSteps);
}

TEST_F(LearningLoopTest, GoesOnWhereItStoppedAfterARestart) {
  StartReadingServer();
  Worker worker = StartWorker("before");
  Start(Request(6));
  {
    grpc::ClientContext context;
    const auto reports = Watch(context, "reading");
    v1::StepReport report;
    ASSERT_TRUE(reports->Read(&report) && reports->Read(&report));
    context.TryCancel();
    reports->Finish();
  }
  worker->Signal(SIGKILL);
  StartReadingServer();
  const uint64_t done = GetRun("reading").step();
  ASSERT_GE(done, 2u);
  Worker next = StartWorker("after");
  grpc::ClientContext context;
  const auto reports = Watch(context, "reading");
  v1::StepReport report;
  uint64_t expected = done;
  while (reports->Read(&report)) EXPECT_EQ(report.step(), ++expected);
  EXPECT_EQ(expected, 6u);
  // A run that has ended is still known to a later process.
  StartReadingServer();
  EXPECT_EQ(GetRun("reading").state(), v1::RUN_STATE_FINISHED);
}

// Scenes go from simulation workers over the coordinator to rollout workers, as references and as audio.
TEST_F(LearningLoopTest, SimulatedScenesBecomeQuestionsAndAKilledSimulationIsDoneByAnother) {
  train::MakeSyntheticBank(BankFolder());
  StartServer(nullptr);
  v1::StartRunRequest request = Request(2);
  request.set_run_id("scenes");
  request.mutable_spec()->set_name("scenes");
  request.mutable_spec()->set_max_sources(2);
  request.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
  Worker doomed = StartProgram("auricle-simulation-worker", {"--bank", BankFolder()}, "doomed");
  Start(request);
  Worker worker = StartWorker("answers", {"--bank", BankFolder()});
  grpc::ClientContext context;
  const auto reports = Watch(context, "scenes");
  v1::StepReport report;
  ASSERT_TRUE(reports->Read(&report));
  doomed->Signal(SIGKILL);
  Worker heir = StartProgram("auricle-simulation-worker", {"--bank", BankFolder(), "--audio"}, "heir");
  ASSERT_TRUE(reports->Read(&report));
  EXPECT_EQ(report.step(), 2u);
  EXPECT_FALSE(reports->Read(&report));
  EXPECT_TRUE(reports->Finish().ok());
  const v1::TrainingRun run = GetRun("scenes");
  EXPECT_EQ(run.state(), v1::RUN_STATE_FINISHED);
  ExpectNothingLost(run.units());
}

TEST_F(LearningLoopTest, SaysWhyNoStepIsTaken) {
  StartServer([](const v1::StartRunRequest&) { return std::make_unique<HopelessTask>(); });
  Worker worker = StartWorker("worker");
  v1::StartRunRequest request = Request(1);
  request.mutable_grpo()->set_keep_groups_without_spread(false);
  Start(request);
  v1::TrainingRun run;
  for (const absl::Time end = absl::Now() + absl::Seconds(60); run.message().empty() && absl::Now() < end;) {
    run = GetRun("reading");
  }
  EXPECT_NE(run.message().find("rewards were equal (mean 0)"), std::string::npos) << run.message();
  EXPECT_EQ(run.state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(run.step(), 0u);
}

TEST_F(LearningLoopTest, RefusesASecondCoordinatorInItsFolder) {
  StartReadingServer();
  const auto second = TrainingService::Open(
      {.folder = TrainingFolder(), .bank_folder = "", .lease_ttl = absl::Seconds(3), .make_source = nullptr});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
}

TEST_F(LearningLoopTest, AMisspeltModelDoesNotUseUpTheRunsName) {
  StartReadingServer();
  v1::StartRunRequest request = Request(1);
  request.set_model_folder(ModelFolder() + "-misspelt");
  {
    grpc::ClientContext context;
    v1::TrainingRun run;
    EXPECT_EQ(stub_->StartRun(&context, request, &run).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  EXPECT_EQ(Start(Request(1)).state(), v1::RUN_STATE_RUNNING);
}

TEST_F(LearningLoopTest, ARunWhoseModelIsGoneFailsAndTheServerStarts) {
  StartReadingServer();
  Start(Request(6));
  server_ = nullptr;
  fs::rename(folder_ / "tiny", folder_ / "moved");
  auto training = TrainingService::Open(
      {.folder = TrainingFolder(), .bank_folder = "", .lease_ttl = absl::Seconds(3), .make_source = [](const auto&) {
         return std::make_unique<ReadingTask>();
       }});
  EXPECT_TRUE(training.ok()) << training.status();
  fs::rename(folder_ / "moved", folder_ / "tiny");
  training = absl::UnknownError("closed");
  StartReadingServer();
  EXPECT_EQ(GetRun("reading").state(), v1::RUN_STATE_FAILED);
}

}  // namespace
}  // namespace auricle::server
