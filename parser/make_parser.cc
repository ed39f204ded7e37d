#include <utility>

#include "leat/parser.h"
#include "parser/csv/csv_parser.h"

namespace leat {

Result<std::unique_ptr<ByteStreamParser>> make_parser(const FormatOptions& options,
                                                      std::shared_ptr<const Schema> schema) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  if (schema == nullptr && !options.header) {
    return Error{ErrorCode::kInvalidArgument,
                 "without a header the columns must be named: set --schema"};
  }
  if (schema != nullptr && schema->fields.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the schema has no columns"};
  }
  const Result<parser::SimdTarget> target = parser::choose_simd_target(options.simd);
  if (!target) return target.error();
  return std::unique_ptr<ByteStreamParser>(
      std::make_unique<parser::CsvParser>(options, *target, std::move(schema)));
}

}  // namespace leat
