// A whole source as one Arrow stream: what any Arrow library reads to its end.
//
// Exactly once with a stream:
//
//     get_next … get_next  →  checkpoint()  →  consumer commits rows + checkpoint  →  commit()
//
// Every row that get_next has handed out counts as delivered, and no other: between two calls of
// get_next the source's checkpoint() covers just these rows. A library that reads ahead on its own
// knows of rows that the consumer has not seen; with one of those, commit at the stream's end.
#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "leat/arrow_c.h"
#include "leat/row_chunk.h"
#include "leat/source.h"
#include "leat/split.h"

namespace leat {

struct ArrowStreamOptions {
  /// Ends the waiting for rows: get_next then gives ECANCELED, within about a tenth of a second.
  std::stop_token stop = {};
  /// Takes records that became no rows (OnError::kReject), before the rows of their chunk are
  /// handed out, in the thread of get_next. Empty: a stream has no place for them, and the first
  /// one is an error. It must not throw: an exception ends the stream with EIO (std::bad_alloc:
  /// ENOMEM).
  std::function<void(const ObjectVersion& object, std::span<const RejectedRow> rejects)>
      on_rejects = {};
};

/// Fills `out` with a stream of `source`. The caller owns it and calls out->release, before or
/// after the source is closed; the arrays and schemas that it handed out live on.
///
/// @param source  Borrowed: outlives the stream's last get_schema and get_next. These two count as
///                poll(): call them, checkpoint() and commit() from one thread, and poll() never.
///
/// get_schema  Waits for the first object's header where the schema is not known yet; if the source
///             ends without one, gives a schema of no columns. It may then hold the first rows
///             back: take no checkpoint between it and the first get_next.
/// get_next    Waits for rows, through any number of idle polls. Batches have at least one row and
///             come from one object each. At the source's end gives a released array, again at each
///             further call.
///
/// Both give 0 or an errno value; get_last_error then says what happened and what to do, until the
/// next call on the stream:
///   ESTALE     An object changed while it was read: drop its rows since the last commit, then go
///              on with this stream. Who cannot tell them apart (the column _object, see
///              SourceOptions::lineage) drops all rows since then, and opens the source again.
///   ECANCELED  `stop` was requested.
///   ENOMEM, and EINVAL, EACCES, ENOENT, ENOSPC, ETIMEDOUT or EIO for the errors of Source::poll
/// After any but ESTALE the stream is at its end: each further call gives the same. Rows may then
/// be lost to it that the source has counted: after any but ESTALE and ECANCELED, take no
/// checkpoint.
void export_stream(Source& source, ArrowArrayStream* out, ArrowStreamOptions options = {});

}  // namespace leat
