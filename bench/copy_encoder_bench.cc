// How fast rows become COPY BINARY: those of bench/compare-postgres, wide (20 columns) and narrow
// (3 columns). items_per_second counts values; the chunks do not fit into a core's cache, as those
// that come from other threads do not lie there either.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connector/postgres/copy_encoder.h"
#include "leat/parser.h"

namespace leat::connector {
namespace {

constexpr int kRows = 100'000;

template <class... Values>
void print(std::string& out, const char* format, Values... values) {
  char text[128];
  out.append(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, format, values...)));
}

struct Table {
  std::string sql;
  std::string csv;
};

Table wide() {
  Table table{"id bigint, name text, amount numeric(10,2), at timestamp, ok boolean", {}};
  for (int c = 1; c <= 5; ++c) {
    print(table.sql, ", i%d integer, f%d double precision, t%d text", c, c, c);
  }
  for (int i = 0; i < kRows; ++i) {
    print(table.csv, "%d,name %d,%d.%02d,2026-11-%02d 10:%02d:%02d,%s", i, i % 977, i % 1000,
          i % 100, i % 30 + 1, i % 60, i % 60, i % 2 != 0 ? "true" : "false");
    for (int c = 0; c < 5; ++c) {
      print(table.csv, ",%d,%d.%d,text %d", (i * 7 + c) % 100'000, i % 5'000, c, (i + c) % 3'331);
    }
    table.csv += '\n';
  }
  return table;
}

Table narrow() {
  Table table{"id bigint, n integer, day date", {}};
  for (int i = 0; i < kRows; ++i) {
    print(table.csv, "%d,%d,2026-11-%02d\n", i, i % 977, i % 30 + 1);
  }
  return table;
}

CopyForm form_of(TypeId type) {
  switch (type) {
    case TypeId::kBool:
      return CopyForm::kBool;
    case TypeId::kInt32:
      return CopyForm::kInt4;
    case TypeId::kInt64:
      return CopyForm::kInt8;
    case TypeId::kFloat64:
      return CopyForm::kFloat8;
    case TypeId::kDecimal:
      return CopyForm::kNumeric;
    case TypeId::kDate:
      return CopyForm::kDate;
    case TypeId::kTimestamp:
      return CopyForm::kTimestamp;
    case TypeId::kText:
      return CopyForm::kBytes;
    default:
      std::abort();
  }
}

void encode(benchmark::State& state, Table (*make)()) {
  const Table table = make();
  FormatOptions options;
  options.header = false;
  const auto schema = std::make_shared<const Schema>(*parse_schema(table.sql));
  auto parser = make_parser(options, schema).value();
  RowChunk chunk;
  if (!parser->reset_for_new_split(std::make_shared<const ObjectVersion>(), {}) ||
      !parser->parse({0, std::as_bytes(std::span(table.csv))}, chunk) || chunk.rows != kRows) {
    state.SkipWithError("the rows cannot be read");
    return;
  }
  std::vector<CopyColumn> columns;
  for (const Field& field : schema->fields) columns.push_back({field.type, form_of(field.type.id)});
  constexpr std::int64_t kBatch = 1'024;  // As PgWriter has them.
  std::size_t bytes = 0;
  Buffer out;
  for (auto _ : state) {
    for (std::int64_t row = 0; row < chunk.rows; row += kBatch) {
      out.clear();
      append_copy_rows(chunk, columns, row, std::min(row + kBatch, chunk.rows), out);
      benchmark::DoNotOptimize(out.data());
      bytes += out.size();
    }
  }
  state.SetItemsProcessed(state.iterations() * chunk.rows *
                          static_cast<std::int64_t>(columns.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK_CAPTURE(encode, wide, wide);
BENCHMARK_CAPTURE(encode, narrow, narrow);

}  // namespace
}  // namespace leat::connector

BENCHMARK_MAIN();
