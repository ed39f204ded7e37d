// The commands, one function each. They return exit codes; see exit_codes.h.
#pragma once

#include <string>

#include "cli/pipeline_flags.h"
#include "cli/split_selection.h"

namespace leat::cli {

/// Prints the error on standard error, and turns it into an exit code.
int report_error(const Error& error);

/// Objects that a run could not load, so that somebody has to look.
std::uint64_t needing_attention(const SourceStats& stats);

int run_load(const PipelineFlags& flags);

/// Prints the rows of `from` on standard output; keeps no state.
int run_cat(PipelineFlags& flags, const std::string& from);

struct LsFlags {
  std::string state;
  std::string only;  ///< A state's name, or "after"; empty: all.
  SelectionFlags selection;
  bool json = false;       ///< JSON lines instead of a table.
  bool summary = false;    ///< Totals and the backlog instead of the objects.
  std::string list_price;  ///< See parse_price; empty: unknown.
};

/// Prints each split that the ledger knows, with its state; or what they come to.
int run_ls(const LsFlags& flags);
int run_ls_summary(const LsFlags& flags);

struct SniffFlags {
  std::string from;
  std::uint32_t objects = 5;
  std::string output = "flags";
  std::string table = "t";  ///< In the statement of --output sql.
};

/// Prints dialect and columns of the objects of `flags.from` on standard output, and on standard
/// error how sure that is.
int run_sniff(PipelineFlags& pipeline, const SniffFlags& flags);

struct ValidateFlags {
  std::string uri;
  bool write = false;  ///< Also writes an object, and deletes it.
  bool json = false;   ///< One JSON document instead of lines.
};

/// Tells step by step whether the objects of a source can be listed and read, and with which
/// credentials.
int run_validate(const PipelineFlags& flags, const ValidateFlags& validate);

}  // namespace leat::cli
