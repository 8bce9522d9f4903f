#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/mapped_file.h"
#include "model/checkpoint/safetensors.h"

namespace auricle::model {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;               // of the header's length, before the header
constexpr size_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

struct DtypeEntry {
  std::string_view name;
  Dtype dtype;
  size_t bytes;
};
constexpr std::array<DtypeEntry, 13> kDtypes = {{
    {"BOOL", Dtype::kBool, 1},
    {"U8", Dtype::kU8, 1},
    {"I8", Dtype::kI8, 1},
    {"I16", Dtype::kI16, 2},
    {"U16", Dtype::kU16, 2},
    {"F16", Dtype::kF16, 2},
    {"BF16", Dtype::kBf16, 2},
    {"I32", Dtype::kI32, 4},
    {"U32", Dtype::kU32, 4},
    {"F32", Dtype::kF32, 4},
    {"F64", Dtype::kF64, 8},
    {"I64", Dtype::kI64, 8},
    {"U64", Dtype::kU64, 8},
}};

// One file's header, checked claim by claim.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::span<const std::byte> data) : path_(path), data_(data) {}

  absl::Status Parse(std::string_view text) {
    if (text.empty() || text.front() != '{') return Lie("header", "does not begin with '{'");
    std::set<std::string> seen;
    std::string duplicate;
    const json::parser_callback_t note_duplicates = [&](int depth, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::key && depth == 1) {
        if (!seen.insert(parsed.get<std::string>()).second) duplicate = parsed.get<std::string>();
      }
      return true;
    };
    const json header = json::parse(text.begin(), text.end(), note_duplicates, /*allow_exceptions=*/false);
    if (header.is_discarded() || !header.is_object()) return Lie("header", "is not a JSON object");
    if (!duplicate.empty()) return Lie(duplicate, "is given twice");
    for (const auto& [name, entry] : header.items()) {
      absl::Status status = name == "__metadata__" ? TakeMetadata(entry) : TakeTensor(name, entry);
      if (!status.ok()) return status;
    }
    return CheckLayout();
  }

  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;

 private:
  absl::Status Lie(const std::string& tensor, const std::string& reason) const {
    return absl::DataLossError(absl::StrCat(path_, ": ", Printable(tensor), ": ", reason));
  }

  absl::Status TakeMetadata(const json& entry) {
    if (!entry.is_object()) return Lie("__metadata__", "is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) return Lie("__metadata__", absl::StrCat(Printable(key), " is not text"));
      metadata[key] = value.get<std::string>();
    }
    return absl::OkStatus();
  }

  // A non-negative whole number that fits into int64.
  static bool IsCount(const json& value) {
    return value.is_number_unsigned() &&
           value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }

  absl::Status TakeTensor(const std::string& name, const json& entry) {
    if (!entry.is_object()) return Lie(name, "is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        return Lie(name, absl::StrCat("has the unknown field ", Printable(key)));
      }
    }
    if (!entry.contains("dtype") || !entry["dtype"].is_string()) return Lie(name, "dtype is missing or not text");
    if (!entry.contains("shape") || !entry["shape"].is_array()) return Lie(name, "shape is missing or not a list");
    if (!entry.contains("data_offsets") || !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) {
      return Lie(name, "data_offsets is missing or not a pair");
    }
    const std::string dtype = entry["dtype"].get<std::string>();
    const auto known =
        std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeEntry& d) { return d.name == dtype; });
    if (known == kDtypes.end()) return Lie(name, absl::StrCat("unknown dtype ", Printable(dtype)));

    TensorView view{name, known->dtype, {}, {}};
    uint64_t bytes = known->bytes;
    for (const json& extent : entry["shape"]) {
      if (!IsCount(extent)) return Lie(name, "shape holds something other than whole numbers >= 0");
      view.shape.push_back(extent.get<int64_t>());
      if (__builtin_mul_overflow(bytes, extent.get<uint64_t>(), &bytes)) return Lie(name, "shape overflows");
    }
    const json& begin = entry["data_offsets"][0];
    const json& end = entry["data_offsets"][1];
    if (!IsCount(begin) || !IsCount(end)) return Lie(name, "data_offsets are not whole numbers >= 0");
    const uint64_t from = begin.get<uint64_t>(), to = end.get<uint64_t>();
    if (from > to) return Lie(name, absl::StrCat("data_offsets [", from, ", ", to, "] run backwards"));
    if (to > data_.size()) {
      return Lie(name, absl::StrCat("data_offsets [", from, ", ", to, "] lie outside the file's ", data_.size(),
                                    " data bytes (truncated?)"));
    }
    if (to - from != bytes) {
      return Lie(name, absl::StrCat(to - from, " bytes, but ", dtype, " ", view.ShapeString(), " takes ", bytes));
    }
    view.bytes = data_.subspan(from, to - from);
    tensors.push_back(std::move(view));
    return absl::OkStatus();
  }

  // The format allows neither holes nor overlaps: what is not a tensor could hide anything.
  absl::Status CheckLayout() {
    std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
      return std::make_pair(a.bytes.data(), a.bytes.size()) < std::make_pair(b.bytes.data(), b.bytes.size());
    });
    const std::byte* next = data_.data();
    for (const TensorView& tensor : tensors) {
      if (tensor.bytes.data() < next) return Lie(tensor.name, "overlaps the tensor before it");
      if (tensor.bytes.data() > next) return Lie(tensor.name, "leaves a hole before it");
      next = tensor.bytes.data() + tensor.bytes.size();
    }
    if (next != data_.data() + data_.size()) {
      return Lie("data", absl::StrCat(data_.data() + data_.size() - next, " bytes after the last tensor"));
    }
    return absl::OkStatus();
  }

  const std::string& path_;
  std::span<const std::byte> data_;
};

}  // namespace

size_t DtypeBytes(Dtype dtype) {
  return std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeEntry& d) { return d.dtype == dtype; })->bytes;
}

std::string_view DtypeName(Dtype dtype) {
  return std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeEntry& d) { return d.dtype == dtype; })->name;
}

std::string TensorView::ShapeString() const { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

absl::StatusOr<SafetensorsReader> SafetensorsReader::Open(const std::string& path) {
  absl::StatusOr<std::shared_ptr<const MappedFile>> mapping = MappedFile::Open(path, kLengthBytes);
  if (!mapping.ok()) return mapping.status();
  const std::span<const std::byte> file = (*mapping)->bytes();
  uint64_t header_bytes = 0;
  for (size_t i = kLengthBytes; i-- > 0;) header_bytes = header_bytes << 8 | static_cast<uint64_t>(file[i]);
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - kLengthBytes) {
    return absl::DataLossError(absl::StrCat(path, ": header: claims ", header_bytes, " bytes; the file has ",
                                            file.size() - kLengthBytes, " and the format allows ", kMaxHeaderBytes));
  }
  HeaderParser parser(path, file.subspan(kLengthBytes + header_bytes));
  absl::Status status = parser.Parse({reinterpret_cast<const char*>(file.data() + kLengthBytes), header_bytes});
  if (!status.ok()) return status;

  SafetensorsReader reader;
  reader.path_ = path;
  reader.mapping_ = *std::move(mapping);
  reader.tensors_ = std::move(parser.tensors);
  reader.metadata_ = std::move(parser.metadata);
  for (size_t i = 0; i < reader.tensors_.size(); ++i) reader.index_[reader.tensors_[i].name] = i;
  return reader;
}

const TensorView* SafetensorsReader::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace auricle::model
