#include "connector/null/null_sink.h"

namespace leat::connector {

Result<RowSink::Recovery> NullSink::open(std::string_view /*pipeline*/, std::uint64_t since_epoch,
                                         const ProgressVisitor& /*visit*/) {
  return Recovery{.epoch = since_epoch};
}

Result<void> NullSink::write(const RowChunk& chunk) {
  rows_ += static_cast<std::uint64_t>(chunk.rows);
  rejects_ += chunk.rejects.size();
  return {};
}

Result<void> NullSink::discard(const ObjectVersion& /*split*/) { return {}; }

Result<void> NullSink::commit(const Checkpoint& /*checkpoint*/) { return {}; }

Result<void> NullSink::close() { return {}; }

}  // namespace leat::connector
