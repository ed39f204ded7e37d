#include "leat/sink.h"

#include <memory>
#include <string>
#include <utility>

#include "connector/arrow/arrow_sink.h"
#include "connector/null/null_sink.h"
#include "connector/postgres/postgres_sink.h"
#include "connector/postgres/target_table.h"
#include "connector/sqlite/sqlite_sink.h"
#include "connector/stdout/text_sink.h"

namespace leat {
namespace {

constexpr std::string_view kKnownSinks =
    "\"postgresql://…\", \"sqlite:rows.db\" (an SQLite file), \"-\" (standard output) or \"null:\" "
    "(counts only)";

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

/// @param path  What stands behind "sqlite:".
Result<std::unique_ptr<RowSink>> open_sqlite(const std::string& path, const SinkOptions& options) {
  if (path.empty()) return invalid("The sink \"sqlite:\" names no file, as in sqlite:rows.db.");
  if (path == ":memory:") {
    return invalid("Rows in sqlite::memory: would be gone with the process. Name a file.");
  }
  if (options.table.empty()) {
    return invalid("The sink sqlite:" + path + " needs the name of a table: give it with --table.");
  }
  return std::unique_ptr<RowSink>(std::make_unique<connector::SqliteSink>(
      connector::SqliteSinkOptions{.path = path,
                                   .table = options.table,
                                   .keep_rejects = options.keep_rejects,
                                   .on_step = options.on_step}));
}

/// Such a URI may hold a password: messages repeat nothing of it.
Result<std::unique_ptr<RowSink>> open_postgres(std::string_view uri, const SinkOptions& options) {
  if (Result<void> valid = connector::check_postgres_uri(uri); !valid) {
    return std::move(valid).error();
  }
  if (options.table.empty()) {
    return invalid("PostgreSQL needs the name of a table: give it with --table.");
  }
  Result<std::string> table = connector::parse_postgres_table(options.table);
  if (!table) return std::move(table).error();
  return std::unique_ptr<RowSink>(
      std::make_unique<connector::PostgresSink>(std::string(uri), *std::move(table), options));
}

Error no_such_sink(std::string_view uri) {
  const std::string known = " Known sinks are " + std::string(kKnownSinks) + ".";
  if (uri.empty()) return invalid("No sink is given." + known);
  const std::size_t colon = uri.find(':');
  if (colon != std::string_view::npos) {
    return invalid("There is no sink \"" + std::string(uri.substr(0, colon + 1)) + "\"." + known);
  }
  return invalid("\"" + std::string(uri) + "\" is no sink. For an SQLite file write sqlite:" +
                 std::string(uri) + "." + known);
}

Error no_repair(std::string_view what) {
  return {ErrorCode::kUnsupported,
          "This sink cannot " + std::string(what) +
              ": it keeps no record of what it was given. Sinks with tables do."};
}

}  // namespace

Result<std::unique_ptr<SinkReader>> RowSink::read(std::string_view /*pipeline*/) const {
  return no_repair("tell what it holds");
}

Result<std::uint64_t> RowSink::remove_rows(std::span<const RowsOfObject> /*ranges*/) {
  return no_repair("take rows out");
}

Result<void> RowSink::remove_rejects(std::span<const KeptReject> /*rejects*/) {
  return no_repair("take rejects out");
}

Result<void> RowSink::roll_back() { return no_repair("take rows back"); }

Result<std::unique_ptr<RowSink>> open_sink(std::string_view uri, const SinkOptions& options) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (uri == "-" && options.format == SinkOptions::Format::kArrow) {
    return std::unique_ptr<RowSink>(std::make_unique<connector::ArrowSink>(options.output_fd));
  }
  if (uri == "-") {
    return std::unique_ptr<RowSink>(
        std::make_unique<connector::TextSink>(options.output_fd, options.format));
  }
  if (uri == "null:") return std::unique_ptr<RowSink>(std::make_unique<connector::NullSink>());
  if (uri.starts_with(kSqlite)) {
    return open_sqlite(std::string(uri.substr(kSqlite.size())), options);
  }
  if (uri.starts_with("postgresql:") || uri.starts_with("postgres:")) {
    return open_postgres(uri, options);
  }
  return no_such_sink(uri);
}

}  // namespace leat
