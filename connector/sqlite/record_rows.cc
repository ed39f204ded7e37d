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

std::string encode_for_row(SplitProgress progress) {
  progress.object.key.clear();
  if (progress.state == SplitState::kFinished || progress.state == SplitState::kRewound) {
    progress.position.parser_state.clear();
    progress.position.decoder_state.clear();
  }
  return progress.encode();
}

Result<SplitProgress> decode_row(std::string_view key, std::string_view bytes) {
  auto progress = SplitProgress::decode(bytes);
  if (progress) {
    progress->object.key = key;
  } else {
    progress.error().message = "Table leat_split: " + progress.error().message;
    progress.error().at.object = key;
  }
  return progress;
}

}  // namespace leat::connector
