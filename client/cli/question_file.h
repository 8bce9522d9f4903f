// questions.jsonl: what to ask, one JSON object a line.
//
//   {"id": "q1", "audio": "clips/a.flac", "question": "Where is the dog?", "options": ["left", ...], "form": "mcq",
//    "format": "ambix", "task": "estimate_azimuth", "answer": "B"}
//
// `audio` is relative to the file's folder. `options`, `format`, `task` and `answer` may be missing; `form` is "mcq"
// where there are options, else "open". A line that cannot be asked is kept with the reason, so that its answer says
// why.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/audio.pb.h"

namespace auricle::client {

struct QuestionRow {
  size_t line = 0;               // in the file, from 1
  std::string id_json = "null";  // the id as it stood in the file: "\"q1\"" or "17"; "null" where it could not be read
  std::string audio_path;        // joined with the file's folder
  v1::FoaFormat format = v1::FOA_FORMAT_UNSPECIFIED;
  std::string question;
  std::vector<std::string> options;  // empty: open
  std::string true_letter;           // of a multiple-choice row that brings its answer
  absl::Status status;               // not OK: cannot be asked; names the line and the field
};

// The rows in order, blank lines left out, at most `limit` (0: all). A repeated id is an error of the later row.
// NOT_FOUND when the file cannot be read.
absl::StatusOr<std::vector<QuestionRow>> ReadQuestionFile(const std::string& path, v1::FoaFormat default_format,
                                                          size_t limit);

// One line of such a file; `folder` is what `audio` is relative to.
QuestionRow ParseQuestionLine(const std::string& text, size_t line, const std::string& folder,
                              v1::FoaFormat default_format);

}  // namespace auricle::client
