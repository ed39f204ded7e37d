// OnChange::kAppend: objects that grow are gone on with, each of their records once.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "leat/loader.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/sqlite_session.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

namespace fs = std::filesystem;
using testing::ManualClock;
using testing::MemoryStore;
using testing::SqliteSession;
using testing::TemporaryFolder;

class AppendTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(folder_.path() / "in"); }

  fs::path file(const std::string& name) const { return folder_.path() / "in" / name; }
  void put(const std::string& name, const std::string& text) {
    std::ofstream(file(name), std::ios::binary) << text;
  }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(file(name), std::ios::binary | std::ios::app) << text;
  }
  /// Another time of modification, whatever the file system's clock says.
  void touch(const std::string& name) {
    fs::last_write_time(file(name), fs::last_write_time(file(name)) + std::chrono::seconds(1));
  }

  LoaderOptions options() {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / "**").string();
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint, name text");
    options.source.once = true;
    options.source.store.local.settle_ms = 0;
    options.source.on_change = SourceOptions::OnChange::kAppend;
    options.source.lineage = true;
    options.source.log = [this](SourceOptions::LogLevel, const std::string& message) {
      const std::lock_guard lock(mutex_);
      said_ += message + "\n";
    };
    options.to = "sqlite:" + (folder_.path() / "rows.db").string();
    options.sink.table = "t";
    return options;
  }

  SourceStats load(LoaderOptions options) {
    said_.clear();
    Result<LoadReport> report = (*Loader::create(std::move(options)))->run({}, {});
    if (!report) {
      ADD_FAILURE() << report.error().to_string();
      return {};
    }
    return report->source;
  }
  SourceStats load() { return load(options()); }

  /// Each row is a line, its columns joined by '|'.
  std::string query(const std::string& sql) {
    return SqliteSession(folder_.path() / "rows.db").lines(sql);
  }
  std::string rows() { return query("SELECT id, name, _offset, _record FROM t ORDER BY id"); }
  bool said(const std::string& text) const { return said_.find(text) != std::string::npos; }

  TemporaryFolder folder_{"leat-append"};
  std::mutex mutex_;
  std::string said_;
};

TEST_F(AppendTest, GoesOnAtTheOldEndUnderTheFirstHeader) {
  put("a.csv", "name,id\none,1\ntwo,2\n");
  EXPECT_EQ(load().rows, 2u);
  append("a.csv", "three,3\n");
  SourceStats grown = load();
  EXPECT_EQ(grown.rows, 1u);
  EXPECT_EQ(grown.objects_grown, 1u);
  EXPECT_EQ(grown.objects_changed, 0u);
  append("a.csv", "four,4\nfive,5\n");
  EXPECT_EQ(load().rows, 2u);
  EXPECT_EQ(load().rows, 0u);
  EXPECT_EQ(rows(), "1|one|8|1\n2|two|14|2\n3|three|20|3\n4|four|28|4\n5|five|35|5\n");
  EXPECT_EQ(query("SELECT count(DISTINCT _version) FROM t"), "3\n")
      << "a row names the version that it was read from";
}

TEST_F(AppendTest, RowsTellWhenTheVersionTheyCameFromWasModified) {
  LoaderOptions modified = options();
  modified.source.lineage_modified = true;
  put("a.csv", "id,name\n1,one\n");
  const auto epoch =
      std::chrono::file_clock::from_sys(std::chrono::sys_time<std::chrono::nanoseconds>());
  fs::last_write_time(file("a.csv"), epoch + std::chrono::milliseconds(1'500));
  load(modified);
  append("a.csv", "2,two\n");
  fs::last_write_time(file("a.csv"), epoch + std::chrono::hours(24));
  load(modified);
  EXPECT_EQ(query("SELECT id, _modified FROM t ORDER BY id"),
            "1|1970-01-01 00:00:01.5+00\n2|1970-01-02 00:00:00+00\n");
}

TEST_F(AppendTest, ALastRecordWithoutALineEndWaitsUntilItHasOne) {
  put("a.csv", "id,name\n1,one\n2,tw");
  const SourceStats first = load();
  EXPECT_EQ(first.rows, 1u);
  EXPECT_EQ(first.objects_open_ended, 1u);
  EXPECT_TRUE(said("has no end yet")) << said_;
  append("a.csv", "o");
  EXPECT_EQ(load().rows, 0u);
  append("a.csv", "\n3,three\n");
  EXPECT_EQ(load().rows, 2u);
  EXPECT_EQ(rows(), "1|one|8|1\n2|two|14|2\n3|three|20|3\n");
}

TEST_F(AppendTest, ALineEndInOpenQuotesIsNoEndOfARecord) {
  put("a.csv", "id,name\n1,one\n2,\"two\n");
  const SourceStats first = load();
  EXPECT_EQ(first.rows, 1u);
  EXPECT_EQ(first.objects_quarantined, 0u);
  EXPECT_EQ(first.objects_open_ended, 1u);
  append("a.csv", "lines\"\n3,three\n");
  EXPECT_EQ(load().rows, 2u);
  EXPECT_EQ(query("SELECT id, name FROM t ORDER BY id"), "1|one\n2|two\nlines\n3|three\n");
}

// At whatever byte a writer is interrupted: each record once, when it is whole.
TEST_F(AppendTest, GrowthMayBeCutAtEveryByte) {
  const std::string text = "id,name\r\n1,one\r\n\n2,\"a \"\"b\"\"\nc\"\n3,\n";
  put("a.csv", "");
  std::uint64_t rows = 0;
  for (const char byte : text) {
    append("a.csv", std::string(1, byte));
    touch("a.csv");
    const SourceStats stats = load();
    rows += stats.rows;
    ASSERT_EQ(stats.objects_changed + stats.objects_quarantined, 0u) << said_;
  }
  EXPECT_EQ(rows, 3u);
  EXPECT_EQ(query("SELECT id, name, _offset FROM t ORDER BY id"),
            "1|one|9\n2|a \"b\"\nc|17\n3|NULL|31\n");
}

TEST_F(AppendTest, WhatDidNotMerelyGrowIsReportedOnceAndNotLoaded) {
  put("rewritten.csv", "id,name\n1,one\n");
  put("cut.csv", "id,name\n2,two\n3,three\n");
  put("touched.csv", "id,name\n4,four\n");
  EXPECT_EQ(load().rows, 4u);
  put("rewritten.csv", "id,name\n9,one\n10,ten\n");
  put("cut.csv", "id,name\n2,two\n");
  touch("touched.csv");
  const SourceStats changed = load();
  EXPECT_EQ(changed.rows, 0u);
  EXPECT_EQ(changed.objects_changed, 2u) << said_;
  EXPECT_TRUE(
      said("rewritten.csv changed: is listed in another version than the one that was "
           "loaded; its new rows are not loaded: its first 14 bytes"))
      << said_;
  EXPECT_EQ(load().objects_changed, 0u) << "reported once";
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "1\n2\n3\n4\n");
  LoaderOptions replace = options();
  replace.source.on_change = SourceOptions::OnChange::kReplace;
  EXPECT_EQ(load(replace).objects_replaced, 2u);
  EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), "2\n4\n9\n10\n");
}

TEST_F(AppendTest, AChangeAtEitherEndOfALargeObjectIsNoticed) {
  std::string text = "id,name\n";
  for (int id = 0; text.size() < 400'000; ++id) text += std::to_string(id) + ",some name\n";
  for (const char* name : {"grown.csv", "front.csv", "back.csv"}) put(name, text);
  const SourceStats first = load();
  std::string front = text;
  front[60'000] = 'X';
  std::string back = text;
  back[text.size() - 60'000] = 'X';
  put("front.csv", front + "900001,new\n");
  put("back.csv", back + "900002,new\n");
  append("grown.csv", "900003,new\n");
  const SourceStats second = load();
  EXPECT_EQ(second.rows, 1u) << said_;
  EXPECT_EQ(second.objects_changed, 2u) << said_;
  EXPECT_EQ(query("SELECT id FROM t WHERE name = 'new'"), "900003\n");
  EXPECT_EQ(query("SELECT count(*) FROM t"), std::to_string(first.rows + 1) + "\n");
}

TEST_F(AppendTest, WhatIsCompressedOrWasLoadedOtherwiseIsReportedWithTheReason) {
  // gzip with one stored block each: "id\n1\n", and behind it "2\n".
  const std::string one("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x0e\0\xf1\xffid,name\n1,one\n", 29);
  const auto with_trailer = [](std::string member, std::uint32_t crc, std::uint32_t size) {
    for (const std::uint32_t value : {crc, size}) {
      for (int shift = 0; shift < 32; shift += 8) {
        member.push_back(static_cast<char>(value >> shift));
      }
    }
    return member;
  };
  put("a.csv.gz", with_trailer(one, 0x9fd50b83u, 14));
  const SourceStats first = load();
  EXPECT_EQ(first.rows, 1u) << said_;
  EXPECT_EQ(first.objects_open_ended, 0u);
  append("a.csv.gz", with_trailer(one, 0x9fd50b83u, 14));
  const SourceStats second = load();
  EXPECT_EQ(second.rows, 0u);
  EXPECT_EQ(second.objects_changed, 1u);
  EXPECT_TRUE(said("it cannot be gone on with: it is compressed")) << said_;
  LoaderOptions ignore = options();
  ignore.source.on_change = SourceOptions::OnChange::kIgnore;
  put("b.csv", "id,name\n2,two");
  EXPECT_EQ(load(ignore).rows, 1u);
  append("b.csv", "s\n3,three\n");
  EXPECT_EQ(load().objects_changed, 1u);
  EXPECT_TRUE(said("loaded without --on-change append")) << said_;
}

TEST_F(AppendTest, AStateFolderThatIsLostIsRebuiltWithWhereObjectsEnded) {
  put("a.csv", "name,id\none,1\ntwo,2\nthr");
  EXPECT_EQ(load().rows, 2u);
  fs::remove_all(folder_.path() / "state");
  append("a.csv", "ee,3\n");
  const SourceStats grown = load();
  EXPECT_EQ(grown.rows, 1u) << said_;
  EXPECT_EQ(rows(), "1|one|8|1\n2|two|14|2\n3|three|20|3\n");
}

TEST_F(AppendTest, ABadRecordInWhatWasAppendedStopsTheObjectThere) {
  put("a.csv", "id,name\n1,one\n");
  EXPECT_EQ(load().rows, 1u);
  append("a.csv", "2,two\nx,bad\n4,four\n");
  const SourceStats grown = load();
  EXPECT_EQ(grown.rows, 1u);
  EXPECT_EQ(grown.objects_quarantined, 1u);
  append("a.csv", "5,five\n");
  LoaderOptions reject = options();
  reject.source.format.on_error = OnError::kReject;
  const SourceStats again = load(reject);
  EXPECT_EQ(again.rows, 2u) << said_;
  EXPECT_EQ(again.rows_rejected, 1u);
  EXPECT_EQ(rows(), "1|one|8|1\n2|two|14|2\n4|four|26|4\n5|five|33|5\n");
}

TEST_F(AppendTest, WhatWouldTakeGrowingObjectsAwayIsRefused) {
  LoaderOptions removing = options();
  removing.source.after.kind = AfterAction::Kind::kDelete;
  const auto loader = Loader::create(removing);
  ASSERT_FALSE(loader);
  EXPECT_EQ(loader.error().code, ErrorCode::kInvalidArgument);
}

// A source with a consumer of its own, over a store that changes while it is read.
class GrowingObjectTest : public ::testing::Test {
 protected:
  std::unique_ptr<Source> open() {
    SourceOptions options;
    options.from = "s3://memory/**";
    options.state_dir = folder_.path() / "state";
    options.schema = *parse_schema("id bigint");
    options.once = true;
    options.on_change = SourceOptions::OnChange::kAppend;
    options.clock = &clock_;
    options.threads = 1;
    options.memory_bytes_max = 16u << 20;
    return *Source::open(options, std::make_unique<MemoryStore>(shared_));
  }

  static std::string lines(int first, int last) {
    std::string text;
    for (int id = first; id < last; ++id) text += std::to_string(id) + "\n";
    return text;
  }

  /// Polls to the end, and commits after every chunk.
  void run(Source& source) {
    std::size_t committed = ids_.size();
    while (true) {
      Result<Polled> polled = source.poll(std::chrono::seconds(10));
      ASSERT_TRUE(polled) << polled.error().to_string();
      if (polled->kind == Polled::Kind::kDiscard) ids_.resize(committed);
      for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
        ids_.push_back(polled->rows.columns[0].at<std::int64_t>(static_cast<std::size_t>(row)));
      }
      ASSERT_TRUE(source.commit(source.checkpoint()));
      committed = ids_.size();
      if (polled->kind == Polled::Kind::kEnd) return;
    }
  }

  void expect_ids_up_to(int last) {
    ASSERT_EQ(ids_.size(), static_cast<std::size_t>(last));
    for (int id = 0; id < last; ++id) ASSERT_EQ(ids_[static_cast<std::size_t>(id)], id);
  }

  TemporaryFolder folder_{"leat-growing"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> shared_ = std::make_shared<MemoryStore::Shared>();
  std::vector<std::int64_t> ids_;
};

TEST_F(GrowingObjectTest, AnObjectThatGrowsWhileItIsReadLosesAndDoublesNothing) {
  shared_->put("a.csv", "id\n" + lines(0, 200'000));
  int reads = 0;
  shared_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    // Far in the middle, after rows were delivered and committed.
    if (offset > 600'000 && offset < 1'000'000 && ++reads == 1) {
      shared_->put("a.csv", "id\n" + lines(0, 300'000) + "30");
    }
    return std::nullopt;
  };
  run(*open());
  run(*open());
  EXPECT_GE(reads, 1) << "the object was never replaced in the middle of a read";
  expect_ids_up_to(300'000);
  shared_->put("a.csv", "id\n" + lines(0, 300'001));
  run(*open());
  expect_ids_up_to(300'001);
}

TEST_F(GrowingObjectTest, AnObjectThatGrowsFasterThanItIsReadComesForward) {
  constexpr int kGrowths = 20;
  shared_->put("a.csv", "id\n" + lines(0, 100'000));
  int growths = 0;
  shared_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    // Where rows are read, and no fingerprint is taken.
    if (offset > 300'000 && offset < 400'000 && growths < kGrowths) {
      shared_->put("a.csv", "id\n" + lines(0, 100'000 + 1'000 * ++growths));
    }
    return std::nullopt;
  };
  std::unique_ptr<Source> source = open();
  int begun_anew = 0;
  std::size_t committed = 0;
  for (int ends = 0; ends <= 2 * kGrowths && ids_.size() < 120'000;) {
    Result<Polled> polled = source->poll(std::chrono::seconds(10));
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind == Polled::Kind::kDiscard) {
      ++begun_anew;
      ids_.resize(committed);
    }
    for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
      ids_.push_back(polled->rows.columns[0].at<std::int64_t>(row));
    }
    // A commit never comes in the middle of a read; it lets what has grown be gone on with.
    if (polled->kind != Polled::Kind::kEnd) continue;
    ++ends;
    ASSERT_TRUE(source->commit(source->checkpoint()));
    committed = ids_.size();
  }
  EXPECT_EQ(growths, kGrowths);
  EXPECT_LE(begun_anew, 1);
  expect_ids_up_to(100'000 + 1'000 * kGrowths);
}

TEST_F(GrowingObjectTest, AnObjectThatIsGoneWhileItsGrowthIsReadGoesOnWhenItIsBack) {
  shared_->put("a.csv", "id\n" + lines(0, 10));
  run(*open());
  shared_->put("a.csv", "id\n" + lines(0, 20));
  shared_->before_read = [&](const std::string&, std::uint64_t) -> std::optional<Error> {
    shared_->remove("a.csv");
    return std::nullopt;
  };
  run(*open());
  shared_->before_read = nullptr;
  expect_ids_up_to(10);
  shared_->put("a.csv", "id\n" + lines(0, 30));
  run(*open());
  expect_ids_up_to(30);
}

TEST_F(GrowingObjectTest, ACrashAfterAnyCommitGoesOnFromThere) {
  shared_->put("a.csv", "id\n" + lines(0, 10'000));
  run(*open());
  shared_->put("a.csv", "id\n" + lines(0, 100'000));
  // Each run ends after its first commit that brought rows, as if it had been killed.
  for (int crashes = 0; ids_.size() < 100'000 && crashes < 100; ++crashes) {
    const auto source = open();
    while (true) {
      Result<Polled> polled = source->poll(std::chrono::seconds(10));
      ASSERT_TRUE(polled) << polled.error().to_string();
      if (polled->kind == Polled::Kind::kEnd) break;
      for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
        ids_.push_back(polled->rows.columns[0].at<std::int64_t>(static_cast<std::size_t>(row)));
      }
      if (polled->rows.rows == 0) continue;
      ASSERT_TRUE(source->commit(source->checkpoint()));
      if (crashes % 2 == 0) shared_->put("a.csv", "id\n" + lines(0, 100'000 + crashes));
      break;
    }
  }
  shared_->put("a.csv", "id\n" + lines(0, 100'200));
  run(*open());
  expect_ids_up_to(100'200);
}

}  // namespace
}  // namespace leat
