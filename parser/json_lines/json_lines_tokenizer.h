// JSON lines as records of fields: one field for each column, found by its key.
#pragma once

#include <memory>
#include <string_view>

#include "leat/parser.h"
#include "leat/schema.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// Each line holds one object; lines of white space are skipped. The fields of a record are the
/// schema's columns in their order: a string's content, any other value as it is written, nothing
/// (unquoted) for null and for what is not there. A json column also keeps the quotes of a string.
///
/// Bad records: what is not one JSON object in UTF-8; a column's key twice; none of the columns
/// among its keys; with `extra` kFail, any other key. The target is available.
std::unique_ptr<Tokenizer> make_json_lines_tokenizer(const FormatOptions& options,
                                                     SimdTarget target,
                                                     std::shared_ptr<const Schema> schema,
                                                     ExtraColumns extra);

/// The fields of a record are the keys of its object: its first record names an object's columns.
std::unique_ptr<Tokenizer> make_json_keys_tokenizer(const FormatOptions& options,
                                                    SimdTarget target);

}  // namespace leat::parser
