// How fast rows become COPY BINARY, on the shapes of bench/shapes.h. items_per_second counts
// values; the chunks do not fit into a core's cache, as those that come from other threads do not
// lie there either.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/shapes.h"
#include "connector/postgres/copy_encoder.h"
#include "leat/parser.h"

namespace leat::connector {
namespace {

constexpr std::size_t kCsvBytes = 16u << 20;

CopyForm form_of(TypeId type) {
  switch (type) {
    case TypeId::kInt32:
      return CopyForm::kInt4;
    case TypeId::kInt64:
      return CopyForm::kInt8;
    case TypeId::kFloat64:
      return CopyForm::kFloat8;
    case TypeId::kTimestamp:
      return CopyForm::kTimestamp;
    case TypeId::kText:
      return CopyForm::kBytes;
    default:
      std::abort();
  }
}

void encode(benchmark::State& state, char shape) {
  bench::ShapeWriter writer(shape);
  std::string csv = writer.header();
  writer.append(kCsvBytes, csv);
  const auto schema = std::make_shared<const Schema>(*parse_schema(writer.schema()));
  auto parser = make_parser({}, schema).value();
  RowChunk chunk;
  if (!parser->reset_for_new_split(std::make_shared<const ObjectVersion>(), {}) ||
      !parser->parse({0, std::as_bytes(std::span(csv))}, chunk)) {
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

BENCHMARK_CAPTURE(encode, a, 'a');
BENCHMARK_CAPTURE(encode, b, 'b');
BENCHMARK_CAPTURE(encode, c, 'c');

}  // namespace
}  // namespace leat::connector

BENCHMARK_MAIN();
