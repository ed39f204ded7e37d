// Which of the listed objects a pipeline takes up: by their partitions, times and keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/glob.h"
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

  /// Of the keys that `glob` matches, those in some folders need not be looked at: where a key
  /// cannot have two folders of a name, the one that it has decides for all below it.
  void narrow(const connector::Glob& glob);
  /// Folders can decide, so that it is worth to look at them.
  bool narrows() const;
  /// Whether takes() is false for every matching key in `folder` ('/' at its end).
  bool excludes(std::string_view folder);
  /// Whether a folder in `folder` may decide what it does not.
  bool open_in(std::string_view folder);

 private:
  struct Condition {
    enum class Kind { kCompare, kIn, kIsNull } kind = Kind::kCompare;
    bool negated = false;            ///< NOT IN, IS NOT NULL.
    bool less = false;               ///< kCompare: holds for values below operands[0] …
    bool equal = false;              ///< … equal to it …
    bool greater = false;            ///< … above it.
    std::size_t column = 0;          ///< Of columns_.
    std::vector<Column> operands{};  ///< One row each, of the column's type.
  };
  class Compiler;

  /// One partition, nullable, read by itself: whether another one fits its type is not its matter.
  struct PartitionColumn {
    PartitionReader reader;
    bool narrows = false;

    const DataType& type() const { return reader.schema().fields[0].type; }
    /// nullptr: the value does not fit.
    const Column* read(std::string_view key);
  };

  ObjectFilter() = default;
  bool holds(const Condition& condition, const Column& value) const;

  std::vector<Condition> conditions_;  ///< All must hold.
  std::vector<PartitionColumn> columns_;
  std::optional<std::int64_t> modified_after_ms_;
  std::string key_after_;
};

}  // namespace leat::executor
