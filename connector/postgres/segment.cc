#include "connector/postgres/segment.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "connector/postgres/record.h"
#include "connector/sql_name.h"

namespace leat::connector {
namespace {

// What is loaded again when a row of it is refused; and what is kept in memory for that.
constexpr std::size_t kSegmentBytesMax = 6u << 20;
// Once this many rows of a segment were refused, the rest of it is loaded row by row.
constexpr std::int64_t kManyRefused = 16;
// Rows that one statement loads row by row: a statement's time limit has to allow for so many, and
// the failures of all of them may be in memory at a time.
constexpr std::int64_t kRowsByRow = 20'000;
// Rows that wait for those they point at, and the memory of the chunks that hold them.
constexpr std::size_t kLateRowsMax = 50'000;
constexpr std::size_t kLateBytesMax = 64u << 20;
// Attempts at the late rows. Each one is in the reverse order of the attempt before.
constexpr int kLatePasses = 8;
constexpr std::string_view kForeignKeyViolation = "23503";

std::string columns_of(const PgTargetTable& target, std::string_view prefix) {
  std::string list;
  for (const std::string& column : target.columns) {
    if (!list.empty()) list += ", ";
    list.append(prefix).append(column);
  }
  return list;
}

/// The row, counted from 1 in what was sent, that "COPY name, line N, …" tells; 0: none. It is a
/// hint: names and translations may mislead.
std::int64_t line_of(std::string_view context) {
  std::size_t at = context.find("COPY ");
  if (at == std::string_view::npos) return 0;
  at = context.find(", ", at);
  if (at == std::string_view::npos) return 0;
  at = context.find_first_of("0123456789", at);
  std::int64_t line = 0;
  if (at != std::string_view::npos) {
    std::from_chars(context.data() + at, context.data() + context.size(), line);
  }
  return line;
}

/// Adds each row of pg_temp.leat_rows to the table by itself, in their order, and notes in
/// pg_temp.leat_refused which ones it refuses. As COPY does, it gives identity columns the values
/// that are there.
std::string insert_each(const PgTargetTable& target) {
  return "DECLARE r record; n bigint := 0; told text; which text; BEGIN FOR r IN SELECT * FROM "
         "pg_temp.leat_rows LOOP BEGIN INSERT INTO " +
         target.name + " (" + columns_of(target, "") + ") OVERRIDING SYSTEM VALUE VALUES (" +
         columns_of(target, "r.") +
         "); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, which "
         "= COLUMN_NAME; INSERT INTO pg_temp.leat_refused VALUES (n, SQLSTATE, SQLERRM, told, "
         "which); END; n := n + 1; END LOOP; END";
}

}  // namespace

/// A COPY under the savepoint, which is made anew.
Result<void> PgSegment::begin_copy(std::string_view into) {
  const PgTargetTable& target = context_.target;
  std::string sql = savepoint_ ? "RELEASE SAVEPOINT leat; " : "";
  sql += "SAVEPOINT leat; COPY ";
  sql.append(into).append(" (").append(columns_of(target, "")).append(") FROM STDIN (FORMAT ");
  sql += target.as_text ? "text)" : "binary)";
  if (Result<void> begun = connection_->begin_copy(sql); !begun) {
    return pg_table_error(std::move(begun).error(), connection_->failure(), target.name);
  }
  savepoint_ = true;
  in_copy_ = true;
  buffer_.clear();
  if (!target.as_text) buffer_.append(copy_header().data(), copy_header().size());
  return {};
}

Result<void> PgSegment::end_copy() {
  in_copy_ = false;
  if (!context_.target.as_text) buffer_.append(copy_trailer().data(), copy_trailer().size());
  if (Result<void> sent = send_buffer(); !sent) return sent;
  context_.step("copy sent");
  return connection_->end_copy();
}

void PgSegment::append_rows(const RowChunk& chunk, std::int64_t first, std::int64_t last) {
  const PgTargetTable& target = context_.target;
  const auto append = target.as_text ? &append_copy_text_rows : &append_copy_rows;
  append(chunk, target.encodings, first, last, buffer_);
}

void PgSegment::add_span(std::shared_ptr<const RowChunk> chunk, std::int64_t first,
                         std::int64_t last) {
  spans_.push_back({std::move(chunk), first, last, rows_});
  rows_ += last - first;
}

/// The span that holds the segment's row; there is one.
std::vector<PgSegment::Span>::const_iterator PgSegment::span_of(std::int64_t row) const {
  const auto behind =
      std::upper_bound(spans_.begin(), spans_.end(), row,
                       [](std::int64_t wanted, const Span& span) { return wanted < span.place; });
  return std::prev(behind);
}

/// The segment's rows are in the table, refused, or late.
void PgSegment::clear() {
  spans_.clear();
  rows_ = 0;
  bytes_ = 0;
  refused_ = 0;
  unstaged_ = 0;
}

Result<void> PgSegment::send_buffer() {
  Result<void> sent = connection_->send_copy({buffer_.as<char>(), buffer_.size()});
  buffer_.clear();
  return sent;
}

Result<void> PgSegment::write(const std::shared_ptr<const RowChunk>& chunk) {
  if (!in_copy_) {
    if (Result<void> begun = begin_copy(context_.target.name); !begun) return begun;
  }
  add_span(chunk, 0, chunk->rows);
  has_rows_ = true;
  constexpr std::int64_t kRows = 1'024;
  for (std::int64_t row = 0; row < chunk->rows; row += kRows) {
    append_rows(*chunk, row, std::min(row + kRows, chunk->rows));
    if (buffer_.size() < kSendBytes) continue;
    bytes_ += buffer_.size();
    if (Result<void> sent = send_buffer(); !sent) return sent;
  }
  return bytes_ >= kSegmentBytesMax ? end() : Result<void>();
}

Result<void> PgSegment::end() {
  if (!in_copy_) return {};
  Result<void> done = end_copy();
  if (!done && blames_a_row(done.error())) {
    done = take_back();
    // An altered table refuses rows that are good, too.
    if (done) done = check_table();
    if (done) done = load_around_bad_rows(0, rows_);
  } else if (!done && !is_row_error(connection_->failure().sqlstate)) {
    done = pg_table_error(done.error(), connection_->failure(), context_.target.name);
  }
  if (!done) return done;
  context_.step("copy ended");
  clear();
  const bool many_late = late_.size() >= kLateRowsMax || late_bytes_ >= kLateBytesMax;
  return many_late ? settle() : Result<void>();
}

Result<void> PgSegment::settle() {
  if (Result<void> ended = end(); !ended) return ended;
  for (int pass = 0; pass < kLatePasses && !late_.empty(); ++pass) {
    const std::size_t before = late_.size();
    if (Result<void> tried = try_late_rows(); !tried) return tried;
    if (late_.size() == before) break;
  }
  last_pass_ = true;
  Result<void> refused = late_.empty() ? Result<void>() : try_late_rows();
  last_pass_ = false;
  return refused;
}

/// What they point at may have come since; and they may point at each other, so that all of them
/// are tried at once first.
Result<void> PgSegment::try_late_rows() {
  std::vector<LateRow> tried = std::exchange(late_, {});
  late_bytes_ = 0;
  // The last one first: a chain of rows each of which points at the next gets in in one pass.
  std::reverse(tried.begin(), tried.end());
  for (LateRow& late : tried) add_span(std::move(late.chunk), late.row, late.row + 1);
  Result<void> done = load_around_bad_rows(0, rows_);
  clear();
  return done;
}

Result<void> PgSegment::check_table() {
  if (!has_rows_) return {};
  Result<bool> same = is_postgres_table_unchanged(*connection_, context_.target);
  if (!same) return std::move(same).error();
  return *same ? Result<void>() : pg_altered(context_.target.name);
}

void PgSegment::transaction_ended() {
  savepoint_ = false;
  staged_ = false;
  has_rows_ = false;
  late_.clear();
  late_bytes_ = 0;
}

bool PgSegment::blames_a_row(const Error& error) const {
  const PgFailure& failure = connection_->failure();
  return connection_->alive() && !error.retryable &&
         is_row_at_fault(failure, line_of(failure.context) > 0);
}

/// What types of extensions and triggers raise may be of any class: what comes while one row is
/// added is that row's, unless it is the server's. Not where the column that is at fault is none
/// that leat fills: then no row can get in.
bool PgSegment::is_row_at_fault(const PgFailure& failure, bool of_one_row) const {
  if (!is_row_error(failure.sqlstate) && (!of_one_row || is_server_error(failure.sqlstate))) {
    return false;
  }
  if (failure.sqlstate != "23502" || failure.column.empty() || context_.target.fills_rows) {
    return true;
  }
  const std::string column = quote_sql_name(failure.column);
  const std::vector<std::string>& filled = context_.target.columns;
  // A trigger may write elsewhere.
  const bool of_target = context_.target.shape.find("," + column + " ") != std::string::npos;
  return !of_target || std::find(filled.begin(), filled.end(), column) != filled.end();
}

/// By itself, so that what fails behind it is taken back to here and no further.
Result<void> PgSegment::renew_savepoint() {
  auto renewed = connection_->run("RELEASE SAVEPOINT leat; SAVEPOINT leat");
  if (!renewed) return std::move(renewed).error();
  return {};
}

Result<void> PgSegment::take_back() {
  auto back = connection_->run("ROLLBACK TO SAVEPOINT leat");
  if (!back) return std::move(back).error();
  return {};
}

/// PostgreSQL mostly tells which row it was; where it does not, halving finds it.
Result<void> PgSegment::load_around_bad_rows(std::int64_t first, std::int64_t last) {
  while (first < last) {
    if (refused_ >= kManyRefused && last - first > 1) {
      Result<std::int64_t> loaded = load_row_by_row(first, std::min(first + kRowsByRow, last));
      if (!loaded) return std::move(loaded).error();
      first += *loaded;
      if (*loaded > 0) continue;
      if (row_by_row_.value_or(false) && unstaged_ <= kManyRefused) {
        // The first one does not even fit the types.
        if (Result<void> alone = load_around_bad_rows(first, first + 1); !alone) return alone;
        ++first;
        continue;
      }
    }
    Result<void> loaded = load_rows(first, last);
    if (loaded) return {};
    if (!blames_a_row(loaded.error())) return loaded;
    const PgFailure failure = connection_->failure();
    if (Result<void> back = take_back(); !back) return back;
    if (last - first == 1) return refuse(first, failure);
    const std::int64_t line = line_of(failure.context);
    const bool told = line >= 1 && line <= last - first;
    const std::int64_t split = told ? first + line - 1 : first + (last - first) / 2;
    if (Result<void> before = load_around_bad_rows(first, split); !before) return before;
    first = split;
    if (!told) continue;
    if (Result<void> alone = load_around_bad_rows(split, split + 1); !alone) return alone;
    first = split + 1;
  }
  return {};
}

/// Rows of the segment, counted over all of its chunks.
Result<void> PgSegment::load_rows(std::int64_t first, std::int64_t last) {
  if (Result<void> begun = begin_copy(context_.target.name); !begun) return begun;
  if (Result<void> sent = append_segment(first, last); !sent) return sent;
  return end_copy();
}

Result<void> PgSegment::append_segment(std::int64_t first, std::int64_t last) {
  for (auto span = span_of(first); span != spans_.end() && span->place < last; ++span) {
    const std::int64_t from = span->first + std::max(first - span->place, std::int64_t{0});
    const std::int64_t to = std::min(span->first + last - span->place, span->last);
    append_rows(*span->chunk, from, to);
    if (buffer_.size() < kSendBytes) continue;
    if (Result<void> sent = send_buffer(); !sent) return sent;
  }
  return {};
}

/// Sent once, and added on the server: where most rows are refused, some twenty times as fast as to
/// try around each of them.
///
/// @return  How many rows from `first` on are dealt with. 0: none can be in this way, or the first
///          of them cannot.
Result<std::int64_t> PgSegment::load_row_by_row(std::int64_t first, std::int64_t last) {
  Result<bool> allowed = allows_row_by_row();
  if (!allowed) return std::move(allowed).error();
  if (!*allowed || first == last || unstaged_ > kManyRefused) return std::int64_t{0};
  Result<bool> staged = make_stage();
  if (!staged) return std::move(staged).error();
  if (!*staged) return std::int64_t{0};
  if (Result<void> renewed = renew_savepoint(); !renewed) return std::move(renewed).error();
  Result<std::vector<RefusedRow>> refused = insert_row_by_row(first, last);
  if (!refused && !connection_->alive()) return std::move(refused).error();
  const bool rows_at_fault =
      refused && std::all_of(refused->begin(), refused->end(), [this](const RefusedRow& row) {
        return is_row_at_fault(row.failure, /*of_one_row=*/true);
      });
  if (!rows_at_fault) {
    const std::int64_t line = refused ? 0 : line_of(connection_->failure().context);
    if (Result<void> back = take_back(); !back) return std::move(back).error();
    // A few rows that do not fit the table's types are gone around; many are not worth it.
    const bool told = line >= 1 && line <= last - first && ++unstaged_ <= kManyRefused;
    if (told) return load_row_by_row(first, first + line - 1);
    // What is the matter shows when COPY meets it.
    if (unstaged_ <= kManyRefused) row_by_row_ = false;
    return std::int64_t{0};
  }
  for (const RefusedRow& row : *refused) {
    if (Result<void> told = refuse(first + row.row, row.failure); !told) {
      return std::move(told).error();
    }
  }
  return last - first;
}

Result<std::vector<PgSegment::RefusedRow>> PgSegment::insert_row_by_row(std::int64_t first,
                                                                        std::int64_t last) {
  const PgTargetTable& target = context_.target;
  if (Result<void> begun = begin_copy("pg_temp.leat_rows"); !begun) {
    return std::move(begun).error();
  }
  if (Result<void> sent = append_segment(first, last); !sent) return std::move(sent).error();
  if (Result<void> staged = end_copy(); !staged) return std::move(staged).error();
  if (auto inserted = connection_->run("DO " + connection_->literal(insert_each(target)));
      !inserted) {
    return std::move(inserted).error();
  }
  auto told = connection_->run(
      "SELECT n, sqlstate, message, detail, field FROM pg_temp.leat_refused ORDER BY n");
  if (!told) return std::move(told).error();
  std::vector<RefusedRow> refused;
  refused.reserve(static_cast<std::size_t>(told->rows()));
  for (int i = 0; i < told->rows(); ++i) {
    refused.push_back({.row = told->integer(i, 0),
                       .failure = {.sqlstate = std::string(told->text(i, 1)),
                                   .message = std::string(told->text(i, 2)),
                                   .detail = std::string(told->text(i, 3)),
                                   .context = {},
                                   .column = std::string(told->text(i, 4))}});
  }
  auto emptied = connection_->run("TRUNCATE pg_temp.leat_rows, pg_temp.leat_refused");
  if (!emptied) return std::move(emptied).error();
  return refused;
}

/// Once in a transaction, below its savepoint: each table takes locks up to the end.
///
/// @return  False: they cannot be made.
Result<bool> PgSegment::make_stage() {
  if (staged_) return true;
  if (Result<void> renewed = renew_savepoint(); !renewed) return std::move(renewed).error();
  auto made = connection_->run(
      "CREATE TEMP TABLE leat_rows ON COMMIT DROP AS SELECT " + columns_of(context_.target, "") +
      " FROM " + context_.target.name +
      " WITH NO DATA; CREATE TEMP TABLE leat_refused (n bigint, sqlstate text, message text, "
      "detail text, field text) ON COMMIT DROP");
  if (made) {
    staged_ = true;
    return true;
  }
  if (!connection_->alive()) return std::move(made).error();
  row_by_row_ = false;
  if (Result<void> back = take_back(); !back) return std::move(back).error();
  return false;
}

/// The role has to be allowed to make temporary tables like the target; and where a rule rewrites
/// INSERT, it is not what COPY does.
Result<bool> PgSegment::allows_row_by_row() {
  if (row_by_row_) return *row_by_row_;
  const std::string table = "to_regclass(" + connection_->literal(context_.target.name) + ")";
  auto allowed = connection_->run(
      "SELECT has_database_privilege(current_database(), 'TEMP') AND has_table_privilege(" + table +
      ", 'SELECT') AND EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql' AND "
      "has_language_privilege(oid, 'USAGE')) AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class "
      "= " +
      table + " AND ev_type = '3')");
  if (!allowed) return std::move(allowed).error();
  row_by_row_ = allowed->rows() == 1 && allowed->text(0, 0) == "t";
  return *row_by_row_;
}

Result<void> PgSegment::refuse(std::int64_t row, const PgFailure& failure) {
  ++refused_;
  const auto span = span_of(row);
  row += span->first - span->place;
  if (failure.sqlstate != kForeignKeyViolation || last_pass_) {
    return refuse_(*span->chunk, row, failure);
  }
  if (late_.empty() || late_.back().chunk != span->chunk) {
    late_bytes_ += span->chunk->memory_bytes();
  }
  late_.push_back({span->chunk, row});
  return {};
}

}  // namespace leat::connector
