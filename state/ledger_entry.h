// What the ledger stores about one object, and how a listed version compares with it.
//
// The layout of entries is documented byte by byte in docs/format/ledger.md. Plain values and pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/split.h"
#include "state/ledger.h"

namespace leat::state {

/// A version of the object other than the entry's own that was listed later, and reported.
struct NotedVersion {
  std::string version;
  std::uint64_t size = 0;
  std::int64_t modified_ms = 0;
  std::uint64_t epoch = 0;      ///< The epoch that noted it.
  std::int64_t updated_ms = 0;  ///< Unix time in ms of that.
};

/// One entry. The object's key is part of the entry's key and is not encoded again.
struct LedgerEntry {
  SplitProgress progress;
  std::optional<NotedVersion> noted;

  std::string encode() const;
  ///   kCorrupt  Not an entry; `key` is named.
  static Result<LedgerEntry> decode(std::string_view key, std::string_view value);
};

/// The front of an entry: all that classification asks for, without an allocation. Borrows the
/// encoded entry.
struct EntryHead {
  SplitState state = SplitState::kReading;
  std::string_view version;
  std::uint64_t size = 0;
  bool delivered = false;   ///< A row or a reject is in the sink.
  std::uint64_t epoch = 0;  ///< That last changed the entry.
  std::int64_t modified_ms = 0;
  bool noted = false;
  std::string_view noted_version;
  std::uint64_t noted_size = 0;

  ///   kCorrupt  Not an entry; `key` is named.
  static Result<EntryHead> read(std::string_view key, std::string_view value);
};

/// Compares a listed object with the entries of its key. `open` is the active or the attention
/// entry, `finished` the finished one; nullptr where there is none.
Match match(const ObjectVersion& listed, const EntryHead* open, const EntryHead* finished) noexcept;

}  // namespace leat::state
