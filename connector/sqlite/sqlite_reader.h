// What an SQLite file holds of one pipeline: progress, rows by object, rejects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connector/sqlite/database.h"
#include "leat/sink.h"

namespace leat::connector {

/// Whether the table has leat's lineage columns.
Result<bool> has_lineage(Database& database, const std::string& table);
/// Whether there is a table of this name.
Result<bool> has_table(Database& database, const std::string& name);

/// A connection of its own, in one read transaction.
class SqliteReader final : public SinkReader {
 public:
  static Result<std::unique_ptr<SinkReader>> open(const std::string& path, const std::string& table,
                                                  std::string_view pipeline, int busy_timeout_ms);

  EpochMark mark() const noexcept override { return mark_; }
  Result<std::optional<SplitProgress>> next_progress() override;
  Result<std::optional<ObjectRows>> next_rows() override;
  Result<std::optional<KeptReject>> next_reject() override;

 private:
  SqliteReader(Database database, std::string table, std::string_view pipeline)
      : database_(std::move(database)), table_(std::move(table)), pipeline_(pipeline) {}
  Result<void> begin();
  Result<Statement> select_rows();

  Database database_;
  const std::string table_;
  const std::string pipeline_;
  EpochMark mark_;
  bool loaded_into_ = false;  ///< The record names a table.
  // Below: statements, which go before the connection does. Each is made when it is first asked.
  std::optional<Statement> progress_;
  std::optional<Statement> rows_;
  std::optional<Statement> rejects_;
};

}  // namespace leat::connector
