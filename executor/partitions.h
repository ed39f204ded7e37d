// Hive partitions: "dt=2026-11-20/hour=07/" in a key as values of typed columns.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::executor {

/// `schema` with the partitions' columns appended.
///   kInvalidArgument  A column of that name is there already.
Result<std::shared_ptr<const Schema>> with_partitions(const std::shared_ptr<const Schema>& schema,
                                                      const Schema& partitions);

/// The values of one key.
struct PartitionValues {
  std::vector<Column> columns;  ///< One row each. A partition that the key lacks is null.
};

/// Reads the partitions of keys. Used by one thread at a time.
///
/// A folder "name=value" is a partition; both are percent-decoded, and the innermost folder of a
/// name counts. Names are found as those of a header are (Schema::find). The value
/// __HIVE_DEFAULT_PARTITION__ is null. Values are read as quoted CSV fields are, so that the types
/// have one grammar.
class PartitionReader {
 public:
  explicit PartitionReader(Schema columns);

  const Schema& schema() const noexcept { return *schema_; }

  /// `key`'s values; borrowed until the next call. Keys of one folder cost one look.
  ///   kBadValue  A value does not fit its column's type, or one that is "not null" is missing.
  Result<const PartitionValues*> read(std::string_view key);

 private:
  Result<void> convert(const std::vector<const std::string*>& texts);

  std::shared_ptr<const Schema> schema_;
  std::unique_ptr<ByteStreamParser> parser_;
  std::string folder_;  ///< Of values_.
  bool known_ = false;
  Result<void> outcome_;
  PartitionValues values_;
};

/// Appends the values to a chunk as columns, the same in each row. Its schema is the caller's to
/// set.
void append_partitions(const Schema& partitions, const PartitionValues& values, RowChunk& chunk);

}  // namespace leat::executor
