// Reads one version of one object of S3, range by range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>

#include "connector/s3/s3_client.h"
#include "leat/object_store.h"

namespace leat::connector::s3 {

/// Ranges begin at 1 MiB and double to 8 MiB, so that small objects cost one request and large ones
/// few. While one range is handed out, the next is on its way: at most two are in memory.
///
/// A range is fetched by a thread of its own. An event loop that drives many transfers with one
/// thread can take its place behind this class without a change to those who read.
class S3Reader final : public ObjectReader {
 public:
  static constexpr std::uint64_t kFirstRangeBytes = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kRangeBytesMax = std::uint64_t{8} << 20;
  static constexpr std::uint64_t kRangeBytesMin = std::uint64_t{64} << 10;

  /// Borrows the client. `stop` ends reads early, with kCancelled. Two ranges fit into
  /// `memory_bytes_max`, however small it is down to 128 KiB.
  S3Reader(S3Client& client, const ObjectVersion& object, std::uint64_t offset,
           std::uint64_t memory_bytes_max, std::stop_token stop);
  S3Reader(const S3Reader&) = delete;
  S3Reader& operator=(const S3Reader&) = delete;
  /// Breaks off what is on its way.
  ~S3Reader() override;

  /// An error stays: the object has to be opened again, at the offset reached.
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  /// Not a vector: the bytes are overwritten anyway, so they are not set to zero first.
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t length = 0;
  };

  Result<Block> fetch(Range range) const;
  Result<Block> next_block();
  Range next_range();

  S3Client& client_;
  const ObjectVersion object_;
  std::uint64_t requested_;  // All before this offset is fetched or on its way.
  const std::uint64_t range_bytes_max_;
  std::uint64_t range_bytes_;
  Block block_;  // Handed out up to consumed_.
  std::size_t consumed_ = 0;
  std::optional<Error> error_;  // Bytes are missing from here on: nothing may be read past them.
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> stop_with_store_;
  std::optional<std::future<Result<Block>>> ahead_;  // Last: its thread uses the others.
};

}  // namespace leat::connector::s3
