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

  /// A row or a reject is in the sink.
  bool delivered() const noexcept { return progress.rows != 0 || progress.rejected != 0; }
  /// The object is listed in the version of `listed`: see Ledger::commit, kNoted.
  void note(const SplitProgress& listed);

  std::string encode() const;
  ///   kCorrupt  Not an entry; `key` is named.
  static Result<LedgerEntry> decode(std::string_view key, std::string_view value);
};

/// A version as an entry holds it: its text, or the bytes that its hex digits tell, for the ETags
/// that S3 computes: "32 digits", or "32 digits-number of parts". Borrows the encoded entry.
class EntryVersion {
 public:
  EntryVersion() = default;
  explicit EntryVersion(std::string_view text) : bytes_(text) {}
  /// @param digest  16 bytes.
  /// @param parts   0: the object was put as a whole.
  EntryVersion(std::string_view digest, std::uint64_t parts)
      : bytes_(digest), parts_(parts), is_digest_(true) {}
  /// Of such an ETag, its bytes and parts. The bytes are put into `digest`, 16 of them.
  static std::optional<EntryVersion> of_etag(std::string_view text, std::string& digest);

  bool is_digest() const noexcept { return is_digest_; }
  std::string_view bytes() const noexcept { return bytes_; }
  std::uint64_t parts() const noexcept { return parts_; }
  bool is(std::string_view text) const noexcept;
  std::string text() const;

 private:
  std::string_view bytes_;
  std::uint64_t parts_ = 0;
  bool is_digest_ = false;
};

/// The front of an entry: all that classification asks for, without an allocation. Borrows the
/// encoded entry.
struct EntryHead {
  SplitState state = SplitState::kReading;
  EntryVersion version;
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
