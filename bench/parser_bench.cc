// How fast CSV bytes become fields and typed columns, on the shapes of bench/shapes.h. Each line
// gives bytes/s of input and rows/s (items). The copy is what memory allows at best.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/shapes.h"
#include "leat/parser.h"
#include "parser/csv/simd/structural_index.h"
#include "parser/csv/tokenizers.h"

namespace leat::parser {
namespace {

constexpr std::size_t kObjectBytes = 64u << 20;
constexpr std::size_t kChunkBytes = 1u << 20;   ///< As a reader hands them over.
constexpr std::size_t kBlockBytes = 64u << 10;  ///< As the parser tokenizes them.

struct Shape {
  std::string schema;  ///< SQL.
  std::string bytes;   ///< With a header.
};

Shape make_shape(char name) {
  bench::ShapeWriter writer(name);
  Shape shape{std::string(writer.schema()), writer.header()};
  shape.bytes.reserve(kObjectBytes + 4096);
  writer.append(kObjectBytes, shape.bytes);
  return shape;
}

const Shape& shape_of(char name) {
  static const Shape kRides = make_shape('a');
  static const Shape kQuoted = make_shape('b');
  static const Shape kIntegers = make_shape('c');
  return name == 'a' ? kRides : name == 'b' ? kQuoted : kIntegers;
}

void report(benchmark::State& state, std::size_t bytes, std::size_t rows) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}

void copy_memory(benchmark::State& state, char name) {
  const std::string& bytes = shape_of(name).bytes;
  std::string copy(bytes.size(), '\0');
  std::size_t done = 0;
  for (auto _ : state) {
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(copy.data());
    benchmark::ClobberMemory();
    done += bytes.size();
  }
  report(state, done, 0);
}

/// A way to read CSV, as FormatOptions name it.
struct Engine {
  std::string tokenizer;
  std::string simd;

  std::string name() const { return tokenizer + (simd.empty() ? "" : "-" + simd); }
};

std::vector<Engine> engines() {
  std::vector<Engine> all = {{"libcsv", ""}, {"scalar", ""}};
  for (const SimdTarget target : available_simd_targets()) {
    all.push_back({"simd", std::string(simd_target_name(target))});
  }
  return all;
}

std::unique_ptr<Tokenizer> make_tokenizer(const Engine& engine) {
  const FormatOptions options;
  if (engine.tokenizer == "libcsv") return make_libcsv_tokenizer(options);
  if (engine.tokenizer == "scalar") return make_scalar_tokenizer(options);
  return make_simd_tokenizer(options, *choose_simd_target(engine.simd));
}

void index_alone(benchmark::State& state, char name, SimdTarget target) {
  const std::string_view bytes = shape_of(name).bytes;
  const StructuralIndexer indexer(target, ',', '"');
  StructuralIndex index;
  std::size_t rows = 0;
  std::size_t done = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::string_view input = bytes.substr(at, kBlockBytes);
      indexer.index(input, 0, index);
      rows += index.line_feeds;
      if (index.line_feeds == 0) return state.SkipWithError("the shape is no CSV");
      // Blocks begin with a record, as they do for the parser.
      const auto* last = index.positions.as<std::uint32_t>() + index.count;
      while (input[*last] != '\n') --last;
      at += *last + std::size_t{1};
    }
    done += bytes.size();
  }
  report(state, done, rows);
}

void tokenize(benchmark::State& state, char name, const Engine& engine) {
  const std::string_view bytes = shape_of(name).bytes;
  const auto tokenizer = make_tokenizer(engine);
  TokenizedBlock block;
  std::size_t rows = 0;
  std::size_t done = 0;
  for (auto _ : state) {
    LineEnd line_end = LineEnd::kUnknown;
    for (std::size_t at = 0; at < bytes.size(); at += block.consumed) {
      const std::string_view input = bytes.substr(at, kBlockBytes);
      const bool last = at + input.size() == bytes.size();
      if (!tokenizer->tokenize(input, last, false, SIZE_MAX, line_end, block)) {
        return state.SkipWithError("the shape is no CSV");
      }
      rows += block.record_begin.size();
    }
    done += bytes.size();
  }
  report(state, done, rows);
}

void parse_typed(benchmark::State& state, char name, const Engine& engine) {
  const Shape& shape = shape_of(name);
  FormatOptions options;
  options.tokenizer = engine.tokenizer;
  options.simd = engine.simd;
  Result<Schema> schema = parse_schema(shape.schema);
  if (!schema) return state.SkipWithError(schema.error().message.c_str());
  auto parser = make_parser(options, std::make_shared<const Schema>(*std::move(schema)));
  if (!parser) return state.SkipWithError(parser.error().message.c_str());
  const auto split = std::make_shared<const ObjectVersion>();
  std::size_t rows = 0;
  std::size_t done = 0;
  RowChunk chunk;
  for (auto _ : state) {
    Result<void> ok = (*parser)->reset_for_new_split(split, {});
    const std::span<const std::byte> bytes = std::as_bytes(std::span(shape.bytes));
    for (std::size_t at = 0; ok && at < bytes.size(); at += kChunkBytes) {
      const std::size_t size = std::min(kChunkBytes, bytes.size() - at);
      ok = (*parser)->parse({at, bytes.subspan(at, size)}, chunk);
      rows += static_cast<std::size_t>(chunk.rows);
    }
    if (ok) ok = (*parser)->finish(chunk);
    if (!ok) return state.SkipWithError(ok.error().to_string().c_str());
    rows += static_cast<std::size_t>(chunk.rows);
    done += bytes.size();
  }
  report(state, done, rows);
}

}  // namespace
}  // namespace leat::parser

/// All of them, by name: shape/what/engine.
int main(int argc, char** argv) {
  using namespace leat::parser;  // NOLINT: a program's own namespace
  for (const char shape : {'a', 'b', 'c'}) {
    const std::string prefix = std::string(1, shape) + "/";
    const auto add = [&](const std::string& name, auto function) {
      benchmark::RegisterBenchmark((prefix + name).c_str(), function)
          ->Unit(benchmark::kMillisecond);
    };
    add("copy", [shape](benchmark::State& state) { copy_memory(state, shape); });
    for (const SimdTarget target : available_simd_targets()) {
      add("index/simd-" + std::string(simd_target_name(target)),
          [=](benchmark::State& state) { index_alone(state, shape, target); });
    }
    for (const Engine& engine : engines()) {
      add("tokenize/" + engine.name(),
          [=](benchmark::State& state) { tokenize(state, shape, engine); });
    }
    for (const Engine& engine : engines()) {
      add("typed/" + engine.name(),
          [=](benchmark::State& state) { parse_typed(state, shape, engine); });
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
