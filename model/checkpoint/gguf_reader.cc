#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/gguf.h"
#include "model/checkpoint/mapped_file.h"

namespace auricle::model {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr size_t kHeadBytes = 24;  // magic, version, count of tensors, count of metadata
constexpr uint64_t kMaxNameBytes = 65535;
constexpr uint32_t kMaxDimensions = 4;
constexpr int64_t kDefaultAlignment = 32;

// Value types by their code in the file.
enum : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

// Bytes of a value of fixed size; 0 for the others.
constexpr size_t FixedBytes(uint32_t type) {
  switch (type) {
    case kU8:
    case kI8:
    case kBool:
      return 1;
    case kU16:
    case kI16:
      return 2;
    case kU32:
    case kI32:
    case kF32:
      return 4;
    case kU64:
    case kI64:
    case kF64:
      return 8;
    default:
      return 0;
  }
}

// Walks over the bytes; the first lie is kept, and everything read after it is 0 or empty.
class Cursor {
 public:
  Cursor(const std::string& path, std::span<const std::byte> bytes) : path_(path), bytes_(bytes) {}

  template <typename T>
  T Fixed(std::string_view what) {
    T value{};
    const std::span<const std::byte> from = Take(sizeof(T), what);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(T));  // files and machines here are little-endian
    return value;
  }

  std::string Text(uint64_t longest, std::string_view what) {
    const auto length = Fixed<uint64_t>(what);
    if (length > longest) {
      Lie(what, absl::StrCat("a text of ", length, " bytes, at most ", longest, " are allowed"));
      return "";
    }
    const std::span<const std::byte> from = Take(length, what);
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }

  void Lie(std::string_view what, const std::string& reason) {
    Fail(absl::DataLossError(absl::StrCat(path_, ": ", Printable(what), ": ", reason)));
  }
  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

 private:
  std::span<const std::byte> Take(uint64_t count, std::string_view what) {
    if (!ok()) return {};
    if (count > left()) {
      Lie(what,
          absl::StrCat("needs ", count, " bytes at offset ", at_, ", the file has ", left(), " left (truncated?)"));
      return {};
    }
    const std::span<const std::byte> taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  const std::string& path_;
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  absl::Status status_;
};

int64_t ReadInteger(Cursor& in, uint32_t type, std::string_view key) {
  switch (type) {
    case kU8:
      return in.Fixed<uint8_t>(key);
    case kI8:
      return in.Fixed<int8_t>(key);
    case kU16:
      return in.Fixed<uint16_t>(key);
    case kI16:
      return in.Fixed<int16_t>(key);
    case kU32:
      return in.Fixed<uint32_t>(key);
    case kI32:
      return in.Fixed<int32_t>(key);
    case kI64:
      return in.Fixed<int64_t>(key);
    default:
      break;
  }
  const auto value = in.Fixed<uint64_t>(key);
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) in.Lie(key, "is above 2^63 - 1");
  return static_cast<int64_t>(value);
}

double ReadFloat(Cursor& in, uint32_t type, std::string_view key) {
  return type == kF32 ? static_cast<double>(in.Fixed<float>(key)) : in.Fixed<double>(key);
}

bool ReadBool(Cursor& in, std::string_view key) {
  const auto value = in.Fixed<uint8_t>(key);
  if (value > 1) in.Lie(key, absl::StrCat("a truth value of ", value));
  return value == 1;
}

GgufValue ReadArray(Cursor& in, std::string_view key) {
  const auto type = in.Fixed<uint32_t>(key);
  const auto count = in.Fixed<uint64_t>(key);
  if (!in.ok()) return {};
  if (type == kArray) {
    in.Fail(absl::UnimplementedError(absl::StrCat(Printable(key), ": an array of arrays is not read")));
    return {};
  }
  if (type > kF64) {
    in.Lie(key, absl::StrCat("an array of values of unknown type ", type));
    return {};
  }
  // A text takes at least the eight bytes of its length: memory is taken for what the file can hold, not what it says.
  if (const size_t each = type == kString ? 8 : FixedBytes(type); count > in.left() / each) {
    in.Lie(key, absl::StrCat("an array of ", count, " values, the file has ", in.left(), " bytes left (truncated?)"));
    return {};
  }
  const auto fill = [&](auto values, const auto& read) {
    values.reserve(count);
    for (uint64_t i = 0; i < count && in.ok(); ++i) values.push_back(read());
    return GgufValue(std::move(values));
  };
  if (type == kString) return fill(std::vector<std::string>(), [&] { return in.Text(in.left(), key); });
  if (type == kBool) return fill(std::vector<bool>(), [&] { return ReadBool(in, key); });
  if (type == kF32 || type == kF64) return fill(std::vector<double>(), [&] { return ReadFloat(in, type, key); });
  return fill(std::vector<int64_t>(), [&] { return ReadInteger(in, type, key); });
}

GgufValue ReadValue(Cursor& in, std::string_view key) {
  const auto type = in.Fixed<uint32_t>(key);
  if (!in.ok()) return {};
  if (type == kArray) return ReadArray(in, key);
  if (type == kString) return in.Text(in.left(), key);
  if (type == kBool) return ReadBool(in, key);
  if (type == kF32 || type == kF64) return ReadFloat(in, type, key);
  if (FixedBytes(type) == 0) {
    in.Lie(key, absl::StrCat("a value of unknown type ", type));
    return {};
  }
  return ReadInteger(in, type, key);
}

// What the head says of a tensor; its bytes are found when the head is over.
struct Claim {
  GgufTensor tensor;
  uint64_t offset = 0;
  uint64_t length = 0;
};

Claim ReadClaim(Cursor& in) {
  Claim claim;
  claim.tensor.name = in.Text(kMaxNameBytes, "a tensor's name");
  const std::string& name = claim.tensor.name;
  const auto dimensions = in.Fixed<uint32_t>(name);
  if (dimensions > kMaxDimensions) {
    in.Lie(name, absl::StrCat(dimensions, " dimensions, at most ", kMaxDimensions, " are allowed"));
    return claim;
  }
  uint64_t numbers = 1;
  for (uint32_t i = 0; i < dimensions && in.ok(); ++i) {
    const auto extent = in.Fixed<uint64_t>(name);
    if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
        __builtin_mul_overflow(numbers, extent, &numbers)) {
      in.Lie(name, "shape overflows");
      return claim;
    }
    claim.tensor.shape.insert(claim.tensor.shape.begin(), static_cast<int64_t>(extent));
  }
  const auto code = in.Fixed<uint32_t>(name);
  claim.offset = in.Fixed<uint64_t>(name);
  if (!in.ok()) return claim;
  const absl::StatusOr<GgmlBlock> block = FindGgmlBlock(code);
  if (!block.ok()) {
    in.Fail(absl::UnimplementedError(absl::StrCat(Printable(name), ": ", std::string(block.status().message()))));
    return claim;
  }
  claim.tensor.type = block->type;
  const int64_t row = claim.tensor.shape.empty() ? 1 : claim.tensor.shape.back();
  if (row % block->numbers != 0) {
    in.Lie(name, absl::StrCat("rows of ", row, " numbers are no whole blocks of ", block->numbers, " (",
                              std::string(block->name), ")"));
  } else if (__builtin_mul_overflow(numbers / static_cast<uint64_t>(block->numbers),
                                    static_cast<uint64_t>(block->bytes), &claim.length)) {
    in.Lie(name, "shape overflows");
  }
  return claim;
}

// Finds the bytes of every claim in `data`, which begins where the file's data begins.
void Locate(Cursor& in, std::vector<Claim>& claims, std::span<const std::byte> data, uint64_t alignment) {
  std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
    return std::pair(a.offset, a.length) < std::pair(b.offset, b.length);
  });
  uint64_t end = 0;
  for (Claim& claim : claims) {
    const std::string& name = claim.tensor.name;
    if (claim.offset % alignment != 0) {
      in.Lie(name, absl::StrCat("offset ", claim.offset, " is no multiple of ", alignment));
    } else if (claim.offset > data.size() || claim.length > data.size() - claim.offset) {
      in.Lie(name, absl::StrCat(claim.length, " bytes at offset ", claim.offset, " lie outside the file's ",
                                data.size(), " data bytes (truncated?)"));
    } else if (claim.offset < end) {
      in.Lie(name, "overlaps the tensor before it");
    }
    if (!in.ok()) return;
    claim.tensor.bytes = data.subspan(claim.offset, claim.length);
    end = claim.offset + claim.length;
  }
}

}  // namespace

absl::StatusOr<GgufReader> GgufReader::Open(const std::string& path) {
  absl::StatusOr<std::shared_ptr<const MappedFile>> file = MappedFile::Open(path, kHeadBytes);
  if (!file.ok()) return file.status();
  const std::span<const std::byte> bytes = (*file)->bytes();
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return absl::DataLossError(absl::StrCat(path, ": does not begin with \"GGUF\""));
  }
  GgufReader reader;
  reader.path_ = path;
  reader.mapping_ = *file;
  Cursor in(path, bytes);
  in.Fixed<uint32_t>("magic");
  const auto version = in.Fixed<uint32_t>("version");
  if (version != 2 && version != 3) {
    const bool swapped = version != 0 && (version & 0xffff) == 0;
    return absl::UnimplementedError(
        absl::StrCat(path, ": version ", version, swapped ? " (a big-endian file)" : "", ", only 2 and 3 are read"));
  }
  const auto tensor_count = in.Fixed<uint64_t>("count of tensors");
  const auto metadata_count = in.Fixed<uint64_t>("count of metadata");
  for (uint64_t i = 0; i < metadata_count && in.ok(); ++i) {
    const std::string key = in.Text(kMaxNameBytes, "a metadata key");
    GgufValue value = ReadValue(in, key);
    if (in.ok() && !reader.metadata_.emplace(key, std::move(value)).second) in.Lie(key, "is given twice");
  }
  std::vector<Claim> claims;
  for (uint64_t i = 0; i < tensor_count && in.ok(); ++i) claims.push_back(ReadClaim(in));
  int64_t alignment = kDefaultAlignment;
  if (in.ok() && reader.metadata_.contains("general.alignment")) {
    absl::StatusOr<int64_t> own = reader.Integer("general.alignment");
    if (!own.ok()) return own.status();
    alignment = *own;
    if (alignment < 1 || alignment > 65536 || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
      in.Lie("general.alignment", absl::StrCat(alignment, " is no power of two from 1 to 65536"));
    }
  }
  if (in.ok()) {
    const auto step = static_cast<uint64_t>(alignment);
    const uint64_t begin = (in.at() + step - 1) / step * step;
    Locate(in, claims, begin <= bytes.size() ? bytes.subspan(begin) : std::span<const std::byte>(), step);
  }
  for (Claim& claim : claims) {
    if (!in.ok()) break;
    if (!reader.index_.emplace(claim.tensor.name, reader.tensors_.size()).second) {
      in.Lie(claim.tensor.name, "is given twice");
    }
    reader.tensors_.push_back(std::move(claim.tensor));
  }
  if (absl::IsUnimplemented(in.status())) {
    return absl::UnimplementedError(absl::StrCat(path, ": ", std::string(in.status().message())));
  }
  if (!in.ok()) return in.status();
  return reader;
}

const GgufTensor* GgufReader::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

template <typename T>
absl::StatusOr<T> GgufReader::Get(std::string_view key, const char* kind) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return absl::NotFoundError(absl::StrCat(path_, ": ", std::string(key), ": missing"));
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) return absl::DataLossError(absl::StrCat(path_, ": ", std::string(key), ": not ", kind));
  return *value;
}

absl::StatusOr<int64_t> GgufReader::Integer(std::string_view key) const { return Get<int64_t>(key, "a whole number"); }

absl::StatusOr<double> GgufReader::Number(std::string_view key) const {
  if (absl::StatusOr<int64_t> whole = Integer(key); whole.ok()) return static_cast<double>(*whole);
  return Get<double>(key, "a number");
}

absl::StatusOr<std::string> GgufReader::Text(std::string_view key) const { return Get<std::string>(key, "text"); }

absl::StatusOr<std::vector<std::string>> GgufReader::Texts(std::string_view key) const {
  return Get<std::vector<std::string>>(key, "a list of texts");
}

absl::StatusOr<std::vector<int64_t>> GgufReader::Integers(std::string_view key) const {
  return Get<std::vector<int64_t>>(key, "a list of whole numbers");
}

}  // namespace auricle::model
