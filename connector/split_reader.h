// Reads one split's bytes from front to back and rides out what may pass: a transient failure opens
// the object again, in the same version, at the offset reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/split.h"

namespace leat::connector {

struct SplitReaderOptions {
  /// Attempts in a row without a byte of progress before the error is given up to the caller.
  std::uint32_t attempts_max = 5;
  std::chrono::milliseconds first_pause{200};       ///< Doubles with each attempt in a row …
  std::chrono::milliseconds longest_pause{10'000};  ///< … up to this.
  /// Told of each failure that is about to be retried. May be empty.
  std::function<void(const Error&)> on_retry;
};

/// Used by one thread at a time. Borrows store and clock.
class SplitReader {
 public:
  /// Opens nothing yet.
  SplitReader(const ObjectStore& store, const Clock& clock, ObjectVersion object,
              std::uint64_t offset, SplitReaderOptions options, std::stop_token stop);

  /// Fills `out` as far as the object allows; less than asked for: the split's end. It is the read
  /// that finds the end which verifies that the object is still this version.
  ///   Errors of ObjectReader::read, after the attempts were spent for retryable ones.
  ///   kCancelled  A stop was requested.
  Result<std::size_t> read(std::span<std::byte> out);

  std::uint64_t offset() const noexcept { return offset_; }  ///< Of the next byte.

  /// For reads of other parts of the same version side by side with read(), which are not tried
  /// again. Null: the store cannot, or nothing was read yet.
  std::shared_ptr<const ObjectReader> anywhere() const;
  /// read() goes on at `offset` of the object.
  void seek(std::uint64_t offset);

 private:
  Result<std::size_t> read_some(std::span<std::byte> out);
  Result<void> check_length(std::size_t bytes) const;

  const ObjectStore& store_;
  const Clock& clock_;
  ObjectVersion object_;
  SplitReaderOptions options_;
  std::stop_token stop_;
  std::shared_ptr<ObjectReader> reader_;
  std::uint64_t offset_;
  std::uint32_t failures_ = 0;
};

}  // namespace leat::connector
