#include "connector/postgres/record.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "connector/json_text.h"
#include "connector/postgres/copy_encoder.h"
#include "core/hex_digit.h"

namespace leat::connector {
namespace {

constexpr std::string_view kMakeTables = R"sql(
CREATE SCHEMA IF NOT EXISTS leat;
CREATE TABLE IF NOT EXISTS leat.pipeline (
  pipeline text NOT NULL PRIMARY KEY, owner text NOT NULL, target text,
  taken_over timestamptz NOT NULL DEFAULT now());
ALTER TABLE leat.pipeline ADD COLUMN IF NOT EXISTS target_oid oid,
  ADD COLUMN IF NOT EXISTS record_oid oid;
CREATE TABLE IF NOT EXISTS leat.epoch (
  pipeline text NOT NULL, connection integer NOT NULL, epoch bigint NOT NULL, token bigint NOT NULL,
  parent bigint NOT NULL, PRIMARY KEY (pipeline, connection)) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS leat.position (
  pipeline text NOT NULL, key bytea NOT NULL, epoch bigint NOT NULL, progress bytea NOT NULL,
  PRIMARY KEY (pipeline, key));
CREATE INDEX IF NOT EXISTS position_epoch ON leat.position (pipeline, epoch);
CREATE TABLE IF NOT EXISTS leat.reject (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pipeline text NOT NULL, object text NOT NULL,
  key bytea NOT NULL, version text NOT NULL, record bigint NOT NULL, byte_offset bigint NOT NULL,
  column_name text, text text, raw bytea NOT NULL, code text NOT NULL, reason text NOT NULL);
CREATE INDEX IF NOT EXISTS reject_key ON leat.reject (pipeline, key);
)sql";

std::string bigint(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

}  // namespace

bool is_pg_text(std::string_view bytes) {
  return is_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
}

std::string pg_readable(std::string_view bytes, bool unicode) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (is_pg_text(bytes) && (unicode || std::all_of(bytes.begin(), bytes.end(), is_ascii))) {
    return std::string(bytes);
  }
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(c);
    } else {
      text += {'\\', 'x', core::kHexDigits[byte >> 4], core::kHexDigits[byte & 15]};
    }
  }
  return text;
}

Result<void> make_pg_tables(PgConnection& connection) {
  auto there = connection.run(
      "SELECT to_regclass('leat.pipeline') IS NOT NULL AND to_regclass('leat.epoch') IS NOT NULL "
      "AND to_regclass('leat.position') IS NOT NULL AND to_regclass('leat.reject') IS NOT NULL "
      "AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('leat.pipeline') "
      "AND attname = 'record_oid')");
  if (!there) return std::move(there).error();
  if (there->text(0, 0) == "t") return {};
  // One at a time: IF NOT EXISTS alone fails when two make the same. The lock's number is any that
  // no other program is likely to use.
  auto locked = connection.run("SELECT pg_advisory_xact_lock(7809632219779)");
  if (!locked) return std::move(locked).error();
  auto made = connection.run(std::string(kMakeTables));
  if (!made) return std::move(made).error();
  return {};
}

Result<EpochMark> find_pg_mark(PgConnection& connection, const std::string& pipeline) {
  auto last = connection.run(
      "SELECT epoch, token, parent FROM leat.epoch WHERE pipeline = $1 ORDER BY epoch DESC LIMIT 1",
      {{.value = pipeline}});
  if (!last) return std::move(last).error();
  if (last->rows() == 0) return EpochMark();
  return EpochMark{.epoch = static_cast<std::uint64_t>(last->integer(0, 0)),
                   .token = static_cast<std::uint64_t>(last->integer(0, 1)),
                   .parent = static_cast<std::uint64_t>(last->integer(0, 2))};
}

std::string_view pg_copy_rejects() noexcept {
  return "COPY leat.reject (pipeline, object, key, version, record, byte_offset, column_name, "
         "text, raw, code, reason) FROM STDIN (FORMAT binary)";
}

void append_pg_reject(const std::string& pipeline, const ObjectVersion& split,
                      const RejectedRow& reject, bool unicode, Buffer& out) {
  const std::string object = pg_readable(split.key, unicode);
  const std::string version = pg_readable(split.version, unicode);
  const std::string record = bigint(reject.record);
  const std::string offset = bigint(reject.byte_offset);
  const std::string column = pg_readable(reject.column, unicode);
  const std::string text = pg_readable(reject.text, unicode);
  const std::string code(error_code_name(reject.code));
  const std::string reason = pg_readable(reject.reason, unicode);
  append_copy_row({&pipeline, &object, &split.key, &version, &record, &offset,
                   reject.column.empty() ? nullptr : &column, &text, &reject.raw, &code, &reason},
                  out);
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(core::hex_digit(hex[i]) * 16 + core::hex_digit(hex[i + 1])));
  }
  return bytes;
}

Error pg_fenced(std::string_view pipeline) {
  return {.code = ErrorCode::kFenced,
          .message = "Another loader took the pipeline \"" + std::string(pipeline) +
                     "\" over: nothing more was written. Only one loader may run a pipeline."};
}

Error pg_altered(std::string_view table) {
  return {.code = ErrorCode::kUnavailable,
          .message = "The table " + std::string(table) +
                     " was altered, or made anew, while it was loaded into: nothing was committed "
                     "since, and it is matched once more.",
          .at = {},
          .retryable = true};
}

Error pg_table_error(Error error, const PgFailure& failure, std::string_view table) {
  if (error.retryable || failure.sqlstate.empty()) return error;
  error.message = "The table " + std::string(table) + " takes no rows: " + error.message;
  // Such as row-level security; but a plan that was made before a change is made anew.
  const bool is_unsupported =
      failure.sqlstate == "0A000" && error.message.find("cached plan") == std::string::npos;
  if (is_unsupported) {
    error.message += " leat adds rows with COPY.";
  } else if (error.code != ErrorCode::kPermissionDenied) {
    error.message += " Was it dropped or altered while it was loaded into?";
    error.retryable = true;
  }
  return error;
}

}  // namespace leat::connector
