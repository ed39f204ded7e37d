#include "connector/sink_errors.h"

namespace leat::connector {

Error other_history(std::string_view holder, std::string_view pipeline, const EpochMark& rows,
                    const EpochMark& ledger) {
  return {ErrorCode::kStateMismatch,
          std::string(holder) + " holds the rows of \"" + std::string(pipeline) +
              "\" as of epoch " + std::to_string(rows.epoch) +
              ", and the state folder is at epoch " + std::to_string(ledger.epoch) +
              " of another history: the table was lost, rolled back or loaded by another state "
              "folder since. Restore it; or remove the state folder, which is then made anew from "
              "the table"};
}

Error no_lineage_to_count_by(std::string_view table) {
  return {ErrorCode::kUnsupported,
          "the table " + std::string(table) +
              " has no lineage columns (load --lineage), so that its rows cannot be told apart by "
              "object"};
}

Error no_lineage_to_remove_by(std::string_view table) {
  return {ErrorCode::kUnsupported,
          "the rows of single objects cannot be taken out of the table " + std::string(table) +
              ": it has no lineage columns. Load with --lineage from the start"};
}

}  // namespace leat::connector
