#include "cli/ls_summary.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/quantities.h"
#include "leat/clock.h"
#include "leat/split.h"
#include "state/ledger.h"

namespace leat::cli {
namespace {

struct Totals {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
};

using TotalsOfStates = std::array<Totals, kShownStates.size()>;

std::string age_text(std::int64_t since_ms, std::int64_t now_ms) {
  return format_duration(std::chrono::milliseconds(std::max<std::int64_t>(0, now_ms - since_ms)));
}

/// One object counts once: under its open entry where it has one.
Result<TotalsOfStates> totals_of(const state::Ledger& ledger, const executor::SplitFilter& filter) {
  TotalsOfStates totals;
  Result<void> scanned = ledger.scan([&](const SplitProgress& split) {
    if (!filter.fits(split)) return true;
    const auto at = std::find(kShownStates.begin(), kShownStates.end(), shown_state(split));
    if (at == kShownStates.end()) return true;
    Totals& of = totals[static_cast<std::size_t>(at - kShownStates.begin())];
    ++of.objects;
    of.bytes += split.object.size;
    of.rows += split.rows;
    of.rejected += split.rejected;
    return true;
  });
  if (!scanned) return std::move(scanned).error();
  return totals;
}

Result<std::uint64_t> after_actions_due(const state::Ledger& ledger) {
  std::uint64_t due = 0;
  std::string after;
  while (true) {
    Result<std::vector<state::OutboxEntry>> page = ledger.outbox(after, 1'000);
    if (!page) return std::move(page).error();
    if (page->empty()) return due;
    due += page->size();
    after = page->back().object.key;
  }
}

void print_json(const TotalsOfStates& totals, std::uint64_t due,
                const std::optional<executor::BacklogState>& backlog, std::optional<double> price,
                std::uint64_t epoch, std::int64_t now_ms) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < kShownStates.size(); ++i) {
    json[std::string(split_state_name(kShownStates[i]))] = {{"objects", totals[i].objects},
                                                            {"bytes", totals[i].bytes},
                                                            {"rows", totals[i].rows},
                                                            {"rejected", totals[i].rejected}};
  }
  json["after_actions_due"] = due;
  json["epoch"] = epoch;
  if (backlog) {
    json["backlog"] = {{"noted_ms", backlog->at_ms},
                       {"objects", backlog->objects},
                       {"bytes", backlog->bytes},
                       {"complete", !backlog->listing}};
    if (backlog->oldest_modified_ms != 0) {
      json["backlog"]["oldest_modified_ms"] = backlog->oldest_modified_ms;
      json["backlog"]["oldest_age_ms"] =
          std::max<std::int64_t>(0, now_ms - backlog->oldest_modified_ms);
    }
    if (backlog->last_complete_listing_ms != 0) {
      json["last_complete_listing_ms"] = backlog->last_complete_listing_ms;
    }
    json["list_requests"] = backlog->list_requests;
    json["list_requests_per_minute"] = backlog->list_requests_per_minute;
    if (price) {
      json["list_cost_per_day"] = price_of_day(backlog->list_requests_per_minute, *price);
    }
  }
  std::cout << json.dump() << "\n";
}

void print_text(const TotalsOfStates& totals, std::uint64_t due,
                const std::optional<executor::BacklogState>& backlog, std::optional<double> price,
                std::int64_t now_ms) {
  for (std::size_t i = 0; i < kShownStates.size(); ++i) {
    const Totals& of = totals[i];
    if (of.objects == 0 && kShownStates[i] != SplitState::kFinished) continue;
    std::cout << split_state_name(kShownStates[i]) << ": " << format_count(of.objects)
              << " objects, " << format_bytes(of.bytes) << ", " << format_count(of.rows)
              << " rows, " << format_count(of.rejected) << " rejects\n";
  }
  if (due != 0) std::cout << "after-actions due: " << format_count(due) << "\n";
  if (!backlog) {
    std::cout << "backlog: unknown, no loader has noted one here yet\n";
    return;
  }
  std::cout << "backlog: " << backlog_text(*backlog, now_ms) << "; noted "
            << age_text(backlog->at_ms, now_ms) << " ago\nlast complete listing: "
            << (backlog->last_complete_listing_ms == 0
                    ? "none yet"
                    : age_text(backlog->last_complete_listing_ms, now_ms) + " ago")
            << "\nlisting: " << listing_cost_text(backlog->list_requests_per_minute, price) << "\n";
}

}  // namespace

std::string backlog_text(const executor::BacklogState& backlog, std::int64_t now_ms) {
  const std::string more = backlog.listing ? ", and a listing is under way" : "";
  if (backlog.objects == 0) return "nothing" + more;
  std::string text = format_count(backlog.objects, "object") + ", " + format_bytes(backlog.bytes);
  if (backlog.oldest_modified_ms != 0) {
    text += ", the oldest modified " + age_text(backlog.oldest_modified_ms, now_ms) + " ago";
  }
  return text + more;
}

double price_of_day(double requests_per_minute, double price) {
  return requests_per_minute * 24 * 60 * price;
}

std::string listing_cost_text(double requests_per_minute, std::optional<double> price) {
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%.1f requests a minute", requests_per_minute);
  std::string said(text.data(), static_cast<std::size_t>(size));
  if (price)
    said += ", about " + format_price(price_of_day(requests_per_minute, *price)) + " a day";
  return said;
}

int run_ls_summary(const LsFlags& flags) {
  std::optional<double> price;
  if (!flags.list_price.empty()) {
    Result<double> parsed = parse_price(flags.list_price);
    if (!parsed) {
      return report_error({ErrorCode::kInvalidArgument, "--list-price: " + parsed.error().message});
    }
    price = *parsed;
  }
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = flags.state, .read_only = true});
  if (!ledger) return report_error(ledger.error());
  Result<executor::SplitFilter> filter = flags.selection.filter(flags.state);
  if (!filter) return report_error(filter.error());
  Result<TotalsOfStates> totals = totals_of(**ledger, *filter);
  if (!totals) return report_error(totals.error());
  Result<std::uint64_t> due = after_actions_due(**ledger);
  if (!due) return report_error(due.error());
  const auto backlog =
      executor::BacklogState::decode((*ledger)->meta(executor::Backlog::kFact).value_or(""));
  const std::int64_t now_ms = system_clock().wall_ms();
  if (flags.json) {
    print_json(*totals, *due, backlog, price, (*ledger)->epoch(), now_ms);
  } else {
    print_text(*totals, *due, backlog, price, now_ms);
  }
  return flushed(kExitOk);
}

}  // namespace leat::cli
