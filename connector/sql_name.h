// Names in SQL statements.
#pragma once

#include <string>
#include <string_view>

namespace leat::connector {

/// `name` in "double quotes", whatever it holds: as PostgreSQL and SQLite have it.
std::string quote_sql_name(std::string_view name);

}  // namespace leat::connector
