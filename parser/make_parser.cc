#include <utility>

#include "leat/parser.h"
#include "parser/records/record_parser.h"

namespace leat {
namespace {

/// What holds of each format, whatever the options say that it does not heed.
FormatOptions settled(FormatOptions options) {
  switch (options.kind) {
    case Format::kCsv:
    case Format::kPostgresCsv:
      break;
    case Format::kPostgresText:
      options.quote = '\0';
      break;
    case Format::kJsonLines:
      options.header = true;
      options.quote = '\0';
      options.null_strings = {""};  // The tokenizer's way to say so.
      break;
    case Format::kLines:
      options.header = false;
      options.quote = '\0';
      break;
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<ByteStreamParser>> make_parser(const FormatOptions& options,
                                                      std::shared_ptr<const Schema> schema) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  const FormatOptions format = settled(options);
  if (schema == nullptr && format.kind == Format::kLines) {
    schema = std::make_shared<const Schema>(Schema{{{"line", {}, true}}});
  }
  if (schema == nullptr && !format.header) {
    return Error{ErrorCode::kInvalidArgument,
                 "without a header the columns must be named: set --schema"};
  }
  if (schema != nullptr && schema->fields.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the schema has no columns"};
  }
  if (format.kind == Format::kLines && schema->fields.size() != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "lines have one column; the schema has " + std::to_string(schema->fields.size())};
  }
  const Result<parser::SimdTarget> target = parser::choose_simd_target(format.simd);
  if (!target) return target.error();
  return std::unique_ptr<ByteStreamParser>(
      std::make_unique<parser::RecordParser>(format, *target, std::move(schema)));
}

}  // namespace leat
