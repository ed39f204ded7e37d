#include "parser/records/record_draft.h"

namespace leat::parser {

Error error_of(RecordOutcome outcome, const RecordLimits& limits, std::string_view advice) {
  if (outcome == RecordOutcome::kUnterminated) {
    return {ErrorCode::kUnterminatedQuote,
            "a quoted field is still open at the end of the object; look for a lone quote, or set "
            "--quote"};
  }
  if (outcome == RecordOutcome::kTooManyFields) {
    return {ErrorCode::kRecordTooLarge, "a record has more than " +
                                            std::to_string(limits.fields_max) +
                                            " fields; see --max-fields"};
  }
  return {ErrorCode::kRecordTooLarge, "a record is longer than " +
                                          std::to_string(limits.bytes_max) + " bytes; " +
                                          std::string(advice) + ", or raise --max-record-bytes"};
}

RecordOutcome RecordDraft::finish(const FieldSpan& field, std::size_t end,
                                  std::size_t line_end_bytes) {
  if (end - begin_ > limits_.bytes_max) return RecordOutcome::kTooLarge;
  const auto record_begin = static_cast<std::uint32_t>(begin_);
  const auto record_end = static_cast<std::uint32_t>(end);
  if (faulty()) {
    out_.fields.resize(first_field_);
    out_.bad.push_back({out_.record_begin.size() + out_.bad.size(), record_begin, record_end,
                        ErrorCode::kMalformedRecord, static_cast<std::uint32_t>(fault_at_),
                        std::string(fault_reason_)});
  } else {
    out_.fields.push_back(field);
    out_.first_field.push_back(out_.fields.size());
    out_.record_begin.push_back(record_begin);
    out_.record_end.push_back(record_end);
  }
  out_.consumed = end + line_end_bytes;
  return RecordOutcome::kTaken;
}

}  // namespace leat::parser
