// What PostgreSQL holds of one pipeline: progress, rows by object, rejects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connector/postgres/connection.h"
#include "leat/sink.h"

namespace leat::connector {

/// A connection of its own, in one transaction that only reads, with a cursor for each sequence.
class PostgresReader final : public SinkReader {
 public:
  /// @param table  As parse_postgres_table returned it.
  static Result<std::unique_ptr<SinkReader>> open(PgSessionOptions session,
                                                  const std::string& table,
                                                  std::string_view pipeline);

  EpochMark mark() const noexcept override { return mark_; }
  Result<std::optional<SplitProgress>> next_progress() override;
  Result<std::optional<ObjectRows>> next_rows() override;
  Result<std::optional<KeptReject>> next_reject() override;

 private:
  /// The rows of a query, a page at a time.
  class Cursor {
   public:
    Cursor(std::string name, int rows_per_page)
        : name_(std::move(name)), rows_per_page_(rows_per_page) {}

    bool declared() const { return declared_; }
    Result<void> declare(PgConnection& connection, const std::string& query);
    /// Moves on; false: there is no more.
    Result<bool> next(PgConnection& connection);
    std::string_view text(int column) const { return page_->text(row_, column); }
    std::uint64_t number(int column) const {
      return static_cast<std::uint64_t>(page_->integer(row_, column));
    }

   private:
    std::string name_;
    int rows_per_page_;
    bool declared_ = false;
    std::optional<PgAnswer> page_;
    int row_ = 0;
  };

  PostgresReader(PgConnection connection, std::string table, std::string_view pipeline)
      : connection_(std::move(connection)), table_(std::move(table)), pipeline_(pipeline) {}
  Result<void> begin();
  Result<void> declare_rows();

  PgConnection connection_;
  const std::string table_;  ///< Quoted.
  const std::string pipeline_;
  EpochMark mark_;
  bool loaded_into_ = false;  ///< The record names a table.
  Cursor progress_{"leat_progress", 1'000};
  Cursor rows_{"leat_rows", 1'000};
  Cursor rejects_{"leat_rejects", 16};  // Records may be large.
};

}  // namespace leat::connector
