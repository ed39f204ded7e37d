// A sink of PostgreSQL, in a database of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/sink.h"
#include "tests/connector/chunk_builder.h"
#include "tests/connector/postgres_server.h"

namespace leat::connector {

class PostgresSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
    database_.emplace("sink");
    reader_.emplace(database_->connection());
    reader_->run("SET timezone = 'UTC'");
  }

  std::unique_ptr<RowSink> make_sink(SinkOptions options = {}, const std::string& more = "") {
    if (options.table.empty()) options.table = "t";
    auto sink = open_sink(database_->uri(more), options);
    EXPECT_TRUE(sink) << sink.error().message;
    return *std::move(sink);
  }

  /// A sink that has taken the pipeline over.
  std::unique_ptr<RowSink> opened(const SinkOptions& options = {}, const EpochMark& ledger = {}) {
    auto sink = make_sink(options);
    visited_.clear();
    auto mark = sink->open("p", ledger, [this](const SplitProgress& progress) {
      visited_.push_back(progress);
      return Result<void>();
    });
    EXPECT_TRUE(mark) << mark.error().to_string();
    if (mark) mark_ = *mark;
    return sink;
  }

  static Result<EpochMark> open_again(RowSink& sink, const EpochMark& ledger = {}) {
    return sink.open("p", ledger, [](const SplitProgress&) { return Result<void>(); });
  }

  static Checkpoint checkpoint(std::uint64_t epoch, std::vector<SplitProgress> splits) {
    return {
        .epoch = epoch, .splits = std::move(splits), .token = epoch + 1'000, .parent = epoch + 999};
  }

  static void expect_ok(const Result<void>& result) {
    EXPECT_TRUE(result) << result.error().to_string();
  }

  /// Writes the chunk and commits it, with its split as finished.
  void load(RowSink& sink, const ChunkBuilder& builder, std::uint64_t epoch = 1) {
    const RowChunk chunk = builder.build();
    expect_ok(sink.write(chunk));
    expect_ok(
        sink.commit(checkpoint(epoch, {progress_of(*builder.split(), SplitState::kFinished, epoch,
                                                   static_cast<std::uint64_t>(chunk.rows))})));
  }

  Error refused_schema(const std::string& table_sql, const std::string& schema) {
    reader_->run(table_sql);
    auto sink = opened();
    const Result<void> written = sink->write(ChunkBuilder(schema).build());
    EXPECT_FALSE(written);
    return written ? Error{} : written.error();
  }

  std::optional<test::PostgresDatabase> database_;
  std::optional<test::PostgresSession> reader_;
  std::vector<SplitProgress> visited_;
  EpochMark mark_;
};

}  // namespace leat::connector
