// Rejects as JSON lines: one object a line, from which the record can be told and loaded again.
//
// Members: object, version, record (counted from 1), byte_offset, column (only where one is at
// fault), text, raw, code, reason. A value that is not UTF-8 stands, without a loss, in base64
// under its name with "_base64" appended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::connector {

/// Appends to one file. Used by one thread. Lines that were not synced are lost when it goes.
class RejectFile {
 public:
  /// Opens the file, makes it when absent.
  ///
  /// @param committed_bytes  Its length as of the last committed epoch: what is longer is cut off,
  ///   it belongs to an epoch that was never committed and comes again. A file that is shorter, or
  ///   has no line end there, is another file (rotated, edited): nothing is cut, and lines are
  ///   appended. Without a value nothing is cut either: what is there may be somebody else's.
  ///   kNotFound, kPermissionDenied, kIo, kDiskFull
  static Result<RejectFile> open(const std::filesystem::path& path,
                                 std::optional<std::uint64_t> committed_bytes);
  RejectFile(RejectFile&& other) noexcept;
  RejectFile& operator=(RejectFile&& other) noexcept;
  RejectFile(const RejectFile&) = delete;
  RejectFile& operator=(const RejectFile&) = delete;
  ~RejectFile();

  /// Adds the rejects of a chunk. `object` is its object as a user would write it. chunk.split is
  /// set.
  ///   kDiskFull, kIo
  Result<void> append(std::string_view object, const RowChunk& chunk);

  /// Bytes of the file, as of open() or the last sync().
  std::uint64_t length() const noexcept { return length_; }

  /// Makes all lines durable.
  /// @return  Length of the file in bytes: Checkpoint::rejects_file_bytes.
  ///   kDiskFull, kIo
  Result<std::uint64_t> sync();

 private:
  RejectFile(int fd, std::string name, std::uint64_t length)
      : fd_(fd), name_(std::move(name)), length_(length) {}
  Result<void> flush();

  int fd_ = -1;
  std::string name_;
  std::string buffer_;
  std::uint64_t length_ = 0;  ///< Of the file, without the buffer.
};

}  // namespace leat::connector
