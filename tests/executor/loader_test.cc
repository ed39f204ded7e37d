#include "leat/loader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/sqlite_session.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using testing::SqliteSession;
using testing::TemporaryFolder;

class LoaderTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_.path() / "in"); }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / "in" / name, std::ios::binary) << text;
  }

  LoaderOptions options() {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / "**").string();
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint, name text");
    options.source.once = true;
    options.source.store.local.settle_ms = 0;
    options.to = "sqlite:" + (folder_.path() / "rows.db").string();
    options.sink.table = "t";
    return options;
  }

  Result<LoadReport> run(LoaderOptions options) {
    Result<std::unique_ptr<Loader>> loader = Loader::create(std::move(options));
    if (!loader) return std::move(loader).error();
    return (*loader)->run({}, {});
  }

  LoadReport loaded(LoaderOptions options) {
    Result<LoadReport> report = run(std::move(options));
    if (!report) {
      ADD_FAILURE() << report.error().to_string();
      return {};
    }
    return *report;
  }

  /// Each row is a line, its columns joined by '|'.
  std::string query(const std::string& sql) {
    return SqliteSession(folder_.path() / "rows.db").lines(sql);
  }

  std::string file(const std::string& name) {
    std::ifstream in(folder_.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryFolder folder_{"leat-loader"};
};

TEST_F(LoaderTest, LoadsEachFileOnceOverSeveralRuns) {
  put("a.csv", "id,name\n1,one\n2,\"two, too\"\n");
  put("b.csv", "id,name\n3,\n4,\"\"\n");
  EXPECT_EQ(loaded(options()).source.rows, 4u);
  EXPECT_EQ(loaded(options()).source.rows, 0u);
  put("c.csv", "name,id\nfive,5\n");
  EXPECT_EQ(loaded(options()).source.rows, 1u);
  EXPECT_EQ(query("SELECT id, name, name IS NULL FROM t ORDER BY id"),
            "1|one|0\n2|two, too|0\n3|NULL|1\n4||0\n5|five|0\n");
}

TEST_F(LoaderTest, AnExceptionOutOfTheProgressCallbackEndsTheRunWithAnErrorAndNothingIsLost) {
  put("a.csv", "id,name\n1,one\n");
  const auto loader = Loader::create(options());
  ASSERT_TRUE(loader);
  const Result<LoadReport> report =
      (*loader)->run({}, [](const LoadReport&) { throw std::runtime_error("mine"); });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInternal);
  EXPECT_EQ(report.error().message, "an exception came out of the progress callback: mine");
  loaded(options());
  EXPECT_EQ(query("SELECT id FROM t"), "1\n");
}

TEST_F(LoaderTest, ExceptionsOutOfLogAndTracesAreDropped) {
  put("a.csv", "id,name\n1,one\n");
  put("b.csv", "id,name\nx,y\n");
  LoaderOptions throwing = options();
  throwing.source.log = [](auto, const std::string&) { throw std::runtime_error("mine"); };
  throwing.sink.on_step = [](std::string_view) { throw 7; };
  EXPECT_EQ(loaded(throwing).source.rows, 1u);
  EXPECT_EQ(query("SELECT id FROM t"), "1\n");
}

TEST_F(LoaderTest, RecoversFromTheTableWhenTheStateFolderIsLost) {
  put("a.csv", "id,name\n1,one\n");
  loaded(options());
  std::filesystem::remove_all(folder_.path() / "state");
  put("b.csv", "id,name\n2,two\n");
  EXPECT_EQ(loaded(options()).source.rows, 1u);
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "1\n2\n");
}

TEST_F(LoaderTest, RefusesAStateFolderThatIsAheadOfTheTable) {
  put("a.csv", "id,name\n1,one\n");
  loaded(options());
  std::filesystem::remove(folder_.path() / "rows.db");
  const Result<LoadReport> report = run(options());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStateMismatch) << report.error().to_string();
}

// A state folder of one history must not be taken for that of another with as many epochs.
TEST_F(LoaderTest, RefusesAStateFolderOfAnotherHistory) {
  put("a.csv", "id,name\n1,one\n");
  loaded(options());
  put("b.csv", "id,name\n2,two\n");
  loaded(options());
  std::filesystem::remove(folder_.path() / "rows.db");
  std::filesystem::remove(folder_.path() / "in" / "a.csv");
  LoaderOptions other = options();
  other.source.state_dir = folder_.path() / "other";
  put("c.csv", "id,name\n3,three\n");
  loaded(other);
  put("d.csv", "id,name\n4,four\n");
  loaded(other);
  const Result<LoadReport> report = run(options());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStateMismatch) << report.error().to_string();
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "2\n3\n4\n");
  EXPECT_EQ(loaded(other).source.rows, 0u) << "and the refused one did not take the pipeline over";
}

TEST_F(LoaderTest, AWiderPatternIsStillTheSamePipeline) {
  put("a.csv", "id,name\n1,one\n");
  std::filesystem::create_directory(folder_.path() / "in" / "deep");
  put("deep/b.csv", "id,name\n2,two\n");
  LoaderOptions narrow = options();
  narrow.source.from = (folder_.path() / "in" / "*.csv").string();
  EXPECT_EQ(loaded(narrow).source.rows, 1u);
  EXPECT_EQ(loaded(options()).source.rows, 1u);
  std::filesystem::remove_all(folder_.path() / "state");
  EXPECT_EQ(loaded(options()).source.rows, 0u);
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "1\n2\n");
}

TEST_F(LoaderTest, AStateFolderServesOneTable) {
  put("a.csv", "id,name\n1,one\n");
  loaded(options());
  LoaderOptions other = options();
  other.sink.table = "u";
  const Result<LoadReport> report = run(other);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStateMismatch) << report.error().to_string();
}

TEST_F(LoaderTest, TakesQuarantinedObjectsUpAgainWhenAsked) {
  put("a.csv", "id,name\n1,one\nx,two\n3,three\n");
  EXPECT_EQ(loaded(options()).source.objects_quarantined, 1u);
  LoaderOptions again = options();
  again.source.format.on_error = OnError::kReject;
  EXPECT_EQ(loaded(again).source.rows, 0u);
  again.source.retry_quarantined = true;
  const LoadReport report = loaded(again);
  EXPECT_EQ(report.source.rows, 1u);
  EXPECT_EQ(report.source.rows_rejected, 1u);
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "1\n3\n");
  EXPECT_EQ(loaded(again).source.rows, 0u);
}

TEST_F(LoaderTest, RefusesATableWhoseColumnsWouldAlterValues) {
  put("a.csv", "id,name\n1,007\n");
  query("CREATE TABLE t (id INTEGER, name NUMERIC)");
  const Result<LoadReport> report = run(options());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kSchemaMismatch) << report.error().to_string();
  EXPECT_NE(report.error().message.find("name"), std::string::npos) << report.error().message;
}

TEST_F(LoaderTest, NoticesThatTheTableWasDropped) {
  put("a.csv", "id,name\n1,one\n");
  loaded(options());
  query("DROP TABLE t");
  const Result<LoadReport> report = run(options());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStateMismatch) << report.error().to_string();
}

TEST_F(LoaderTest, KeepsRejectsInTheTableOrInAFile) {
  put("a.csv", "id,name\n1,one\nx,two\n3,three\n");
  LoaderOptions to_table = options();
  to_table.source.format.on_error = OnError::kReject;
  EXPECT_EQ(loaded(to_table).source.rows_rejected, 1u);
  EXPECT_EQ(query("SELECT record, byte_offset, column_name, text FROM leat_reject"), "2|14|id|x\n");

  put("b.csv", "id,name\ny,four\n");
  LoaderOptions to_file = to_table;
  to_file.rejects_file = folder_.path() / "rejects.jsonl";
  EXPECT_EQ(loaded(to_file).source.rows_rejected, 1u);
  const std::string rejects = file("rejects.jsonl");
  EXPECT_NE(rejects.find("\"text\":\"y\""), std::string::npos) << rejects;
  EXPECT_EQ(query("SELECT count(*) FROM leat_reject"), "1\n");
}

// A crash between the reject file and the sink's commit leaves lines of an epoch that never was.
TEST_F(LoaderTest, CutsTheRejectFileBackToTheCommittedEpoch) {
  put("a.csv", "id,name\nx,one\n");
  LoaderOptions to_file = options();
  to_file.source.format.on_error = OnError::kReject;
  to_file.rejects_file = folder_.path() / "rejects.jsonl";
  to_file.source.pipeline = "p";
  loaded(to_file);
  const std::string committed = file("rejects.jsonl");
  std::ofstream(to_file.rejects_file, std::ios::app) << R"({"pipeline":"p","epoch":2,"never":1})"
                                                     << "\n";
  put("b.csv", "id,name\ny,one\n");
  loaded(to_file);
  const std::string rejects = file("rejects.jsonl");
  EXPECT_TRUE(rejects.starts_with(committed));
  EXPECT_EQ(rejects.find("never"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("\"text\":\"y\""), std::string::npos) << rejects;
}

TEST_F(LoaderTest, KeepsARejectFileOverRunsThatDoNotUseIt) {
  put("a.csv", "id,name\nx,one\n");
  LoaderOptions to_file = options();
  to_file.source.format.on_error = OnError::kReject;
  to_file.rejects_file = folder_.path() / "rejects.jsonl";
  loaded(to_file);
  const std::string first = file("rejects.jsonl");
  LoaderOptions to_table = to_file;
  to_table.rejects_file.clear();
  put("b.csv", "id,name\ny,one\n");
  loaded(to_table);
  loaded(to_file);
  EXPECT_EQ(file("rejects.jsonl"), first);
}

TEST_F(LoaderTest, AConstraintOfTheTableStopsTheLoadAndLeavesNothingHalfCommitted) {
  put("a.csv", "id,name\n1,one\n2,two\n1,again\n");
  query("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  const Result<LoadReport> report = run(options());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kBadValue) << report.error().to_string();
  EXPECT_EQ(report.error().at.record, 3u);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "0\n");
}

TEST_F(LoaderTest, StopCommitsWhatWasDelivered) {
  put("a.csv", "id,name\n1,one\n");
  LoaderOptions continuous = options();
  continuous.source.once = false;
  Result<std::unique_ptr<Loader>> loader = Loader::create(continuous);
  ASSERT_TRUE(loader);
  std::stop_source stop;
  Result<LoadReport> report = (*loader)->run(stop.get_token(), [&](const LoadReport& now) {
    if (now.source.objects_finished == 1) stop.request_stop();
  });
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(query("SELECT id FROM t"), "1\n");
}

TEST_F(LoaderTest, OptionsAreCheckedBeforeAnythingIsMade) {
  LoaderOptions no_sink = options();
  no_sink.to = "";
  EXPECT_FALSE(run(no_sink));
  LoaderOptions no_table = options();
  no_table.sink.table = "";
  EXPECT_FALSE(run(no_table));
  LoaderOptions no_place = options();
  no_place.to = "-";
  no_place.source.format.on_error = OnError::kReject;
  EXPECT_FALSE(run(no_place));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "state"));
}

}  // namespace
}  // namespace leat
