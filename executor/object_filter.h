// Which of the listed objects a pipeline takes up: by their partitions, times and keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/partitions.h"
#include "leat/result.h"
#include "leat/source.h"
#include "leat/split.h"

namespace leat::executor {

/// SourceOptions::where, modified_after_ms and key_after. Used by one thread at a time.
///
/// What cannot be decided is taken: a key whose partitions do not fit their types is read, and then
/// quarantined, rather than left out without a word.
class ObjectFilter {
 public:
  ///   kInvalidArgument  The syntax of `where`, with its place; a column that is no partition; a
  ///                     value that does not fit its column's type.
  static Result<ObjectFilter> create(const SourceOptions& options);

  bool takes(const ObjectVersion& object);

 private:
  struct Condition {
    enum class Kind { kCompare, kIn, kIsNull } kind = Kind::kCompare;
    bool negated = false;            ///< NOT IN, IS NOT NULL.
    bool less = false;               ///< kCompare: holds for values below operands[0] …
    bool equal = false;              ///< … equal to it …
    bool greater = false;            ///< … above it.
    std::size_t column = 0;          ///< Of the reader's schema.
    std::vector<Column> operands{};  ///< One row each, of the column's type.
  };
  class Compiler;

  ObjectFilter() : reader_(Schema{}) {}
  bool holds(const Condition& condition, const Column& value) const;

  std::vector<Condition> conditions_;  ///< All must hold.
  PartitionReader reader_;             ///< Of the columns in conditions_, all nullable.
  std::optional<std::int64_t> modified_after_ms_;
  std::string key_after_;
};

}  // namespace leat::executor
