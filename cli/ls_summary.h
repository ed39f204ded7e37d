// The backlog in words: for `leat ls --summary` and the loader's progress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "executor/backlog.h"

namespace leat::cli {

/// "12 objects, 3.4 MB, the oldest 5 min old", "at least …" while a listing is under way;
/// "nothing".
std::string backlog_text(const executor::BacklogState& backlog, std::int64_t now_ms);

/// "6.0 requests a minute", and where `price` of a request is known ", about 0.04 a day".
std::string listing_cost_text(double requests_per_minute, std::optional<double> price);

/// What so many requests a minute cost in a day.
double price_of_day(double requests_per_minute, double price);

}  // namespace leat::cli
