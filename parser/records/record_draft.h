// One record as a state machine finds it, field by field, until it is filed as good or bad.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// How large a record may be.
struct RecordLimits {
  std::size_t bytes_max = 0;
  std::size_t fields_max = 0;
};

/// What came of the attempt to take a record.
enum class RecordOutcome : std::uint8_t {
  kTaken,
  kIncomplete,    ///< It goes on behind the input.
  kUnterminated,  ///< A quote is open at the end of the object.
  kTooLarge,
  kTooManyFields,
};

/// The error for one of the last three. `advice` says what to look for in a record too long.
Error error_of(RecordOutcome outcome, const RecordLimits& limits, std::string_view advice);

/// The record that begins at out.consumed. A faulty one ends where a good one would.
class RecordDraft {
 public:
  RecordDraft(TokenizedBlock& out, const RecordLimits& limits, bool final) noexcept
      : out_(out),
        limits_(limits),
        begin_(out.consumed),
        first_field_(out.fields.size()),
        final_(final) {}

  std::size_t begin() const noexcept { return begin_; }
  bool faulty() const noexcept { return fault_at_ != std::string_view::npos; }

  /// The first one stays. `reason` is of static storage.
  void fault(std::size_t at, std::string_view reason) noexcept {
    if (!faulty()) {
      fault_at_ = at;
      fault_reason_ = reason;
    }
  }

  /// A field that ends before a delimiter at `at`; more are to come.
  /// @return  kTaken, or the limit that is broken.
  RecordOutcome add(const FieldSpan& field, std::size_t at) {
    ++fields_;
    if (!faulty()) out_.fields.push_back(field);
    if (at - begin_ >= limits_.bytes_max) return RecordOutcome::kTooLarge;
    return fields_ == limits_.fields_max ? RecordOutcome::kTooManyFields : RecordOutcome::kTaken;
  }

  /// The last field; the record ends at `end`, with a line end of `line_end_bytes`.
  RecordOutcome finish(const FieldSpan& field, std::size_t end, std::size_t line_end_bytes);

  /// The record is not complete in an input of `size` bytes. The largest one may be followed by a
  /// CR that is still undecided.
  RecordOutcome give_up(std::size_t size, RecordOutcome outcome) const noexcept {
    return size - begin_ > limits_.bytes_max + (final_ ? 0 : 1) ? RecordOutcome::kTooLarge
                                                                : outcome;
  }

 private:
  TokenizedBlock& out_;
  const RecordLimits& limits_;
  std::size_t begin_;
  std::size_t first_field_;
  std::size_t fields_ = 0;
  std::size_t fault_at_ = std::string_view::npos;
  std::string_view fault_reason_;
  bool final_;
};

}  // namespace leat::parser
