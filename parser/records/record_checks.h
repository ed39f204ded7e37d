// What formats refuse besides broken structure: bytes that must not stand in a record at all.
#pragma once

#include <cstddef>
#include <string_view>

#include "parser/records/simd/utf8_check.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// Makes bad records of the good ones in which `find` finds something: it gives the place in the
/// record, or npos. `reason` is of static storage; the block is no matrix.
void refuse_records(std::string_view input, std::size_t (*find)(std::string_view record),
                    std::string_view reason, TokenizedBlock& block);

/// Refuses records that are not UTF-8, as `check` finds fast where there are none.
void refuse_non_utf8(std::string_view input, CheckUtf8 check, TokenizedBlock& block);

/// Refuses records that hold a NUL.
void refuse_nul(std::string_view input, std::string_view reason, TokenizedBlock& block);

}  // namespace leat::parser
