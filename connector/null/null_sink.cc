#include "connector/null/null_sink.h"

namespace leat::connector {

Result<EpochMark> NullSink::open(std::string_view /*pipeline*/, const EpochMark& ledger,
                                 const ProgressVisitor& /*visit*/) {
  return ledger;
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
