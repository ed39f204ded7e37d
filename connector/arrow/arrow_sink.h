// Rows as an Arrow IPC stream on a file descriptor: one record batch for each chunk with rows.
//
// The stream's end is marked when the run ended well, and only then. Not even that proves to a
// reader that it has all rows: readers take a cut between two batches for an end as well. The exit
// code of the command does.
#pragma once

#include <string>

#include "connector/output_file.h"
#include "leat/sink.h"

namespace leat::connector {

/// Not transactional: batches leave with the buffer, at the latest with commit().
class ArrowSink final : public RowSink {
 public:
  /// `fd` is borrowed and stays open.
  explicit ArrowSink(int fd) : fd_(fd), out_(fd, "standard output") {}

  bool transactional() const noexcept override { return false; }
  ///   kInvalidArgument  The descriptor is a terminal.
  Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                         const ProgressVisitor& visit) override;
  Result<void> write(const RowChunk& chunk) override;
  Result<void> discard(const ObjectVersion& split) override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> finish(const Schema* schema) override;
  Result<void> close() override;

 private:
  void begin(const Schema& schema);
  Result<void> flush();

  const int fd_;
  OutputStream out_;
  bool begun_ = false;
  std::string buffer_;
};

}  // namespace leat::connector
