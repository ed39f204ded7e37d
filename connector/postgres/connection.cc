#include "connector/postgres/connection.h"

#include <libpq-fe.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "connector/hidden_text.h"

namespace leat::connector {
namespace {

constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kByteaArrayOid = 1001;

struct Verdict {
  ErrorCode code = ErrorCode::kUnavailable;
  bool retryable = false;
  std::string_view advice = {};
};

/// @see PostgreSQL manual, appendix A: error codes.
Verdict verdict_of(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (state.empty() || group == "08" || group == "57") {
    if (state == "57014") {
      return {ErrorCode::kTimeout, true,
              "It took longer than the statement's time limit, or somebody cancelled it."};
    }
    return {ErrorCode::kUnavailable, true, ""};
  }
  if (group == "28") {
    return {ErrorCode::kPermissionDenied, false,
            "Check user, password (PGPASSWORD, ~/.pgpass) and pg_hba.conf."};
  }
  if (state == "3D000") return {ErrorCode::kNotFound, false, "Is the database's name right?"};
  if (state == "42501") {
    return {ErrorCode::kPermissionDenied, false,
            "The role needs INSERT on the table (to repair, SELECT and DELETE, too) and SELECT, "
            "INSERT, UPDATE, DELETE on the tables of the schema leat (CREATE, to make them)."};
  }
  if (state == "53100") {
    return {ErrorCode::kDiskFull, true,
            "PostgreSQL's disk is full: free some space; nothing was half-written."};
  }
  if (group == "53") return {ErrorCode::kUnavailable, true, ""};
  if (state == "25006") {
    return {ErrorCode::kUnavailable, true,
            "The server takes no writes: it is a standby, or in read-only mode."};
  }
  if (group == "40") return {ErrorCode::kUnavailable, true, ""};
  if (state == "55P03") {
    return {ErrorCode::kUnavailable, true, "Another session holds a lock on it."};
  }
  if (state == "22P05") {
    return {ErrorCode::kBadValue, false,
            "The database's encoding has no such character: name pipeline and columns without it "
            "(--pipeline), or use a database in UTF-8."};
  }
  if (is_row_error(state)) return {ErrorCode::kBadValue, false, ""};
  if (group == "58" || state == "XX001" || state == "XX002") {
    return {ErrorCode::kIo, false, "PostgreSQL itself has a problem with its files."};
  }
  if (group == "42" || group == "3F" || group == "22") {
    return {ErrorCode::kSchemaMismatch, false, ""};
  }
  return {ErrorCode::kIo, false, ""};
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

std::string without_line_ends(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

void append_be32(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

/// libpq's arrays of parameters.
struct Parameters {
  Parameters(std::initializer_list<PgParameter> parameters) {
    for (const PgParameter& parameter : parameters) {
      // Text parameters end in a zero byte.
      texts.emplace_back(parameter.value);
      types.push_back(parameter.type);
      lengths.push_back(static_cast<int>(parameter.value.size()));
      formats.push_back(parameter.binary ? 1 : 0);
    }
    for (const std::string& text : texts) values.push_back(text.c_str());
  }
  int count() const { return static_cast<int>(values.size()); }

  std::vector<std::string> texts;
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

/// Whether a server answered an attempt to connect: its messages alone have two spaces behind the
/// severity, which is in its own language as the rest is.
bool holds_refusal(std::string_view message) { return message.find(":  ") != message.npos; }

/// The SQLSTATEs in such a message, where it is verbose: one for each host.
std::vector<std::string> states_in(std::string_view message) {
  constexpr std::string_view kMark = ":  ";
  constexpr std::size_t kStateBytes = 5;
  std::vector<std::string> states;
  for (std::size_t at = message.find(kMark); at != message.npos; at = message.find(kMark, at)) {
    at += kMark.size();
    if (message.substr(at).size() > kStateBytes && message[at + kStateBytes] == ':') {
      states.emplace_back(message.substr(at, kStateBytes));
    }
  }
  return states;
}

std::string password_of(PGconn* handle) {
  const char* password = PQpass(handle);
  return password == nullptr ? std::string() : std::string(password);
}

/// Null: there is no memory.
PGconn* connect(const PgSessionOptions& options) {
  const bool environment_only = options.uri.find('/') == std::string::npos;
  // What comes first is outranked by the URI and what it says.
  constexpr const char* kNames[] = {"fallback_application_name",
                                    "connect_timeout",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "tcp_user_timeout",
                                    "dbname",
                                    "client_encoding",
                                    "application_name",
                                    nullptr};
  const char* const values[] = {"leat",
                                "10",
                                "10",
                                "5",
                                "3",
                                "30000",
                                environment_only ? "" : options.uri.c_str(),
                                "UTF8",
                                options.application_name.c_str(),
                                nullptr};
  return PQconnectdbParams(kNames, values, 1);
}

std::string settings_of_transactions(const PgSessionOptions& options) {
  // A commit that was answered has to outlast a crash of the server: the ledger follows it.
  std::string settings =
      "SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN "
      "set_config('synchronous_commit', 'on', true) END";
  if (options.statement_timeout_ms != 0) {
    settings += ", set_config('statement_timeout', '" +
                std::to_string(options.statement_timeout_ms) + "', true)";
  }
  if (options.lock_timeout_ms != 0) {
    settings +=
        ", set_config('lock_timeout', '" + std::to_string(options.lock_timeout_ms) + "', true)";
  }
  return settings;
}

}  // namespace

void PgAnswer::Clearer::operator()(pg_result* result) const noexcept { PQclear(result); }
void PgConnection::Closer::operator()(pg_conn* handle) const noexcept { PQfinish(handle); }

int PgAnswer::rows() const noexcept { return PQntuples(result_.get()); }

bool PgAnswer::is_null(int row, int column) const noexcept {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view PgAnswer::text(int row, int column) const noexcept {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PgAnswer::integer(int row, int column) const noexcept {
  std::int64_t value = 0;
  const std::string_view digits = text(row, column);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::int64_t PgAnswer::changed() const noexcept {
  std::int64_t value = 0;
  const std::string_view digits = PQcmdTuples(result_.get());
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string_view PgAnswer::command() const noexcept { return PQcmdStatus(result_.get()); }

bool is_row_error(std::string_view sqlstate) noexcept {
  // The way that leat writes does not fit the table any more: it was altered.
  if (sqlstate == "22P03" || sqlstate == "22P04") return false;
  const std::string_view group = sqlstate.substr(0, 2);
  // P0001: what a trigger raises. 44: a view's check option. 54: a row too large for an index.
  return group == "22" || group == "23" || group == "44" || group == "54" || sqlstate == "P0001";
}

std::string pg_message(const PgFailure& failure) {
  std::string message =
      "PostgreSQL: " + without_line_ends(failure.message) + " (SQLSTATE " + failure.sqlstate + ")";
  if (!failure.detail.empty()) message += ": " + without_line_ends(failure.detail);
  return message + ".";
}

Error pg_error(const PgFailure& failure) {
  const Verdict verdict = verdict_of(failure.sqlstate);
  std::string message = pg_message(failure);
  if (!verdict.advice.empty()) message += " " + std::string(verdict.advice);
  return {.code = verdict.code,
          .message = std::move(message),
          .at = {},
          .retryable = verdict.retryable};
}

bool is_server_error(std::string_view sqlstate) noexcept {
  constexpr std::string_view kGroups[] = {"08", "25", "40", "53", "55", "57", "58", "F0"};
  const std::string_view group = sqlstate.substr(0, 2);
  // XX001, XX002: its files are damaged. 22P03, 22P04: what leat sends is not understood.
  return std::find(std::begin(kGroups), std::end(kGroups), group) != std::end(kGroups) ||
         sqlstate == "XX001" || sqlstate == "XX002" || sqlstate == "22P03" || sqlstate == "22P04";
}

Result<void> check_postgres_uri(std::string_view uri) {
  const Error refused{
      ErrorCode::kInvalidArgument,
      "The sink's URI cannot be read. It is postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE, "
      "where characters such as @ : / ? # in a password are percent-encoded (@ is %40); a password "
      "is better kept in PGPASSWORD or ~/.pgpass"};
  const std::size_t colon = uri.find(':');
  std::string_view rest = uri.substr(colon + 1);
  if (rest.empty()) return {};
  if (!rest.starts_with("//")) return refused;
  // libpq would repeat parts of a password that it takes for a host or a port.
  rest.remove_prefix(2);
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  const std::size_t at = authority.find('@');
  if (at != std::string_view::npos && authority.find('@', at + 1) != std::string_view::npos) {
    return refused;
  }
  // One in a path would be of a password with '/' in it; in an option it is nothing unusual.
  if (end != std::string_view::npos &&
      rest.substr(end, at == std::string_view::npos ? rest.npos : rest.find('?', end) - end)
              .find('@') != std::string_view::npos) {
    return refused;
  }
  char* message = nullptr;
  PQconninfoOption* const options = PQconninfoParse(std::string(uri).c_str(), &message);
  PQfreemem(message);
  if (options == nullptr) return refused;
  PQconninfoFree(options);
  return {};
}

Result<PgConnection> PgConnection::open(const PgSessionOptions& options) {
  if (Result<void> valid = check_postgres_uri(options.uri); !valid) {
    return std::move(valid).error();
  }
  PgConnection connection;
  connection.handle_.reset(connect(options));
  PGconn* const handle = connection.handle_.get();
  if (handle == nullptr) return Error{ErrorCode::kInternal, "libpq has no memory"};
  connection.password_ = password_of(handle);
  if (PQstatus(handle) != CONNECTION_OK) {
    Error failure = connection.why_not_connected();
    if (PQstatus(handle) != CONNECTION_OK) return failure;
  }
  connection.socket_ = PQsocket(handle);
  connection.settings_ = settings_of_transactions(options);
  PQsetNoticeProcessor(
      handle, [](void*, const char*) noexcept {}, nullptr);
  // The server notices by itself that this end is gone.
  const auto keepalives = connection.run(
      "SELECT set_config('tcp_keepalives_idle', '10', false), "
      "set_config('tcp_keepalives_interval', '5', false), "
      "set_config('tcp_keepalives_count', '3', false)");
  if (!keepalives) return keepalives.error();
  return connection;
}

std::string PgConnection::literal(std::string_view text) const {
  char* const escaped = PQescapeLiteral(handle_.get(), text.data(), text.size());
  if (escaped == nullptr) return "NULL";
  std::string literal = escaped;
  PQfreemem(escaped);
  return literal;
}

bool PgConnection::holds_unicode() const noexcept {
  const char* const encoding = PQparameterStatus(handle_.get(), "server_encoding");
  const std::string_view name = encoding == nullptr ? "" : encoding;
  return name == "UTF8" || name == "SQL_ASCII";
}

bool PgConnection::alive() const noexcept { return PQstatus(handle_.get()) == CONNECTION_OK; }

void PgConnection::abort() noexcept {
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

/// Tries once more where a server has refused: its SQLSTATE tells what its words, which are in its
/// own language, do not.
Error PgConnection::why_not_connected() {
  PGconn* const handle = handle_.get();
  Error error = lost();
  error.message = "Cannot connect to PostgreSQL: " + error.message;
  const std::string text = PQerrorMessage(handle);
  if (holds_refusal(text)) {
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);
    PQreset(handle);
    PQsetErrorVerbosity(handle, PQERRORS_DEFAULT);
    const std::vector<std::string> states = states_in(PQerrorMessage(handle));
    // One of several hosts may come to itself.
    const auto may_pass = [](const std::string& state) { return verdict_of(state).retryable; };
    if (states.empty() || std::any_of(states.begin(), states.end(), may_pass)) return error;
    const Verdict verdict = verdict_of(states.back());
    error.code = verdict.code;
    error.retryable = false;
    error.message += " (SQLSTATE " + states.back() + ")";
    if (!verdict.advice.empty()) error.message += " " + std::string(verdict.advice);
    return error;
  }
  const auto says = [&text](std::string_view words) { return text.find(words) != text.npos; };
  if (PQconnectionNeedsPassword(handle) != 0 || says("no password supplied")) {
    error.code = ErrorCode::kPermissionDenied;
    error.retryable = false;
    error.message += " " + std::string(verdict_of("28000").advice);
  } else if (says("server does not support SSL") ||
             // Before anything was sent to anybody.
             (!says("connection to server") && !says("could not ") && !says("timeout"))) {
    error.code = ErrorCode::kInvalidArgument;
    error.retryable = false;
  }
  return error;
}

Error PgConnection::lost() {
  failure_ = {};
  std::string text = without_line_ends(PQerrorMessage(handle_.get()));
  hide(password_, text);
  failure_.message = text;
  return {.code = ErrorCode::kUnavailable,
          .message = text.empty() ? "The connection to PostgreSQL was lost." : text + ".",
          .at = {},
          .retryable = true};
}

Error PgConnection::error_of(const pg_result* result) {
  if (result == nullptr || field(result, PG_DIAG_SQLSTATE).empty()) return lost();
  failure_ = {.sqlstate = field(result, PG_DIAG_SQLSTATE),
              .message = field(result, PG_DIAG_MESSAGE_PRIMARY),
              .detail = field(result, PG_DIAG_MESSAGE_DETAIL),
              .context = field(result, PG_DIAG_CONTEXT),
              .column = field(result, PG_DIAG_COLUMN_NAME)};
  Error error = pg_error(failure_);
  // A server that is going down may say so in a detail and close the connection.
  if (!alive()) {
    error.code = ErrorCode::kUnavailable;
    error.retryable = true;
  }
  return error;
}

/// All answers to what was sent: the last one, or the first failure.
Result<PgAnswer> PgConnection::last_answer() {
  PGresult* last = nullptr;
  std::optional<Error> error;
  while (PGresult* const result = PQgetResult(handle_.get())) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN &&
        status != PGRES_EMPTY_QUERY && !error) {
      error = error_of(result);
    }
    PQclear(last);
    last = result;
    if (status == PGRES_COPY_IN) break;
    // A lost connection answers no more.
    if (PQstatus(handle_.get()) != CONNECTION_OK && error) break;
  }
  PgAnswer answer(last);
  if (error) return *std::move(error);
  if (last == nullptr) return lost();
  return answer;
}

Result<void> PgConnection::drain() {
  Result<PgAnswer> answer = last_answer();
  if (!answer) return std::move(answer).error();
  return {};
}

Result<PgAnswer> PgConnection::begin(const std::string& statements) {
  return run("BEGIN ISOLATION LEVEL READ COMMITTED; " + settings_ +
             (statements.empty() ? "" : "; " + statements));
}

Result<PgAnswer> PgConnection::run(const std::string& sql) {
  if (PQsendQuery(handle_.get(), sql.c_str()) == 0) return lost();
  return last_answer();
}

Result<PgAnswer> PgConnection::run(const std::string& sql,
                                   std::initializer_list<PgParameter> parameters) {
  const Parameters p(parameters);
  if (PQsendQueryParams(handle_.get(), sql.c_str(), p.count(), p.types.data(), p.values.data(),
                        p.lengths.data(), p.formats.data(), 0) == 0) {
    return lost();
  }
  return last_answer();
}

Result<PgAnswer> PgConnection::fetch(const std::string& sql) {
  if (PQsendQueryParams(handle_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) ==
      0) {
    return lost();
  }
  return last_answer();
}

Result<void> PgConnection::begin_visit(const std::string& sql,
                                       std::initializer_list<PgParameter> parameters) {
  const Parameters p(parameters);
  if (PQsendQueryParams(handle_.get(), sql.c_str(), p.count(), p.types.data(), p.values.data(),
                        p.lengths.data(), p.formats.data(), 1) == 0) {
    return lost();
  }
  PQsetSingleRowMode(handle_.get());
  return {};
}

/// No rows: the end.
Result<PgAnswer> PgConnection::next_row() {
  PGresult* const result = PQgetResult(handle_.get());
  if (result == nullptr) return lost();
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_SINGLE_TUPLE) return PgAnswer(result);
  PgAnswer answer(result);
  if (status != PGRES_TUPLES_OK) {
    Error error = error_of(result);
    (void)drain();
    return error;
  }
  while (PGresult* const rest = PQgetResult(handle_.get())) PQclear(rest);
  return answer;
}

Result<void> PgConnection::begin_copy(const std::string& sql) {
  auto answer = run(sql);
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> PgConnection::send_copy(std::string_view bytes) {
  if (PQputCopyData(handle_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    // What the server said before it went is the better message.
    auto answer = last_answer();
    return answer ? lost() : std::move(answer).error();
  }
  return {};
}

Result<void> PgConnection::end_copy() {
  if (PQputCopyEnd(handle_.get(), nullptr) != 1) {
    auto answer = last_answer();
    return answer ? lost() : std::move(answer).error();
  }
  return drain();
}

Result<void> PgConnection::send_commit() {
  if (PQsendQuery(handle_.get(), "COMMIT") == 0) return lost();
  return {};
}

Result<void> PgConnection::finish_commit() {
  auto answer = last_answer();
  if (!answer) return std::move(answer).error();
  if (answer->command() != "COMMIT") {
    return Error{.code = ErrorCode::kUnavailable,
                 .message = "PostgreSQL rolled the epoch back instead of committing it.",
                 .at = {},
                 .retryable = true};
  }
  return {};
}

void PgByteaArray::append(std::string_view element) {
  append_be32(static_cast<std::uint32_t>(element.size()), elements_);
  elements_.append(element);
  ++count_;
}

PgParameter PgByteaArray::parameter() {
  // Dimensions, flags, element type, length, lower bound; then each element with its length.
  encoded_.clear();
  append_be32(1, encoded_);
  append_be32(0, encoded_);
  append_be32(kByteaOid, encoded_);
  append_be32(count_, encoded_);
  append_be32(1, encoded_);
  encoded_ += elements_;
  return {.value = encoded_, .type = kByteaArrayOid, .binary = true};
}

}  // namespace leat::connector
