// Messages for people, through the callback of the options.
#pragma once

#include <string>

#include "leat/source.h"

namespace leat::executor {

inline void log(const SourceOptions& options, SourceOptions::LogLevel level,
                const std::string& message) {
  try {
    if (options.log) options.log(level, message);
  } catch (...) {  // There is nobody whom a thread of the source's own could tell.
  }
}

}  // namespace leat::executor
