// Reads single objects again, beside the stream of splits: for what replaces, replays or redrives.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "executor/derived_columns.h"
#include "executor/worker_context.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::executor {

/// Works on the caller's thread; used by one at a time. Nothing of what it reads is remembered.
class ObjectReader {
 public:
  /// The context is borrowed.
  ObjectReader(const WorkerContext& context, std::stop_token stop);

  /// Reads one version of an object from its front to its end, and hands its chunks to `deliver`,
  /// whose error ends it. The schema has to be known.
  ///
  /// @param fingerprint  Of what was read of the object, if not all of it was: it is read up to
  ///                     there.
  /// @return  The finished split.
  ///   kNotFound        The object is gone.
  ///   kSchemaMismatch  No schema is known.
  ///   Errors of reading and parsing, and of `deliver`.
  Result<SplitProgress> read(const ObjectVersion& object,
                             const std::optional<Fingerprint>& fingerprint,
                             const std::function<Result<void>(RowChunk)>& deliver);

  /// What a parser has to know of the object's front (Position::parser_state): its header.
  ///   as read()
  Result<std::string> parser_state_of(const ObjectVersion& object);

  /// A parser of this pipeline's objects, whose chunks complete() completes.
  ///   kSchemaMismatch  No schema is known.
  Result<std::unique_ptr<ByteStreamParser>> make_parser() const;
  /// The same, of rows as rejects with kRowRefused hold them: from the start of each.
  ///   kSchemaMismatch  No schema is known.
  Result<std::unique_ptr<ByteStreamParser>> make_refused_row_parser() const;

  /// Adds what a delivered chunk has beside the data.
  ///   kBadValue  The key's partitions do not fit their types.
  Result<void> complete(RowChunk& chunk);

 private:
  const WorkerContext& context_;
  const std::stop_token stop_;
  DerivedColumns derived_;
};

}  // namespace leat::executor
