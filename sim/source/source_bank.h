// The bank of recordings that scenes are made of: what there is, split by original recording, and loading it.
//
// A bank is a folder made by `./run sounds`: bank.tsv (one line a recording) and the audio files it names. The split
// into train, validation and test is by group (the original recording, or the session it was made in), never by clip:
// no group is in two splits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "sim/source/sound_classes.h"

namespace auricle::sim {

enum class Split { kTrain = 0, kValidation = 1, kTest = 2 };
inline constexpr int kSplits = 3;
std::string_view SplitName(Split split);  // "train", "validation", "test"

// One file of the bank. Its index in recordings() is its handle within one bank; `path` names it across banks.
struct Recording {
  int class_index = 0;  // into SoundClasses()
  std::string group;    // the original recording
  Split split = Split::kTrain;
  std::string kind;        // "field", "event", "ambience", "speech", "rendered"
  double weight = 1.0;     // how much it is worth beside others of its class: real recordings more than stylised ones
  std::string licence;     // as its publisher states it
  double seconds = 0;      // of the file, before anything is cut
  double highpass_hz = 0;  // 0: nothing to take away
  double start_seconds = 0, end_seconds = 0;  // the part of the file that is the recording; end 0: to its end
  std::string path;                           // relative to the bank's folder
  std::string author, title;                  // for attribution
};

// The recordings of one group, in one class and split.
struct RecordingGroup {
  std::string name;
  double weight = 1.0;          // of its best recording
  std::vector<int> recordings;  // indices into SourceBank::recordings(), ascending
};

struct SourceBankOptions {
  // Of loaded signals, at most: the least recently used are dropped past it, and one that is larger by itself is handed
  // out but not kept. 0 keeps nothing. This cache is all that grows while scenes are made: with the default a run of
  // any length stays below 1 GiB.
  size_t cache_bytes = size_t{384} << 20;
};

// Immutable but for its cache of loaded signals; all methods are thread-safe. Signals that callers hold live on after
// the cache has dropped them; what is dropped is decoded again when it is asked for.
class SourceBank {
 public:
  // NOT_FOUND: no bank in `folder` (says how to get one). INVALID_ARGUMENT, with the line: a damaged bank.tsv, an
  // unknown class, a group in two splits, a path that leaves the folder. FAILED_PRECONDITION: no recordings. Audio
  // files are not opened here: LoadDry tells of a missing one.
  static absl::StatusOr<std::shared_ptr<const SourceBank>> Open(const std::string& folder,
                                                                const SourceBankOptions& options = {});

  // ${AURICLE_CACHE:-$HOME/.cache/auricle}/sounds, where `./run sounds` puts the bank.
  static std::string DefaultFolder();

  // The whole vocabulary; a bank need not have recordings of every class.
  std::span<const SoundClass> classes() const { return SoundClasses(); }
  const std::vector<Recording>& recordings() const { return recordings_; }

  // Groups of a class in a split, ordered by name; empty where there are none.
  std::span<const RecordingGroup> groups(int class_index, Split split) const;

  // Classes that have at least one group in the split, ascending.
  std::vector<int> ClassesWithRecordings(Split split) const;

  // Stamp of bank.tsv (FNV-1a, 64 bit, hex): two machines with the same stamp draw the same scenes.
  const std::string& fingerprint() const { return fingerprint_; }

  // The recording as a dry mono signal at `sample_rate` Hz (8000-192000): see MakeDrySignal. Decoded at first use and
  // shared after that.
  // OUT_OF_RANGE: no such recording. INVALID_ARGUMENT: the rate. NOT_FOUND: the file is missing. DATA_LOSS: the file is
  // damaged, empty or silent. All name the file.
  absl::StatusOr<std::shared_ptr<const std::vector<float>>> LoadDry(int recording, int sample_rate) const;

  // What the cache holds now; never more than SourceBankOptions::cache_bytes.
  size_t cached_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Signal = std::shared_ptr<const std::vector<float>>;
  using Key = std::pair<int, int>;  // recording, sample rate
  struct Cached {
    Signal signal;
    std::list<Key>::iterator use;
  };

  SourceBank(std::string folder, const SourceBankOptions& options) : folder_(std::move(folder)), options_(options) {}
  absl::Status ReadTable(const std::string& table);
  absl::Status GroupRecordings();
  Signal FindCached(const Key& key) const ABSL_LOCKS_EXCLUDED(mutex_);
  Signal Keep(const Key& key, Signal signal) const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string folder_;
  const SourceBankOptions options_;
  std::string fingerprint_;
  std::vector<Recording> recordings_;
  std::vector<std::vector<RecordingGroup>> groups_;  // [classes * kSplits]

  mutable absl::Mutex mutex_;
  mutable std::map<Key, Cached> cache_ ABSL_GUARDED_BY(mutex_);
  mutable std::list<Key> uses_ ABSL_GUARDED_BY(mutex_);  // most recent first
  mutable size_t cached_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace auricle::sim
