#include "cli/pipeline_flags.h"

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/config_file.h"
#include "cli/connection.h"
#include "cli/format_flags.h"
#include "cli/quantities.h"

namespace leat::cli {

struct PipelineFlags::Typed {
  std::string from, to, table, schema, state, rejects, report, pipeline;
  bool once = false, retry_quarantined = false, lineage = false, lineage_modified = false,
       header = true, no_sign_request = false, hedge_reads = false;
  std::string input_format, dialect, delimiter, quote, escape, comment;
  std::string line_end, short_records, long_records, decimal_separator, thousands_separator;
  std::string date_format, time_format, timestamp_format, encoding;
  bool trim = false;
  std::vector<std::string> null_strings;
  CLI::Option* header_flag = nullptr;
  std::string on_change = "ignore", after = "keep", order = "none";
  std::string types = "sniff", on_error = "fail", extra_columns = "auto", missing_columns = "null",
              tokenizer, format = "csv";
  std::uint64_t skip_lines = 0, decode_ratio_max = SourceOptions().decode_ratio_max;
  std::string partitions, where, modified_after, key_after;
  std::string discovery = "sweep", reconcile_interval, poll_interval_max, list_budget;
  std::uint32_t list_parallel = SourceOptions().list_parallel;
  std::uint64_t late_window = SourceOptions().late_window_keys;
  std::string poll_interval, list_price, forget_after, checkpoint_interval, settle, memory,
      max_record_bytes;
  std::uint32_t threads = 0, splits_in_flight = 0;
  std::uint32_t max_fields = FormatOptions().fields_max;
  std::string max_rejects, sink_retry_for, sink_statement_timeout, sink_lock_timeout;
  bool create_table = true;
  std::uint32_t sink_connections = SinkOptions().connections;
  std::string endpoint_url, region, profile, ca_bundle, addressing, connection, config_file,
      log_level = "info";

  bool header_given() const { return header_flag != nullptr && header_flag->count() != 0; }
};

PipelineFlags::PipelineFlags() : typed_(std::make_unique<Typed>()) {}
PipelineFlags::~PipelineFlags() = default;

void PipelineFlags::add_store_flags(CLI::App& app) {
  const std::string group = "Object store";
  app.add_option("--connection,--connection-name", typed_->connection,
                 "[connection.NAME] of the configuration file; the flags below outrank it")
      ->group(group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--config", typed_->config_file,
                 app.get_name() == "load"
                     ? "TOML file with the same names as these flags, which outrank it, and with "
                       "connections (default: ./leat.toml when --from is not given)"
                     : "TOML file with connections (default: ./leat.toml)");
  app.add_option("--endpoint-url", typed_->endpoint_url,
                 "S3 service to talk to, e.g. http://127.0.0.1:8000 (default: AWS_ENDPOINT_URL, "
                 "then AWS)")
      ->group(group);
  app.add_option("--region", typed_->region, "Region to sign for (default: AWS_REGION, profile)")
      ->group(group);
  app.add_option("--profile", typed_->profile, "Profile of ~/.aws/config and ~/.aws/credentials")
      ->group(group);
  app.add_flag("--no-sign-request", typed_->no_sign_request, "Anonymous requests: public buckets")
      ->group(group);
  app.add_flag("--hedge-reads", typed_->hedge_reads,
               "Ask a second time for bytes that are unusually late: up to 5 % more requests")
      ->group(group);
  app.add_option("--ca-bundle", typed_->ca_bundle, "PEM file of the CAs to trust")->group(group);
  app.add_option("--addressing", typed_->addressing,
                 "Where the bucket's name goes: auto (default), path, virtual")
      ->group(group)
      ->check(CLI::IsMember({"auto", "path", "virtual"}));
}

void PipelineFlags::add_dialect_flags(CLI::App& app) {
  const std::string group = "Format";
  app.add_option("--input-format", typed_->input_format,
                 "What objects hold: csv (default; any delimited text), jsonl, lines")
      ->group(group)
      ->check(CLI::IsMember({"csv", "jsonl", "lines"}));
  app.add_option(
         "--dialect", typed_->dialect,
         "Which delimited text: default, postgres (COPY's CSV), postgres-text (COPY's text), "
         "redshift (UNLOAD); the flags below go over it")
      ->group(group)
      ->check(CLI::IsMember({"default", "postgres", "postgres-text", "redshift"}));
  typed_->header_flag =
      app.add_flag("--header,!--no-header", typed_->header,
                   "First record holds column names (default, but for other dialects); without, "
                   "columns go by place")
          ->group(group);
  app.add_option("--encoding", typed_->encoding,
                 "Of the text: utf-16, windows-1252, … (default auto: UTF-8, or what a byte order "
                 "mark says)")
      ->group(group);
  app.add_option("--delimiter", typed_->delimiter, "Between fields (default ,)")->group(group);
  app.add_option("--quote", typed_->quote, "Around fields, or none (default \")")->group(group);
  app.add_option("--escape", typed_->escape, "Before a quote inside quotes (default: the quote)")
      ->group(group);
  app.add_option("--null", typed_->null_strings,
                 "Unquoted text that means null; may be repeated (default: empty; postgres-text: "
                 "\\N)")
      ->group(group)
      ->expected(1)
      ->take_all();
  app.add_option("--comment", typed_->comment, "Records that begin with it are skipped")
      ->group(group);
  app.add_option("--skip-lines", typed_->skip_lines, "Lines to drop at the start of each object")
      ->group(group)
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--line-end", typed_->line_end,
                 "first (default: a lone CR ends records only where the first line end is one), "
                 "any (LF, CRLF and CR)")
      ->group(group)
      ->check(CLI::IsMember({"first", "any"}));
  app.add_option("--short-records", typed_->short_records,
                 "Records with too few fields: fail (default; a row error), null (what lacks is "
                 "null)")
      ->group(group)
      ->check(CLI::IsMember({"fail", "null"}));
  app.add_option("--long-records", typed_->long_records,
                 "Records with too many fields: fail (default; a row error), ignore (the rest), "
                 "ignore-empty (a rest that is empty, as behind a delimiter at the end)")
      ->group(group)
      ->check(CLI::IsMember({"fail", "ignore", "ignore-empty"}));
  app.add_flag("--trim", typed_->trim, "Drop spaces and tabs around unquoted fields")->group(group);
  app.add_option("--decimal-separator", typed_->decimal_separator,
                 "In numbers: a point (default) or a comma")
      ->group(group);
  app.add_option("--thousands-separator", typed_->thousands_separator,
                 "In numbers, between groups of three digits (default none)")
      ->group(group);
  app.add_option("--date-format", typed_->date_format,
                 "Of date columns, e.g. %d.%m.%Y (default ISO 8601)")
      ->group(group);
  app.add_option("--time-format", typed_->time_format, "Of time columns, e.g. '%I:%M %p'")
      ->group(group);
  app.add_option("--timestamp-format", typed_->timestamp_format,
                 "Of timestamp and timestamptz columns, e.g. '%m/%d/%Y %H:%M'")
      ->group(group);
  app.add_option("--max-record-bytes", typed_->max_record_bytes,
                 "Longer records quarantine their object (default 16MiB)")
      ->group(group);
  app.add_option("--max-fields", typed_->max_fields,
                 "A record of more fields quarantines its object (default 1048576)")
      ->group(group);
}

void PipelineFlags::add_format_flags(CLI::App& app) {
  const std::string group = "Format";
  app.add_option(
         "--schema", typed_->schema,
         "Columns with SQL types: 'id bigint not null, name text, at timestamptz' (default: "
         "what the first objects show, see --types)")
      ->group(group);
  app.add_option("--types", typed_->types,
                 "Without --schema, at the first start: sniff (a sample of the first objects shows "
                 "columns, types and dialect), text (the first header's names, all of them text)")
      ->group(group)
      ->check(CLI::IsMember({"sniff", "text"}));
  add_dialect_flags(app);
  app.add_option("--on-error", typed_->on_error,
                 "Record that does not fit: fail (quarantine its object), reject (keep it aside), "
                 "null (the value becomes null)")
      ->group(group)
      ->check(CLI::IsMember({"fail", "reject", "null"}));
  app.add_option("--extra-columns", typed_->extra_columns,
                 "Header columns that the schema lacks: ignore, fail, auto (ignore with --schema)")
      ->group(group)
      ->check(CLI::IsMember({"auto", "ignore", "fail"}));
  app.add_option("--missing-columns", typed_->missing_columns,
                 "Columns of the schema that a header lacks: null, fail (quarantine the object)")
      ->group(group)
      ->check(CLI::IsMember({"null", "fail"}));
  app.add_option("--max-decode-ratio", typed_->decode_ratio_max,
                 "Compressed objects that grow more than this quarantine (default 1100; 0: none)")
      ->group(group);
  app.add_option("--tokenizer", typed_->tokenizer, "simd, libcsv or scalar: the same rows")
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
  const std::string group = "Resources";
  app.add_option("--threads", typed_->threads, "Parsing threads (default: one per core)")
      ->group(group);
  app.add_option("--splits-in-flight", typed_->splits_in_flight,
                 "Objects read at once (default: 4 per thread)")
      ->group(group);
  app.add_option("--memory", typed_->memory, "For rows on their way (default 512MiB)")
      ->group(group);
}

void PipelineFlags::add_discovery_flags(CLI::App& app) {
  const std::string group = "Discovery";
  app.add_option("--discovery", typed_->discovery,
                 "How new objects are found: sweep (default; each poll lists all), tail (keys only "
                 "grow: a poll lists the last ones)")
      ->group(group)
      ->check(CLI::IsMember({"sweep", "tail"}));
  app.add_option("--late-window", typed_->late_window,
                 "tail: so many of the last keys are listed again by each poll (default 1000)")
      ->group(group);
  app.add_option("--reconcile-interval", typed_->reconcile_interval,
                 "tail: between two listings of everything (default 1h)")
      ->group(group);
  app.add_option("--poll-interval", typed_->poll_interval,
                 "Between two listings, the first of which found something (default 10s)")
      ->group(group);
  app.add_option("--poll-interval-max", typed_->poll_interval_max,
                 "As long as it grows to while nothing is found (default: 6 times --poll-interval)")
      ->group(group);
  app.add_option("--list-parallel", typed_->list_parallel,
                 "Parts of a long listing that are listed at a time, cut at folders (default 4)")
      ->group(group)
      ->check(CLI::Range(1, 64));
  app.add_option("--list-budget", typed_->list_budget,
                 "Requests for listing: 100/min, 5/s, 2000/h (default: no limit)")
      ->group(group);
}

void PipelineFlags::add_load_flags(CLI::App& app) {
  const std::string group = "Pipeline";
  app.add_option("--from", typed_->from, "Objects to load: 's3://bucket/in/**/*.csv', a path")
      ->group(group);
  app.add_option("--to", typed_->to,
                 "Where rows go: postgresql://…, sqlite:FILE, - (standard output), null:")
      ->group(group);
  app.add_option("--table", typed_->table, "Table of the sink; made when absent")->group(group);
  app.add_option("--state", typed_->state, "Folder that keeps the progress; made when absent")
      ->group(group);
  app.add_option("--pipeline", typed_->pipeline,
                 "Name of the pipeline in the sink (default: from source and table)")
      ->group(group);
  app.add_flag("--once", typed_->once, "Stop when all that is listed is loaded")->group(group);
  app.add_flag("--lineage", typed_->lineage,
               "Add columns _object, _version, _offset, _record to each row")
      ->group(group);
  app.add_flag("--lineage-modified", typed_->lineage_modified,
               "With --lineage: also a column _modified, the object's time of modification")
      ->group(group);
  app.add_option("--partitions", typed_->partitions,
                 "Hive partitions of the keys as columns: 'dt date, hour integer'")
      ->group(group);
  app.add_option("--where", typed_->where,
                 "Only objects whose partitions fulfil it: \"dt >= 2026-11-01 AND region = 'eu'\"")
      ->group(group);
  app.add_option("--modified-after", typed_->modified_after,
                 "Only objects modified later: 2026-11-01, 2026-11-01T10:00:00Z")
      ->group(group);
  app.add_option("--key-after", typed_->key_after, "Only keys after this one in byte order")
      ->group(group);
  app.add_option(
         "--order", typed_->order,
         "In which objects are begun: none (default; folders in turn), key, modified (oldest "
         "first, once all is listed)")
      ->group(group)
      ->check(CLI::IsMember({"none", "key", "modified"}));
  app.add_flag("--retry-quarantined", typed_->retry_quarantined,
               "Take quarantined objects up again where they stopped, e.g. with --on-error reject")
      ->group(group);
  app.add_option(
         "--on-change", typed_->on_change,
         "Loaded object that is listed in another version: ignore (report it), replace (its "
         "rows, in one transaction; needs --lineage), append (go on at the old end of what has "
         "only "
         "grown), fail (stop)")
      ->group(group)
      ->check(CLI::IsMember({"ignore", "replace", "append", "fail"}));
  app.add_option("--after", typed_->after,
                 "What becomes of objects once they are loaded: keep (default), delete, "
                 "move:PREFIX, tag:NAME=VALUE")
      ->group(group);
  app.add_option("--settle", typed_->settle,
                 "Local files younger than this may still be written to and wait (default 2s)")
      ->group(group);
  app.add_option("--log-level", typed_->log_level, "debug, info, warning, error")
      ->group(group)
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_option("--report", typed_->report, "File for a summary as JSON at the end")->group(group);
  add_discovery_flags(app);
  app.add_option("--list-price", typed_->list_price,
                 "What listing requests cost, e.g. 0.005/1000: progress and report estimate it")
      ->group(group);
  app.add_option("--forget-after", typed_->forget_after,
                 "How long complete listings must not show an object before its entry in the "
                 "state folder is dropped (default 7d)")
      ->group(group);
  app.add_option("--checkpoint-interval", typed_->checkpoint_interval,
                 "Between two commits (default 1s)")
      ->group(group);
}

void PipelineFlags::add_output_flags(CLI::App& app) {
  app.add_option("--rejects", typed_->rejects,
                 "File for rejected records, JSON lines (default: a table of the sink)")
      ->group("Pipeline");
  app.add_option("--max-rejects", typed_->max_rejects,
                 "End the run when more are rejected: a number, or a share such as 1%")
      ->group("Pipeline");
  const std::string group = "Sink";
  app.add_option("--sink-connections", typed_->sink_connections,
                 "PostgreSQL: connections that add rows beside each other (default 2)")
      ->group(group)
      ->check(CLI::Range(1, 64));
  app.add_flag("--create-table,!--no-create-table", typed_->create_table,
               "PostgreSQL: make the table where it is absent (default)")
      ->group(group);
  app.add_option("--sink-statement-timeout", typed_->sink_statement_timeout,
                 "PostgreSQL: longest time of a statement (default: the server's)")
      ->group(group);
  app.add_option("--sink-lock-timeout", typed_->sink_lock_timeout,
                 "PostgreSQL: longest wait for a lock (default 30s; 0: the server's)")
      ->group(group);
  app.add_option("--sink-retry-for", typed_->sink_retry_for,
                 "--once: how long a sink that cannot be reached is tried again (default 60s)")
      ->group(group);
  app.add_option("--format", typed_->format, "Rows on standard output: csv, jsonl or arrow")
      ->group("Pipeline")
      ->check(CLI::IsMember({"csv", "jsonl", "arrow"}));
}

void PipelineFlags::set_from(const std::string& from) { typed_->from = from; }
const std::string& PipelineFlags::report_file() const noexcept { return typed_->report; }

SniffedSettings PipelineFlags::unsaid() const noexcept {
  const bool open = typed_->dialect.empty();
  return {.delimiter = open && typed_->delimiter.empty(),
          .quote = open && typed_->quote.empty() && typed_->escape.empty(),
          .header = open && !typed_->header_given(),
          .comment = open && typed_->comment.empty(),
          .long_records = open && typed_->long_records.empty(),
          .dialect = open};
}

Result<SourceOptions::LogLevel> PipelineFlags::log_level() const {
  using Level = SourceOptions::LogLevel;
  static constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{
      {{"debug", Level::kDebug},
       {"info", Level::kInfo},
       {"warning", Level::kWarning},
       {"error", Level::kError}}};
  for (const auto& [name, level] : kLevels) {
    if (name == typed_->log_level) return level;
  }
  return Error{ErrorCode::kInvalidArgument,
               "--log-level: \"" + typed_->log_level + "\" is unknown"};
}

namespace {

/// Parses `text` into `out` when it was given; errors name the flag.
template <class T>
Result<void> set_parsed(std::string_view flag, const std::string& text,
                        Result<T> (*parse)(std::string_view), T& out) {
  if (text.empty()) return {};
  Result<T> value = parse(text);
  if (!value) {
    Error error = std::move(value).error();
    error.message = std::string(flag) + ": " + error.message;
    return error;
  }
  out = std::move(*value);
  return {};
}

/// "100" or "1.5%".
Result<void> read_max_rejects(std::string_view text, LoaderOptions& options) {
  if (text.empty()) return {};
  const bool share = text.back() == '%';
  const char* const end = text.data() + text.size() - (share ? 1 : 0);
  const auto read = share ? std::from_chars(text.data(), end, options.rejects_percent_max)
                          : std::from_chars(text.data(), end, options.rejects_max);
  if (read.ec == std::errc() && read.ptr == end) return {};
  return Error{ErrorCode::kInvalidArgument,
               "--max-rejects: \"" + std::string(text) + "\" is no number and no share such as 1%"};
}

}  // namespace

Result<std::optional<double>> PipelineFlags::list_price() const {
  if (typed_->list_price.empty()) return std::optional<double>();
  double price = 0;
  if (Result<void> parsed = set_parsed("--list-price", typed_->list_price, parse_price, price);
      !parsed) {
    return std::move(parsed).error();
  }
  return std::optional<double>(price);
}

Result<S3Options> PipelineFlags::s3_options() const {
  const Typed& typed = *typed_;
  S3Options s3;
  if (!typed.connection.empty()) {
    Result<S3Options> read = read_connection(
        typed.config_file.empty() ? kDefaultConfigFile : typed.config_file, typed.connection);
    if (!read) return std::move(read).error();
    s3 = *std::move(read);
  }
  for (const auto& [flag, setting] :
       {std::pair{&typed.endpoint_url, &s3.endpoint_url}, std::pair{&typed.region, &s3.region},
        std::pair{&typed.profile, &s3.profile}, std::pair{&typed.ca_bundle, &s3.ca_bundle}}) {
    if (!flag->empty()) *setting = *flag;
  }
  s3.no_sign_request = s3.no_sign_request || typed.no_sign_request;
  s3.hedge_reads = typed.hedge_reads;
  if (!typed.addressing.empty()) {
    Result<S3Options::Addressing> addressing = parse_addressing(typed.addressing);
    if (!addressing) return std::move(addressing).error();
    s3.addressing = *addressing;
  }
  return s3;
}

Result<LoaderOptions> PipelineFlags::options() const {
  const Typed& typed = *typed_;
  LoaderOptions options;
  SourceOptions& source = options.source;
  source.from = typed.from;
  source.state_dir = typed.state;
  source.pipeline = typed.pipeline;
  source.once = typed.once;
  source.retry_quarantined = typed.retry_quarantined;
  source.lineage = typed.lineage;
  source.lineage_modified = typed.lineage_modified;
  source.decode_ratio_max = typed.decode_ratio_max;
  source.threads = typed.threads;
  source.splits_in_flight_max = typed.splits_in_flight;
  options.to = typed.to;
  options.sink.table = typed.table;
  options.sink.format = typed.format == "arrow"   ? SinkOptions::Format::kArrow
                        : typed.format == "jsonl" ? SinkOptions::Format::kJsonl
                                                  : SinkOptions::Format::kCsv;
  options.sink.connections = typed.sink_connections;
  options.sink.create_table = typed.create_table;
  options.rejects_file = typed.rejects;
  if (Result<void> parsed = read_max_rejects(typed.max_rejects, options); !parsed) {
    return std::move(parsed).error();
  }

  source.on_change = typed.on_change == "replace"  ? SourceOptions::OnChange::kReplace
                     : typed.on_change == "append" ? SourceOptions::OnChange::kAppend
                     : typed.on_change == "fail"   ? SourceOptions::OnChange::kFail
                                                   : SourceOptions::OnChange::kIgnore;
  source.order = typed.order == "key"        ? SourceOptions::Order::kKey
                 : typed.order == "modified" ? SourceOptions::Order::kModified
                                             : SourceOptions::Order::kNone;
  Result<AfterAction> after = parse_after_action(typed.after);
  if (!after) {
    Error error = std::move(after).error();
    error.message = "--after: " + error.message;
    return error;
  }
  source.after = std::move(*after);
  if (source.after.kind == AfterAction::Kind::kMove && !typed.from.starts_with("s3://")) {
    // Of local files: a folder, which may be relative as all paths of the command line may.
    std::error_code unknown;
    std::string& folder = source.after.name;
    if (folder.starts_with("file://")) folder.erase(0, 7);
    folder = std::filesystem::absolute(folder, unknown).lexically_normal().string();
    if (!folder.ends_with('/')) folder += '/';
  }

  Result<FormatOptions> typed_format = read_format(
      {typed.input_format, typed.dialect, typed.delimiter, typed.quote, typed.escape, typed.comment,
       typed.null_strings, typed.header_given() ? std::optional(typed.header) : std::nullopt,
       typed.skip_lines, typed.line_end, typed.trim, typed.short_records, typed.long_records,
       typed.decimal_separator, typed.thousands_separator, typed.date_format, typed.time_format,
       typed.timestamp_format, typed.encoding});
  if (!typed_format) return std::move(typed_format).error();
  source.format = *std::move(typed_format);
  FormatOptions& format = source.format;
  // Of what grows only whole lines are read: there is no need to wait until it is left alone.
  if (source.on_change == SourceOptions::OnChange::kAppend) source.store.local.settle_ms = 0;
  std::chrono::milliseconds settle(source.store.local.settle_ms);
  std::uint64_t record_bytes_max = format.record_bytes_max;
  std::chrono::milliseconds statement_timeout(options.sink.statement_timeout_ms);
  std::chrono::milliseconds lock_timeout(options.sink.lock_timeout_ms);
  for (Result<void> parsed :
       {set_parsed("--poll-interval", typed.poll_interval, parse_duration, source.poll_interval),
        set_parsed("--poll-interval-max", typed.poll_interval_max, parse_duration,
                   source.poll_interval_max),
        set_parsed("--reconcile-interval", typed.reconcile_interval, parse_duration,
                   source.reconcile_interval),
        set_parsed("--list-budget", typed.list_budget, parse_rate, source.list_budget),
        set_parsed("--forget-after", typed.forget_after, parse_duration, source.forget_after),
        set_parsed("--checkpoint-interval", typed.checkpoint_interval, parse_duration,
                   options.checkpoint_interval),
        set_parsed("--sink-retry-for", typed.sink_retry_for, parse_duration,
                   options.sink_retry_for),
        set_parsed("--sink-statement-timeout", typed.sink_statement_timeout, parse_duration,
                   statement_timeout),
        set_parsed("--sink-lock-timeout", typed.sink_lock_timeout, parse_duration, lock_timeout),
        set_parsed("--settle", typed.settle, parse_duration, settle),
        set_parsed("--memory", typed.memory, parse_bytes, source.memory_bytes_max),
        set_parsed("--max-record-bytes", typed.max_record_bytes, parse_bytes, record_bytes_max)}) {
    if (!parsed) return std::move(parsed).error();
  }
  if (record_bytes_max > (1u << 30)) {
    return Error{ErrorCode::kInvalidArgument, "--max-record-bytes: at most 1GiB"};
  }
  for (const auto& [flag, timeout] : {std::pair("--sink-statement-timeout", statement_timeout),
                                      std::pair("--sink-lock-timeout", lock_timeout)}) {
    if (timeout <= std::chrono::hours(24)) continue;
    return Error{ErrorCode::kInvalidArgument, std::string(flag) + ": at most 24h"};
  }
  options.sink.statement_timeout_ms = static_cast<std::uint32_t>(statement_timeout.count());
  options.sink.lock_timeout_ms = static_cast<std::uint32_t>(lock_timeout.count());
  if (settle > std::chrono::hours(24)) {
    return Error{ErrorCode::kInvalidArgument, "--settle: at most 24h"};
  }
  format.record_bytes_max = static_cast<std::uint32_t>(record_bytes_max);
  format.fields_max = typed.max_fields;
  source.store.local.settle_ms = static_cast<std::uint32_t>(settle.count());
  if (!typed.tokenizer.empty()) format.tokenizer = typed.tokenizer;
  format.on_error = typed.on_error == "reject" ? OnError::kReject
                    : typed.on_error == "null" ? OnError::kNull
                                               : OnError::kFail;
  format.extra_columns = typed.extra_columns == "ignore" ? ExtraColumns::kIgnore
                         : typed.extra_columns == "fail" ? ExtraColumns::kFail
                                                         : ExtraColumns::kAuto;
  format.missing_columns =
      typed.missing_columns == "fail" ? MissingColumns::kFail : MissingColumns::kNull;
  source.types = typed.types == "text" ? SourceOptions::Types::kText : SourceOptions::Types::kSniff;
  source.sniffed = unsaid();
  source.discovery = typed.discovery == "tail" ? SourceOptions::Discovery::kTail
                                               : SourceOptions::Discovery::kSweep;
  source.late_window_keys = typed.late_window;
  source.list_parallel = typed.list_parallel;
  source.where = typed.where;
  source.key_after = typed.key_after;
  if (!typed.modified_after.empty()) {
    std::int64_t after_ms = 0;
    if (Result<void> parsed =
            set_parsed("--modified-after", typed.modified_after, parse_time_ms, after_ms);
        !parsed) {
      return std::move(parsed).error();
    }
    source.modified_after_ms = after_ms;
  }
  if (Result<void> parsed =
          set_parsed("--partitions", typed.partitions, parse_schema, source.partitions);
      !parsed) {
    return std::move(parsed).error();
  }
  if (!typed.schema.empty()) {
    Result<Schema> schema = parse_schema(typed.schema);
    if (!schema) {
      Error error = std::move(schema).error();
      error.message = "--schema: " + error.message;
      return error;
    }
    source.schema = std::move(*schema);
  }

  Result<S3Options> s3 = s3_options();
  if (!s3) return std::move(s3).error();
  source.store.s3 = *std::move(s3);
  return options;
}

}  // namespace leat::cli
