// The one schema of a pipeline: given by the user, kept in the ledger, or taken from the first
// header.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "leat/parser.h"
#include "leat/result.h"
#include "leat/schema.h"
#include "state/ledger.h"

namespace leat::executor {

/// Thread-safe.
class SchemaRegistry {
 public:
  /// `ledger_writes` guards the ledger's write calls; both are borrowed.
  SchemaRegistry(state::Ledger& ledger, std::mutex& ledger_writes, bool lineage);

  /// Sets the schema given by the user, or else the one that an earlier run left in the ledger.
  ///   kCorrupt          The ledger's schema cannot be read.
  ///   kInvalidArgument  Lineage columns collide with the schema's.
  Result<void> start(const std::optional<Schema>& given);

  /// The schema the parsers use; null until it is known.
  std::shared_ptr<const Schema> parsed() const;
  /// The schema of delivered chunks: with lineage columns where those are asked for.
  std::shared_ptr<const Schema> delivered() const;

  /// While the schema is unknown, only the holder of this lock parses.
  std::unique_lock<std::mutex> lock_unknown() { return std::unique_lock(deriving_); }
  /// Fixes the schema taken from a header, durably, before its first row is delivered.
  Result<void> fix(std::shared_ptr<const Schema> schema);

 private:
  Result<void> set(std::shared_ptr<const Schema> schema);

  state::Ledger& ledger_;
  std::mutex& ledger_writes_;
  const bool lineage_;
  std::mutex deriving_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Schema> parsed_;
  std::shared_ptr<const Schema> delivered_;
};

}  // namespace leat::executor
