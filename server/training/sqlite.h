// A thin, safe surface over SQLite's C interface: statements that finalise themselves and transactions that roll back.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::server {

// One prepared statement. Bind parameters in order with Text/Int/Blob, then Step. Not thread-safe.
class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);

  Statement& Text(std::string_view value);
  Statement& Int(int64_t value);
  Statement& Blob(std::string_view value);

  // True: a row is there. False: done, or failed (see status()).
  bool Step();
  // Runs to the end, ignoring rows.
  absl::Status Run();
  const absl::Status& status() const { return status_; }

  int64_t GetInt(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string GetBytes(int column) const;

 private:
  void Check(int code);

  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_{nullptr, sqlite3_finalize};
  int next_parameter_ = 1;
  absl::Status status_;
};

// BEGIN IMMEDIATE on construction; ROLLBACK on destruction unless Commit() succeeded.
class Transaction {
 public:
  explicit Transaction(sqlite3* db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const absl::Status& status() const { return status_; }
  absl::Status Commit();

 private:
  sqlite3* db_;
  bool open_ = false;
  absl::Status status_;
};

// SQLite's last error on `db` as a Status: UNAVAILABLE for busy and full disks, DATA_LOSS for corruption, else
// INTERNAL.
absl::Status SqliteStatus(sqlite3* db, int code, std::string_view doing);

}  // namespace auricle::server
