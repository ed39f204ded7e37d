// Opening the ledger: second openers, foreign folders, later formats, readers beside a loader.

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Ledger> open_ledger(const fs::path& dir, bool read_only = false) {
  auto opened = Ledger::open({.dir = dir, .read_only = read_only});
  EXPECT_TRUE(opened) << opened.error().to_string();
  return opened ? *std::move(opened) : nullptr;
}

Error open_error(const fs::path& dir, bool read_only = false) {
  auto opened = Ledger::open({.dir = dir, .read_only = read_only});
  EXPECT_FALSE(opened);
  return opened ? Error{} : std::move(opened).error();
}

void put_raw(const fs::path& dir, const std::string& key, const std::string& value) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir.string(), &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  ASSERT_TRUE(db->Put({}, key, value).ok());
}

std::string raw(const fs::path& dir, const std::string& key) {
  rocksdb::DB* opened = nullptr;
  EXPECT_TRUE(rocksdb::DB::OpenForReadOnly({}, dir.string(), &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::string value;
  EXPECT_TRUE(db->Get({}, key, &value).ok());
  return value;
}

std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files_of(const fs::path& dir) {
  std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files;
  for (const auto& entry : fs::directory_iterator(dir)) {
    files[entry.path().filename()] = {entry.file_size(), entry.last_write_time()};
  }
  return files;
}

TEST(LedgerOpen, MakesNestedFolders) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(open_ledger(folder.path() / "a" / "b"));
  EXPECT_TRUE(open_ledger(folder.path() / "a" / "b"));
}

TEST(LedgerOpen, RefusesASecondOpenerInTheSameProcess) {
  const testing::TemporaryFolder folder;
  const auto first = open_ledger(folder.path());
  const Error error = open_error(folder.path());
  EXPECT_EQ(error.code, ErrorCode::kAlreadyOpen);
  EXPECT_NE(error.message.find("Another leat process is using the state folder"),
            std::string::npos);
  EXPECT_NE(error.message.find(folder.path().string()), std::string::npos);
  EXPECT_NE(error.message.find("--state"), std::string::npos);
}

TEST(LedgerOpen, RefusesASecondOpenerInAnotherProcessUntilItIsGone) {
  const testing::TemporaryFolder folder;
  test::ChildProcess holder({LEAT_LEDGER_CHILD, "hold", folder.path().string()});
  ASSERT_EQ(holder.read_line(), "open");
  EXPECT_EQ(open_error(folder.path()).code, ErrorCode::kAlreadyOpen);
  holder.kill();
  EXPECT_TRUE(open_ledger(folder.path()));
}

TEST(LedgerOpen, RefusesALaterFormatAndNamesBoth) {
  const testing::TemporaryFolder folder;
  open_ledger(folder.path());
  put_raw(folder.path(), "m.format", "\x03");
  for (const bool read_only : {false, true}) {
    const Error error = open_error(folder.path(), read_only);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_NE(error.message.find("format version 3"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("up to 2"), std::string::npos) << error.message;
  }
}

TEST(LedgerOpen, ReadsAnEarlierFormatAndGoesOnInItsOwn) {
  const testing::TemporaryFolder folder;
  const std::string etag = "\"0123456789abcdef0123456789abcdef\"";
  open_ledger(folder.path());
  put_raw(folder.path(), "m.format", "\x01");
  put_raw(folder.path(), "fin/a.csv",
          std::string{1, 2, 0, 34} + etag + std::string{9, 5, 1, 7, 1, 2});
  const ObjectVersion object{.key = "in/a.csv", .version = etag, .size = 9, .modified_ms = 1};
  for (const bool read_only : {true, false}) {
    auto ledger = open_ledger(folder.path(), read_only);
    std::vector<Match> matches;
    ASSERT_TRUE(ledger->classify(std::vector{object}, true, matches));
    EXPECT_EQ(matches, std::vector{Match::kFinished});
    ledger.reset();  // A loader removes files while another opens them.
    EXPECT_EQ(raw(folder.path(), "m.format"), read_only ? "\x01" : "\x02");
  }
}

TEST(LedgerOpen, RefusesAForeignDatabase) {
  const testing::TemporaryFolder folder;
  put_raw(folder.path(), "key", "value");
  EXPECT_EQ(open_error(folder.path()).code, ErrorCode::kInvalidArgument);
}

TEST(LedgerOpen, RefusesAFolderOfOtherThingsAndLeavesItAlone) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "holiday.jpg") << "x";
  const Error error = open_error(folder.path());
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_NE(error.message.find("holiday.jpg"), std::string::npos);
  EXPECT_EQ(files_of(folder.path()).size(), 1u);
}

TEST(LedgerOpen, GoesOnAfterACreationThatWasCutShort) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "LOCK");
  std::ofstream(folder.path() / "LOG") << "x";
  std::ofstream(folder.path() / "000001.dbtmp") << "x";
  EXPECT_TRUE(open_ledger(folder.path()));
}

TEST(LedgerOpen, RefusesAPathThatIsAFile) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  std::ofstream(file) << "x";
  EXPECT_EQ(open_error(file).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(open_error(file / "below").code, ErrorCode::kInvalidArgument);
}

TEST(LedgerOpen, RefusesAFolderThatCannotBeMade) {
  const Error error = open_error("/proc/leat-state");
  EXPECT_TRUE(error.code == ErrorCode::kPermissionDenied || error.code == ErrorCode::kIo)
      << error.to_string();
  EXPECT_NE(error.message.find("/proc/leat-state"), std::string::npos);
}

TEST(LedgerOpen, RefusesDamagedFiles) {
  const testing::TemporaryFolder folder;
  open_ledger(folder.path());
  std::ofstream(folder.path() / "CURRENT") << "nonsense";
  EXPECT_EQ(open_error(folder.path()).code, ErrorCode::kCorrupt);
}

TEST(LedgerOpen, TellsADamagedEntryByItsKey) {
  const testing::TemporaryFolder folder;
  open_ledger(folder.path());
  put_raw(folder.path(), "fin/a.csv", "\x01\x02");
  const auto ledger = open_ledger(folder.path());
  std::vector<Match> out;
  const std::vector<ObjectVersion> page = {object_of("in/a.csv", "1")};
  for (const bool sorted : {false, true}) {
    const auto done = ledger->classify(page, sorted, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(done.error().at.object, "in/a.csv");
  }
  EXPECT_EQ(ledger->scan([](const SplitProgress&) { return true; }).error().code,
            ErrorCode::kCorrupt);
}

TEST(LedgerReadOnly, IsNotFoundWhereThereIsNone) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(open_error(folder.path() / "absent", true).code, ErrorCode::kNotFound);
  EXPECT_EQ(open_error(folder.path(), true).code, ErrorCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(LedgerReadOnly, SeesCommitsOfALoaderThatIsStillRunningAndWritesNothing) {
  const testing::TemporaryFolder folder;
  const auto loader = open_ledger(folder.path());
  ASSERT_TRUE(loader->put_meta("pipeline", "p"));
  ASSERT_TRUE(loader->commit(checkpoint_of(1)));
  const auto before = files_of(folder.path());
  {
    const auto reader = open_ledger(folder.path(), true);
    EXPECT_EQ(reader->epoch(), 1u);
    EXPECT_EQ(reader->meta("pipeline"), "p");
    std::vector<Match> out;
    const std::vector<ObjectVersion> page = {object_of("finished/1", "v"), object_of("x", "v")};
    for (const bool sorted : {false, true}) {
      ASSERT_TRUE(reader->classify(page, sorted, out));
      EXPECT_EQ(out[0], Match::kFinished);
      EXPECT_EQ(out[1], Match::kNew);
    }
    EXPECT_EQ(reader->commit(checkpoint_of(2)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(reader->put_meta("x", "y").error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(files_of(folder.path()), before);
  ASSERT_TRUE(loader->commit(checkpoint_of(2)));
}

}  // namespace
}  // namespace leat::state
