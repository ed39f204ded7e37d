// A reject file, read again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>

#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::connector {

struct RejectLine {
  std::uint64_t number = 0;  ///< Of the line, counted from 1.
  std::string pipeline = {};
  std::string object = {};  ///< As RejectFile::append was given it.
  std::string version = {};
  RejectedRow reject = {};
};

/// The lines of a reject file in their order, one in memory at a time. The file may have been
/// edited since: any JSON object a line with the members of reject_file.h will do.
class RejectLines {
 public:
  ///   kNotFound, kPermissionDenied, kIo
  static Result<RejectLines> open(const std::filesystem::path& path);
  /// The next line; nullopt after the last. Empty lines are passed over.
  ///   kCorrupt  It is no reject; the message names the line.
  ///   kIo
  Result<std::optional<RejectLine>> next();

 private:
  RejectLines(std::ifstream in, std::string name) : in_(std::move(in)), name_(std::move(name)) {}

  std::ifstream in_;
  std::string name_;
  std::string text_;
  std::uint64_t number_ = 0;
};

/// Puts a file without the lines of these numbers (ascending) in the place of the file. Durable,
/// and either done or not. Nobody may append to it meanwhile.
///   kDiskFull, kPermissionDenied, kIo  The file is as it was.
Result<void> drop_lines(const std::filesystem::path& path, std::span<const std::uint64_t> numbers);

}  // namespace leat::connector
