// Rejects as JSON lines: one object a line, from which the record can be told and loaded again.
//
// Members: pipeline, epoch, object, version, record (counted from 1), byte_offset, column (only
// where one is at fault), text, raw, code, reason. A value that is not UTF-8 stands, without a
// loss, in base64 under its name with "_base64" appended.
//
// Pipeline and epoch come first, so that lines of an epoch that was never committed are told from
// all others by their beginning: only those are ever cut off.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::connector {

/// Appends to one file, and keeps other loaders out of it meanwhile. Used by one thread. Lines that
/// were not synced are lost when it goes.
class RejectFile {
 public:
  /// Opens the file, makes it when absent, and cuts off the lines at its end that belong to the
  /// epoch after `epoch`, the last that `pipeline` committed: they come again.
  ///   kAlreadyOpen  Another loader writes to it.
  ///   kNotFound, kPermissionDenied, kIo, kDiskFull
  static Result<RejectFile> open(const std::filesystem::path& path, std::string_view pipeline,
                                 std::uint64_t epoch);
  RejectFile(RejectFile&& other) noexcept;
  RejectFile& operator=(RejectFile&& other) noexcept;
  RejectFile(const RejectFile&) = delete;
  RejectFile& operator=(const RejectFile&) = delete;
  ~RejectFile();

  /// Adds the rejects of a chunk. `object` is its object as a user would write it. chunk.split is
  /// set.
  ///   kDiskFull, kIo
  Result<void> append(std::string_view object, const RowChunk& chunk);

  /// Takes out what was added since the last committed().
  ///   kIo
  Result<void> roll_back();

  /// Makes all lines durable.
  ///   kDiskFull, kIo  Lines that could not be written are kept for the next call.
  Result<void> sync();

  /// The epoch that the lines so far belong to was committed as `epoch`: later ones belong to the
  /// next.
  void committed(std::uint64_t epoch) { begin_epoch(epoch + 1); }

 private:
  RejectFile(int fd, std::string name, std::string_view pipeline);
  void begin_epoch(std::uint64_t epoch);
  Result<void> cut_uncommitted();
  Result<void> flush();

  int fd_ = -1;
  std::string name_;
  std::string line_begin_;   ///< {"pipeline":"…","epoch":
  std::string epoch_begin_;  ///< The same, with the epoch's number and a comma.
  std::string buffer_;
  std::uint64_t length_ = 0;  ///< Of the file, without the buffer.
};

}  // namespace leat::connector
