// leat_sqlite_child FILE: commits an epoch of 100 rows, writes more, and waits to be killed.

#include <cstdio>
#include <string>

#include "connector/sqlite/sqlite_sink.h"
#include "tests/connector/chunk_builder.h"

int main(int argc, char** argv) {
  using leat::connector::ChunkBuilder;
  if (argc != 2) return 2;
  leat::connector::SqliteSink sink({.path = argv[1], .table = "t"});
  const auto recovery =
      sink.open("p", {}, [](const leat::SplitProgress&) { return leat::Result<void>(); });
  if (!recovery) return 1;
  ChunkBuilder chunk("id bigint, name text");
  for (int i = 0; i < 100; ++i) chunk.row(i, std::string(100, 'x'));
  leat::SplitProgress progress;
  progress.object = *chunk.split();
  progress.epoch = recovery->epoch + 1;
  if (!sink.write(chunk.build())) return 1;
  if (!sink.commit({.epoch = progress.epoch, .splits = {progress}})) return 1;
  std::printf("committed\n");
  std::fflush(stdout);
  // More than the cache holds, so that pages of the transaction are in the log already.
  for (int i = 0; i < 3'000; ++i) {
    if (!sink.write(chunk.build())) return 1;
  }
  std::printf("written\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
