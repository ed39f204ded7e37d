// The schema of a pipeline that has none yet, from a sample of its first objects.
#pragma once

#include <stop_token>
#include <utility>

#include "executor/schema_registry.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/schema.h"
#include "leat/sniff.h"
#include "leat/source.h"
#include "leat/split.h"
#include "parser/sniff/sample.h"

namespace leat::executor {

/// Used by one worker at a time: the one that holds SchemaRegistry::lock_unknown.
class SchemaSniffer {
 public:
  /// Everything is borrowed.
  SchemaSniffer(const SourceOptions& options, const ObjectStore& store, const Clock& clock,
                SchemaRegistry& schemas)
      : options_(options), store_(store), clock_(clock), schemas_(schemas) {}

  /// Whether the options ask for it.
  bool is_wanted() const noexcept {
    return options_.types == SourceOptions::Types::kSniff && options_.format.kind != Format::kLines;
  }

  /// The columns of the table that the rows are for: their types outrank those that a sample
  /// suggests. Before the first settle().
  void follow(Schema table) { table_ = std::move(table); }

  /// Looks at the split that is due, and at other objects beside it, and fixes schema and dialect
  /// in the registry, for good, before a row is delivered.
  ///
  /// @return  False: the split holds no record, so that nothing is known yet, and nothing is left
  ///          to read of it.
  ///   kNotText, kMalformedRecord, kRecordTooLarge, kSchemaMismatch  The split is at fault: no
  ///                       columns can be found in it.
  ///   Errors of reading it; kDiskFull and kIo of the ledger.
  Result<bool> settle(const ObjectVersion& due, std::stop_token stop);

 private:
  Result<SniffReport> look_at_others(parser::Sample due, const ObjectVersion& object,
                                     std::stop_token stop) const;

  const SourceOptions& options_;
  const ObjectStore& store_;
  const Clock& clock_;
  SchemaRegistry& schemas_;
  Schema table_;
};

}  // namespace leat::executor
