#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/ls_summary.h"
#include "cli/printable.h"
#include "cli/quantities.h"
#include "leat/split.h"
#include "state/ledger.h"

namespace leat::cli {
namespace {

constexpr const char* kLsExamples = R"(Examples:
  leat ls --state st
  leat ls --state st --only quarantined --json
  leat ls --state st --summary --list-price 0.005/1000)";

void print_json(const SplitProgress& split) {
  nlohmann::ordered_json json = {
      {"key", split.object.key},   {"version", split.object.version},
      {"size", split.object.size}, {"state", split_state_name(shown_state(split))},
      {"rows", split.rows},        {"rejected", split.rejected},
      {"epoch", split.epoch},      {"updated_ms", split.updated_ms},
  };
  if (split.state != SplitState::kFinished || split.fingerprint) {
    json["offset"] = split.position.offset;
    json["record"] = split.position.record;
  }
  if (split.error) {
    json["error"] = {{"code", error_code_name(split.error->code)},
                     {"message", split.error->message}};
    if (split.error->at.record) json["error"]["record"] = *split.error->at.record;
    if (split.error->at.byte_offset) json["error"]["byte_offset"] = *split.error->at.byte_offset;
    if (!split.error->at.column.empty()) json["error"]["column"] = split.error->at.column;
  }
  // Keys are bytes: those that are not UTF-8 are shown with replacement characters.
  std::cout << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

std::string padded(std::string text, std::size_t width, bool right) {
  if (text.size() >= width) return text;
  const std::string space(width - text.size(), ' ');
  return right ? space + text : text + space;
}

void print_line(const SplitProgress& split) {
  std::cout << padded(std::string(split_state_name(shown_state(split))), 12, false)
            << padded(format_count(split.rows), 14, true)
            << padded(format_count(split.rejected), 10, true)
            << padded(split.state == SplitState::kFinished && !split.fingerprint
                          ? "-"
                          : format_count(split.position.offset),
                      16, true)
            << padded(format_count(split.object.size), 16, true) << "  "
            << printable(split.object.key);
  if (split.error) std::cout << "\n    " << printable(split.error->to_string());
  std::cout << "\n";
}

std::string_view name_of(AfterAction::Kind kind) {
  switch (kind) {
    case AfterAction::Kind::kDelete:
      return "delete";
    case AfterAction::Kind::kMove:
      return "move";
    case AfterAction::Kind::kTag:
      return "tag";
    case AfterAction::Kind::kKeep:
      break;
  }
  return "keep";
}

void print_json(const state::OutboxEntry& entry) {
  const nlohmann::ordered_json json = {
      {"key", entry.object.key},    {"version", entry.object.version},
      {"size", entry.object.size},  {"after", name_of(entry.action.kind)},
      {"name", entry.action.name},  {"value", entry.action.value},
      {"attempts", entry.attempts}, {"updated_ms", entry.updated_ms},
      {"error", entry.error},
  };
  std::cout << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void print_line(const state::OutboxEntry& entry) {
  std::cout << padded("after", 12, false) << name_of(entry.action.kind) << " "
            << printable(entry.action.name)
            << (entry.action.kind == AfterAction::Kind::kTag ? "=" + printable(entry.action.value)
                                                             : "")
            << ", " << format_count(entry.attempts) << " attempts  " << printable(entry.object.key);
  if (!entry.error.empty()) std::cout << "\n    " << printable(entry.error);
  std::cout << "\n";
}

/// The after-actions that are due.
Result<void> print_outbox(const state::Ledger& ledger, const executor::SplitFilter& filter,
                          bool json) {
  std::string after;
  while (true) {
    Result<std::vector<state::OutboxEntry>> page = ledger.outbox(after, 1'000);
    if (!page) return std::move(page).error();
    if (page->empty() || !std::cout) return {};
    for (const state::OutboxEntry& entry : *page) {
      if (filter.key && !filter.key->matches(entry.object.key)) continue;
      if (json) {
        print_json(entry);
      } else {
        print_line(entry);
      }
    }
    after = page->back().object.key;
  }
}

/// Prints each split that the ledger knows, with its state; or what they come to.
int run_ls(const LsFlags& flags) {
  if (flags.summary) return run_ls_summary(flags);
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = flags.state, .read_only = true});
  if (!ledger) return report_error(ledger.error());
  Result<executor::SplitFilter> filter = flags.selection.filter(flags.state);
  if (!filter) return report_error(filter.error());
  if (!flags.json && flags.only != "after") {
    std::cout << padded("STATE", 12, false) << padded("ROWS", 14, true)
              << padded("REJECTED", 10, true) << padded("POSITION", 16, true)
              << padded("SIZE", 16, true) << "  OBJECT\n";
  }
  Result<void> scanned = (*ledger)->scan([&](const SplitProgress& split) {
    if (flags.only == "after") return false;
    if (!filter->fits(split)) return true;
    if (!flags.only.empty() && flags.only != split_state_name(shown_state(split))) return true;
    if (flags.json) {
      print_json(split);
    } else {
      print_line(split);
    }
    return std::cout.good();
  });
  if (!scanned) return report_error(scanned.error());
  if (flags.only.empty() || flags.only == "after") {
    if (Result<void> printed = print_outbox(**ledger, *filter, flags.json); !printed) {
      return report_error(printed.error());
    }
  }
  return flushed(kExitOk);
}

}  // namespace

CommandRun define_ls(CLI::App& command) {
  auto flags = std::make_shared<LsFlags>();
  command.add_option("--state", flags->state, "State folder of the pipeline")->required();
  command
      .add_option("--only", flags->only,
                  "Only this state: reading, finished, quarantined, gone, changed; after: only "
                  "after-actions that are due")
      ->check(CLI::IsMember({"reading", "finished", "quarantined", "gone", "changed", "after"}));
  flags->selection.add_key(command);
  flags->selection.add_history(command);
  command.add_flag("--json", flags->json, "JSON lines");
  command.add_flag("--summary", flags->summary,
                   "Totals for each state, and the backlog as the loader last noted it");
  command.add_option("--list-price", flags->list_price,
                     "What listing requests cost, e.g. 0.005/1000: --summary then estimates it");
  command.footer(kLsExamples);
  return [flags] { return run_ls(*flags); };
}

}  // namespace leat::cli
