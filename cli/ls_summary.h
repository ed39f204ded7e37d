// `leat ls --summary`, and the backlog in words, which the loader's progress shows as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/split_selection.h"
#include "executor/backlog.h"

namespace leat::cli {

struct LsFlags {
  std::string state;
  std::string only;  ///< A state's name, or "after"; empty: all.
  SelectionFlags selection;
  bool json = false;       ///< JSON lines instead of a table.
  bool summary = false;    ///< Totals and the backlog instead of the objects.
  std::string list_price;  ///< See parse_price; empty: unknown.
};

/// Prints totals and the backlog; returns an exit code.
int run_ls_summary(const LsFlags& flags);

/// "12 objects, 3.4 MB, the oldest 5 min old", "at least …" while a listing is under way;
/// "nothing".
std::string backlog_text(const executor::BacklogState& backlog, std::int64_t now_ms);

/// "6.0 requests a minute", and where `price` of a request is known ", about 0.04 a day".
std::string listing_cost_text(double requests_per_minute, std::optional<double> price);

/// What so many requests a minute cost in a day.
double price_of_day(double requests_per_minute, double price);

}  // namespace leat::cli
