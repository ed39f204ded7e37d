// Reads one CSV file from the page cache in one way, once, and says how long it took. What
// bench/compare runs in turn with other programs.
//
//   csv_throughput generate SHAPE BYTES FILE    writes the file
//   csv_throughput schema SHAPE                 prints its columns as SQL
//   csv_throughput typed SHAPE FILE SIMD        leat, one thread: all columns typed
//   csv_throughput source SHAPE FILE STATE      an embedded source on all cores that it may use,
//   rows
//                                               dropped, from its opening until all are committed
//   csv_throughput libcsv FILE                  libcsv, finding the fields only
//
// The last three print "wall seconds, CPU seconds, rows".
#include <csv.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/shapes.h"
#include "leat/parser.h"
#include "leat/source.h"

namespace leat::bench {
namespace {

constexpr std::size_t kChunkBytes = 1u << 20;

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "csv_throughput: %s\n", message.c_str());
  std::exit(1);
}

void generate(ShapeWriter writer, std::size_t bytes, const char* path) {
  std::ofstream file(path, std::ios::binary);
  std::string text = writer.header();
  for (std::size_t written = 0; written < bytes; written += text.size(), text.clear()) {
    writer.append(std::min(kChunkBytes, bytes - written), text);
    file << text;
  }
  if (!file.flush()) fail(std::string("cannot write ") + path);
}

/// Calls `take` with the file's bytes, chunk by chunk.
void read_file(const char* path, const std::function<void(std::span<const std::byte>)>& take) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::string("cannot open ") + path);
  std::vector<std::byte> chunk(kChunkBytes);
  for (ssize_t size = 1; size != 0;) {
    size = read(file, chunk.data(), chunk.size());
    if (size < 0) fail(std::string("cannot read ") + path);
    if (size != 0) take(std::span(chunk).first(static_cast<std::size_t>(size)));
  }
  close(file);
}

std::uint64_t read_typed(std::string_view schema_sql, const char* path, const char* simd) {
  FormatOptions options;
  options.simd = simd;
  options.on_error = OnError::kReject;
  Result<Schema> schema = parse_schema(schema_sql);
  if (!schema) fail(schema.error().to_string());
  auto parser = make_parser(options, std::make_shared<const Schema>(*std::move(schema)));
  if (!parser) fail(parser.error().to_string());
  Result<void> ok = (*parser)->reset_for_new_split(std::make_shared<const ObjectVersion>(), {});
  RowChunk rows;
  std::uint64_t count = 0;
  std::uint64_t offset = 0;
  read_file(path, [&](std::span<const std::byte> bytes) {
    if (ok) ok = (*parser)->parse({offset, bytes}, rows);
    count += static_cast<std::uint64_t>(rows.rows);
    offset += bytes.size();
  });
  if (ok) ok = (*parser)->finish(rows);
  if (!ok) fail(ok.error().to_string());
  return count + static_cast<std::uint64_t>(rows.rows);
}

std::uint64_t read_source(std::string_view schema_sql, const char* path, const char* state) {
  SourceOptions options;
  options.from = path;
  options.state_dir = state;
  options.once = true;
  Result<Schema> schema = parse_schema(schema_sql);
  if (!schema) fail(schema.error().to_string());
  options.schema = *std::move(schema);
  auto source = Source::open(options);
  if (!source) fail(source.error().to_string());
  std::uint64_t count = 0;
  while (true) {
    Result<Polled> polled = (*source)->poll(std::chrono::minutes(1));
    if (!polled) fail(polled.error().to_string());
    if (polled->kind == Polled::Kind::kEnd) break;
    if (polled->kind == Polled::Kind::kRows) count += static_cast<std::uint64_t>(polled->rows.rows);
  }
  if (auto done = (*source)->commit((*source)->checkpoint()); !done) fail(done.error().to_string());
  return count;
}

struct Counts {
  std::uint64_t fields = 0;
  std::uint64_t rows = 0;
};

void count_field(void*, std::size_t, void* counts) noexcept {
  ++static_cast<Counts*>(counts)->fields;
}
void count_row(int, void* counts) noexcept { ++static_cast<Counts*>(counts)->rows; }

std::uint64_t read_by_libcsv(const char* path) {
  csv_parser parser;
  csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_blk_size(&parser, kChunkBytes);
  Counts counts;
  read_file(path, [&](std::span<const std::byte> bytes) {
    if (csv_parse(&parser, bytes.data(), bytes.size(), count_field, count_row, &counts) !=
        bytes.size()) {
      fail(csv_strerror(csv_error(&parser)));
    }
  });
  csv_fini(&parser, count_field, count_row, &counts);
  csv_free(&parser);
  return counts.rows - 1;  // The header.
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void report(const std::function<std::uint64_t()>& read) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const double cpu_begin = cpu_seconds();
  const std::uint64_t rows = read();
  const double cpu = cpu_seconds() - cpu_begin;
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%.4f %.4f %llu\n", wall, cpu, static_cast<unsigned long long>(rows));
}

int run(const std::vector<std::string>& arguments) {
  const std::string& what = arguments[0];
  const auto shape = [&] { return ShapeWriter(arguments[1][0]); };
  if (what == "generate" && arguments.size() == 4) {
    generate(shape(), std::stoull(arguments[2]), arguments[3].c_str());
  } else if (what == "schema" && arguments.size() == 2) {
    std::printf("%s\n", std::string(shape().schema()).c_str());
  } else if (what == "typed" && arguments.size() == 4) {
    report(
        [&] { return read_typed(shape().schema(), arguments[2].c_str(), arguments[3].c_str()); });
  } else if (what == "source" && arguments.size() == 4) {
    report(
        [&] { return read_source(shape().schema(), arguments[2].c_str(), arguments[3].c_str()); });
  } else if (what == "libcsv" && arguments.size() == 2) {
    report([&] { return read_by_libcsv(arguments[1].c_str()); });
  } else {
    fail("see the head of bench/csv_throughput.cc");
  }
  return 0;
}

}  // namespace
}  // namespace leat::bench

int main(int argc, char** argv) {
  return leat::bench::run(argc > 1 ? std::vector<std::string>(argv + 1, argv + argc)
                                   : std::vector<std::string>{""});
}
