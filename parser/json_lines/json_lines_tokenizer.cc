// An object's keys find their columns by the place that the same key had in the record before, for
// writers keep an order; else through a table.
#include "parser/json_lines/json_lines_tokenizer.h"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parser/json_lines/json_scanner.h"
#include "parser/lines/line_tokenizer.h"
#include "parser/records/excerpt.h"
#include "parser/records/record_checks.h"

namespace leat::parser {
namespace {

constexpr std::string_view kNotObject = "the line is no JSON object";
constexpr std::string_view kArray =
    "the line begins with an array, where each line must be one object; an object that is one "
    "array of records has to be rewritten as lines";

std::uint32_t narrow(std::size_t offset) { return static_cast<std::uint32_t>(offset); }

/// Reads the object of a line; what becomes of its members is for others to say.
class JsonTokenizer : public LineTokenizer {
 public:
  JsonTokenizer(const FormatOptions& options, SimdTarget target)
      : LineTokenizer(options), check_utf8_(check_utf8_of(target)) {}

 protected:
  /// Called for each member of the record that begins at `begin` in the input; tokens count from
  /// there. False: the record is bad (see refuse).
  virtual bool take_member(std::string_view input, std::size_t begin, const JsonToken& key,
                           const JsonToken& value, TokenizedBlock& out) = 0;
  virtual void begin_record(std::size_t begin, TokenizedBlock& out) = 0;
  /// False: the record is bad.
  virtual bool end_record(std::size_t begin, TokenizedBlock& out) = 0;

  /// Files the record as bad for what stands at `at`.
  static bool refuse(std::size_t at, std::string reason, TokenizedBlock& out,
                     ErrorCode code = ErrorCode::kMalformedRecord) {
    out.bad.push_back({0, 0, 0, code, narrow(at), std::move(reason)});
    return false;
  }
  /// A key's text.
  std::string_view key_text(std::string_view input, std::size_t begin, const JsonToken& key) {
    const std::string_view raw = input.substr(begin + key.begin + 1, key.end - key.begin - 2);
    if (!key.escaped) return raw;
    key_.clear();
    unescape_json(raw, key_);
    return key_;
  }

 private:
  LineOutcome take_line(std::string_view input, std::size_t begin, std::size_t end,
                        TokenizedBlock& out) final;
  LineOutcome take_members(std::string_view input, std::size_t begin, TokenizedBlock& out);
  LineOutcome refuse_scanned(std::size_t begin, TokenizedBlock& out) const {
    refuse(begin + scanner_.fault_at(), std::string(scanner_.fault_reason()), out);
    return LineOutcome::kBad;
  }
  void check_records(std::string_view input, TokenizedBlock& out) const final {
    refuse_non_utf8(input, check_utf8_, out);
  }

  CheckUtf8 check_utf8_;
  JsonScanner scanner_;
  std::string key_;
};

LineTokenizer::LineOutcome JsonTokenizer::take_line(std::string_view input, std::size_t begin,
                                                    std::size_t end, TokenizedBlock& out) {
  scanner_.start(input.substr(begin, end - begin));
  scanner_.skip_space();
  if (scanner_.at_end()) return LineOutcome::kBlank;
  const std::size_t first = begin + scanner_.at();
  if (!scanner_.take('{')) {
    refuse(first, std::string(input[first] == '[' ? kArray : kNotObject), out);
    return LineOutcome::kBad;
  }
  begin_record(begin, out);
  const LineOutcome outcome = take_members(input, begin, out);
  if (outcome != LineOutcome::kRecord) return outcome;
  scanner_.skip_space();
  if (!scanner_.at_end()) {
    refuse(begin + scanner_.at(), "text behind the object; each line holds one", out);
    return LineOutcome::kBad;
  }
  return end_record(begin, out) ? LineOutcome::kRecord : LineOutcome::kBad;
}

LineTokenizer::LineOutcome JsonTokenizer::take_members(std::string_view input, std::size_t begin,
                                                       TokenizedBlock& out) {
  scanner_.skip_space();
  if (scanner_.take('}')) return LineOutcome::kRecord;
  JsonToken key;
  JsonToken value;
  for (std::size_t members = 1;; ++members) {
    scanner_.skip_space();
    if (!scanner_.take_string(key)) return refuse_scanned(begin, out);
    scanner_.skip_space();
    if (!scanner_.take(':')) {
      refuse(begin + scanner_.at(), "a key without a colon behind it", out);
      return LineOutcome::kBad;
    }
    scanner_.skip_space();
    if (!scanner_.take_value(value)) return refuse_scanned(begin, out);
    if (!take_member(input, begin, key, value, out)) return LineOutcome::kBad;
    scanner_.skip_space();
    if (scanner_.take('}')) return LineOutcome::kRecord;
    if (!scanner_.take(',')) {
      refuse(begin + scanner_.at(), "neither a comma nor a closing bracket", out);
      return LineOutcome::kBad;
    }
    if (members == limits().fields_max) return LineOutcome::kTooManyFields;
  }
}

class JsonColumnsTokenizer final : public JsonTokenizer {
 public:
  JsonColumnsTokenizer(const FormatOptions& options, SimdTarget target,
                       std::shared_ptr<const Schema> schema, ExtraColumns extra)
      : JsonTokenizer(options, target),
        schema_(std::move(schema)),
        refuses_extra_(extra == ExtraColumns::kFail),
        refuses_missing_(options.missing_columns == MissingColumns::kFail),
        seen_in_(schema_->fields.size(), 0) {
    for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
      columns_.emplace(schema_->fields[i].name, i);
    }
  }

 private:
  static constexpr std::size_t kNoColumn = SIZE_MAX;

  /// A key as it is written, and its column.
  struct KnownKey {
    std::string text;
    std::size_t column = kNoColumn;
  };

  void begin_record(std::size_t begin, TokenizedBlock& out) override {
    first_field_ = out.fields.size();
    const FieldSpan missing{narrow(begin), narrow(begin)};
    out.fields.resize(first_field_ + schema_->fields.size(), missing);
    ++record_;
    members_ = 0;
    columns_found_ = 0;
  }
  bool take_member(std::string_view input, std::size_t begin, const JsonToken& key,
                   const JsonToken& value, TokenizedBlock& out) override;
  bool end_record(std::size_t begin, TokenizedBlock& out) override;
  std::size_t column_of(std::string_view input, std::size_t begin, const JsonToken& key);
  FieldSpan span_of(const JsonToken& value, std::size_t begin, TypeId type) const;

  std::shared_ptr<const Schema> schema_;
  bool refuses_extra_;
  bool refuses_missing_;
  std::unordered_map<std::string_view, std::size_t> columns_;
  std::vector<KnownKey> last_keys_;  ///< Of the record before, in its order.

  std::uint64_t record_ = 0;            ///< Counts up, to tell records apart.
  std::vector<std::uint64_t> seen_in_;  ///< Per column: the last record that had it.
  std::size_t first_field_ = 0;
  std::size_t members_ = 0;
  std::size_t columns_found_ = 0;
};

std::size_t JsonColumnsTokenizer::column_of(std::string_view input, std::size_t begin,
                                            const JsonToken& key) {
  const std::string_view raw = input.substr(begin + key.begin, key.end - key.begin);
  if (members_ == last_keys_.size()) last_keys_.emplace_back();
  KnownKey& last = last_keys_[members_++];
  if (last.text == raw) return last.column;
  const auto found = columns_.find(key_text(input, begin, key));
  last.text = raw;
  last.column = found == columns_.end() ? kNoColumn : found->second;
  return last.column;
}

FieldSpan JsonColumnsTokenizer::span_of(const JsonToken& value, std::size_t begin,
                                        TypeId type) const {
  FieldSpan span{narrow(begin + value.begin), narrow(begin + value.end)};
  if (value.kind == JsonToken::Kind::kNull) span.end = span.begin;
  if (value.kind != JsonToken::Kind::kString) return span;
  span.quoted = true;
  if (type == TypeId::kJson) return span;
  ++span.begin;
  --span.end;
  span.escaped = value.escaped;
  span.escaping = Escaping::kJson;
  return span;
}

bool JsonColumnsTokenizer::take_member(std::string_view input, std::size_t begin,
                                       const JsonToken& key, const JsonToken& value,
                                       TokenizedBlock& out) {
  const std::size_t column = column_of(input, begin, key);
  const std::size_t at = begin + key.begin;
  if (column == kNoColumn) {
    if (!refuses_extra_) return true;
    return refuse(at,
                  "the schema has no column for the key " + excerpt(key_text(input, begin, key)) +
                      "; add it to --schema, or set --extra-columns ignore",
                  out, ErrorCode::kSchemaMismatch);
  }
  if (seen_in_[column] == record_) {
    return refuse(at, "the key " + excerpt(schema_->fields[column].name) + " stands there twice",
                  out);
  }
  seen_in_[column] = record_;
  ++columns_found_;
  const TypeId type = schema_->fields[column].type.id;
  if (value.lone_surrogate) {
    if (type == TypeId::kBytes) {
      return refuse(begin + value.begin, "half of a surrogate pair stands for no bytes", out);
    }
    out.escapes_may_break_utf8 = true;
  }
  out.fields[first_field_ + column] = span_of(value, begin, type);
  return true;
}

bool JsonColumnsTokenizer::end_record(std::size_t begin, TokenizedBlock& out) {
  if (refuses_missing_ && columns_found_ != seen_in_.size()) {
    std::size_t column = 0;
    while (seen_in_[column] == record_) ++column;
    return refuse(begin, "the record lacks the key " + excerpt(schema_->fields[column].name), out,
                  ErrorCode::kSchemaMismatch);
  }
  if (members_ == 0 || columns_found_ != 0) return true;
  return refuse(
      begin,
      "none of the record's keys is a column; the first one is " +
          excerpt(std::string_view(last_keys_[0].text).substr(1, last_keys_[0].text.size() - 2)) +
          "; keys are matched as they are spelt",
      out, ErrorCode::kSchemaMismatch);
}

class JsonKeysTokenizer final : public JsonTokenizer {
 public:
  using JsonTokenizer::JsonTokenizer;

 private:
  void begin_record(std::size_t, TokenizedBlock&) override {}
  bool take_member(std::string_view, std::size_t begin, const JsonToken& key, const JsonToken&,
                   TokenizedBlock& out) override {
    out.fields.push_back({narrow(begin + key.begin + 1), narrow(begin + key.end - 1), true,
                          key.escaped, Escaping::kJson});
    return true;
  }
  bool end_record(std::size_t begin, TokenizedBlock& out) override {
    return !out.fields.empty() || refuse(begin, "the object has no keys; set --schema", out);
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_json_lines_tokenizer(const FormatOptions& options,
                                                     SimdTarget target,
                                                     std::shared_ptr<const Schema> schema,
                                                     ExtraColumns extra) {
  return std::make_unique<JsonColumnsTokenizer>(options, target, std::move(schema), extra);
}

std::unique_ptr<Tokenizer> make_json_keys_tokenizer(const FormatOptions& options,
                                                    SimdTarget target) {
  return std::make_unique<JsonKeysTokenizer>(options, target);
}

}  // namespace leat::parser
