// The one schema of a pipeline, and the dialect that belongs to it: given by the user, kept in the
// ledger, or found in the first objects.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "leat/parser.h"
#include "leat/result.h"
#include "leat/schema.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// The columns of the chunks, where `schema` holds those of the data.
///   kInvalidArgument  A partition or a lineage column has the name of one before it.
Result<std::shared_ptr<const Schema>> delivered_schema(const std::shared_ptr<const Schema>& schema,
                                                       const SourceOptions& options);

/// Thread-safe.
class SchemaRegistry {
 public:
  /// Both are borrowed.
  SchemaRegistry(const SourceOptions& options, state::Ledger& ledger);

  /// Sets the schema given by the user, or else the one that an earlier run left in the ledger.
  ///   kCorrupt          The ledger's schema or dialect cannot be read.
  ///   kInvalidArgument  Lineage columns collide with the schema's, or the options with the
  ///                     ledger's dialect.
  Result<void> start();

  /// The schema the parsers use; null until it is known.
  std::shared_ptr<const Schema> parsed() const;
  /// The schema of delivered chunks: with lineage columns where those are asked for.
  std::shared_ptr<const Schema> delivered() const;
  /// What parsers are made with. Final as soon as parsed() is not null.
  FormatOptions format() const;

  /// While the schema is unknown, only the holder of this lock parses.
  std::unique_lock<std::mutex> lock_unknown() { return std::unique_lock(deriving_); }
  /// Fixes the schema taken from a header, durably, before its first row is delivered.
  Result<void> fix(std::shared_ptr<const Schema> schema);
  /// The same with the dialect in which it was found.
  Result<void> fix(std::shared_ptr<const Schema> schema, const FormatOptions& format);

 private:
  Result<void> set(std::shared_ptr<const Schema> schema);
  Result<void> adopt_dialect(std::string_view fact);

  const SourceOptions& options_;
  state::Ledger& ledger_;
  std::mutex deriving_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Schema> parsed_;
  std::shared_ptr<const Schema> delivered_;
  FormatOptions format_;
};

}  // namespace leat::executor
