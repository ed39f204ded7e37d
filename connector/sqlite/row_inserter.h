// Rows of chunks into one table: prepared statements, values bound where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connector/sqlite/database.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::connector {

/// Inserts into one table. One thread; must not outlive the database.
class RowInserter {
 public:
  /// `table` has the schema's columns.
  static Result<RowInserter> create(Database& database, const std::string& table,
                                    const Schema& schema);

  /// Inserts all rows of the chunk into the open transaction.
  ///   kBadValue  The table's rules refuse a row: object, record, byte offset and the rule are in
  ///              the error. Rows before it may be in the transaction, or it was rolled back whole.
  ///   others     Database::error
  Result<void> insert(const RowChunk& chunk);

 private:
  RowInserter(Database& database, Statement one, Statement many, std::int64_t rows_per_statement)
      : database_(&database),
        one_(std::move(one)),
        many_(std::move(many)),
        rows_per_statement_(rows_per_statement) {}
  void bind_row(const Statement& statement, const RowChunk& chunk, std::int64_t row,
                std::size_t slot);
  Result<void> insert_one(const RowChunk& chunk, std::int64_t row);
  Error refused(const RowChunk& chunk, std::int64_t row, Error error) const;

  Database* database_;
  Statement one_;
  Statement many_;  ///< Inserts rows_per_statement_ rows at once.
  std::int64_t rows_per_statement_;
  std::vector<std::string> texts_;  ///< Canonical texts of the values bound; kept for their memory.
};

}  // namespace leat::connector
