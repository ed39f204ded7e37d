#include "tests/differential/outcome.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "tests/parser/engines.h"

namespace leat::differential {
namespace {

void append_column(const DataType& type, const Column& column, std::int64_t rows,
                   std::string& out) {
  const std::size_t width = type.width();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (column.is_null(row)) {
      out += '\0';
    } else if (type.is_variable()) {
      const std::string_view text = column.text_at(row);
      const auto size = static_cast<std::uint32_t>(text.size());
      out += '\1';
      out.append(reinterpret_cast<const char*>(&size), sizeof size);
      out += text;
    } else if (type.id == TypeId::kBool) {
      out += '\1';
      out += column.bool_at(row) ? '\1' : '\0';
    } else {
      out += '\1';
      out.append(column.values.as<char>() + static_cast<std::size_t>(row) * width, width);
    }
  }
}

std::string to_text(const RejectedRow& reject) {
  return "#" + std::to_string(reject.record) + "@" + std::to_string(reject.byte_offset) + " " +
         reject.column + " \"" + reject.text + "\" [" + reject.raw + "] " +
         std::string(error_code_name(reject.code)) + ": " + reject.reason;
}

std::string to_text(const Position& position) {
  std::string text = "record " + std::to_string(position.record) + " at " +
                     std::to_string(position.offset) + ", parser state ";
  char hex[3];
  for (const char c : position.parser_state) {
    std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += hex;
  }
  return text;
}

std::string inconsistency_of(const RowChunk& chunk, const Position& before) {
  const auto rows = static_cast<std::size_t>(chunk.rows);
  if (chunk.bytes.begin != before.offset || chunk.bytes.end != chunk.end.offset) {
    return "its bytes do not follow those of the chunk before";
  }
  if (chunk.records.begin != before.record || chunk.records.end != chunk.end.record) {
    return "its records do not follow those of the chunk before";
  }
  if (rows + chunk.rejects.size() != chunk.records.length()) {
    return "a record is neither row nor reject";
  }
  if (chunk.record_offsets.size() != rows * sizeof(std::int64_t) ||
      (chunk.record_numbers.size() != 0 &&
       chunk.record_numbers.size() != rows * sizeof(std::int64_t))) {
    return "a row is without lineage";
  }
  if (chunk.schema == nullptr) return rows == 0 ? "" : "rows without a schema";
  if (chunk.columns.size() != chunk.schema->fields.size()) return "a column is missing";
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    const Column& column = chunk.columns[c];
    const Field& field = chunk.schema->fields[c];
    std::int64_t nulls = 0;
    for (std::int64_t row = 0; row < chunk.rows; ++row) nulls += column.is_null(row) ? 1 : 0;
    if (column.null_count != nulls) return "null_count of " + field.name + " is wrong";
    if (!field.nullable && nulls != 0) return "a null in " + field.name + ", which is NOT NULL";
    const std::size_t size = column.values.size();
    if (field.type.is_variable()) {
      if (column.offsets.size() != (rows + 1) * sizeof(std::int32_t)) {
        return "the offsets of " + field.name + " are not one more than rows";
      }
      const auto* const offsets = column.offsets.as<std::int32_t>();
      if (!std::is_sorted(offsets, offsets + rows + 1) || offsets[0] != 0 ||
          static_cast<std::size_t>(offsets[rows]) != size) {
        return "the offsets of " + field.name + " do not cover its bytes";
      }
    } else if (size !=
               (field.type.id == TypeId::kBool ? (rows + 7) / 8 : rows * field.type.width())) {
      return "the values of " + field.name + " are not as many as rows";
    }
  }
  return "";
}

template <class T>
std::string first_difference(const std::vector<T>& found, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < std::max(found.size(), expected.size()); ++i) {
    if (i < found.size() && i < expected.size() && found[i] == expected[i]) continue;
    return "number " + std::to_string(i) + "\n  is         " +
           (i < found.size() ? found[i] : "missing") + "\n  instead of " +
           (i < expected.size() ? expected[i] : "nothing");
  }
  return "";
}

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "a generated file needs a parser: %s\n", error.to_string().c_str());
  std::abort();
}

}  // namespace

void Outcome::append(const RowChunk& chunk) {
  if (inconsistency.empty()) {
    inconsistency = inconsistency_of(chunk, end);
    if (!inconsistency.empty()) return;
  }
  rows += static_cast<std::uint64_t>(chunk.rows);
  columns.resize(std::max(columns.size(), chunk.columns.size()));
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    append_column(chunk.schema->fields[c].type, chunk.columns[c], chunk.rows, columns[c]);
  }
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    for (const std::uint64_t number : {chunk.record_number(row), chunk.record_offset(row)}) {
      lineage.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
  }
  for (const RejectedRow& reject : chunk.rejects) rejects.push_back(to_text(reject));
  end = chunk.end;
}

std::string difference(const Outcome& found, const Outcome& expected) {
  if (found == expected) return "";
  if (!found.inconsistency.empty()) return "a chunk contradicts itself: " + found.inconsistency;
  if (found.error != expected.error) {
    return "error \"" + found.error + "\" instead of \"" + expected.error + "\"";
  }
  if (found.rejects != expected.rejects) {
    return "rejects: " + first_difference(found.rejects, expected.rejects);
  }
  if (found.rows != expected.rows) {
    return std::to_string(found.rows) + " rows instead of " + std::to_string(expected.rows);
  }
  if (found.lineage != expected.lineage) return "other records or offsets of rows";
  for (std::size_t c = 0; c < expected.columns.size(); ++c) {
    if (c >= found.columns.size() || found.columns[c] != expected.columns[c]) {
      return "other values in column " + std::to_string(c);
    }
  }
  if (found.end != expected.end) {
    return "ends at " + to_text(found.end) + "\n  instead of " + to_text(expected.end);
  }
  return "other columns";
}

std::unique_ptr<ByteStreamParser> make_engine_parser(FormatOptions options, std::string_view schema,
                                                     std::string_view engine) {
  parser::use_engine(engine, options);
  std::shared_ptr<const Schema> parsed;
  if (!schema.empty()) {
    Result<Schema> made = parse_schema(schema);
    if (!made) give_up(made.error());
    parsed = std::make_shared<const Schema>(*std::move(made));
  }
  Result<std::unique_ptr<ByteStreamParser>> made = make_parser(options, std::move(parsed));
  if (!made) give_up(made.error());
  return *std::move(made);
}

void feed(ByteStreamParser& parser, std::string_view bytes, const std::vector<std::size_t>& cuts,
          Outcome& outcome, std::vector<Position>* ends, std::size_t pieces_max) {
  static const auto split_of_test =
      std::make_shared<const ObjectVersion>(ObjectVersion{"file.csv"});
  if (Result<void> reset = parser.reset_for_new_split(split_of_test, outcome.end); !reset) {
    outcome.error = reset.error().to_string();
    return;
  }
  RowChunk chunk;
  const auto take = [&](const Result<void>& done) {
    const std::uint64_t before = outcome.end.offset;
    outcome.append(chunk);
    if (ends != nullptr && chunk.end.offset != before) ends->push_back(chunk.end);
    if (!done) outcome.error = done.error().to_string();
    return done.has_value() && outcome.inconsistency.empty();
  };
  auto at = static_cast<std::size_t>(outcome.end.offset);
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    if (i == pieces_max) return;
    const std::size_t to = std::max(at, i < cuts.size() ? cuts[i] : bytes.size());
    // A copy that ends where its memory ends: a sanitizer sees each byte read too far.
    const auto piece = std::make_unique<std::byte[]>(to - at);
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()) + at, to - at, piece.get());
    if (!take(parser.parse({at, {piece.get(), to - at}}, chunk))) return;
    at = to;
    while (parser.has_more()) {
      if (!take(parser.parse({at, {}}, chunk))) return;
    }
  }
  take(parser.finish(chunk));
}

}  // namespace leat::differential
