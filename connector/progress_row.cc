#include "connector/progress_row.h"

namespace leat::connector {

std::string encode_progress_row(SplitProgress progress) {
  progress.object.key.clear();
  const bool finished = progress.state == SplitState::kFinished && !progress.fingerprint;
  if (finished || progress.state == SplitState::kRewound) {
    progress.position.parser_state.clear();
    progress.position.decoder_state.clear();
  }
  return progress.encode();
}

Result<SplitProgress> decode_progress_row(std::string_view table, std::string_view key,
                                          std::string_view bytes) {
  auto progress = SplitProgress::decode(bytes);
  if (progress) {
    progress->object.key = key;
  } else {
    progress.error().message = "Table " + std::string(table) + ": " + progress.error().message;
    progress.error().at.object = key;
  }
  return progress;
}

}  // namespace leat::connector
