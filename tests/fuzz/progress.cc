// What ledgers and sinks keep: whatever decodes is what encodes again, and nothing else decodes.
#include <string>

#include "leat/split.h"
#include "parser/records/parser_state.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

template <class T>
void check(std::string_view input, const char* promise) {
  const Result<T> decoded = T::decode(input);
  if (!decoded) return;
  const std::string encoded = decoded->encode();
  const Result<T> again = T::decode(encoded);
  require(again && again->encode() == encoded, promise, input);
}

}  // namespace

void progress(std::string_view input) {
  check<Position>(input, "a position survives its encoding");
  check<SplitProgress>(input, "progress survives its encoding");
  check<Checkpoint>(input, "a checkpoint survives its encoding");
  check<parser::ParserState>(input, "a parser's state survives its encoding");
}

}  // namespace leat::fuzz
