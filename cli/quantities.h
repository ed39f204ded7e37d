// Durations and sizes as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/source.h"

namespace leat::cli {

/// "250ms", "10s", "5min", "2h", "7d"; a bare number counts seconds. Fractions are allowed.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "512MiB", "2GiB", "64KiB", "1.5GB"; k, M and G alone are binary; a bare number counts bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// "100/min", "5/s", "2000/h": at least one.
Result<RequestRate> parse_rate(std::string_view text);

/// "2026-11-01", "2026-11-01T10:30:00Z", "… +02:00"; without an offset it is UTC. Unix time in ms.
Result<std::int64_t> parse_time_ms(std::string_view text);

/// What requests cost: "0.005/1000" (so much for so many), "0.000005" (for one). For one request.
Result<double> parse_price(std::string_view text);

/// One byte: the character itself, or "\t", "\\", "tab", "space", "none" (no such character).
Result<char> parse_character(std::string_view text);

/// "1.4 GiB", "812 B": three digits, binary units.
std::string format_bytes(std::uint64_t bytes);
/// "1,234,567".
std::string format_count(std::uint64_t count);
/// "1 row", "1,234 rows".
std::string format_count(std::uint64_t count, std::string_view noun);
/// "0.0025", "1.30": two significant digits, at least two decimals.
std::string format_price(double price);
/// "3 s", "4 min 10 s", "2 h 5 min".
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace leat::cli
