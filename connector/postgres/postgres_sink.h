// Rows into PostgreSQL, exactly once, over several connections.
//
// Beside the rows' table lies the schema leat, with the tables pipeline (owner), epoch (the last
// epoch of each connection), position (progress of each object) and reject. Each connection's
// transaction holds the rows, rejects and positions of its own splits; what is true of a split is
// what its own row in leat.position says. docs/adr/0010-postgres-connections.md says why that is
// enough.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/writer.h"
#include "leat/sink.h"

namespace leat::connector {

class PostgresSink final : public RowSink {
 public:
  /// @param uri    Checked with check_postgres_uri.
  /// @param table  As parse_postgres_table returned it.
  PostgresSink(std::string uri, std::string table, const SinkOptions& options);

  bool transactional() const noexcept override { return true; }
  Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                         const ProgressVisitor& visit) override;
  Result<Schema> table_columns() override;
  Result<void> write(const RowChunk& chunk) override;
  Result<void> take(RowChunk chunk) override;
  /// Always kUnsupported: the whole epoch is taken back, by closing.
  Result<void> discard(const ObjectVersion& split) override;
  Result<std::vector<RefusedRows>> settle() override;
  Result<std::unique_ptr<SinkReader>> read(std::string_view pipeline) const override;
  Result<std::uint64_t> remove_rows(std::span<const RowsOfObject> ranges) override;
  Result<void> remove_rejects(std::span<const KeptReject> rejects) override;
  Result<void> roll_back() override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> close() override;

 private:
  Result<EpochMark> take_over(const EpochMark& ledger, const std::string& owner);
  Result<EpochMark> try_take_over(const EpochMark& ledger, const std::string& owner);
  Result<void> check_target();
  Result<void> claim(const std::string& owner);
  Result<void> end_former_sessions();
  Result<void> visit_progress(std::uint64_t since_epoch, const ProgressVisitor& visit);
  Result<void> know_table(const Schema& schema);
  Result<void> make_table(const Schema& schema);
  std::size_t writer_of(const std::string& key);
  Result<void> add_writers(std::size_t wanted);
  Result<void> has_writer();
  Result<void> usable() const;
  Result<void> failed(Error error);
  static std::string application_name(const std::string& owner) { return "leat " + owner; }

  const SinkOptions options_;
  const std::string table_;
  PgWriterContext context_;
  std::string owner_;        ///< Ours since the last open() that succeeded; also after close().
  std::string claimed_;      ///< What attempts to take over wrote as owner, until one is answered.
  bool one_writer_ = false;  ///< Writers waited for one another: no more than one from now on.
  std::optional<PgConnection> control_;
  std::shared_ptr<const Schema> schema_;
  std::map<std::string, std::size_t> writer_of_;  ///< By key of split, in this epoch.
  std::vector<std::unique_ptr<PgWriter>> writers_;
  std::vector<std::size_t> assigned_bytes_;  ///< To each of them, in this epoch.
  bool failed_ = false;
};

}  // namespace leat::connector
