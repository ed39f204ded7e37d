// Reads a ledger object by object, beside a loader: one side of a merge with a listing.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/split.h"

namespace leat::state {

/// What the ledger knows about one object.
struct LedgerRecord {
  std::string key;
  std::optional<SplitProgress> open;      ///< In flight, or needs attention.
  std::optional<SplitProgress> finished;  ///< With Error{kObjectChanged}: noted in another version.
};

/// The ledger as of its opening. Needs no lock and writes nothing. Used by one thread.
class LedgerReader {
 public:
  ///   as Ledger::open with read_only
  static Result<LedgerReader> open(const std::filesystem::path& dir);
  LedgerReader(LedgerReader&&) noexcept;
  LedgerReader& operator=(LedgerReader&&) noexcept;
  ~LedgerReader();

  std::uint64_t epoch() const noexcept;
  std::optional<std::string> meta(std::string_view name) const;

  /// The next object in the byte order of keys; nullopt after the last.
  ///   kCorrupt, kIo
  Result<std::optional<LedgerRecord>> next();

  /// Visits every key and value as they are stored, in key order.
  ///   kCorrupt, kIo, and what `visit` returns
  Result<void> visit_raw(
      const std::function<Result<void>(std::string_view, std::string_view)>& visit) const;

 private:
  struct Impl;
  explicit LedgerReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Makes a ledger out of such keys and values: all of them or, after a crash or an error, none.
class LedgerWriter {
 public:
  ///   kInvalidArgument  `dir` is there, and not an empty folder.
  ///   kPermissionDenied, kIo, kDiskFull
  static Result<LedgerWriter> create(const std::filesystem::path& dir);
  LedgerWriter(LedgerWriter&&) noexcept;
  LedgerWriter& operator=(LedgerWriter&&) noexcept;
  ~LedgerWriter();

  Result<void> add(std::string_view key, std::string_view value);
  /// From here on the folder is there.
  Result<void> finish();

 private:
  struct Impl;
  explicit LedgerWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::state
