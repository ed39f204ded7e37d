// What sniffing found, in the forms in which it is used and read.
#pragma once

#include <string>
#include <string_view>

#include "leat/sniff.h"

namespace leat::cli {

/// "--from 'in/*.csv' --schema 'id bigint'": flags of `leat load`, quoted for a POSIX shell.
std::string sniffed_flags(std::string_view from, const SniffReport& report);

/// The same as lines of a leat.toml.
std::string sniffed_toml(std::string_view from, const SniffReport& report);

/// CREATE TABLE for PostgreSQL.
std::string sniffed_sql(std::string_view table, const SniffReport& report);

/// All of the report.
std::string sniffed_json(std::string_view from, const SniffReport& report);

/// How sure it is and what speaks against it: lines for people.
std::string sniffed_evidence(const SniffReport& report);

}  // namespace leat::cli
