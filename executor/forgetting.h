// Drops from the ledger what the store no longer has, so that it does not grow without end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <stop_token>
#include <string_view>

#include "connector/split_enumerator.h"
#include "executor/event_queue.h"
#include "executor/key_filter.h"
#include "executor/work_queue.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Compares what complete listings show with what the ledger knows. The order of the listing does
/// not matter, and neither does how it is cut into pages; its keys are kept in a KeyFilter. So an
/// entry may be kept longer than need be, but none is dropped whose object was shown.
///
/// An entry goes in two steps: a complete listing does not show its object and it gets a mark; a
/// later one, when the time to forget after has passed, does not show it either. Then the consumer
/// is told, and with the next epoch the entry is dropped: at the consumer's first, then here.
/// Entries that have a mark are judged by every complete listing, so that none is dropped that one
/// of them has shown since. All others, which takes reading them all, are judged every eighth of
/// the time to forget after.
///
/// Used by the discovery thread. Everything is borrowed.
class Forgetting {
 public:
  Forgetting(const SourceOptions& options, state::Ledger& ledger, const Clock& clock,
             WorkQueue& work, EventQueue& events)
      : options_(options), ledger_(ledger), clock_(clock), work_(work), events_(events) {}

  /// When all entries were last judged, in Unix time; 0: never. An earlier process knew it, by
  /// listings of the same objects.
  void go_on_from(std::int64_t judged_ms) { judged_ms_ = judged_ms; }
  std::int64_t judged_ms() const { return judged_ms_; }

  /// A listing begins that would show every object that the next complete() says to be covered.
  void begin_listing();
  /// A page of it. One with folders that could not be read makes it incomplete.
  void listed(const connector::EnumeratedPage& page);
  /// The listing ends as it should: judges the entries.
  ///
  /// @param covers  Whether the listing would have shown an object of this key.
  ///   kCorrupt, kDiskFull, kIo  Of the ledger. The next listing tries again.
  Result<void> complete(const std::function<bool(std::string_view key)>& covers,
                        std::stop_token stop);

 private:
  bool judged_lately() const;
  Result<std::uint64_t> forget(std::span<const ObjectVersion> due, std::stop_token stop);

  const SourceOptions& options_;
  state::Ledger& ledger_;
  const Clock& clock_;
  WorkQueue& work_;
  EventQueue& events_;

  std::random_device random_;
  std::optional<KeyFilter> shown_;  ///< None: this listing is not used.
  std::uint64_t shown_keys_ = 0;
  std::uint64_t epoch_before_ = 0;
  std::int64_t judged_ms_ = 0;
  bool marked_only_ = false;  ///< By this listing.
};

}  // namespace leat::executor
