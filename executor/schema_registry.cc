#include "executor/schema_registry.h"

#include <cstdio>
#include <string>
#include <utility>

#include "executor/lineage.h"
#include "executor/partitions.h"

namespace leat::executor {
namespace {

constexpr std::string_view kSchemaFact = "schema";
constexpr std::string_view kDialectFact = "dialect";

constexpr std::string_view kPostgresText = " dialect=postgres-text";
constexpr std::string_view kIgnoreEmptyRest = " long_records=ignore-empty";

/// Characters as their codes, 0 for none: "delimiter=59 quote=34 …"; then what few objects have.
std::string dialect_fact(const FormatOptions& format) {
  const auto code = [](char c) { return std::to_string(static_cast<unsigned char>(c)); };
  return "delimiter=" + code(format.delimiter) + " quote=" + code(format.quote) +
         " escape=" + code(format.escape) + " comment=" + code(format.comment.value_or('\0')) +
         " header=" + (format.header ? "1" : "0") +
         " skip_lines=" + std::to_string(format.skip_lines) +
         std::string(format.kind == Format::kPostgresText ? kPostgresText : "") +
         std::string(format.long_records == LongRecords::kIgnoreEmpty ? kIgnoreEmptyRest : "");
}

std::optional<FormatOptions> dialect_of(const std::string& fact) {
  unsigned delimiter = 0;
  unsigned quote = 0;
  unsigned escape = 0;
  unsigned comment = 0;
  unsigned header = 0;
  unsigned long long skip_lines = 0;
  if (std::sscanf(fact.c_str(),
                  "delimiter=%u quote=%u escape=%u comment=%u header=%u skip_lines=%llu",
                  &delimiter, &quote, &escape, &comment, &header, &skip_lines) != 6) {
    return std::nullopt;
  }
  FormatOptions format;
  if (fact.find(kPostgresText) != std::string::npos) {
    if (Result<FormatOptions> text = dialect_options("postgres-text")) format = *std::move(text);
  }
  format.delimiter = static_cast<char>(delimiter);
  format.quote = static_cast<char>(quote);
  format.escape = static_cast<char>(escape);
  if (comment != 0) format.comment = static_cast<char>(comment);
  format.header = header == 1;
  format.skip_lines = skip_lines;
  if (fact.find(kIgnoreEmptyRest) != std::string::npos) {
    format.long_records = LongRecords::kIgnoreEmpty;
  }
  if (dialect_fact(format) != fact) return std::nullopt;
  return format;
}

}  // namespace

SchemaRegistry::SchemaRegistry(const SourceOptions& options, state::Ledger& ledger)
    : options_(options), ledger_(ledger), format_(options.format) {}

Result<void> SchemaRegistry::start() {
  if (const std::optional<std::string> kept = ledger_.meta(kDialectFact)) {
    if (Result<void> adopted = adopt_dialect(*kept); !adopted) return adopted;
  }
  if (options_.schema) return set(std::make_shared<const Schema>(*options_.schema));
  const std::optional<std::string> kept = ledger_.meta(kSchemaFact);
  if (!kept) {
    // A sample was taken, and the process ended before its schema was kept: another will be.
    format_ = options_.format;
    return {};
  }
  Result<Schema> schema = parse_schema(*kept);
  if (!schema) {
    Error error = std::move(schema).error();
    error.code = ErrorCode::kCorrupt;
    error.message = "the schema kept in the state folder cannot be read: " + error.message;
    return error;
  }
  return set(std::make_shared<const Schema>(std::move(*schema)));
}

/// What the options leave open stays as it was found: other characters would find other rows in
/// objects that were begun.
Result<void> SchemaRegistry::adopt_dialect(std::string_view fact) {
  const std::optional<FormatOptions> kept = dialect_of(std::string(fact));
  if (!kept) {
    return Error{ErrorCode::kCorrupt, "the dialect kept in the state folder cannot be read: \"" +
                                          std::string(fact) + "\""};
  }
  const SniffedSettings open = open_settings(options_.format, options_.sniffed);
  if (open.dialect && open.quote && kept->kind == Format::kPostgresText) {
    format_.kind = kept->kind;
    if (format_.null_strings == FormatOptions().null_strings) {
      format_.null_strings = kept->null_strings;
    }
  }
  if (open.delimiter) format_.delimiter = kept->delimiter;
  if (open.quote) {
    format_.quote = kept->quote;
    format_.escape = kept->escape;
  }
  if (open.comment) format_.comment = kept->comment;
  if (open.header) {
    format_.header = kept->header;
    if (format_.skip_lines == 0) format_.skip_lines = kept->skip_lines;
  }
  if (open.long_records) format_.long_records = kept->long_records;
  Result<void> valid = format_.validate();
  if (valid) return {};
  Error error = std::move(valid).error();
  error.message += "; what no flag says is kept in the state folder since the first start";
  return error;
}

Result<std::shared_ptr<const Schema>> delivered_schema(const std::shared_ptr<const Schema>& schema,
                                                       const SourceOptions& options) {
  Result<std::shared_ptr<const Schema>> delivered = schema;
  if (!options.partitions.fields.empty()) {
    delivered = with_partitions(*delivered, options.partitions);
  }
  if (delivered && options.lineage) {
    delivered = with_lineage(*delivered, options.lineage_modified);
  }
  return delivered;
}

Result<void> SchemaRegistry::set(std::shared_ptr<const Schema> schema) {
  Result<std::shared_ptr<const Schema>> delivered = delivered_schema(schema, options_);
  if (!delivered) return std::move(delivered).error();
  const std::lock_guard lock(mutex_);
  parsed_ = std::move(schema);
  delivered_ = *std::move(delivered);
  return {};
}

std::shared_ptr<const Schema> SchemaRegistry::parsed() const {
  const std::lock_guard lock(mutex_);
  return parsed_;
}

std::shared_ptr<const Schema> SchemaRegistry::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

FormatOptions SchemaRegistry::format() const {
  const std::lock_guard lock(mutex_);
  FormatOptions format = format_;
  // To a parser each schema it is made with looks like one given by the user.
  if (format.extra_columns == ExtraColumns::kAuto) {
    format.extra_columns = options_.schema ? ExtraColumns::kIgnore : ExtraColumns::kFail;
  }
  return format;
}

Result<void> SchemaRegistry::fix(std::shared_ptr<const Schema> schema) {
  Result<void> kept = ledger_.put_meta(kSchemaFact, schema->to_sql());
  if (!kept) return kept;
  return set(std::move(schema));
}

Result<void> SchemaRegistry::fix(std::shared_ptr<const Schema> schema,
                                 const FormatOptions& format) {
  // Before the schema: that one says that both are there.
  Result<void> kept = ledger_.put_meta(kDialectFact, dialect_fact(format));
  if (!kept) return kept;
  {
    const std::lock_guard lock(mutex_);
    format_ = format;
  }
  return fix(std::move(schema));
}

}  // namespace leat::executor
