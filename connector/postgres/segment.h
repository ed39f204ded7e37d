// Rows on their way into the table: a few MiB at a time by COPY, and around those that it refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/writer_context.h"
#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::connector {

/// Each segment stands under a savepoint: when the table refuses a row, it is taken back and loaded
/// again around that row; where many are refused, row by row on the server. Rows that point at rows
/// which are not there (yet) get a last chance in settle(). Used by one thread, in an open
/// transaction. After an error nothing more may be done.
class PgSegment {
 public:
  /// Told of each row that the table refuses, in order; an error ends it all.
  using Refuse = std::function<Result<void>(const RowChunk& chunk, std::int64_t row,
                                            const PgFailure& failure)>;

  /// Borrows the context.
  PgSegment(const PgWriterContext& context, Refuse refuse)
      : context_(context), refuse_(std::move(refuse)) {}

  /// Where rows go from now on. Borrowed.
  void use(PgConnection& connection) noexcept { connection_ = &connection; }
  /// Adds the chunk's rows, of which there are some; keeps the chunk for as long as it may be
  /// needed.
  Result<void> write(const std::shared_ptr<const RowChunk>& chunk);
  /// All rows so far are in the table, refused, or wait for settle(). The connection is outside of
  /// COPY.
  Result<void> end();
  /// All rows so far are in the table, or refused.
  Result<void> settle();
  /// Before the commit: that the rows went into the table that was matched. Nobody can alter it
  /// from the first of them that stays to the commit.
  ///   kUnavailable  They did not: it was altered before. Retryable.
  Result<void> check_table();
  /// The transaction, and with it the savepoint, is over.
  void transaction_ended();

 private:
  struct Span {
    std::shared_ptr<const RowChunk> chunk;
    std::int64_t first = 0;
    std::int64_t last = 0;   ///< Behind its last row.
    std::int64_t place = 0;  ///< Of its first row, in the segment.
  };
  struct LateRow {
    std::shared_ptr<const RowChunk> chunk;
    std::int64_t row = 0;
  };
  /// What the server reports of a row that it could not add.
  struct RefusedRow {
    std::int64_t row = 0;  ///< From the first one that was sent.
    PgFailure failure;
  };

  void add_span(std::shared_ptr<const RowChunk> chunk, std::int64_t first, std::int64_t last);
  std::vector<Span>::const_iterator span_of(std::int64_t row) const;
  void clear();
  Result<void> begin_copy(std::string_view into);
  Result<void> end_copy();
  void append_rows(const RowChunk& chunk, std::int64_t first, std::int64_t last);
  Result<void> append_segment(std::int64_t first, std::int64_t last);
  Result<void> send_buffer();
  Result<void> load_around_bad_rows(std::int64_t first, std::int64_t last);
  Result<void> load_rows(std::int64_t first, std::int64_t last);
  Result<std::int64_t> load_row_by_row(std::int64_t first, std::int64_t last);
  Result<std::vector<RefusedRow>> insert_row_by_row(std::int64_t first, std::int64_t last);
  Result<bool> allows_row_by_row();
  Result<bool> make_stage();
  Result<void> try_late_rows();
  Result<void> renew_savepoint();
  Result<void> take_back();
  Result<void> refuse(std::int64_t row, const PgFailure& failure);
  bool blames_a_row(const Error& error) const;
  bool is_row_at_fault(const PgFailure& failure, bool of_one_row) const;

  const PgWriterContext& context_;
  const Refuse refuse_;
  PgConnection* connection_ = nullptr;
  bool in_copy_ = false;
  bool savepoint_ = false;
  Buffer buffer_;
  bool has_rows_ = false;  ///< Rows of this transaction may be in the table.
  std::vector<Span> spans_;
  std::int64_t rows_ = 0;  ///< In spans_.
  std::size_t bytes_ = 0;  ///< Sent of them.
  std::vector<LateRow> late_;
  std::size_t late_bytes_ = 0;      ///< Of their chunks.
  bool last_pass_ = false;          ///< Nothing is late any more.
  std::int64_t refused_ = 0;        ///< Of the segment at hand.
  std::optional<bool> row_by_row_;  ///< Whether the table allows it; none: nobody asked yet.
  bool staged_ = false;             ///< The temporary tables are there, in this transaction.
  std::int64_t unstaged_ = 0;       ///< Rows of the segment that do not even fit those.
};

}  // namespace leat::connector
