// Makes a small tokenizer.json from a text corpus, for decoders that are trained from scratch (nano, tiny).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace auricle::model {

// Byte-level BPE after Sennrich et al. 2016: the 256 bytes, then the most frequent adjacent pair again and again until
// the vocabulary, `special_tokens` included (they come last), has `vocab_size` entries or no pair occurs twice. Ties go
// to the pair that is smaller in (left id, right id), so equal corpora give equal files on every machine. Pieces are
// split by Qwen2's pattern (digits one by one) after NFC. Returns the file in Hugging Face's form.
// INVALID_ARGUMENT: vocab_size below 256 + special tokens or above 1,000,000; a line that is not UTF-8; special tokens
// that are empty or repeat.
absl::StatusOr<std::string> TrainBpe(std::span<const std::string> lines, int vocab_size,
                                     std::span<const std::string_view> special_tokens);

}  // namespace auricle::model
