#include "connector/sql_name.h"

namespace leat::connector {

std::string quote_sql_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted.push_back(c);
    if (c == '"') quoted.push_back('"');
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace leat::connector
