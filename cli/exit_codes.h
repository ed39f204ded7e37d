// What the command's exit status says. Documented in docs/operating.md; scripts rely on it.
#pragma once

namespace leat::cli {

enum ExitCode : int {
  kExitOk = 0,         ///< Done, or stopped by a signal with everything committed.
  kExitFailure = 1,    ///< Something failed; the message says what. Run again to go on.
  kExitUsage = 2,      ///< Flags, configuration file or schema cannot be used. Nothing was done.
  kExitAttention = 3,  ///< All else is loaded, but objects are quarantined, gone or changed.
  kExitTakenOver = 4,  ///< Another loader holds this state folder, or took the pipeline over.
};

}  // namespace leat::cli
