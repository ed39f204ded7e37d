// Rows and rejects out of PostgreSQL again, in the transaction that is open on a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "connector/postgres/connection.h"
#include "leat/result.h"
#include "leat/sink.h"

namespace leat::connector {

/// The table's lineage columns, quoted.
struct PgLineage {
  std::string object;
  std::string object_collation;  ///< One under which equal texts are the same, as its indexes are.
  std::string version;
  std::string offset;
  std::string record;
};

/// @param table  As parse_postgres_table returned it.
/// @return  nullopt: the table lacks some of them.
///   kNotFound  There is no such table.
Result<std::optional<PgLineage>> find_pg_lineage(PgConnection& connection,
                                                 const std::string& table);

/// As RowSink::remove_rows.
Result<std::uint64_t> remove_pg_rows(PgConnection& connection, const std::string& pipeline,
                                     const std::string& table,
                                     std::span<const RowsOfObject> ranges);

/// As RowSink::remove_rejects.
Result<void> remove_pg_rejects(PgConnection& connection, const std::string& pipeline,
                               std::span<const KeptReject> rejects);

}  // namespace leat::connector
