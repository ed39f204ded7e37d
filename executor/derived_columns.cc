#include "executor/derived_columns.h"

#include <memory>
#include <utility>

#include "executor/lineage.h"

namespace leat::executor {

DerivedColumns::DerivedColumns(const SourceOptions& options, const SchemaRegistry& schemas)
    : options_(options), schemas_(schemas) {
  if (!options_.partitions.fields.empty()) partitions_.emplace(options_.partitions);
}

Result<void> DerivedColumns::begin(std::string_view key) {
  if (!partitions_) return {};
  Result<const PartitionValues*> values = partitions_->read(key);
  if (!values) return std::move(values).error();
  values_ = *values;
  return {};
}

void DerivedColumns::append_to(RowChunk& chunk) const {
  std::shared_ptr<const Schema> delivered = schemas_.delivered();
  if (partitions_) append_partitions(partitions_->schema(), *values_, chunk);
  if (options_.lineage) append_lineage(delivered, chunk);
  chunk.schema = std::move(delivered);
}

}  // namespace leat::executor
