#include "connector/sqlite/row_inserter.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "connector/sql_name.h"

namespace leat::connector {
namespace {

constexpr std::int64_t kRowsPerStatement = 16;

std::string insert_statement(const std::string& table, const Schema& schema, std::int64_t rows) {
  std::string sql = "INSERT INTO " + quote_sql_name(table) + " (";
  std::string values;
  for (const Field& field : schema.fields) {
    sql += (&field == &schema.fields.front() ? "" : ", ") + quote_sql_name(field.name);
    values += values.empty() ? "(?" : ",?";
  }
  values += ")";
  sql += ") VALUES ";
  for (std::int64_t row = 0; row < rows; ++row) sql += (row == 0 ? "" : ",") + values;
  return sql;
}

void bind_double(sqlite3_stmt* statement, int parameter, double value) {
  // SQLite would store NaN as null: its text keeps the two apart.
  if (std::isnan(value)) {
    sqlite3_bind_text(statement, parameter, "NaN", 3, SQLITE_STATIC);
  } else {
    sqlite3_bind_double(statement, parameter, value);
  }
}

}  // namespace

Result<RowInserter> RowInserter::create(Database& database, const std::string& table,
                                        const Schema& schema) {
  const int parameters_max = sqlite3_limit(database.handle(), SQLITE_LIMIT_VARIABLE_NUMBER, -1);
  const auto columns = static_cast<std::int64_t>(schema.fields.size());
  const std::int64_t rows = std::clamp<std::int64_t>(
      parameters_max / std::max<std::int64_t>(columns, 1), 1, kRowsPerStatement);
  auto one = database.prepare(insert_statement(table, schema, 1));
  if (!one) return std::move(one).error();
  auto many = database.prepare(insert_statement(table, schema, rows));
  if (!many) return std::move(many).error();
  RowInserter inserter(database, *std::move(one), *std::move(many), rows);
  inserter.texts_.resize(static_cast<std::size_t>(rows * columns));
  return inserter;
}

Result<void> RowInserter::insert(const RowChunk& chunk) {
  std::int64_t row = 0;
  while (row < chunk.rows) {
    const bool many = chunk.rows - row >= rows_per_statement_;
    if (!many) {
      if (auto inserted = insert_one(chunk, row); !inserted) return inserted;
      ++row;
      continue;
    }
    for (std::int64_t i = 0; i < rows_per_statement_; ++i) {
      bind_row(many_, chunk, row + i, static_cast<std::size_t>(i));
    }
    if (auto done = many_.run(*database_, "add rows to"); !done) {
      // The statement took its rows back. One by one they show which of them is refused, unless the
      // table's own rule rolled back the transaction.
      if (done.error().code != ErrorCode::kBadValue || !database_->in_transaction()) {
        return refused(chunk, row, std::move(done).error());
      }
      for (std::int64_t i = 0; i < rows_per_statement_; ++i) {
        if (auto inserted = insert_one(chunk, row + i); !inserted) return inserted;
      }
    }
    row += rows_per_statement_;
  }
  return {};
}

Result<void> RowInserter::insert_one(const RowChunk& chunk, std::int64_t row) {
  bind_row(one_, chunk, row, 0);
  if (auto done = one_.run(*database_, "add a row to"); !done) {
    return refused(chunk, row, std::move(done).error());
  }
  return {};
}

Error RowInserter::refused(const RowChunk& chunk, std::int64_t row, Error error) const {
  if (error.code != ErrorCode::kBadValue) return error;
  if (chunk.split) error.at.object = chunk.split->key;
  if (chunk.record_offsets.size() != 0) {
    error.at.record = chunk.record_number(row);
    error.at.byte_offset = chunk.record_offset(row);
  }
  error.message += " The table's own rules refuse this record: correct the object or the table.";
  return error;
}

void RowInserter::bind_row(const Statement& statement, const RowChunk& chunk, std::int64_t row,
                           std::size_t slot) {
  sqlite3_stmt* const to = statement.handle();
  const std::vector<Field>& fields = chunk.schema->fields;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    const std::size_t place = slot * fields.size() + c;
    const int parameter = static_cast<int>(place) + 1;
    const Column& column = chunk.columns[c];
    if (column.is_null(row)) {
      sqlite3_bind_null(to, parameter);
      continue;
    }
    switch (fields[c].type.id) {
      case TypeId::kBool:
        sqlite3_bind_int(to, parameter, column.bool_at(row) ? 1 : 0);
        break;
      case TypeId::kInt16:
        sqlite3_bind_int(to, parameter, column.at<std::int16_t>(row));
        break;
      case TypeId::kInt32:
        sqlite3_bind_int(to, parameter, column.at<std::int32_t>(row));
        break;
      case TypeId::kInt64:
        sqlite3_bind_int64(to, parameter, column.at<std::int64_t>(row));
        break;
      case TypeId::kFloat32:
        bind_double(to, parameter, static_cast<double>(column.at<float>(row)));
        break;
      case TypeId::kFloat64:
        bind_double(to, parameter, column.at<double>(row));
        break;
      case TypeId::kText:
      case TypeId::kJson: {
        const std::string_view text = column.text_at(row);
        sqlite3_bind_text64(to, parameter, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_STATIC, SQLITE_UTF8);
        break;
      }
      case TypeId::kBytes: {
        const std::string_view bytes = column.text_at(row);
        sqlite3_bind_blob64(to, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                            SQLITE_STATIC);
        break;
      }
      default: {
        std::string& text = texts_[place];
        text.clear();
        append_value_text(fields[c].type, column, row, text);
        sqlite3_bind_text64(to, parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
      }
    }
  }
}

}  // namespace leat::connector
