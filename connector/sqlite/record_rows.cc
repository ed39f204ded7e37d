#include "connector/sqlite/record_rows.h"

#include "connector/json_text.h"

namespace leat::connector {

void bind_readable(Statement& statement, int parameter, std::string_view bytes) {
  if (is_utf8(bytes)) {
    statement.bind_text(parameter, bytes);
  } else {
    statement.bind_blob(parameter, bytes);
  }
}

}  // namespace leat::connector
