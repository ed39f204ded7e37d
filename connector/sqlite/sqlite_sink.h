// Rows into an SQLite file, exactly once.
//
// Beside the rows' table lie leat_pipeline (owner and epoch), leat_split (progress of each object)
// and leat_reject; docs/format/ledger.md documents them. An epoch is one transaction over all of
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/sqlite/database.h"
#include "connector/sqlite/row_inserter.h"
#include "connector/sqlite/target_table.h"
#include "leat/sink.h"

namespace leat::connector {

struct SqliteSinkOptions {
  std::string path;
  std::string table;
  bool keep_rejects = false;
  /// How long to wait for another writer of the same file. Longer than any epoch of another
  /// pipeline should take.
  int busy_timeout_ms = 10'000;
  std::function<void(std::string_view)> on_step = {};  ///< See SinkOptions.
};

class SqliteSink final : public RowSink {
 public:
  explicit SqliteSink(SqliteSinkOptions options) : options_(std::move(options)) {}

  bool transactional() const noexcept override { return true; }
  Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                         const ProgressVisitor& visit) override;
  Result<void> write(const RowChunk& chunk) override;
  Result<void> discard(const ObjectVersion& split) override;
  Result<std::unique_ptr<SinkReader>> read(std::string_view pipeline) const override;
  Result<std::uint64_t> remove_rows(std::span<const RowsOfObject> ranges) override;
  Result<void> remove_rejects(std::span<const KeptReject> rejects) override;
  Result<void> roll_back() override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> close() override;

 private:
  /// Rows of one split that lie next to each other in the table; both ends included.
  struct Written {
    ObjectVersion split;
    std::int64_t first_rowid = 0;
    std::int64_t last_rowid = 0;
    bool contiguous = true;
  };
  /// Statements that live as long as the connection.
  struct Statements {
    Statement select_owner;
    Statement upsert_split;
    Statement delete_split;
    Statement update_pipeline;
    std::optional<Statement> insert_reject;
    std::optional<Statement> delete_rejects;
  };

  Result<std::int64_t> largest_rowid();
  Result<EpochMark> take_over(const EpochMark& ledger);
  Result<void> make_tables();
  Result<void> check_target();
  Result<EpochMark> claim(const std::string& owner);
  Result<void> visit_progress(std::uint64_t since_epoch, const ProgressVisitor& visit);
  Result<void> prepare_statements();
  Result<void> begin();
  Result<void> write_in_transaction(const RowChunk& chunk);
  Result<void> write_rows(const RowChunk& chunk);
  Result<void> write_rejects(const RowChunk& chunk);
  Result<void> discard_in_transaction(const ObjectVersion& split);
  Result<std::uint64_t> remove_rows_in_transaction(std::span<const RowsOfObject> ranges);
  Result<void> remove_rejects_in_transaction(std::span<const KeptReject> rejects);
  Result<void> check_sole_owner();
  Result<void> commit_in_transaction(const Checkpoint& checkpoint);
  Result<void> keep_progress(const SplitProgress& progress);
  Result<void> or_roll_back(Result<void> result);
  void step(std::string_view name) const {
    if (options_.on_step) options_.on_step(name);
  }
  Error fenced() const;

  const SqliteSinkOptions options_;
  std::string pipeline_;
  std::string owner_;
  std::optional<Database> database_;
  // Below: statements, which go before the connection does.
  std::optional<Statements> statements_;
  std::optional<TargetTable> target_;
  std::optional<RowInserter> inserter_;
  std::vector<Written> written_;                    ///< Since the last commit, in order.
  std::optional<std::int64_t> first_reject_rowid_;  ///< Since the last commit.
  bool failed_ = false;
};

}  // namespace leat::connector
