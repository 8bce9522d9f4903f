#include "server/training/sqlite.h"

#include "absl/strings/str_cat.h"

namespace auricle::server {

absl::Status SqliteStatus(sqlite3* db, int code, std::string_view doing) {
  const std::string message =
      absl::StrCat("ledger: ", std::string(doing), ": ", db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return absl::UnavailableError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(message);
    default:
      return absl::InternalError(message);
  }
}

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void Statement::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = SqliteStatus(db_, code, "statement");
}

Statement& Statement::Text(std::string_view value) {
  if (status_.ok()) {
    Check(sqlite3_bind_text(statement_.get(), next_parameter_++, value.data(), static_cast<int>(value.size()),
                            SQLITE_TRANSIENT));
  }
  return *this;
}

Statement& Statement::Int(int64_t value) {
  if (status_.ok()) Check(sqlite3_bind_int64(statement_.get(), next_parameter_++, value));
  return *this;
}

Statement& Statement::Blob(std::string_view value) {
  if (status_.ok()) {
    Check(sqlite3_bind_blob64(statement_.get(), next_parameter_++, value.data(), value.size(), SQLITE_TRANSIENT));
  }
  return *this;
}

bool Statement::Step() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) Check(code);
  return false;
}

absl::Status Statement::Run() {
  while (Step()) {
  }
  return status_;
}

std::string Statement::GetBytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

Transaction::Transaction(sqlite3* db) : db_(db) {
  status_ = Statement(db, "BEGIN IMMEDIATE").Run();
  open_ = status_.ok();
}

Transaction::~Transaction() {
  if (open_) Statement(db_, "ROLLBACK").Run().IgnoreError();
}

absl::Status Transaction::Commit() {
  if (!status_.ok()) return status_;
  status_ = Statement(db_, "COMMIT").Run();
  open_ = !status_.ok();
  return status_;
}

}  // namespace auricle::server
