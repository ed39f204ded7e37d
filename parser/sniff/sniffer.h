// From samples to dialect, columns and types: all of sniffing but the reading.
#pragma once

#include <vector>

#include "leat/result.h"
#include "leat/sniff.h"
#include "parser/sniff/sample.h"

namespace leat::parser {

/// Finds what `samples`, fronts of objects of one table, hold. SniffReport::objects has one entry
/// for each of them, in their order. Pure: no I/O, no state.
///
/// Without a record anywhere the report has no columns.
///   kNotText          None of the samples that hold bytes is text.
///   kRecordTooLarge   No record ends in any of them.
///   kMalformedRecord, kUnterminatedQuote  No record of them can be read, but for a header.
///   kFieldCount       None has as many fields as there are names.
///   kUnsupported      JSON lines where CSV was said, or format.kind is kLines.
///   kInvalidArgument  `format` does not validate.
Result<SniffReport> sniff_samples(std::vector<Sample> samples, const FormatOptions& format,
                                  const SniffedSettings& choose);

}  // namespace leat::parser
