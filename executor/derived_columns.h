// What rows have beside their data: the partitions of their object's key, and lineage.
#pragma once

#include <optional>
#include <string_view>

#include "executor/partitions.h"
#include "executor/schema_registry.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/source.h"

namespace leat::executor {

/// Used by one thread.
class DerivedColumns {
 public:
  /// Both are borrowed.
  DerivedColumns(const SourceOptions& options, const SchemaRegistry& schemas);

  /// The chunks that follow are of the object `key`.
  ///   kBadValue  The key's partitions do not fit their types.
  Result<void> begin(std::string_view key);
  /// Makes a parser's chunk one of the schema that is delivered.
  void append_to(RowChunk& chunk) const;

 private:
  const SourceOptions& options_;
  const SchemaRegistry& schemas_;
  std::optional<PartitionReader> partitions_;  ///< Where the pipeline has any.
  const PartitionValues* values_ = nullptr;    ///< Of the object at hand.
};

}  // namespace leat::executor
