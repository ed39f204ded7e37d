// What keeps the rows of a pipeline, as it is named to people and kept in the state folder.
#pragma once

#include <string>
#include <string_view>

#include "leat/loader.h"

namespace leat::executor {

/// Behind the message that a loader holds the state folder.
inline constexpr std::string_view kStopTheLoader =
    " Stop the loader (it commits what it has), repeat this, and start it again.";

/// Not where a table's file lies: it may be moved.
inline std::string consumer_of(const LoaderOptions& options) {
  if (options.to == "-") return "standard output";
  return options.sink.table.empty() ? options.to : "table " + options.sink.table;
}

}  // namespace leat::executor
