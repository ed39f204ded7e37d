// Which entries a complete listing did not show, and since when.
//
// Marks have a kind of their own, so that a finished entry is never written again for being absent,
// and what is written follows what is absent, not what is there.
#pragma once

#include <string_view>

#include "leat/result.h"
#include "state/ledger.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace leat::state {

/// The part of Ledger::note_absence that reads. Adds the changes of the marks to `batch`.
///
/// @param status  Set when the database failed; the result means nothing then.
///   kCorrupt
Result<AbsenceStep> judge_absence(rocksdb::DB& db, const Absence& absence, std::string_view from,
                                  rocksdb::WriteBatch& batch, rocksdb::Status& status);

}  // namespace leat::state
