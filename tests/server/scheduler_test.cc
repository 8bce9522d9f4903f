#include "server/inference/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace auricle::server {
namespace {

using Kind = Decision::Kind;
using Verdict = Admission::Verdict;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(SchedulerTest, ServesFirstComeFirst) {
  Scheduler scheduler({.max_queued = 4, .max_queued_audio_seconds = 100, .max_running = 1});
  for (RequestId id : {1, 2, 3}) {
    const Admission admission = scheduler.Admit(id, 1, absl::InfiniteFuture());
    EXPECT_EQ(admission.verdict, Verdict::kAdmitted);
    EXPECT_EQ(admission.queue_position, static_cast<int>(id) - 1);
  }
  for (RequestId id : {1, 2, 3}) {
    Decision decision = scheduler.Next(kStart);
    EXPECT_EQ(decision.kind, Kind::kEncode);
    EXPECT_EQ(decision.id, id);
    scheduler.Advance(id);
    EXPECT_EQ(scheduler.Next(kStart).kind, Kind::kPrefill);
    scheduler.Advance(id);
    decision = scheduler.Next(kStart);
    EXPECT_EQ(decision.kind, Kind::kStep);
    EXPECT_EQ(decision.batch, std::vector<RequestId>{id});
    EXPECT_TRUE(scheduler.Done(id, kStart));
  }
  EXPECT_EQ(scheduler.Next(kStart).kind, Kind::kIdle);
  EXPECT_TRUE(scheduler.idle());
}

TEST(SchedulerTest, AlternatesLongWorkWithStepsOfThoseUnderWay) {
  Scheduler scheduler({.max_queued = 8, .max_queued_audio_seconds = 100, .max_running = 3});
  for (RequestId id : {1, 2, 3}) scheduler.Admit(id, 1, absl::InfiniteFuture());
  std::vector<Kind> kinds;
  std::vector<size_t> batches;
  for (int i = 0; i < 10; ++i) {
    const Decision decision = scheduler.Next(kStart);
    kinds.push_back(decision.kind);
    if (decision.kind == Kind::kStep) {
      batches.push_back(decision.batch.size());
    } else {
      scheduler.Advance(decision.id);
    }
  }
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kEncode, Kind::kPrefill, Kind::kStep, Kind::kEncode, Kind::kStep,
                                      Kind::kPrefill, Kind::kStep, Kind::kEncode, Kind::kStep, Kind::kPrefill}));
  EXPECT_EQ(batches, (std::vector<size_t>{1, 1, 2, 2}));
}

TEST(SchedulerTest, BoundsTheQueueInRequestsAndInSeconds) {
  Scheduler scheduler({.max_queued = 3, .max_queued_audio_seconds = 10, .max_running = 1});
  EXPECT_EQ(scheduler.Admit(1, 30, absl::InfiniteFuture()).verdict, Verdict::kAdmitted)
      << "an empty queue takes any clip";
  EXPECT_EQ(scheduler.Admit(2, 1, absl::InfiniteFuture()).verdict, Verdict::kAudioQueueFull);
  EXPECT_EQ(scheduler.Next(kStart).kind, Kind::kEncode);  // 1 leaves the queue
  EXPECT_EQ(scheduler.Admit(3, 6, absl::InfiniteFuture()).verdict, Verdict::kAdmitted);
  const Admission refused = scheduler.Admit(4, 4.1, absl::InfiniteFuture());
  EXPECT_EQ(refused.verdict, Verdict::kAudioQueueFull);
  EXPECT_GT(refused.retry_after, absl::ZeroDuration());
  EXPECT_EQ(scheduler.Admit(5, 4, absl::InfiniteFuture()).verdict, Verdict::kAdmitted);
  EXPECT_EQ(scheduler.Admit(6, 0, absl::InfiniteFuture()).verdict, Verdict::kAdmitted);
  EXPECT_EQ(scheduler.Admit(7, 0, absl::InfiniteFuture()).verdict, Verdict::kQueueFull);
  EXPECT_TRUE(scheduler.Cancel(5));
  EXPECT_EQ(scheduler.Admit(8, 4, absl::InfiniteFuture()).verdict, Verdict::kAdmitted) << "a cancelled place is free";
}

TEST(SchedulerTest, EndsRequestsPastTheirDeadlineWhereverTheyAre) {
  Scheduler scheduler({.max_queued = 8, .max_queued_audio_seconds = 100, .max_running = 1});
  scheduler.Admit(1, 1, kStart + absl::Seconds(5));
  scheduler.Admit(2, 1, kStart + absl::Seconds(3));
  EXPECT_EQ(scheduler.Next(kStart).id, 1u);
  scheduler.Advance(1);
  Decision decision = scheduler.Next(kStart + absl::Seconds(3));
  EXPECT_EQ(decision.kind, Kind::kEnd);
  EXPECT_EQ(decision.id, 2u);
  EXPECT_EQ(decision.why, Decision::Why::kDeadline);
  decision = scheduler.Next(kStart + absl::Seconds(5));
  EXPECT_EQ(decision.kind, Kind::kEnd);
  EXPECT_EQ(decision.id, 1u);
  EXPECT_FALSE(scheduler.Done(1, kStart)) << "it was ended: nothing more may be said about it";
  EXPECT_TRUE(scheduler.idle());
}

TEST(SchedulerTest, AdmitsNothingWhileDraining) {
  Scheduler scheduler({});
  scheduler.Admit(1, 1, absl::InfiniteFuture());
  scheduler.StartDrain();
  EXPECT_EQ(scheduler.Admit(2, 1, absl::InfiniteFuture()).verdict, Verdict::kDraining);
  EXPECT_EQ(scheduler.Next(kStart).kind, Kind::kEncode) << "what was admitted goes on";
}

TEST(SchedulerTest, ShutdownEndsEverything) {
  Scheduler scheduler({.max_queued = 8, .max_queued_audio_seconds = 100, .max_running = 1});
  for (RequestId id : {1, 2, 3}) scheduler.Admit(id, 1, absl::InfiniteFuture());
  scheduler.Next(kStart);
  scheduler.Shutdown();
  std::set<RequestId> ended;
  for (int i = 0; i < 3; ++i) {
    const Decision decision = scheduler.Next(kStart);
    EXPECT_EQ(decision.kind, Kind::kEnd);
    EXPECT_EQ(decision.why, Decision::Why::kShutdown);
    ended.insert(decision.id);
  }
  EXPECT_EQ(ended, (std::set<RequestId>{1, 2, 3}));
  EXPECT_TRUE(scheduler.idle());
}

// Any order of events: nothing is lost, nothing ends twice, the bounds hold, cancelled requests get no more work, and
// everybody who runs gets a step between any two pieces of long work.
class SchedulerPropertyTest : public ::testing::TestWithParam<int> {};

TEST_P(SchedulerPropertyTest, LosesNothingAndKeepsItsBounds) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); };
  const SchedulerLimits limits{
      .max_queued = 1 + below(6), .max_queued_audio_seconds = 5.0 + below(20), .max_running = 1 + below(4)};
  Scheduler scheduler(limits);
  absl::Time now = kStart;
  enum class State { kLive, kCancelled, kEnded };
  struct Seen {
    State state = State::kLive;
    double audio = 0;
    absl::Time deadline;
    int phase = 0;  // 0 queued, 1 encode, 2 prefill, 3 decode
    int tokens_left = 0;
  };
  std::map<RequestId, Seen> seen;
  RequestId next_id = 1;
  bool long_since_step = false;

  const auto decide = [&] {
    const Decision decision = scheduler.Next(now);
    std::vector<RequestId> decoding;
    for (const auto& [id, request] : seen) {
      if (request.state == State::kLive && request.phase == 3) decoding.push_back(id);
    }
    switch (decision.kind) {
      case Kind::kIdle:
        for (const auto& [id, request] : seen)
          EXPECT_EQ(request.state, State::kEnded) << "request " << id << " was lost";
        return false;
      case Kind::kEnd: {
        Seen& request = seen.at(decision.id);
        EXPECT_NE(request.state, State::kEnded) << "ended twice";
        if (decision.why == Decision::Why::kDeadline) {
          EXPECT_LE(request.deadline, now);
        } else {
          EXPECT_EQ(request.state, State::kCancelled);
        }
        request.state = State::kEnded;
        return true;
      }
      case Kind::kEncode:
      case Kind::kPrefill: {
        Seen& request = seen.at(decision.id);
        EXPECT_EQ(request.state, State::kLive);
        EXPECT_GT(request.deadline, now);
        EXPECT_EQ(request.phase, decision.kind == Kind::kEncode ? 0 : 1);
        EXPECT_FALSE(long_since_step && !decoding.empty()) << "an answer under way was passed over twice";
        long_since_step = !decoding.empty();
        if (below(10) == 0) {  // the work failed
          EXPECT_TRUE(scheduler.Done(decision.id, now));
          request.state = State::kEnded;
          return true;
        }
        if (below(10) == 0) {  // cancelled while the engine worked on it
          EXPECT_TRUE(scheduler.Cancel(decision.id));
          request.state = State::kCancelled;
        }
        scheduler.Advance(decision.id);
        request.phase = request.phase == 0 ? 1 : 3;
        return true;
      }
      case Kind::kStep:
        long_since_step = false;
        for (RequestId id : decision.batch) {
          Seen& request = seen.at(id);
          EXPECT_EQ(request.state, State::kLive);
          EXPECT_EQ(request.phase, 3);
          if (--request.tokens_left <= 0) {
            EXPECT_TRUE(scheduler.Done(id, now));
            request.state = State::kEnded;
          }
        }
        EXPECT_EQ(decision.batch.size(), [&] {
          std::sort(decoding.begin(), decoding.end());
          decoding.erase(std::remove_if(decoding.begin(), decoding.end(),
                                        [&](RequestId id) { return seen.at(id).deadline <= now; }),
                         decoding.end());
          return decoding.size();
        }()) << "a step is for all answers under way";
        return true;
    }
    return false;
  };

  for (int event = 0; event < 400; ++event) {
    now += absl::Milliseconds(below(300));
    switch (below(4)) {
      case 0: {
        const RequestId id = next_id++;
        const double audio = below(8);
        const absl::Time deadline = below(3) == 0 ? now + absl::Milliseconds(below(3000)) : absl::InfiniteFuture();
        const bool fits =
            scheduler.queued() < limits.max_queued &&
            (scheduler.queued() == 0 || scheduler.queued_audio_seconds() + audio <= limits.max_queued_audio_seconds);
        const bool admitted = scheduler.Admit(id, audio, deadline).verdict == Verdict::kAdmitted;
        EXPECT_EQ(admitted, fits);
        if (admitted) {
          seen[id] = {
              .state = State::kLive, .audio = audio, .deadline = deadline, .phase = 0, .tokens_left = 1 + below(6)};
        }
        break;
      }
      case 1: {
        if (next_id == 1) break;
        const RequestId id = 1 + random() % (next_id - 1);
        const auto it = seen.find(id);
        const bool live = it != seen.end() && it->second.state == State::kLive;
        // A request whose time is up may or may not have been ended already.
        const bool cancelled = scheduler.Cancel(id);
        if (cancelled) {
          EXPECT_TRUE(live);
        }
        if (live && it->second.deadline > now) {
          EXPECT_TRUE(cancelled);
        }
        if (cancelled) it->second.state = State::kCancelled;
        break;
      }
      default:
        decide();
    }
    EXPECT_LE(scheduler.queued(), limits.max_queued);
    EXPECT_LE(scheduler.running(), limits.max_running);
    EXPECT_TRUE(scheduler.queued() <= 1 || scheduler.queued_audio_seconds() <= limits.max_queued_audio_seconds + 1e-9);
  }
  scheduler.StartDrain();
  int left = 10'000;
  while (decide() && --left > 0) {
  }
  EXPECT_GT(left, 0) << "the scheduler never came to rest";
  EXPECT_TRUE(scheduler.idle());
  EXPECT_EQ(scheduler.queued_audio_seconds(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerPropertyTest, ::testing::Range(0, 200));

}  // namespace
}  // namespace auricle::server
