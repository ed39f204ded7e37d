// Reads one version of one object of S3, range by range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>

#include "connector/s3/range_read.h"
#include "connector/s3/range_window.h"
#include "connector/s3/read_budget.h"
#include "connector/s3/s3_client.h"
#include "leat/object_store.h"
#include "leat/row_chunk.h"

namespace leat::connector::s3 {

/// Ranges begin at 1 MiB and double, so that small objects cost one request and large ones few. The
/// first one goes alone, until it has proved that the object is there and is this version; then as
/// many are on their way as RangeWindow says and the budget has memory for. The first one, and
/// where one is enough, come on demand and need little of it if there is no other reader; several
/// would get in each other's way so. Bytes are handed out as they come.
class S3Reader final : public ObjectReader {
 public:
  /// Borrows client and budget. `stop` ends reads early, with kCancelled.
  S3Reader(S3Client& client, ReadBudget& budget, ObjectVersion object, std::uint64_t offset,
           std::stop_token stop);
  S3Reader(const S3Reader&) = delete;
  S3Reader& operator=(const S3Reader&) = delete;
  /// Breaks off what is on its way.
  ~S3Reader() override;

  /// An error stays: the object has to be opened again, at the offset reached.
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  struct Ahead {
    std::uint64_t granted = 0;  ///< Of the budget, bytes.
    std::unique_ptr<RangeRead> range;
  };

  bool wants_another() const;
  void ask_ahead();

  S3Client& client_;
  const ObjectVersion object_;
  const std::stop_token stop_;
  ReadBudget::Part budget_;
  std::uint64_t asked_;  // All before this offset is there or on its way.
  RangeWindow window_;
  bool is_proven_ = false;      // The object is there, and is this version.
  Buffer spare_;                // Memory of the range before: already known to the kernel.
  std::deque<Ahead> ahead_;     // The first one is handed out.
  std::optional<Error> error_;  // Bytes are missing from here on: nothing may be read past them.
};

}  // namespace leat::connector::s3
