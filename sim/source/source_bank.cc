#include "sim/source/source_bank.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "model/audio/audio_file.h"
#include "model/audio/resample.h"
#include "sim/source/dry_signal.h"

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace auricle::sim {
namespace {

// absl::MutexLock that ThreadSanitizer can follow: Debian's Abseil is built without instrumentation, so that its mutex
// looks to the sanitizer as if it ordered nothing.
class ABSL_SCOPED_LOCKABLE VisibleLock {
 public:
  explicit VisibleLock(absl::Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(mutex_);
#endif
  }
  ~VisibleLock() ABSL_UNLOCK_FUNCTION() {
#if defined(__SANITIZE_THREAD__)
    __tsan_release(mutex_);
#endif
    mutex_->Unlock();
  }
  VisibleLock(const VisibleLock&) = delete;
  VisibleLock& operator=(const VisibleLock&) = delete;

 private:
  absl::Mutex* const mutex_;
};

// Columns of bank.tsv, in order.
enum Column {
  kClass,
  kGroup,
  kSplit,
  kKind,
  kWeight,
  kLicence,
  kSeconds,
  kHighpass,
  kStart,
  kEnd,
  kOrigin,
  kPath,
  kAuthor,
  kTitle,
  kColumns
};
constexpr char kHeader[] =
    "class\tgroup\tsplit\tkind\tweight\tlicence\tseconds\thighpass_hz\tstart_seconds\tend_"
    "seconds\torigin\tpath\tauthor\ttitle";

// FNV-1a, 64 bit (Fowler, Noll, Vo; IETF draft-eastlake-fnv).
std::string FingerprintOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return absl::StrFormat("%016x", hash);
}

std::optional<Split> ParseSplit(const std::string& name) {
  for (int i = 0; i < kSplits; ++i) {
    if (SplitName(static_cast<Split>(i)) == name) return static_cast<Split>(i);
  }
  return std::nullopt;
}

bool StaysInside(const std::string& path) {
  if (path.empty() || path[0] == '/') return false;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(path, '/'))) {
    if (part == "..") return false;
  }
  return true;
}

// A finite number in [low, high].
bool ParseNumber(const std::string& text, double low, double high, double* value) {
  return absl::SimpleAtod(text, value) && *value >= low && *value <= high;
}

absl::StatusOr<Recording> ParseRow(const std::string& line) {
  const std::vector<std::string> cells = absl::StrSplit(line, '\t');
  if (cells.size() != kColumns) {
    return absl::InvalidArgumentError(absl::StrCat(cells.size(), " columns; must be ", static_cast<int>(kColumns)));
  }
  Recording row;
  row.class_index = FindSoundClass(cells[kClass]);
  if (row.class_index < 0)
    return absl::InvalidArgumentError(absl::StrCat("class: ", cells[kClass], " is not in classes.tsv"));
  const std::optional<Split> split = ParseSplit(cells[kSplit]);
  if (!split)
    return absl::InvalidArgumentError(absl::StrCat("split: ", cells[kSplit], "; must be train, validation or test"));
  row.split = *split;
  if (cells[kGroup].empty()) return absl::InvalidArgumentError("group: empty");
  if (!ParseNumber(cells[kWeight], 1e-6, 1e6, &row.weight)) {
    return absl::InvalidArgumentError(absl::StrCat("weight: ", cells[kWeight], "; must be a number above 0"));
  }
  if (!ParseNumber(cells[kSeconds], 0, 1e6, &row.seconds)) {
    return absl::InvalidArgumentError(absl::StrCat("seconds: ", cells[kSeconds], "; must be a number, 0 or more"));
  }
  if (!ParseNumber(cells[kHighpass], 0, 4000, &row.highpass_hz)) {
    return absl::InvalidArgumentError(absl::StrCat("highpass_hz: ", cells[kHighpass], "; must be 0 to 4000"));
  }
  if (!ParseNumber(cells[kStart], 0, 1e6, &row.start_seconds) || !ParseNumber(cells[kEnd], 0, 1e6, &row.end_seconds) ||
      (row.end_seconds != 0 && row.end_seconds <= row.start_seconds)) {
    return absl::InvalidArgumentError(absl::StrCat("start_seconds, end_seconds: ", cells[kStart], ", ", cells[kEnd],
                                                   "; must be 0 or more, the end 0 or past the start"));
  }
  if (!StaysInside(cells[kPath]))
    return absl::InvalidArgumentError(absl::StrCat("path: ", cells[kPath], " leaves the bank's folder"));
  row.group = cells[kGroup];
  row.kind = cells[kKind];
  row.licence = cells[kLicence];
  row.path = cells[kPath];
  row.author = cells[kAuthor];
  row.title = cells[kTitle];
  return row;
}

// What a signal takes from the heap: it may have room for more samples than it has.
size_t BytesOf(const std::vector<float>& signal) { return signal.capacity() * sizeof(float); }

}  // namespace

std::string_view SplitName(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  return "unknown";
}

std::string SourceBank::DefaultFolder() {
  const char* cache = std::getenv("AURICLE_CACHE");
  if (cache != nullptr && *cache != '\0') return absl::StrCat(cache, "/sounds");
  const char* home = std::getenv("HOME");
  return absl::StrCat(home != nullptr ? home : "", "/.cache/auricle/sounds");
}

absl::StatusOr<std::shared_ptr<const SourceBank>> SourceBank::Open(const std::string& folder,
                                                                   const SourceBankOptions& options) {
  std::ifstream file(absl::StrCat(folder, "/bank.tsv"), std::ios::binary);
  if (!file)
    return absl::NotFoundError(absl::StrCat(folder, "/bank.tsv: no bank of recordings here; ./run sounds fetches one"));
  const std::string table((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::shared_ptr<SourceBank> bank(new SourceBank(folder, options));
  if (absl::Status status = bank->ReadTable(table); !status.ok()) return status;
  if (absl::Status status = bank->GroupRecordings(); !status.ok()) return status;
  bank->fingerprint_ = FingerprintOf(table);
  return bank;
}

absl::Status SourceBank::ReadTable(const std::string& table) {
  const std::string name = absl::StrCat(folder_, "/bank.tsv");
  const std::vector<std::string> lines = absl::StrSplit(table, '\n');
  if (lines[0] != kHeader) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": line 1 is not the header of a bank; ./run sounds writes one"));
  }
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    absl::StatusOr<Recording> row = ParseRow(lines[i]);
    if (!row.ok())
      return absl::InvalidArgumentError(absl::StrCat(name, ": line ", i + 1, ": ", row.status().message()));
    recordings_.push_back(*std::move(row));
  }
  if (recordings_.empty())
    return absl::FailedPreconditionError(absl::StrCat(name, ": no recordings; run ./run sounds again"));
  return absl::OkStatus();
}

absl::Status SourceBank::GroupRecordings() {
  std::map<std::string, Split> split_of;
  // Ordered by group name, so that the order of lines in bank.tsv decides nothing.
  std::vector<std::map<std::string, RecordingGroup>> named(SoundClasses().size() * kSplits);
  for (size_t i = 0; i < recordings_.size(); ++i) {
    const Recording& row = recordings_[i];
    const auto [at, is_new] = split_of.emplace(row.group, row.split);
    if (!is_new && at->second != row.split) {
      return absl::InvalidArgumentError(absl::StrCat(folder_, "/bank.tsv: group ", row.group, " is in two splits"));
    }
    RecordingGroup& group =
        named[static_cast<size_t>(row.class_index * kSplits + static_cast<int>(row.split))][row.group];
    group.weight = group.recordings.empty() ? row.weight : std::max(group.weight, row.weight);
    group.name = row.group;
    group.recordings.push_back(static_cast<int>(i));
  }
  groups_.resize(named.size());
  for (size_t i = 0; i < named.size(); ++i) {
    for (auto& [name, group] : named[i]) groups_[i].push_back(std::move(group));
  }
  return absl::OkStatus();
}

std::span<const RecordingGroup> SourceBank::groups(int class_index, Split split) const {
  const size_t i = static_cast<size_t>(class_index * kSplits + static_cast<int>(split));
  if (class_index < 0 || i >= groups_.size()) return {};
  return groups_[i];
}

std::vector<int> SourceBank::ClassesWithRecordings(Split split) const {
  std::vector<int> classes;
  for (int c = 0; c < static_cast<int>(SoundClasses().size()); ++c) {
    if (!groups(c, split).empty()) classes.push_back(c);
  }
  return classes;
}

absl::StatusOr<std::shared_ptr<const std::vector<float>>> SourceBank::LoadDry(int recording, int sample_rate) const {
  if (recording < 0 || recording >= static_cast<int>(recordings_.size())) {
    return absl::OutOfRangeError(absl::StrCat("recording: ", recording, "; must be 0 to ", recordings_.size() - 1));
  }
  if (absl::Status status = audio::ValidateSampleRate(sample_rate); !status.ok()) return status;
  const Key key(recording, sample_rate);
  if (Signal cached = FindCached(key); cached != nullptr) return cached;

  // Decoded outside the lock: two threads may both do it, and the first one's signal is kept.
  const Recording& row = recordings_[static_cast<size_t>(recording)];
  const std::string path = absl::StrCat(folder_, "/", row.path);
  absl::StatusOr<audio::AudioBuffer> buffer = audio::ReadAudioFile(path);
  if (!buffer.ok()) {
    if (absl::IsNotFound(buffer.status())) {
      return absl::NotFoundError(absl::StrCat(path, ": missing; ./run sounds fetches it again"));
    }
    return absl::DataLossError(absl::StrCat(path, ": ", buffer.status().message()));
  }
  absl::StatusOr<std::vector<float>> dry = MakeDrySignal(*buffer, {.sample_rate = sample_rate,
                                                                   .highpass_hz = row.highpass_hz,
                                                                   .start_seconds = row.start_seconds,
                                                                   .end_seconds = row.end_seconds});
  if (!dry.ok()) return absl::DataLossError(absl::StrCat(path, ": ", dry.status().message()));
  dry->shrink_to_fit();
  return Keep(key, std::make_shared<const std::vector<float>>(*std::move(dry)));
}

SourceBank::Signal SourceBank::FindCached(const Key& key) const {
  const VisibleLock lock(&mutex_);
  const auto at = cache_.find(key);
  if (at == cache_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, at->second.use);
  return at->second.signal;
}

SourceBank::Signal SourceBank::Keep(const Key& key, Signal signal) const {
  const size_t bytes = BytesOf(*signal);
  const VisibleLock lock(&mutex_);
  if (const auto at = cache_.find(key); at != cache_.end()) return at->second.signal;
  if (bytes > options_.cache_bytes) return signal;
  while (cached_bytes_ + bytes > options_.cache_bytes) {
    const auto oldest = cache_.find(uses_.back());
    cached_bytes_ -= BytesOf(*oldest->second.signal);
    cache_.erase(oldest);
    uses_.pop_back();
  }
  uses_.push_front(key);
  cache_[key] = {signal, uses_.begin()};
  cached_bytes_ += bytes;
  return signal;
}

size_t SourceBank::cached_bytes() const {
  const VisibleLock lock(&mutex_);
  return cached_bytes_;
}

}  // namespace auricle::sim
