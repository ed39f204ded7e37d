// Schemas in SQL: what is read is written so that it reads back to the same.
#include "leat/schema.h"

#include "tests/fuzz/targets.h"

namespace leat::fuzz {

void schema(std::string_view input) {
  const Result<Schema> parsed = parse_schema(input);
  if (!parsed) return;
  require(!parsed->fields.empty(), "a schema has columns", input);
  const std::string sql = parsed->to_sql();
  const Result<Schema> again = parse_schema(sql);
  require(again && *again == *parsed, "a schema reads back", input);
  for (const Field& field : parsed->fields) {
    const int found = parsed->find(field.name);
    require(found >= 0 && parsed->fields[static_cast<std::size_t>(found)] == field,
            "a column is found by its name", input);
  }
}

}  // namespace leat::fuzz
