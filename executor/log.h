// Messages for people, through the callback of the options.
#pragma once

#include <string>

#include "leat/source.h"

namespace leat::executor {

inline void log(const SourceOptions& options, SourceOptions::LogLevel level,
                const std::string& message) {
  if (options.log) options.log(level, message);
}

}  // namespace leat::executor
