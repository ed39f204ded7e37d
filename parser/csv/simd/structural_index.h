// Where the bytes that matter stand: delimiters and line feeds outside quotes, found 64 at a time.
//
// The index is exact where quotes keep this rule: an opening one stands at the start of a field, a
// closing one in front of a delimiter, line end or another quote. There every reading of RFC 4180
// agrees that quotes open and close in turn. Where the rule is broken, or a CR outside quotes is
// not followed by LF, the index ends: what the bytes mean there is for the state machine to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "leat/row_chunk.h"
#include "parser/simd/target.h"

namespace leat::parser {

/// Of one piece of input. Reused from call to call to keep its memory.
struct StructuralIndex {
  static constexpr std::size_t kNone = SIZE_MAX;

  Buffer positions;            ///< uint32 × (1 + count), ascending: where the index begins, less
                               ///< one; then delimiters and LFs outside quotes.
  std::size_t count = 0;       ///< Of delimiters and LFs.
  std::size_t line_feeds = 0;  ///< Of them. An LF may have a CR in front of it.
  std::size_t breach = kNone;  ///< Where the index ends early: a byte of the record that breaks
                               ///< the rule. Whatever is in front of that record is exact.
  bool has_quotes = false;     ///< Any, inside or outside. These three may also count bytes
  bool has_returns = false;    ///< behind the breach.
  bool has_non_ascii = false;  ///< Any byte >= 0x80.
  bool ends_inside_quotes = false;
};

/// What one step carries to the next, and what it found. For the code of each target only.
struct IndexState {
  char delimiter = 0;
  char quote = 0;
  std::uint64_t quoting = 0;  ///< All ones; zero in a dialect without quotes.

  std::uint64_t inside = 0;         ///< All ones: the bytes before end inside quotes.
  std::uint64_t after_start = 1;    ///< The byte before is a delimiter, LF or quote.
  std::uint64_t after_closing = 0;  ///< It is a closing quote.
  std::uint64_t after_return = 0;   ///< It is a CR outside quotes.
  std::uint64_t returns = 0;        ///< Any CR so far: not zero.
  bool has_quotes = false;
  bool has_non_ascii = false;
  std::size_t line_feeds = 0;
  std::size_t breach = StructuralIndex::kNone;
  /// Where the next position goes; up to 64 are written past it. Null: none are wanted.
  std::uint32_t* next = nullptr;
  std::size_t line_end = 0;  ///< Behind the last LF outside quotes. Kept without positions only.
};

/// Indexes CSV of one dialect. Immutable, thread-safe.
class StructuralIndexer {
 public:
  /// A `quote` of '\0': there are none. The target is available.
  StructuralIndexer(SimdTarget target, char delimiter, char quote) noexcept;

  /// Indexes `input` from `from`, the start of a record, to its end or a breach. Positions count
  /// from input[0]. Reads no byte outside of `input`, which holds less than 2^31.
  void index(std::string_view input, std::size_t from, StructuralIndex& out) const;

  /// How many bytes at the front of `input`, which begins with a record and holds less than 2^31
  /// bytes, are records that end with LF, in front of the first record that breaks the rule.
  std::size_t end_of_last_record(std::string_view input) const;

  /// Whether an odd number of quotes is in `input`.
  bool has_odd_quotes(std::string_view input) const noexcept;

 private:
  /// Indexes `steps` × 64 bytes; `position` is that of the first of them.
  using IndexSteps = void (*)(const char* bytes, std::size_t steps, std::uint32_t position,
                              IndexState& state);
  static IndexSteps steps_of(SimdTarget target) noexcept;
  /// Whether `byte` occurs an odd number of times in `steps` × 64 bytes.
  using HasOddCount = bool (*)(const char* bytes, std::size_t steps, char byte);
  static HasOddCount odd_count_of(SimdTarget target) noexcept;

  IndexSteps index_steps_;
  HasOddCount has_odd_count_;
  char delimiter_;
  char quote_;
};

}  // namespace leat::parser
