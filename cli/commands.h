// The commands of leat.
#pragma once

#include <cstdint>
#include <functional>

#include "leat/loader.h"
#include "leat/result.h"

namespace CLI {
class App;
}

namespace leat::cli {

/// Runs a command whose flags are parsed, and returns its exit code; see exit_codes.h. Keeps what
/// the flags were parsed into.
using CommandRun = std::function<int()>;

// Each gives its flags and examples to `command`.
CommandRun define_load(CLI::App& command);
CommandRun define_cat(CLI::App& command);
CommandRun define_ls(CLI::App& command);
CommandRun define_sniff(CLI::App& command);
CommandRun define_validate(CLI::App& command);
CommandRun define_audit(CLI::App& app);
CommandRun define_retry(CLI::App& app);
CommandRun define_rewind(CLI::App& app);
CommandRun define_replay(CLI::App& app);
CommandRun define_redrive(CLI::App& app);
CommandRun define_state(CLI::App& app);

/// Prints the error on standard error, and turns it into an exit code.
int report_error(const Error& error);

/// `status`, if standard output has taken everything; else an error's.
int flushed(int status);

/// Objects that a run could not load, so that somebody has to look.
std::uint64_t needing_attention(const SourceStats& stats);

}  // namespace leat::cli
