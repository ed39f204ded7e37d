// The sink that keeps nothing: for measuring, and for trying a source out.
#pragma once

#include <cstdint>

#include "leat/sink.h"

namespace leat::connector {

/// Counts rows and rejects, and discards them.
class NullSink final : public RowSink {
 public:
  bool transactional() const noexcept override { return false; }
  Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                         const ProgressVisitor& visit) override;
  Result<void> write(const RowChunk& chunk) override;
  Result<void> discard(const ObjectVersion& split) override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> close() override;

  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t rejects() const noexcept { return rejects_; }

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t rejects_ = 0;
};

}  // namespace leat::connector
