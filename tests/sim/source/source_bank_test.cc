#include "sim/source/source_bank.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/audio/audio_file.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHeader[] =
    "class\tgroup\tsplit\tkind\tweight\tlicence\tseconds\thighpass_hz\tstart_seconds\tend_"
    "seconds\torigin\tpath\tauthor\ttitle\n";

// A row of bank.tsv.
std::string Row(const std::string& clazz, const std::string& group, const std::string& split, const std::string& path,
                const std::string& weight = "1.0", const std::string& part = "0\t0") {
  return clazz + "\t" + group + "\t" + split + "\tfield\t" + weight + "\tCC0\t1.0\t0\t" + part + "\there\t" + path +
         "\tAnn\tA sound\n";
}

class Bank : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("bank_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "audio");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Store(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  // A four-channel file serves as a recording too: it is mixed to mono.
  void StoreTone(const std::string& name, double hz, double seconds = 1.0) {
    audio::FoaClip clip = audio::MakeSilentClip(static_cast<size_t>(seconds * 22050), 22050);
    for (int c = 0; c < audio::kFoaChannels; ++c) {
      for (size_t i = 0; i < clip.frames(); ++i) {
        clip.channel(c)[i] =
            static_cast<float>(0.1 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 22050));
      }
    }
    ASSERT_TRUE(audio::WriteFoaFile((folder_ / name).string(), clip).ok());
  }
  absl::StatusOr<std::shared_ptr<const SourceBank>> Open(const SourceBankOptions& options = {}) {
    return SourceBank::Open(folder_.string(), options);
  }
  absl::Status OpenWith(const std::string& rows) {
    Store("bank.tsv", kHeader + rows);
    return Open().status();
  }

  std::filesystem::path folder_;
};

TEST_F(Bank, GroupsRecordingsByClassAndSplitWhateverTheOrderOfLines) {
  const std::string rows[] = {Row("dog", "g2", "train", "audio/b.wav", "0.5"), Row("dog", "g1", "train", "audio/a.wav"),
                              Row("dog", "g2", "train", "audio/c.wav", "1.0"), Row("dog", "g3", "test", "audio/d.wav"),
                              Row("rain", "g4", "validation", "audio/e.wav")};
  const int dog = FindSoundClass("dog"), rain = FindSoundClass("rain");
  for (const bool reversed : {false, true}) {
    std::string table = kHeader;
    for (size_t i = 0; i < std::size(rows); ++i) table += rows[reversed ? std::size(rows) - 1 - i : i];
    Store("bank.tsv", table);
    const auto bank = Open();
    ASSERT_TRUE(bank.ok()) << bank.status();
    const auto train = (*bank)->groups(dog, Split::kTrain);
    ASSERT_EQ(train.size(), 2u);
    EXPECT_EQ(train[0].name, "g1");
    EXPECT_EQ(train[1].name, "g2");
    EXPECT_EQ(train[1].weight, 1.0);
    EXPECT_EQ(train[1].recordings.size(), 2u);
    EXPECT_EQ((*bank)->groups(dog, Split::kTest).size(), 1u);
    EXPECT_EQ((*bank)->groups(rain, Split::kValidation).size(), 1u);
    EXPECT_THAT((*bank)->groups(rain, Split::kTrain), IsEmpty());
    EXPECT_THAT((*bank)->groups(-1, Split::kTrain), IsEmpty());
    EXPECT_THAT((*bank)->groups(10000, Split::kTest), IsEmpty());
    EXPECT_THAT((*bank)->ClassesWithRecordings(Split::kTrain), ElementsAre(dog));
    EXPECT_THAT((*bank)->ClassesWithRecordings(Split::kValidation), ElementsAre(rain));
  }
}

TEST_F(Bank, RefusesAnOriginalRecordingOnBothSidesOfTheSplit) {
  const absl::Status status =
      OpenWith(Row("dog", "g1", "train", "audio/a.wav") + Row("rain", "g1", "test", "audio/b.wav"));
  ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("g1 is in two splits"));
}

TEST_F(Bank, NamesTheLineAndTheFieldOfADamagedTable) {
  const std::string good = Row("dog", "g1", "train", "audio/a.wav");
  const std::map<std::string, std::string> bad = {
      {"class: unicorn", Row("unicorn", "g2", "train", "audio/b.wav")},
      {"split: tset", Row("dog", "g2", "tset", "audio/b.wav")},
      {"group: empty", Row("dog", "", "train", "audio/b.wav")},
      {"weight: heavy", Row("dog", "g2", "train", "audio/b.wav", "heavy")},
      {"weight: nan", Row("dog", "g2", "train", "audio/b.wav", "nan")},
      {"weight: -1", Row("dog", "g2", "train", "audio/b.wav", "-1")},
      {"start_seconds", Row("dog", "g2", "train", "audio/b.wav", "1", "5.0\t4.0")},
      {"end_seconds: 0, x", Row("dog", "g2", "train", "audio/b.wav", "1", "0\tx")},
      {"leaves the bank's folder", Row("dog", "g2", "train", "audio/../../etc/passwd")},
      {"path: /etc/passwd", Row("dog", "g2", "train", "/etc/passwd")},
      {"columns; must be 14", "dog\tg2\ttrain\n"},
  };
  for (const auto& [words, row] : bad) {
    const absl::Status status = OpenWith(good + row);
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << words;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
    EXPECT_THAT(std::string(status.message()), HasSubstr("line 3"));
  }
}

TEST_F(Bank, TellsHowToGetABankWhereThereIsNone) {
  const auto bank = Open();
  ASSERT_EQ(bank.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(bank.status().message()), HasSubstr("./run sounds"));
  Store("bank.tsv", kHeader);
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
  Store("bank.tsv", "");
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kInvalidArgument);
  Store("bank.tsv", "some other table\n1\t2\n");
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Bank, StampsTheTable) {
  Store("bank.tsv", kHeader + Row("dog", "g1", "train", "audio/a.wav"));
  const std::string one = (*Open())->fingerprint();
  EXPECT_EQ((*Open())->fingerprint(), one);
  Store("bank.tsv", kHeader + Row("dog", "g1", "test", "audio/a.wav"));
  EXPECT_NE((*Open())->fingerprint(), one);
}

TEST_F(Bank, LoadsARecordingAtTheLevelOfAllDrySignals) {
  StoreTone("audio/a.wav", 440);
  Store("bank.tsv", kHeader + Row("bell", "g1", "train", "audio/a.wav"));
  const auto bank = Open();
  for (const int rate : {8000, 16000, 24000}) {
    const auto dry = (*bank)->LoadDry(0, rate);
    ASSERT_TRUE(dry.ok()) << dry.status();
    EXPECT_NEAR(ActiveRms(**dry, rate), 0.25, 1e-5);
    EXPECT_NEAR(static_cast<double>((*dry)->size()) / rate, 1.0, 0.03);
    EXPECT_EQ((*bank)->LoadDry(0, rate)->get(), dry->get()) << "decoded twice";
  }
  EXPECT_EQ((*bank)->LoadDry(0, 7999).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*bank)->LoadDry(1, 16000).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ((*bank)->LoadDry(-1, 16000).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(Bank, LoadsThePartOfAFileThatIsTheRecording) {
  StoreTone("audio/long.wav", 440, 5.0);
  Store("bank.tsv", kHeader + Row("bell", "g1", "train", "audio/long.wav", "1", "1.5\t3.0") +
                        Row("bell", "g2", "train", "audio/long.wav", "1", "9\t12"));
  const auto bank = Open();
  ASSERT_TRUE(bank.ok()) << bank.status();
  const auto dry = (*bank)->LoadDry(0, 16000);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_NEAR(static_cast<double>((*dry)->size()) / 16000, 1.5, 0.03);
  EXPECT_EQ((*bank)->LoadDry(1, 16000).status().code(), absl::StatusCode::kDataLoss);  // past the end of the file
}

TEST_F(Bank, TellsMissingFromDamagedFiles) {
  StoreTone("audio/good.flac", 440);
  std::ifstream whole(folder_ / "audio/good.flac", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(whole)), std::istreambuf_iterator<char>());
  Store("audio/cut.flac", bytes.substr(0, bytes.size() / 2));
  Store("audio/text.wav", "not a sound");
  Store("audio/empty.wav", "");
  ASSERT_TRUE(audio::WriteFoaFile((folder_ / "audio/silent.wav").string(), audio::MakeSilentClip(16000, 16000)).ok());
  std::string table = kHeader;
  for (const char* name : {"missing.wav", "cut.flac", "text.wav", "empty.wav", "silent.wav", "good.flac"}) {
    table += Row("bell", name, "train", std::string("audio/") + name);
  }
  Store("bank.tsv", table);
  const auto bank = Open();
  ASSERT_TRUE(bank.ok());
  const auto missing = (*bank)->LoadDry(0, 16000).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("audio/missing.wav"));
  for (int i = 1; i < 5; ++i) {
    const auto damaged = (*bank)->LoadDry(i, 16000).status();
    EXPECT_EQ(damaged.code(), absl::StatusCode::kDataLoss) << i;
    EXPECT_THAT(std::string(damaged.message()), HasSubstr((*bank)->recordings()[static_cast<size_t>(i)].path));
  }
  EXPECT_TRUE((*bank)->LoadDry(5, 16000).ok());
}

// A small cache changes what is kept, never what is returned; what a caller holds stays alive.
TEST_F(Bank, ServesManyThreadsFromACacheThatHoldsTwoSignals) {
  std::string table = kHeader;
  constexpr int kFiles = 6;
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = "audio/" + std::to_string(i) + ".wav";
    StoreTone(name, 200.0 * (i + 1), 0.3);
    table += Row("bell", "g" + std::to_string(i), "train", name);
  }
  Store("bank.tsv", table);
  const auto roomy = Open();
  const auto cramped = Open({.cache_bytes = 2 * 4800 * sizeof(float)});
  ASSERT_TRUE(roomy.ok() && cramped.ok());
  std::vector<std::vector<float>> want;
  for (int i = 0; i < kFiles; ++i) want.push_back(**(*roomy)->LoadDry(i, 16000));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 40; ++k) {
        const int i = (k * (t + 1) + t) % kFiles;
        const auto dry = (*cramped)->LoadDry(i, 16000);
        if (!dry.ok() || **dry != want[static_cast<size_t>(i)]) ++wrong;
        if ((*cramped)->cached_bytes() > 2 * 4800 * sizeof(float)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// Signals of 0.3 s at 16 kHz are 19.2 kB and a little; at 8 kHz half of that.
TEST_F(Bank, KeepsNoMoreThanItsBytesAndDropsWhatWasUsedLongestAgo) {
  std::string table = kHeader;
  constexpr int kFiles = 8;
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = "audio/" + std::to_string(i) + ".wav";
    StoreTone(name, 200.0 * (i + 1), 0.3);
    table += Row("bell", "g" + std::to_string(i), "train", name);
  }
  Store("bank.tsv", table);
  const size_t bound = 70000;
  const auto opened = Open({.cache_bytes = bound});
  ASSERT_TRUE(opened.ok());
  const SourceBank& bank = **opened;
  EXPECT_EQ(bank.cached_bytes(), 0u);
  const auto load = [&](int i, int rate = 16000) {
    const auto dry = bank.LoadDry(i, rate);
    EXPECT_TRUE(dry.ok()) << dry.status();
    EXPECT_LE(bank.cached_bytes(), bound);
    return *dry;
  };
  const auto held = load(0);
  const size_t one = held->size() * sizeof(float);
  EXPECT_EQ(bank.cached_bytes(), one);
  load(1), load(2);
  EXPECT_EQ(bank.cached_bytes(), 3 * one);
  EXPECT_EQ(load(0), held) << "still kept";
  load(3);  // 1 was used longest ago
  EXPECT_EQ(load(0), held) << "used more recently than 1";
  EXPECT_EQ(bank.cached_bytes(), 3 * one);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kFiles; ++i) load(i, round == 1 ? 8000 : 16000);
  }
  const auto again = load(0, 8000);
  EXPECT_EQ(held->size() * sizeof(float), one) << "what a caller holds outlives the cache";
  EXPECT_NE(again, held);
}

TEST_F(Bank, HandsOutWhatIsTooLargeToKeep) {
  StoreTone("audio/a.wav", 440, 1.0);
  Store("bank.tsv", kHeader + Row("bell", "g1", "train", "audio/a.wav"));
  for (const size_t bound : {size_t{0}, size_t{1000}}) {
    const auto bank = Open({.cache_bytes = bound});
    ASSERT_TRUE(bank.ok());
    const auto dry = (*bank)->LoadDry(0, 16000);
    ASSERT_TRUE(dry.ok());
    EXPECT_GT((*dry)->size(), 15000u);
    EXPECT_EQ((*bank)->cached_bytes(), 0u);
  }
}

// A million scenes are to fit into 1 GiB, everything else included.
TEST_F(Bank, KeepsHalfAGibibyteAtMostByDefault) { EXPECT_LE(SourceBankOptions{}.cache_bytes, size_t{512} << 20); }

TEST_F(Bank, LiesInTheCacheFolderByDefault) {
  const char* before = std::getenv("AURICLE_CACHE");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("AURICLE_CACHE", "/somewhere", 1);
  EXPECT_EQ(SourceBank::DefaultFolder(), "/somewhere/sounds");
  ::unsetenv("AURICLE_CACHE");
  EXPECT_THAT(SourceBank::DefaultFolder(), ::testing::EndsWith("/.cache/auricle/sounds"));
  if (before != nullptr) ::setenv("AURICLE_CACHE", kept.c_str(), 1);
}

// Real field recordings: padded with silence, of every level.
TEST_F(Bank, LoadsRealFieldRecordings) {
  const std::filesystem::path reference = std::filesystem::path(AURICLE_SHARED_DIR) / "reference/sounds/esc10";
  if (!std::filesystem::exists(reference)) GTEST_SKIP() << "no reference recordings";
  std::filesystem::create_directory_symlink(reference, folder_ / "esc10");
  std::string table = kHeader;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(reference / "dog_bark")) {
    table += Row("dog", entry.path().stem().string(), "test", "esc10/dog_bark/" + entry.path().filename().string());
    if (++files == 12) break;
  }
  Store("bank.tsv", table);
  const auto bank = Open();
  ASSERT_TRUE(bank.ok()) << bank.status();
  for (int i = 0; i < files; ++i) {
    const auto dry = (*bank)->LoadDry(i, 16000);
    ASSERT_TRUE(dry.ok()) << dry.status();
    EXPECT_NEAR(ActiveRms(**dry, 16000), 0.25, 1e-4);
    EXPECT_LE((*dry)->size(), 5u * 16000u + 16u);
    EXPECT_GT((*dry)->size(), 800u);
  }
}

}  // namespace
}  // namespace auricle::sim
