// What sinks with tables have to say in common.
#pragma once

#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/split.h"

namespace leat::connector {

/// The rows in `holder` are of a mark that does not follow the state folder's.
Error other_history(std::string_view holder, std::string_view pipeline, const EpochMark& rows,
                    const EpochMark& ledger);

// A table without lineage columns does not tell which object a row is from: such rows can neither
// be counted by object nor be taken out.
Error no_lineage_to_count_by(std::string_view table);
Error no_lineage_to_remove_by(std::string_view table);

}  // namespace leat::connector
