// The learning loop over real sockets and processes: a coordinator, two rollout workers, a policy that gets better, and a
// worker that is killed on the way.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "model/audio/audio_file.h"
#include "model/tiny_model.h"
#include "server/training/coordinator.h"
#include "server/training/grpo_trainer.h"
#include "server/training/policy_store.h"
#include "server/training/training_control.h"
#include "sim/render/task_audio.h"
#include "tests/client/program.h"

namespace auricle::server {
namespace {

namespace fs = std::filesystem;

// Questions whose answer stands in their text, so that even the tiny model's ears do not matter: a policy learns it by
// reading, and a policy that does not read stays at one in four.
class ReadingTask final : public RolloutSource {
 public:
  ReadingTask() : flac_(*audio::EncodeFoaFlac(audio::MakeSilentClip(3200, 16000))) {}

  absl::StatusOr<v1::RolloutTask> Make(uint64_t number) override {
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
    for (const char* option : {"dog", "bell", "rain", "door"}) question.add_options(option);
    question.mutable_key()->set_letter(std::string(1, static_cast<char>('A' + which)));
    question.mutable_key()->set_reference(question.options(static_cast<int>(which)));
    return task;
  }

 private:
  const std::string flac_;
};

class LearningLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("learning_loop_", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    ASSERT_TRUE(model::WriteTinyModel(ModelFolder(), 1).ok());
    StartCoordinator();
  }

  void TearDown() override {
    StopCoordinator();
    fs::remove_all(folder_);
  }

  std::string ModelFolder() const { return (folder_ / "tiny").string(); }

  void StartCoordinator() {
    const LedgerLimits limits{.lease_ttl = absl::Seconds(3), .max_attempts = 10};
    ledger_ = *OpenSqliteLedger((folder_ / "ledger.db").string(), limits);
    policies_ = *PolicyStore::Open((folder_ / "policies").string());
    control_ = std::make_unique<TrainingControl>(ledger_.get(), [this](const v1::StartRunRequest& request) {
      return MakeParts(request);
    });
    CoordinatorOptions options;
    options.limits = limits;
    coordinator_ = std::make_unique<Coordinator>(
        ledger_.get(), options, [this](const std::string& run) { return control_->OldestPolicy(run); },
        [this](const std::string& run) { control_->OnSubmitted(run); });
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(control_.get());
    builder.RegisterService(coordinator_.get());
    builder.RegisterService(policies_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::TrainingControl::NewStub(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()));
  }

  void StopCoordinator() {
    if (server_ == nullptr) return;
    control_->Stop();
    coordinator_->Stop();
    policies_->Stop();
    server_->Shutdown();
    server_ = nullptr;
  }

  std::string Address() const { return absl::StrCat("127.0.0.1:", port_); }

  absl::StatusOr<GrpoRun::Parts> MakeParts(const v1::StartRunRequest& request) {
    absl::StatusOr<v1::GrpoConfig> config = CompleteGrpoConfig(request.grpo());
    if (!config.ok()) return config.status();
    auto trainer = MakeGrpoTrainer(request.model_folder(), *config,
                                   [](const v1::RolloutTask& task) { return sim::TaskAudio(task, nullptr); });
    if (!trainer.ok()) return trainer.status();
    GrpoRun::Parts parts;
    parts.policies = policies_.get();
    parts.source = std::make_unique<ReadingTask>();
    parts.trainer = *std::move(trainer);
    parts.folder = (folder_ / "runs").string();
    parts.work_added = [this] { coordinator_->Wake(); };
    return parts;
  }

  v1::StartRunRequest Request(uint64_t steps) const {
    v1::StartRunRequest request;
    request.set_run_id("reading");
    request.set_model_folder(ModelFolder());
    request.set_steps(steps);
    request.mutable_grpo()->set_group_size(8);
    request.mutable_grpo()->set_groups_per_step(4);
    request.mutable_grpo()->set_learning_rate(3e-3f);
    return request;
  }

  std::unique_ptr<test::BackgroundProgram> StartWorker(const std::string& name) {
    auto worker = std::make_unique<test::BackgroundProgram>(
        AURICLE_BIN_DIR "/auricle-rollout-worker",
        std::vector<std::string>{"--server", Address(), "--model", ModelFolder(), "--name", name, "--work-folder",
                                 (folder_ / name).string()});
    EXPECT_NE(worker->ReadLine().find("working"), std::string::npos);
    return worker;
  }

  fs::path folder_;
  int port_ = 0;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<PolicyStore> policies_;
  std::unique_ptr<TrainingControl> control_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::TrainingControl::Stub> stub_;
};

TEST_F(LearningLoopTest, RewardRisesAndAKilledWorkersUnitIsDoneByTheOther) {
  constexpr uint64_t kSteps = 24;
  auto doomed = StartWorker("doomed");
  v1::TrainingRun run;
  {
    grpc::ClientContext context;
    const grpc::Status status = stub_->StartRun(&context, Request(kSteps), &run);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  grpc::ClientContext context;
  v1::WatchRunRequest watch;
  watch.set_run_id("reading");
  watch.set_from_step(1);
  const auto reports = stub_->WatchRun(&context, watch);
  v1::StepReport report;
  ASSERT_TRUE(reports->Read(&report));
  double first = report.reward_mean(), last = 0;
  uint64_t steps = 1;
  // The only worker dies at some point of its work; what it held runs out and goes to the next one.
  doomed->Signal(SIGKILL);
  auto heir = StartWorker("heir");
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

  grpc::ClientContext describe;
  v1::GetRunRequest get;
  get.set_run_id("reading");
  ASSERT_TRUE(stub_->GetRun(&describe, get, &run).ok());
  EXPECT_EQ(run.state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(run.policy_version(), kSteps + 1);
  const v1::UnitCounts& units = run.units();
  const uint64_t waiting = units.submitted() - units.trained() - units.dropped();
  EXPECT_EQ(units.created(), units.pending() + units.leased() + waiting + units.trained() + units.dropped() + units.dead());
  EXPECT_EQ(units.dead(), 0u);
  // Every unit before the newest trained one is settled: nothing of the killed worker's was lost.
  EXPECT_GE(units.trained() + units.dropped(), kSteps);
}

TEST_F(LearningLoopTest, GoesOnWhereItStoppedAfterARestart) {
  auto worker = StartWorker("before");
  v1::TrainingRun run;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->StartRun(&context, Request(6), &run).ok());
  }
  {
    grpc::ClientContext context;
    v1::WatchRunRequest watch;
    watch.set_run_id("reading");
    watch.set_from_step(1);
    const auto reports = stub_->WatchRun(&context, watch);
    v1::StepReport report;
    ASSERT_TRUE(reports->Read(&report) && reports->Read(&report));
    context.TryCancel();
    reports->Finish();
  }
  worker->Signal(SIGKILL);
  StopCoordinator();
  const uint64_t done = ledger_->GetRun("reading")->step;
  ASSERT_GE(done, 2u);
  StartCoordinator();
  ASSERT_TRUE(control_->TakeUpRuns().ok());
  auto next = StartWorker("after");
  grpc::ClientContext context;
  v1::WatchRunRequest watch;
  watch.set_run_id("reading");
  watch.set_from_step(1);
  const auto reports = stub_->WatchRun(&context, watch);
  v1::StepReport report;
  uint64_t expected = done;
  while (reports->Read(&report)) EXPECT_EQ(report.step(), ++expected);
  EXPECT_EQ(expected, 6u);
}

}  // namespace
}  // namespace auricle::server
