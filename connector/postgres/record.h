// What the sink keeps beside the rows: the tables of the schema leat. docs/format/ledger.md
// documents them.
#pragma once

#include <string>
#include <string_view>

#include "connector/postgres/connection.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::connector {

/// Makes the tables that are absent. Inside a transaction.
Result<void> make_pg_tables(PgConnection& connection);

/// The mark of the last epoch that any connection committed; that of epoch 0 where none did.
Result<EpochMark> find_pg_mark(PgConnection& connection, const std::string& pipeline);

/// As text of PostgreSQL: bytes that cannot be in one are written as \xHH.
///
/// @param unicode  The database's text holds every character: PgConnection::holds_unicode().
std::string pg_readable(std::string_view bytes, bool unicode);
/// Whether it can stand in a text as it is.
bool is_pg_text(std::string_view bytes);

/// The statement that takes rejects, and one of its rows.
std::string_view pg_copy_rejects() noexcept;
void append_pg_reject(const std::string& pipeline, const ObjectVersion& split,
                      const RejectedRow& reject, bool unicode, Buffer& out);

/// What encode(…, 'hex') made.
std::string bytes_of_hex(std::string_view hex);

Error pg_fenced(std::string_view pipeline);

/// The table is no longer what was matched. Whoever starts over finds out how it is now.
Error pg_altered(std::string_view table);

/// An error of a COPY that is about the table and not about a row: it was dropped, altered, or may
/// not be written to. Whoever starts over finds out how it is now.
Error pg_table_error(Error error, const PgFailure& failure, std::string_view table);

}  // namespace leat::connector
