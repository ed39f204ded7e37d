#include "cli/state_transfer.h"

#include <array>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "connector/json_text.h"
#include "state/ledger_entry.h"
#include "state/ledger_reader.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kVersion = 1;

std::string base64(std::string_view bytes) {
  std::string text;
  connector::append_base64(bytes, text);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xff));
  }
  return bytes;
}

/// For people and their tools: what the value says. An import reads "raw" alone.
void add_meaning(char kind, std::string_view name, std::string_view value, ordered_json& line) {
  if (kind == 'm') {
    line["fact"] = name;
    if (!name.starts_with('.') && connector::is_utf8(value)) line["value"] = value;
    return;
  }
  if (kind != 'a' && kind != 'f' && kind != 'q') return;
  const Result<state::LedgerEntry> entry = state::LedgerEntry::decode(name, value);
  if (!entry) return;
  const SplitProgress& split = entry->progress;
  line["key"] = name;
  line["state"] = split_state_name(split.state);
  line["version"] = split.object.version;
  line["size"] = split.object.size;
  line["rows"] = split.rows;
  line["rejected"] = split.rejected;
  line["epoch"] = split.epoch;
  line["updated_ms"] = split.updated_ms;
  if (split.state != SplitState::kFinished) {
    line["offset"] = split.position.offset;
    line["record"] = split.position.record;
  }
  if (split.error) line["error"] = split.error->to_string();
  if (entry->noted) line["noted_version"] = entry->noted->version;
}

std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Error bad_line(std::uint64_t number, std::string_view why) {
  return {ErrorCode::kInvalidArgument,
          "line " + std::to_string(number) + " of the import: " + std::string(why)};
}

Result<void> import_lines(const std::string& dir, std::istream& in) {
  std::optional<state::LedgerWriter> writer;
  std::uint64_t number = 0;
  std::uint64_t entries = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    const ordered_json line = ordered_json::parse(text, nullptr, false);
    if (!line.is_object()) return bad_line(number, "no JSON object");
    if (number == 1) {
      const auto version = line.find("leat_ledger");
      if (version == line.end() || *version != kVersion) {
        return bad_line(number, "this is no export of a ledger, or one of a later leat");
      }
      Result<state::LedgerWriter> created = state::LedgerWriter::create(dir);
      if (!created) return std::move(created).error();
      writer.emplace(std::move(*created));
      continue;
    }
    if (const auto end = line.find("entries"); end != line.end()) {
      if (*end != entries) return bad_line(number, "lines are missing in front of it");
      return writer->finish();
    }
    const auto raw = line.find("raw");
    if (raw == line.end() || !raw->is_array() || raw->size() != 2 || !(*raw)[0].is_string() ||
        !(*raw)[1].is_string()) {
      return bad_line(number, "it has no \"raw\": [key, value]");
    }
    const std::optional<std::string> key = from_base64((*raw)[0].get<std::string>());
    const std::optional<std::string> value = from_base64((*raw)[1].get<std::string>());
    if (!key || !value || key->empty()) return bad_line(number, "\"raw\" is no base64");
    if (Result<void> added = writer->add(*key, *value); !added) return added;
    ++entries;
  }
  return bad_line(number, "the export ends here without its last line: it was cut off");
}

}  // namespace

int export_state(const std::string& dir, std::ostream& out) {
  Result<state::LedgerReader> ledger = state::LedgerReader::open(dir);
  if (!ledger) return report_error(ledger.error());
  out << text_of({{"leat_ledger", kVersion}, {"epoch", ledger->epoch()}}) << "\n";
  std::uint64_t entries = 0;
  const Result<void> visited =
      ledger->visit_raw([&](std::string_view key, std::string_view value) -> Result<void> {
        ordered_json line;
        add_meaning(key.front(), key.substr(1), value, line);
        line["raw"] = {base64(key), base64(value)};
        out << text_of(line) << "\n";
        ++entries;
        if (out) return {};
        return Error{ErrorCode::kIo, "standard output cannot be written to"};
      });
  if (!visited) return report_error(visited.error());
  out << text_of({{"entries", entries}}) << "\n";
  return kExitOk;
}

int import_state(const std::string& dir, std::istream& in) {
  if (Result<void> done = import_lines(dir, in); !done) return report_error(done.error());
  return kExitOk;
}

}  // namespace leat::cli
