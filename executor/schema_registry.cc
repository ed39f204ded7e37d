#include "executor/schema_registry.h"

#include <utility>

#include "executor/lineage.h"

namespace leat::executor {
namespace {
constexpr std::string_view kSchemaFact = "schema";
}

SchemaRegistry::SchemaRegistry(state::Ledger& ledger, std::mutex& ledger_writes, bool lineage)
    : ledger_(ledger), ledger_writes_(ledger_writes), lineage_(lineage) {}

Result<void> SchemaRegistry::start(const std::optional<Schema>& given) {
  if (given) return set(std::make_shared<const Schema>(*given));
  const std::optional<std::string> kept = ledger_.meta(kSchemaFact);
  if (!kept) return {};
  Result<Schema> schema = parse_schema(*kept);
  if (!schema) {
    Error error = std::move(schema).error();
    error.code = ErrorCode::kCorrupt;
    error.message = "the schema kept in the state folder cannot be read: " + error.message;
    return error;
  }
  return set(std::make_shared<const Schema>(std::move(*schema)));
}

Result<void> SchemaRegistry::set(std::shared_ptr<const Schema> schema) {
  std::shared_ptr<const Schema> delivered = schema;
  if (lineage_) {
    Result<std::shared_ptr<const Schema>> extended = with_lineage(schema);
    if (!extended) return std::move(extended).error();
    delivered = std::move(*extended);
  }
  const std::lock_guard lock(mutex_);
  parsed_ = std::move(schema);
  delivered_ = std::move(delivered);
  return {};
}

std::shared_ptr<const Schema> SchemaRegistry::parsed() const {
  const std::lock_guard lock(mutex_);
  return parsed_;
}

std::shared_ptr<const Schema> SchemaRegistry::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

Result<void> SchemaRegistry::fix(std::shared_ptr<const Schema> schema) {
  {
    const std::lock_guard lock(ledger_writes_);
    Result<void> kept = ledger_.put_meta(kSchemaFact, schema->to_sql());
    if (!kept) return kept;
  }
  return set(std::move(schema));
}

}  // namespace leat::executor
