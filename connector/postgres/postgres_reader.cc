#include "connector/postgres/postgres_reader.h"

#include <utility>

#include "connector/postgres/record.h"
#include "connector/postgres/removal.h"
#include "connector/progress_row.h"
#include "connector/sink_errors.h"

namespace leat::connector {

Result<std::unique_ptr<SinkReader>> PostgresReader::open(PgSessionOptions session,
                                                         const std::string& table,
                                                         std::string_view pipeline) {
  // Not a writer's name: those sessions are ended when the pipeline is taken over.
  session.application_name = "leat reader";
  Result<PgConnection> connection = PgConnection::open(session);
  if (!connection) return std::move(connection).error();
  std::unique_ptr<PostgresReader> reader(
      new PostgresReader(*std::move(connection), table, pipeline));
  if (Result<void> begun = reader->begin(); !begun) return std::move(begun).error();
  return std::unique_ptr<SinkReader>(std::move(reader));
}

Result<void> PostgresReader::begin() {
  // It may wait long between two pages, for whoever reads it.
  auto begun = connection_.run(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL "
      "idle_in_transaction_session_timeout = 0; SELECT to_regclass('leat.pipeline') IS NOT NULL");
  if (!begun) return std::move(begun).error();
  const Error unknown{ErrorCode::kNotFound, "there is no record of the pipeline \"" + pipeline_ +
                                                "\" beside the table " + table_ +
                                                ": nothing was committed to it under this name"};
  if (begun->text(0, 0) != "t") return unknown;
  auto known = connection_.run("SELECT target IS NOT NULL FROM leat.pipeline WHERE pipeline = $1",
                               {{.value = pipeline_}});
  if (!known) return std::move(known).error();
  if (known->rows() == 0) return unknown;
  loaded_into_ = known->text(0, 0) == "t";
  Result<EpochMark> mark = find_pg_mark(connection_, pipeline_);
  if (!mark) return std::move(mark).error();
  mark_ = *mark;
  return {};
}

Result<void> PostgresReader::Cursor::declare(PgConnection& connection, const std::string& query) {
  auto done = connection.run("DECLARE " + name_ + " NO SCROLL CURSOR FOR " + query);
  if (!done) return std::move(done).error();
  declared_ = true;
  return {};
}

Result<bool> PostgresReader::Cursor::next(PgConnection& connection) {
  if (page_ && ++row_ < page_->rows()) return true;
  if (page_ && page_->rows() < rows_per_page_) {
    row_ = page_->rows();
    return false;
  }
  auto page = connection.fetch("FETCH " + std::to_string(rows_per_page_) + " FROM " + name_);
  if (!page) return std::move(page).error();
  page_ = *std::move(page);
  row_ = 0;
  return page_->rows() > 0;
}

Result<std::optional<SplitProgress>> PostgresReader::next_progress() {
  if (!progress_.declared()) {
    Result<void> declared =
        progress_.declare(connection_, "SELECT key, progress FROM leat.position WHERE pipeline = " +
                                           connection_.literal(pipeline_) + " ORDER BY key");
    if (!declared) return std::move(declared).error();
  }
  Result<bool> there = progress_.next(connection_);
  if (!there) return std::move(there).error();
  if (!*there) return std::optional<SplitProgress>();
  auto progress = decode_progress_row("leat.position", progress_.text(0), progress_.text(1));
  if (!progress) return std::move(progress).error();
  return std::optional<SplitProgress>(*std::move(progress));
}

Result<void> PostgresReader::declare_rows() {
  Result<std::optional<PgLineage>> lineage = find_pg_lineage(connection_, table_);
  if (!lineage) {
    // It is made with its first rows.
    if (lineage.error().code != ErrorCode::kNotFound || loaded_into_) {
      return std::move(lineage).error();
    }
    return rows_.declare(connection_, "SELECT WHERE false");
  }
  if (!*lineage) return no_lineage_to_count_by(table_);
  // As bytes: then the order is that of UTF-8, whatever the database's encoding and collation.
  return rows_.declare(connection_,
                       "SELECT convert_to(" + (*lineage)->object +
                           "::text, 'UTF8') AS key, convert_to(" + (*lineage)->version +
                           "::text, 'UTF8') AS version, count(*)::text, count(DISTINCT " +
                           (*lineage)->record + ")::text FROM " + table_ + " WHERE " +
                           (*lineage)->object + " IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2");
}

Result<std::optional<ObjectRows>> PostgresReader::next_rows() {
  if (!rows_.declared()) {
    if (Result<void> declared = declare_rows(); !declared) return std::move(declared).error();
  }
  Result<bool> there = rows_.next(connection_);
  if (!there) return std::move(there).error();
  if (!*there) return std::optional<ObjectRows>();
  return std::optional<ObjectRows>(ObjectRows{.key = std::string(rows_.text(0)),
                                              .version = std::string(rows_.text(1)),
                                              .rows = rows_.number(2),
                                              .records = rows_.number(3)});
}

Result<std::optional<KeptReject>> PostgresReader::next_reject() {
  if (!rejects_.declared()) {
    Result<void> declared = rejects_.declare(
        connection_,
        "SELECT key, version, record::text, byte_offset::text, column_name, text, raw, code, "
        "reason FROM leat.reject WHERE pipeline = " +
            connection_.literal(pipeline_) + " ORDER BY key, record, byte_offset, id");
    if (!declared) return std::move(declared).error();
  }
  Result<bool> there = rejects_.next(connection_);
  if (!there) return std::move(there).error();
  if (!*there) return std::optional<KeptReject>();
  return std::optional<KeptReject>(
      KeptReject{.key = std::string(rejects_.text(0)),
                 .version = std::string(rejects_.text(1)),
                 .reject = {.record = rejects_.number(2),
                            .byte_offset = rejects_.number(3),
                            .column = std::string(rejects_.text(4)),
                            .text = std::string(rejects_.text(5)),
                            .raw = std::string(rejects_.text(6)),
                            .code = error_code_of(rejects_.text(7)).value_or(ErrorCode::kBadValue),
                            .reason = std::string(rejects_.text(8))}});
}

}  // namespace leat::connector
