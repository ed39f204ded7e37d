#include "cli/split_selection.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <ctime>
#include <utility>

#include "cli/quantities.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "state/ledger_reader.h"

namespace leat::cli {

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_ms) {
  const std::string copy(text);
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"}) {
    std::tm time{};
    const char* const end = ::strptime(copy.c_str(), form, &time);
    if (end != nullptr && *end == '\0') return std::int64_t{::timegm(&time)} * 1'000;
  }
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && number >= 0) return number;
  if (const Result<std::chrono::milliseconds> ago = parse_duration(text)) {
    return now_ms - ago->count();
  }
  return Error{ErrorCode::kInvalidArgument,
               "\"" + copy +
                   "\" is no time; write 2026-11-20T08:00:00Z (UTC), 2026-11-20, or how long ago: "
                   "90min, 12h"};
}

void SelectionFlags::add_key(CLI::App& app) {
  app.add_option("--key", key_, "Only objects whose key (or s3:// URI, or path) fits this pattern");
}

void SelectionFlags::add_history(CLI::App& app) {
  epoch_given_ =
      app.add_option("--to-epoch", to_epoch_, "Only what was changed in epochs after this one");
  app.add_option("--since", since_,
                 "Only what was changed at this time or later: 2026-11-20T08:00:00Z, 90min (ago)");
}

void SelectionFlags::add_state(CLI::App& app) {
  app.add_option("--only", only_, "Only this state: reading, finished, quarantined, gone, changed")
      ->check(CLI::IsMember({"reading", "finished", "quarantined", "gone", "changed"}));
}

Result<executor::SplitFilter> SelectionFlags::filter(const std::filesystem::path& state_dir) const {
  executor::SplitFilter filter;
  if (!key_.empty()) {
    Result<state::LedgerReader> ledger = state::LedgerReader::open(state_dir);
    if (!ledger) return std::move(ledger).error();
    const bool local = ledger->meta("store") == "file://";
    std::string pattern = key_;
    if (local || key_.find("://") != std::string::npos) {
      Result<SourceUri> uri = parse_source_uri(key_);
      if (!uri) return std::move(uri).error();
      pattern = uri->pattern;
    }
    Result<connector::Glob> glob = connector::Glob::compile(pattern);
    if (!glob) return std::move(glob).error();
    filter.key = std::move(*glob);
  }
  if (epoch_given_ != nullptr && epoch_given_->count() != 0) filter.after_epoch = to_epoch_;
  if (!since_.empty()) {
    Result<std::int64_t> since = parse_moment(since_, system_clock().wall_ms());
    if (!since) {
      Error error = std::move(since).error();
      error.message = "--since: " + error.message;
      return error;
    }
    filter.since_ms = *since;
  }
  for (const SplitState state : kShownStates) {
    if (only_ == split_state_name(state)) filter.state = state;
  }
  return filter;
}

}  // namespace leat::cli
