#include "tests/parser/load_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/source_dir.h"

namespace leat::parser {
namespace {

std::string at_text(std::uint64_t record, std::uint64_t offset) {
  return "#" + std::to_string(record) + "@" + std::to_string(offset);
}

void append_chunk(const RowChunk& chunk, Loaded& loaded) {
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    std::string text;
    for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
      if (c != 0) text += '|';
      if (chunk.columns[c].is_null(row)) {
        text += "\\N";
      } else {
        append_value_text(chunk.schema->fields[c].type, chunk.columns[c], row, text);
      }
    }
    loaded.rows.push_back(std::move(text));
    loaded.lineage.push_back(at_text(chunk.record_number(row), chunk.record_offset(row)));
  }
  for (const RejectedRow& reject : chunk.rejects) {
    loaded.rejects.push_back(at_text(reject.record, reject.byte_offset) + " " + reject.column +
                             " \"" + reject.text + "\" [" + reject.raw + "] " +
                             std::string(error_code_name(reject.code)) + ": " + reject.reason);
  }
}

void expect_consistent(const RowChunk& chunk, const Position& before) {
  EXPECT_EQ(chunk.bytes.begin, before.offset);
  EXPECT_EQ(chunk.bytes.end, chunk.end.offset);
  EXPECT_EQ(chunk.records.begin, before.record);
  EXPECT_EQ(chunk.records.end, chunk.end.record);
  EXPECT_EQ(static_cast<std::uint64_t>(chunk.rows) + chunk.rejects.size(), chunk.records.length());
  const auto rows = static_cast<std::size_t>(chunk.rows);
  EXPECT_EQ(chunk.record_offsets.size(), rows * sizeof(std::int64_t));
  if (chunk.record_numbers.size() != 0) {
    EXPECT_EQ(chunk.record_numbers.size(), rows * sizeof(std::int64_t));
    EXPECT_TRUE(std::is_sorted(chunk.record_numbers.as<std::int64_t>(),
                               chunk.record_numbers.as<std::int64_t>() + rows));
  } else if (rows != 0 && !chunk.rejects.empty()) {
    EXPECT_GT(chunk.rejects.front().record, chunk.record_number(chunk.rows - 1));
  }
  EXPECT_TRUE(std::is_sorted(
      chunk.rejects.begin(), chunk.rejects.end(),
      [](const RejectedRow& a, const RejectedRow& b) { return a.record < b.record; }));
  if (chunk.schema == nullptr) return;
  ASSERT_EQ(chunk.columns.size(), chunk.schema->fields.size());
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    const Column& column = chunk.columns[c];
    const DataType& type = chunk.schema->fields[c].type;
    std::int64_t nulls = 0;
    for (std::int64_t row = 0; row < chunk.rows; ++row) nulls += column.is_null(row) ? 1 : 0;
    EXPECT_EQ(column.null_count, nulls);
    if (type.is_variable()) {
      ASSERT_EQ(column.offsets.size(), (rows + 1) * sizeof(std::int32_t));
      EXPECT_EQ(column.offsets.as<std::int32_t>()[rows],
                static_cast<std::int32_t>(column.values.size()));
    } else {
      EXPECT_EQ(column.values.size(),
                type.id == TypeId::kBool ? (rows + 7) / 8 : rows * type.width());
    }
  }
}

}  // namespace

std::unique_ptr<ByteStreamParser> make_parser(const Fixture& fixture) {
  std::shared_ptr<const Schema> schema;
  if (!fixture.schema.empty()) {
    Result<Schema> parsed = parse_schema(fixture.schema);
    EXPECT_TRUE(parsed) << parsed.error().to_string();
    schema = std::make_shared<const Schema>(*std::move(parsed));
  }
  auto parser = make_parser(fixture.options, std::move(schema));
  EXPECT_TRUE(parser) << parser.error().to_string();
  return *std::move(parser);
}

Loaded load_with(ByteStreamParser& parser, const Fixture& fixture,
                 const std::vector<std::size_t>& cuts, const Position& from,
                 std::vector<Checkpointed>* checkpoints) {
  auto split = std::make_shared<ObjectVersion>();
  split->key = fixture.name;
  split->size = fixture.bytes.size();
  Loaded loaded;
  const auto fail = [&](const Error& error) {
    loaded.failure = error;
    loaded.error = error.to_string();
  };
  if (Result<void> reset = parser.reset_for_new_split(split, from); !reset) {
    fail(reset.error());
    return loaded;
  }
  Position before = from;
  std::size_t at = static_cast<std::size_t>(from.offset);
  for (std::size_t i = 0; i <= cuts.size() + 1; ++i) {
    const bool final = i == cuts.size() + 1;
    const std::size_t to = i >= cuts.size() ? fixture.bytes.size() : std::max(at, cuts[i]);
    // A copy that ends where its memory ends: a sanitizer sees each byte read too far.
    const std::vector<char> piece(fixture.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                  fixture.bytes.begin() + static_cast<std::ptrdiff_t>(to));
    RowChunk chunk;
    Result<void> done =
        final ? parser.finish(chunk) : parser.parse({at, std::as_bytes(std::span(piece))}, chunk);
    at = to;
    for (bool more = true; more;) {
      expect_consistent(chunk, before);
      append_chunk(chunk, loaded);
      loaded.most_rows = std::max(loaded.most_rows, chunk.rows);
      before = chunk.end;
      loaded.end = chunk.end;
      loaded.schema = chunk.schema;
      if (checkpoints != nullptr) {
        checkpoints->push_back({chunk.end, loaded.rows.size(), loaded.rejects.size()});
      }
      more = done && parser.has_more();
      if (more) done = parser.parse({at, {}}, chunk);
    }
    if (!done) {
      fail(done.error());
      break;
    }
  }
  return loaded;
}

Loaded load(const Fixture& fixture, const std::vector<std::size_t>& cuts, const Position& from,
            std::vector<Checkpointed>* checkpoints) {
  return load_with(*make_parser(fixture), fixture, cuts, from, checkpoints);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

std::string test_data_folder(const char* variable, std::string_view fallback) {
  const char* named = std::getenv(variable);
  const std::string folder =
      named != nullptr ? named : (test_source_dir() / ".." / "shared" / fallback).string();
  return std::filesystem::is_directory(folder) ? folder : std::string();
}

}  // namespace leat::parser
