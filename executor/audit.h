// The proof: the source's listing, the ledger and the sink's record and rows, held against one
// another object by object. Four sorted sequences are merged; none is held in memory.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "leat/loader.h"
#include "leat/result.h"

namespace leat::executor {

/// How an object differs. All but kUnlisted are differences.
enum class Finding : std::uint8_t {
  kMissing,        ///< Listed, and not loaded: unknown, or still in flight.
  kQuarantined,    ///< Cannot be read on.
  kGone,           ///< Was no longer there when it was to be read.
  kChanged,        ///< Listed in another version than the one that was loaded.
  kRecordDiffers,  ///< Ledger and sink do not say the same of it.
  kRowsMissing,    ///< Fewer rows in the table than were loaded.
  kRowsDoubled,    ///< A record is there more than once.
  kRowsUnknown,    ///< More rows, or rows of a version, that no record tells of.
  kUnlisted,       ///< Loaded, and no longer listed: removed since, which is no difference.
};
constexpr std::size_t kFindings = 9;

/// "missing", "rows_doubled", …
std::string_view finding_name(Finding finding) noexcept;

struct AuditReport {
  std::uint64_t listed = 0;  ///< Objects that match the source's pattern.
  std::uint64_t known = 0;   ///< Objects in the ledger.
  std::uint64_t finished = 0;
  std::uint64_t rows_recorded = 0;  ///< By the ledger.
  std::uint64_t rejected = 0;
  std::uint64_t rows_counted = 0;  ///< In the table, by lineage.
  bool rows_were_counted = false;  ///< Whether the table has lineage columns.
  bool record_was_read = false;    ///< Whether the sink keeps a record at all.
  std::array<std::uint64_t, kFindings> findings = {};

  std::uint64_t differences() const;
};

/// Told of each finding as it is made: the object's key, and one sentence.
using FindingVisitor = std::function<void(Finding, const std::string& key, const std::string& why)>;

/// Reads all four, and changes nothing. May run beside the loader, whose latest objects are then
/// still missing.
///   kUnsupported   The store does not list in the order of keys.
///   kStateMismatch The state folder belongs to another store, table or history.
///   Errors of listing, LedgerReader and SinkReader
Result<AuditReport> audit(const LoaderOptions& options, const FindingVisitor& visit);

}  // namespace leat::executor
