// How far the listing of a pipeline has come, as the ledger keeps it for the next start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/split_enumerator.h"

namespace leat::executor {

/// Plain values; docs/format/ledger.md has their bytes.
struct ListingRecord {
  std::string listed = {};       ///< Names what is listed: a record of something else says nothing.
  bool interrupted = true;       ///< It was not over yet, and was not to be one of new keys alone.
  std::int64_t complete_ms = 0;  ///< End of the last complete listing, Unix time; 0: none.
  std::int64_t judged_ms = 0;    ///< When all entries were last judged by one; 0: never.
  std::vector<connector::KeyRange> remaining = {};  ///< To be listed still.

  std::string encode() const;
  /// None: it is no such record, or one of a later version.
  static std::optional<ListingRecord> decode(std::string_view bytes);
};

}  // namespace leat::executor
