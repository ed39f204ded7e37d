#include "cli/pipeline_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/config_file.h"
#include "cli/connection.h"
#include "cli/format_flags.h"
#include "cli/quantities.h"

namespace leat::cli {
namespace {

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

/// A wait of up to a day, in ms.
Result<std::uint32_t> parse_wait_ms(std::string_view text) {
  const Result<std::chrono::milliseconds> wait = parse_duration(text);
  if (!wait) return wait.error();
  if (*wait > std::chrono::hours(24)) return invalid("at most 24h");
  return static_cast<std::uint32_t>(wait->count());
}

Result<std::uint32_t> parse_record_bytes(std::string_view text) {
  const Result<std::uint64_t> bytes = parse_bytes(text);
  if (!bytes) return bytes.error();
  if (*bytes > (1u << 30)) return invalid("at most 1GiB");
  return static_cast<std::uint32_t>(*bytes);
}

struct RejectLimit {
  std::optional<std::uint64_t> count;
  std::optional<double> percent;
};

/// "100" or "1.5%".
Result<RejectLimit> parse_reject_limit(std::string_view text) {
  const bool share = text.ends_with('%');
  const char* const end = text.data() + text.size() - (share ? 1 : 0);
  RejectLimit limit;
  const auto read = share ? std::from_chars(text.data(), end, limit.percent.emplace())
                          : std::from_chars(text.data(), end, limit.count.emplace());
  if (read.ec == std::errc() && read.ptr == end) return limit;
  return invalid("\"" + std::string(text) + "\" is no number and no share such as 1%");
}

/// A flag that sets a value which is no plain text or number. Text that has no meaning there ends
/// the parse of the command line, with the flag's name.
/// @param names  "--memory", or several with commas.
/// @param to     What the text stands for; left alone when the flag is not given. Borrowed.
template <class Value, class To>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, To& to,
                        Result<Value> (*parse)(std::string_view), const std::string& help) {
  const std::string name = names.substr(0, names.find(','));
  return app.add_option_function<std::string>(
      names,
      [name, &to, parse](const std::string& text) {
        Result<Value> value = parse(text);
        if (!value) throw CLI::ValidationError(name, value.error().message);
        to = *std::move(value);
      },
      help);
}

/// One of a few words, each with what it stands for.
template <class Value, class To>
CLI::Option* add_choice(CLI::App& app, const std::string& names, To& to,
                        std::vector<std::pair<std::string, Value>> choices,
                        const std::string& help) {
  std::vector<std::string> words;
  words.reserve(choices.size());
  for (const auto& [word, value] : choices) words.push_back(word);
  return app
      .add_option_function<std::string>(
          names,
          [&to, choices = std::move(choices)](const std::string& typed) {
            for (const auto& [word, value] : choices) {
              if (word == typed) to = value;
            }
          },
          help)
      ->check(CLI::IsMember(std::move(words)));
}

}  // namespace

struct PipelineFlags::Given {
  LoaderOptions load;  // As far as one flag alone decides; the rest is below.
  TypedFormat format;
  bool header = true;
  CLI::Option* header_flag = nullptr;
  std::optional<std::uint32_t> settle_ms;
  std::string connection, config_file;
  S3Options s3;  // Over the connection.
  std::optional<S3Options::Addressing> addressing;
  RejectLimit reject_limit;
  std::string report;
  std::optional<double> list_price;
  SourceOptions::LogLevel log_level = SourceOptions::LogLevel::kInfo;

  bool header_given() const { return header_flag != nullptr && header_flag->count() != 0; }
};

PipelineFlags::PipelineFlags() : given_(std::make_unique<Given>()) {
  // A load whose columns nobody names is mostly somebody's first one.
  given_->load.source.types = SourceOptions::Types::kSniff;
}
PipelineFlags::~PipelineFlags() = default;

void PipelineFlags::add_store_flags(CLI::App& app) {
  S3Options& s3 = given_->s3;
  const std::string group = "Object store";
  app.add_option("--connection,--connection-name", given_->connection,
                 "[connection.NAME] of the configuration file; the flags below outrank it")
      ->group(group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  // A command that says what to read by --from takes all of its flags from the file.
  app.add_option("--config", given_->config_file,
                 app.get_option_no_throw("--from") != nullptr
                     ? "TOML file with the same names as these flags, which outrank it, and with "
                       "connections (default: ./leat.toml when --from is not given)"
                     : "TOML file with connections (default: ./leat.toml)");
  app.add_option("--endpoint-url", s3.endpoint_url,
                 "S3 service to talk to, e.g. http://127.0.0.1:8000 (default: AWS_ENDPOINT_URL, "
                 "then AWS)")
      ->group(group);
  app.add_option("--region", s3.region, "Region to sign for (default: AWS_REGION, profile)")
      ->group(group);
  app.add_option("--profile", s3.profile, "Profile of ~/.aws/config and ~/.aws/credentials")
      ->group(group);
  app.add_flag("--no-sign-request", s3.no_sign_request, "Anonymous requests: public buckets")
      ->group(group);
  app.add_flag("--hedge-reads", s3.hedge_reads,
               "Ask a second time for bytes that are unusually late: up to 5 % more requests")
      ->group(group);
  app.add_option("--ca-bundle", s3.ca_bundle, "PEM file of the CAs to trust")->group(group);
  add_choice<S3Options::Addressing>(app, "--addressing", given_->addressing,
                                    {{"auto", S3Options::Addressing::kAuto},
                                     {"path", S3Options::Addressing::kPath},
                                     {"virtual", S3Options::Addressing::kVirtualHost}},
                                    "Where the bucket's name goes: auto (default), path, virtual")
      ->group(group);
}

void PipelineFlags::add_dialect_flags(CLI::App& app) {
  TypedFormat& format = given_->format;
  const std::string group = "Format";
  app.add_option("--input-format", format.input_format,
                 "What objects hold: csv (default; any delimited text), jsonl, lines")
      ->group(group)
      ->check(CLI::IsMember({"csv", "jsonl", "lines"}));
  app.add_option(
         "--dialect", format.dialect,
         "Which delimited text: default, postgres (COPY's CSV), postgres-text (COPY's text), "
         "redshift (UNLOAD); the flags below go over it")
      ->group(group)
      ->check(CLI::IsMember({"default", "postgres", "postgres-text", "redshift"}));
  given_->header_flag =
      app.add_flag("--header,!--no-header", given_->header,
                   "First record holds column names (default, but for other dialects); without, "
                   "columns go by place")
          ->group(group);
  app.add_option("--encoding", format.encoding,
                 "Of the text: utf-16, windows-1252, … (default auto: UTF-8, or what a byte order "
                 "mark says)")
      ->group(group);
  app.add_option("--delimiter", format.delimiter, "Between fields (default ,)")->group(group);
  app.add_option("--quote", format.quote, "Around fields, or none (default \")")->group(group);
  app.add_option("--escape", format.escape, "Before a quote inside quotes (default: the quote)")
      ->group(group);
  app.add_option("--null", format.null_strings,
                 "Unquoted text that means null; may be repeated (default: empty; postgres-text: "
                 "\\N)")
      ->group(group)
      ->expected(1)
      ->take_all();
  app.add_option("--comment", format.comment, "Records that begin with it are skipped")
      ->group(group);
  app.add_option("--skip-lines", format.skip_lines, "Lines to drop at the start of each object")
      ->group(group)
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--line-end", format.line_end,
                 "first (default: a lone CR ends records only where the first line end is one), "
                 "any (LF, CRLF and CR)")
      ->group(group)
      ->check(CLI::IsMember({"first", "any"}));
  app.add_option("--short-records", format.short_records,
                 "Records with too few fields: fail (default; a row error), null (what lacks is "
                 "null)")
      ->group(group)
      ->check(CLI::IsMember({"fail", "null"}));
  app.add_option("--long-records", format.long_records,
                 "Records with too many fields: fail (default; a row error), ignore (the rest), "
                 "ignore-empty (a rest that is empty, as behind a delimiter at the end)")
      ->group(group)
      ->check(CLI::IsMember({"fail", "ignore", "ignore-empty"}));
  app.add_flag("--trim", format.trim, "Drop spaces and tabs around unquoted fields")->group(group);
  app.add_option("--decimal-separator", format.decimal_separator,
                 "In numbers: a point (default) or a comma")
      ->group(group);
  app.add_option("--thousands-separator", format.thousands_separator,
                 "In numbers, between groups of three digits (default none)")
      ->group(group);
  app.add_option("--date-format", format.date_format,
                 "Of date columns, e.g. %d.%m.%Y (default ISO 8601)")
      ->group(group);
  app.add_option("--time-format", format.time_format, "Of time columns, e.g. '%I:%M %p'")
      ->group(group);
  app.add_option("--timestamp-format", format.timestamp_format,
                 "Of timestamp and timestamptz columns, e.g. '%m/%d/%Y %H:%M'")
      ->group(group);
  add_parsed(app, "--max-record-bytes", given_->load.source.format.record_bytes_max,
             parse_record_bytes, "Longer records quarantine their object (default 16MiB)")
      ->group(group);
  app.add_option("--max-fields", given_->load.source.format.fields_max,
                 "A record of more fields quarantines its object (default 1048576)")
      ->group(group);
}

void PipelineFlags::add_format_flags(CLI::App& app) {
  FormatOptions& rows = given_->load.source.format;
  SourceOptions& source = given_->load.source;
  const std::string group = "Format";
  add_parsed(app, "--schema", source.schema, parse_schema,
             "Columns with SQL types: 'id bigint not null, name text, at timestamptz' (default: "
             "what the first objects show, see --types)")
      ->group(group);
  add_choice<SourceOptions::Types>(
      app, "--types", source.types,
      {{"sniff", SourceOptions::Types::kSniff}, {"text", SourceOptions::Types::kText}},
      "Without --schema, at the first start: sniff (a sample of the first objects shows "
      "columns, types and dialect), text (the first header's names, all of them text)")
      ->group(group);
  add_dialect_flags(app);
  add_choice<OnError>(
      app, "--on-error", rows.on_error,
      {{"fail", OnError::kFail}, {"reject", OnError::kReject}, {"null", OnError::kNull}},
      "Record that does not fit: fail (quarantine its object), reject (keep it aside), "
      "null (the value becomes null)")
      ->group(group);
  add_choice<ExtraColumns>(
      app, "--extra-columns", rows.extra_columns,
      {{"auto", ExtraColumns::kAuto},
       {"ignore", ExtraColumns::kIgnore},
       {"fail", ExtraColumns::kFail}},
      "Header columns that the schema lacks: ignore, fail, auto (ignore with --schema)")
      ->group(group);
  add_choice<MissingColumns>(
      app, "--missing-columns", rows.missing_columns,
      {{"null", MissingColumns::kNull}, {"fail", MissingColumns::kFail}},
      "Columns of the schema that a header lacks: null, fail (quarantine the object)")
      ->group(group);
  app.add_option("--max-decode-ratio", source.decode_ratio_max,
                 "Compressed objects that grow more than this quarantine (default 1100; 0: none)")
      ->group(group);
  app.add_option("--tokenizer", rows.tokenizer, "simd, libcsv or scalar: the same rows")
      ->group(group);
}

void PipelineFlags::add_all(CLI::App& app) {
  add_load_flags(app);
  add_output_flags(app);
  add_format_flags(app);
  add_store_flags(app);
  add_resource_flags(app);
}

void PipelineFlags::add_resource_flags(CLI::App& app) {
  SourceOptions& source = given_->load.source;
  const std::string group = "Resources";
  app.add_option("--threads", source.threads, "Parsing threads (default: one per core)")
      ->group(group);
  app.add_option("--splits-in-flight", source.splits_in_flight_max,
                 "Objects read at once (default: 4 per thread)")
      ->group(group);
  add_parsed(app, "--memory", source.memory_bytes_max, parse_bytes,
             "For rows on their way (default 512MiB)")
      ->group(group);
}

void PipelineFlags::add_discovery_flags(CLI::App& app) {
  SourceOptions& source = given_->load.source;
  const std::string group = "Discovery";
  add_choice<SourceOptions::Discovery>(
      app, "--discovery", source.discovery,
      {{"sweep", SourceOptions::Discovery::kSweep}, {"tail", SourceOptions::Discovery::kTail}},
      "How new objects are found: sweep (default; each poll lists all), tail (keys only "
      "grow: a poll lists the last ones)")
      ->group(group);
  app.add_option("--late-window", source.late_window_keys,
                 "tail: so many of the last keys are listed again by each poll (default 1000)")
      ->group(group);
  add_parsed(app, "--reconcile-interval", source.reconcile_interval, parse_duration,
             "tail: between two listings of everything (default 1h)")
      ->group(group);
  add_parsed(app, "--poll-interval", source.poll_interval, parse_duration,
             "Between two listings, the first of which found something (default 10s)")
      ->group(group);
  add_parsed(app, "--poll-interval-max", source.poll_interval_max, parse_duration,
             "As long as it grows to while nothing is found (default: 6 times --poll-interval)")
      ->group(group);
  app.add_option("--list-parallel", source.list_parallel,
                 "Parts of a long listing that are listed at a time, cut at folders (default 4)")
      ->group(group)
      ->check(CLI::Range(1, 64));
  add_parsed(app, "--list-budget", source.list_budget, parse_rate,
             "Requests for listing: 100/min, 5/s, 2000/h (default: no limit)")
      ->group(group);
}

void PipelineFlags::add_load_flags(CLI::App& app) {
  SourceOptions& source = given_->load.source;
  const std::string group = "Pipeline";
  app.add_option("--from", source.from, "Objects to load: 's3://bucket/in/**/*.csv', a path")
      ->group(group);
  app.add_option("--to", given_->load.to,
                 "Where rows go: postgresql://…, sqlite:FILE, - (standard output), null:")
      ->group(group);
  app.add_option("--table", given_->load.sink.table, "Table of the sink; made when absent")
      ->group(group);
  app.add_option("--state", source.state_dir, "Folder that keeps the progress; made when absent")
      ->group(group);
  app.add_option("--pipeline", source.pipeline,
                 "Name of the pipeline in the sink (default: from source and table)")
      ->group(group);
  app.add_flag("--once", source.once, "Stop when all that is listed is loaded")->group(group);
  app.add_flag("--lineage", source.lineage,
               "Add columns _object, _version, _offset, _record to each row")
      ->group(group);
  app.add_flag("--lineage-modified", source.lineage_modified,
               "With --lineage: also a column _modified, the object's time of modification")
      ->group(group);
  add_parsed(app, "--partitions", source.partitions, parse_schema,
             "Hive partitions of the keys as columns: 'dt date, hour integer'")
      ->group(group);
  app.add_option("--where", source.where,
                 "Only objects whose partitions fulfil it: \"dt >= 2026-11-01 AND region = 'eu'\"")
      ->group(group);
  add_parsed(app, "--modified-after", source.modified_after_ms, parse_time_ms,
             "Only objects modified later: 2026-11-01, 2026-11-01T10:00:00Z")
      ->group(group);
  app.add_option("--key-after", source.key_after, "Only keys after this one in byte order")
      ->group(group);
  add_choice<SourceOptions::Order>(
      app, "--order", source.order,
      {{"none", SourceOptions::Order::kNone},
       {"key", SourceOptions::Order::kKey},
       {"modified", SourceOptions::Order::kModified}},
      "In which objects are begun: none (default; folders in turn), key, modified (oldest "
      "first, once all is listed)")
      ->group(group);
  app.add_flag("--retry-quarantined", source.retry_quarantined,
               "Take quarantined objects up again where they stopped, e.g. with --on-error reject")
      ->group(group);
  add_choice<SourceOptions::OnChange>(
      app, "--on-change", source.on_change,
      {{"ignore", SourceOptions::OnChange::kIgnore},
       {"replace", SourceOptions::OnChange::kReplace},
       {"append", SourceOptions::OnChange::kAppend},
       {"fail", SourceOptions::OnChange::kFail}},
      "Loaded object that is listed in another version: ignore (report it), replace (its "
      "rows, in one transaction; needs --lineage), append (go on at the old end of what has "
      "only "
      "grown), fail (stop)")
      ->group(group);
  add_parsed(app, "--after", source.after, parse_after_action,
             "What becomes of objects once they are loaded: keep (default), delete, "
             "move:PREFIX, tag:NAME=VALUE")
      ->group(group);
  add_parsed(app, "--settle", given_->settle_ms, parse_wait_ms,
             "Local files younger than this may still be written to and wait (default 2s)")
      ->group(group);
  add_choice<SourceOptions::LogLevel>(app, "--log-level", given_->log_level,
                                      {{"debug", SourceOptions::LogLevel::kDebug},
                                       {"info", SourceOptions::LogLevel::kInfo},
                                       {"warning", SourceOptions::LogLevel::kWarning},
                                       {"error", SourceOptions::LogLevel::kError}},
                                      "debug, info, warning, error")
      ->group(group);
  app.add_option("--report", given_->report, "File for a summary as JSON at the end")->group(group);
  add_discovery_flags(app);
  add_parsed(app, "--list-price", given_->list_price, parse_price,
             "What listing requests cost, e.g. 0.005/1000: progress and report estimate it")
      ->group(group);
  add_parsed(app, "--forget-after", source.forget_after, parse_duration,
             "How long complete listings must not show an object before its entry in the "
             "state folder is dropped (default 7d)")
      ->group(group);
  add_parsed(app, "--checkpoint-interval", given_->load.checkpoint_interval, parse_duration,
             "Between two commits (default 1s)")
      ->group(group);
}

void PipelineFlags::add_output_flags(CLI::App& app) {
  SinkOptions& sink = given_->load.sink;
  app.add_option("--rejects", given_->load.rejects_file,
                 "File for rejected records, JSON lines (default: a table of the sink)")
      ->group("Pipeline");
  add_parsed(app, "--max-rejects", given_->reject_limit, parse_reject_limit,
             "End the run when more are rejected: a number, or a share such as 1%")
      ->group("Pipeline");
  const std::string group = "Sink";
  app.add_option("--sink-connections", sink.connections,
                 "PostgreSQL: connections that add rows beside each other (default 2)")
      ->group(group)
      ->check(CLI::Range(1, 64));
  app.add_flag("--create-table,!--no-create-table", sink.create_table,
               "PostgreSQL: make the table where it is absent (default)")
      ->group(group);
  add_parsed(app, "--sink-statement-timeout", sink.statement_timeout_ms, parse_wait_ms,
             "PostgreSQL: longest time of a statement (default: the server's)")
      ->group(group);
  add_parsed(app, "--sink-lock-timeout", sink.lock_timeout_ms, parse_wait_ms,
             "PostgreSQL: longest wait for a lock (default 30s; 0: the server's)")
      ->group(group);
  add_parsed(app, "--sink-retry-for", given_->load.sink_retry_for, parse_duration,
             "--once: how long a sink that cannot be reached is tried again (default 60s)")
      ->group(group);
  add_choice<SinkOptions::Format>(app, "--format", sink.format,
                                  {{"csv", SinkOptions::Format::kCsv},
                                   {"jsonl", SinkOptions::Format::kJsonl},
                                   {"arrow", SinkOptions::Format::kArrow}},
                                  "Rows on standard output: csv, jsonl or arrow")
      ->group("Pipeline");
}

void PipelineFlags::set_from(const std::string& from) { given_->load.source.from = from; }
const std::string& PipelineFlags::report_file() const noexcept { return given_->report; }

SniffedSettings PipelineFlags::unsaid() const noexcept {
  const bool open = given_->format.dialect.empty();
  return {.delimiter = open && given_->format.delimiter.empty(),
          .quote = open && given_->format.quote.empty() && given_->format.escape.empty(),
          .header = open && !given_->header_given(),
          .comment = open && given_->format.comment.empty(),
          .long_records = open && given_->format.long_records.empty(),
          .dialect = open};
}

SourceOptions::LogLevel PipelineFlags::log_level() const noexcept { return given_->log_level; }
std::optional<double> PipelineFlags::list_price() const noexcept { return given_->list_price; }

Result<S3Options> PipelineFlags::s3_options() const {
  const Given& given = *given_;
  S3Options s3;
  if (!given.connection.empty()) {
    Result<S3Options> read = read_connection(
        given.config_file.empty() ? kDefaultConfigFile : given.config_file, given.connection);
    if (!read) return std::move(read).error();
    s3 = *std::move(read);
  }
  for (const auto setting :
       {&S3Options::endpoint_url, &S3Options::region, &S3Options::profile, &S3Options::ca_bundle}) {
    if (!(given.s3.*setting).empty()) s3.*setting = given.s3.*setting;
  }
  s3.no_sign_request = s3.no_sign_request || given.s3.no_sign_request;
  s3.hedge_reads = given.s3.hedge_reads;
  s3.addressing = given.addressing.value_or(s3.addressing);
  return s3;
}

Result<FormatOptions> PipelineFlags::format_options() const {
  TypedFormat typed = given_->format;
  if (given_->header_given()) typed.header = given_->header;
  Result<FormatOptions> format = read_format(typed);
  if (!format) return format;
  // Those that no dialect has a say in.
  const FormatOptions& given = given_->load.source.format;
  format->on_error = given.on_error;
  format->extra_columns = given.extra_columns;
  format->missing_columns = given.missing_columns;
  format->record_bytes_max = given.record_bytes_max;
  format->fields_max = given.fields_max;
  format->tokenizer = given.tokenizer;
  return format;
}

Result<LoaderOptions> PipelineFlags::options() const {
  LoaderOptions options = given_->load;
  SourceOptions& source = options.source;
  if (source.after.kind == AfterAction::Kind::kMove && !source.from.starts_with("s3://")) {
    // Of local files: a folder, which may be relative as all paths of the command line may.
    std::error_code unknown;
    std::string& folder = source.after.name;
    if (folder.starts_with("file://")) folder.erase(0, 7);
    folder = std::filesystem::absolute(folder, unknown).lexically_normal().string();
    if (!folder.ends_with('/')) folder += '/';
  }
  const RejectLimit& limit = given_->reject_limit;
  options.rejects_max = limit.count.value_or(options.rejects_max);
  options.rejects_percent_max = limit.percent.value_or(options.rejects_percent_max);
  Result<FormatOptions> format = format_options();
  if (!format) return std::move(format).error();
  source.format = *std::move(format);
  source.sniffed = unsaid();
  // Of what grows only whole lines are read: there is no need to wait until it is left alone.
  const bool grows = source.on_change == SourceOptions::OnChange::kAppend;
  std::uint32_t& settle_ms = source.store.local.settle_ms;
  settle_ms = given_->settle_ms.value_or(grows ? 0 : settle_ms);
  Result<S3Options> s3 = s3_options();
  if (!s3) return std::move(s3).error();
  source.store.s3 = *std::move(s3);
  return options;
}

}  // namespace leat::cli
