#include "parser/records/parser_state.h"

#include "core/wire.h"

namespace leat::parser {
namespace {

constexpr char kVersion = 1;

/// What a position of each format begins with. Persisted.
char magic_of(Format format) noexcept {
  switch (format) {
    case Format::kCsv:
      return 'c';
    case Format::kPostgresCsv:
      return 'p';
    case Format::kPostgresText:
      return 't';
    case Format::kJsonLines:
      return 'j';
    case Format::kLines:
      return 'l';
  }
  return '\0';
}

}  // namespace

std::string ParserState::encode() const {
  std::string out = {magic_of(format), kVersion, static_cast<char>(line_end),
                     static_cast<char>(stage)};
  core::append_varint(header.size(), out);
  for (const std::string& name : header) core::append_bytes(name, out);
  return out;
}

Result<ParserState> ParserState::decode(std::string_view bytes, Format format) {
  ParserState state;
  state.format = format;
  core::WireReader reader(bytes);
  if (reader.byte() != static_cast<std::uint8_t>(magic_of(format)) || reader.byte() != kVersion)
    reader.fail();
  const std::uint8_t line_end = reader.byte();
  const std::uint8_t stage = reader.byte();
  const std::uint64_t names = reader.varint();
  for (std::uint64_t i = 0; i < names && reader.ok(); ++i) {
    state.header.emplace_back(reader.bytes());
  }
  state.line_end = static_cast<LineEnd>(line_end);
  state.stage = static_cast<Stage>(stage);
  if (!reader.complete() || line_end > static_cast<std::uint8_t>(LineEnd::kAny) ||
      stage > static_cast<std::uint8_t>(Stage::kHeaderPending) ||
      (state.stage == Stage::kHeader) == state.header.empty()) {
    return Error{
        ErrorCode::kCorrupt,
        "the position was not made by this version's parser for this format; set the format "
        "as before, or `leat rewind` the object to read it from its start"};
  }
  return state;
}

}  // namespace leat::parser
