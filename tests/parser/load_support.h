// What parser tests share: bytes in, a readable form of what came out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"

namespace leat::parser {

/// All that a parser made of an object, or of its rest from a position on.
struct Loaded {
  /// `value|value|…`, NULL as \N, in canonical text.
  std::vector<std::string> rows;
  /// `#record@offset` of each row.
  std::vector<std::string> lineage;
  /// `#record@offset column "text" [raw] code: reason`.
  std::vector<std::string> rejects;
  std::string error;  ///< Error::to_string(); empty: none.
  std::optional<Error> failure;
  Position end;
  std::shared_ptr<const Schema> schema;
  std::int64_t most_rows = 0;  ///< Of a chunk.
};

/// Where a load stood after a chunk.
struct Checkpointed {
  Position position;
  std::size_t rows = 0;
  std::size_t rejects = 0;
};

struct Fixture {
  std::string name;
  std::string bytes;
  FormatOptions options = {};
  std::string schema = {};  ///< SQL; empty: from the header.
};

std::unique_ptr<ByteStreamParser> make_parser(const Fixture& fixture);

/// Feeds fixture.bytes from `from` on, cut at `cuts` (ascending, absolute). Checks what holds of
/// every chunk: ranges that join, lineage for each row, rejects in order.
Loaded load(const Fixture& fixture, const std::vector<std::size_t>& cuts = {},
            const Position& from = {}, std::vector<Checkpointed>* checkpoints = nullptr);

/// The same with a parser that has been used before.
Loaded load_with(ByteStreamParser& parser, const Fixture& fixture,
                 const std::vector<std::size_t>& cuts = {}, const Position& from = {},
                 std::vector<Checkpointed>* checkpoints = nullptr);

std::string read_file(const std::string& path);

/// The folder named by the environment variable, else `fallback` beside the source folder; empty
/// when it is not there.
std::string test_data_folder(const char* variable, std::string_view fallback);

}  // namespace leat::parser
