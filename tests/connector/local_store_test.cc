#include "connector/local/local_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

namespace fs = std::filesystem;

class LocalStoreTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kOldMs = 10'000;  // Long settled.

  std::string root() const { return folder_.path().native(); }
  std::string at(const std::string& name) const { return root() + "/" + name; }

  void set_age(const std::string& path, std::int64_t age_ms) {
    const std::int64_t modified_ms = clock_.wall_ms() - age_ms;
    const timespec time{.tv_sec = modified_ms / 1'000, .tv_nsec = modified_ms % 1'000 * 1'000'000};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
  }

  void write(const std::string& name, const std::string& text = "x\n",
             std::int64_t age_ms = kOldMs) {
    fs::create_directories(fs::path(at(name)).parent_path());
    std::ofstream(at(name), std::ios::binary) << text;
    set_age(at(name), age_ms);
  }

  struct Listed {
    std::vector<std::string> keys;
    std::vector<ObjectVersion> objects;
    std::uint64_t unsettled = 0;
    std::size_t pages = 0;
    std::optional<Error> error;
  };

  Listed list(const std::string& prefix, const std::string& start_after = {}) const {
    Listed listed;
    const auto lister = store_.list(prefix, start_after);
    for (bool last = false; !last;) {
      Result<ListPage> page = lister->next_page();
      if (!page) {
        listed.error = page.error();
        break;
      }
      EXPECT_LE(page->objects.size(), 1'000u);
      ++listed.pages;
      listed.unsettled += page->unsettled;
      for (ObjectVersion& object : page->objects) {
        listed.keys.push_back(object.key);
        listed.objects.push_back(std::move(object));
      }
      last = page->last;
    }
    return listed;
  }

  ObjectVersion only_object(const std::string& name) const {
    const Listed listed = list(at(name));
    EXPECT_EQ(listed.objects.size(), 1u);
    return listed.objects.empty() ? ObjectVersion{} : listed.objects.front();
  }

  static Result<std::string> read_all(ObjectReader& reader, std::size_t step) {
    std::string text;
    std::vector<std::byte> buffer(step);
    while (true) {
      const Result<std::size_t> received = reader.read(buffer);
      if (!received) return received.error();
      if (*received == 0) return text;
      text.append(reinterpret_cast<const char*>(buffer.data()), *received);
    }
  }

  testing::TemporaryFolder folder_;
  testing::ManualClock clock_;
  LocalStore store_{LocalOptions{.settle_ms = 2'000}, clock_};
};

TEST_F(LocalStoreTest, ListsInByteOrderOfTheWholePath) {
  for (const char* name : {"a/b", "a-b", "a0", "a.csv", "a/c/d", "a/c.x", "a/c-", "B", "\xff", "z/",
                           "a/\n", "dt=1/x", "a/c/e f", ".hidden/x"}) {
    if (std::string(name).ends_with('/')) {
      fs::create_directories(at(name));
    } else {
      write(name);
    }
  }
  const Listed listed = list(root() + "/");
  ASSERT_FALSE(listed.error);
  EXPECT_EQ(listed.keys.size(), 13u);
  EXPECT_TRUE(std::is_sorted(listed.keys.begin(), listed.keys.end()));
  EXPECT_EQ(listed.keys[2], at("a-b"));  // '-' and '.' sort before '/'.
  EXPECT_EQ(listed.keys[4], at("a/\n"));
}

TEST_F(LocalStoreTest, ReportsSizeVersionAndTime) {
  write("a.csv", "1,2\n", 5'000);
  write("empty.csv", "");
  const Listed listed = list(root() + "/");
  ASSERT_EQ(listed.objects.size(), 2u);
  struct stat status = {};
  ASSERT_EQ(::stat(at("a.csv").c_str(), &status), 0);
  EXPECT_EQ(listed.objects[0].size, 4u);
  EXPECT_EQ(listed.objects[0].modified_ms, clock_.wall_ms() - 5'000);
  EXPECT_EQ(listed.objects[0].version, std::to_string((clock_.wall_ms() - 5'000) * 1'000'000) +
                                           "-" + std::to_string(status.st_ino));
  EXPECT_EQ(listed.objects[1].size, 0u);
}

TEST_F(LocalStoreTest, CutsLongListingsIntoPages) {
  for (int i = 0; i < 2'500; ++i) write("d" + std::to_string(i % 7) + "/" + std::to_string(i));
  const Listed listed = list(root() + "/");
  EXPECT_EQ(listed.keys.size(), 2'500u);
  EXPECT_GE(listed.pages, 3u);
  EXPECT_TRUE(std::is_sorted(listed.keys.begin(), listed.keys.end()));
  EXPECT_EQ(std::adjacent_find(listed.keys.begin(), listed.keys.end()), listed.keys.end());
}

// Prefix and start are checked against the plain filter over everything.
TEST_F(LocalStoreTest, PrefixAndStartAfterFilterExactly) {
  for (const char* name :
       {"a", "a-", "aa/x", "aa/y/z", "aa/y.", "aa0", "ab/x", "b/a/a", "b/a0", "b/aa", "c"}) {
    write(name);
  }
  const std::vector<std::string> all = list(root() + "/").keys;
  ASSERT_EQ(all.size(), 11u);
  std::vector<std::string> cuts = {"",          at(""),    at("aa/"), at("aa/y"),
                                   at("aa/y/"), at("b/a"), at("d")};
  cuts.insert(cuts.end(), all.begin(), all.end());
  for (const std::string& prefix : cuts) {
    if (!prefix.starts_with(root() + "/") || !fs::exists(prefix.substr(0, prefix.rfind('/'))))
      continue;
    if (!fs::is_directory(prefix.substr(0, prefix.rfind('/')))) continue;
    for (const std::string& start : cuts) {
      std::vector<std::string> expected;
      for (const std::string& key : all) {
        if (key.starts_with(prefix) && key > start) expected.push_back(key);
      }
      EXPECT_EQ(list(prefix, start).keys, expected) << prefix << " after " << start;
    }
  }
}

TEST_F(LocalStoreTest, LeavesOutFilesThatMayStillBeWrittenTo) {
  write("old", "x", 2'000);
  write("fresh", "x", 1'999);
  write("now", "x", 0);
  write("slightly-ahead", "x", -1'999);
  write("far-ahead", "x", -60'000);
  Listed listed = list(root() + "/");
  EXPECT_EQ(listed.keys, (std::vector{at("far-ahead"), at("old")}));
  EXPECT_EQ(listed.unsettled, 3u);

  clock_.advance(Clock::Duration(4'000));
  listed = list(root() + "/");
  EXPECT_EQ(listed.keys.size(), 5u);
  EXPECT_EQ(listed.unsettled, 0u);
}

TEST_F(LocalStoreTest, ListsAtOnceWithoutSettleTime) {
  write("now", "x", 0);
  const LocalStore store(LocalOptions{.settle_ms = 0}, clock_);
  const auto page = store.list(root() + "/")->next_page();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->objects.size(), 1u);
}

TEST_F(LocalStoreTest, FollowsNoLinksBelowTheRoot) {
  write("in/a.csv");
  write("other/b.csv");
  fs::create_directory_symlink(at("other"), at("in/folder"));
  fs::create_directory_symlink(at("in"), at("in/loop"));
  fs::create_symlink(at("other/b.csv"), at("in/file.csv"));
  EXPECT_EQ(list(at("in/")).keys, (std::vector{at("in/a.csv")}));
}

TEST_F(LocalStoreTest, TakesALinkAsTheRootAndKeepsItsName) {
  write("in/a.csv");
  fs::create_directory_symlink(at("in"), at("link"));
  EXPECT_EQ(list(at("link/")).keys, (std::vector{at("link/a.csv")}));
}

TEST_F(LocalStoreTest, SkipsWhatIsNoRegularFile) {
  write("a.csv");
  ASSERT_EQ(::mkfifo(at("pipe.csv").c_str(), 0600), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(at("socket.csv").size(), sizeof(address.sun_path));
  at("socket.csv").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(list(root() + "/").keys, (std::vector{at("a.csv")}));
  ::close(listener);
}

TEST_F(LocalStoreTest, SaysThatTheRootIsMissing) {
  const Listed listed = list(at("nowhere/x"));
  ASSERT_TRUE(listed.error);
  EXPECT_EQ(listed.error->code, ErrorCode::kNotFound);
  EXPECT_NE(listed.error->message.find(at("nowhere")), std::string::npos);
}

TEST_F(LocalStoreTest, AFileThatIsNamedWhollyMayComeLater) {
  EXPECT_TRUE(list(at("later.csv")).keys.empty());
  write("later.csv");
  EXPECT_EQ(list(at("later.csv")).keys.size(), 1u);
}

TEST_F(LocalStoreTest, PassesOverAFolderThatMayNotBeReadAndSaysWhich) {
  write("closed/a.csv");
  write("open/b.csv");
  ASSERT_EQ(::chmod(root().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(at("closed").c_str(), 0), 0);
  // Root may read every folder: look as somebody else.
  const uid_t user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto page = store_.list(root() + "/")->next_page();
  const Listed closed = list(at("closed/"));
  ASSERT_EQ(::seteuid(user), 0);
  ASSERT_EQ(::chmod(at("closed").c_str(), 0700), 0);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, at("open/b.csv"));
  EXPECT_EQ(page->unreadable, std::vector<std::string>{at("closed/")});
  ASSERT_TRUE(closed.error) << "the folder that was asked for";
  EXPECT_EQ(closed.error->code, ErrorCode::kPermissionDenied);
  EXPECT_NE(closed.error->message.find(at("closed")), std::string::npos);
}

TEST_F(LocalStoreTest, AFolderThatVanishesDuringTheListingIsEmpty) {
  for (int i = 0; i < 1'000; ++i) write("a/" + std::to_string(i));
  write("b/x");
  write("c/y");
  const auto lister = store_.list(root() + "/");
  ASSERT_EQ(lister->next_page()->objects.size(), 1'000u);  // All of a/; b/ is still to come.
  fs::remove_all(at("b"));
  const auto page = lister->next_page();
  ASSERT_TRUE(page.has_value()) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, at("c/y"));
  EXPECT_TRUE(page->last);
}

TEST_F(LocalStoreTest, ReadsFromAnyOffset) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += std::to_string(i) + "\n";
  write("a.csv", text);
  const ObjectVersion object = only_object("a.csv");
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, object.size - 1, object.size}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1'000'000}}) {
      const auto reader = store_.open(object, offset);
      ASSERT_TRUE(reader.has_value()) << reader.error().message;
      const Result<std::string> all = read_all(**reader, step);
      ASSERT_TRUE(all.has_value()) << all.error().message;
      EXPECT_EQ(*all, text.substr(offset));
    }
  }
  EXPECT_EQ(store_.open(object, object.size + 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_GT(store_.stats().bytes_read, 0u);
}

TEST_F(LocalStoreTest, RefusesAnotherVersionOfAFile) {
  write("a.csv", "old\n");
  const ObjectVersion object = only_object("a.csv");

  write("a.csv", "new\n", kOldMs - 1);  // Written to.
  EXPECT_EQ(store_.open(object, 0).error().code, ErrorCode::kObjectChanged);

  write("b.csv", "old\n");
  set_age(at("b.csv"), kOldMs);
  fs::rename(at("b.csv"), at("a.csv"));  // Replaced by a file of the same time and size.
  EXPECT_EQ(store_.open(object, 0).error().code, ErrorCode::kObjectChanged);

  fs::remove(at("a.csv"));
  EXPECT_EQ(store_.open(object, 0).error().code, ErrorCode::kNotFound);

  fs::create_symlink(at("other"), at("a.csv"));
  EXPECT_EQ(store_.open(object, 0).error().code, ErrorCode::kObjectChanged);

  fs::remove(at("a.csv"));
  ASSERT_EQ(::mkfifo(at("a.csv").c_str(), 0600), 0);
  EXPECT_EQ(store_.open(object, 0).error().code, ErrorCode::kObjectChanged);  // And does not block.
}

TEST_F(LocalStoreTest, NoticesThatAFileIsTruncatedWhileItIsRead) {
  write("a.csv", std::string(100, 'x'));
  const auto reader = store_.open(only_object("a.csv"), 0);
  std::vector<std::byte> buffer(60);
  ASSERT_EQ(*(*reader)->read(buffer), 60u);
  fs::resize_file(at("a.csv"), 50);
  EXPECT_EQ((*reader)->read(buffer).error().code, ErrorCode::kObjectChanged);
}

TEST_F(LocalStoreTest, NoticesThatAFileIsWrittenToWhileItIsRead) {
  write("a.csv", std::string(100, 'x'));
  const auto reader = store_.open(only_object("a.csv"), 0);
  std::vector<std::byte> buffer(60);
  ASSERT_EQ(*(*reader)->read(buffer), 60u);
  std::ofstream(at("a.csv"), std::ios::app) << "y";
  EXPECT_EQ((*reader)->read(buffer).error().code, ErrorCode::kObjectChanged);

  write("b.csv", std::string(100, 'x'));
  const auto second = store_.open(only_object("b.csv"), 0);
  ASSERT_EQ(*(*second)->read(buffer), 60u);
  write("b.csv", std::string(100, 'y'), kOldMs - 1);  // In place, same size.
  EXPECT_EQ((*second)->read(buffer).error().code, ErrorCode::kObjectChanged);
}

TEST_F(LocalStoreTest, ReadsADeletedFileToItsEnd) {
  write("a.csv", std::string(100, 'x'));
  const auto reader = store_.open(only_object("a.csv"), 0);
  fs::remove(at("a.csv"));
  EXPECT_EQ(*read_all(**reader, 60), std::string(100, 'x'));
}

TEST_F(LocalStoreTest, ALevelHasItsFilesAndTheFoldersBelow) {
  for (const char* name : {"in/a", "in/b/x", "in/b-c/x", "in/b/c/y", "in/z"}) write(name);
  write("in/y", "x\n", /*age_ms=*/0);
  fs::create_directory(at("in/locked"));
  fs::permissions(at("in/locked"), fs::perms::none);
  const auto page = store_.list_level(at("in/"))->next_page();
  ASSERT_TRUE(page.has_value()) << page.error().to_string();
  EXPECT_EQ(page->folders,
            (std::vector<std::string>{at("in/b-c/"), at("in/b/"), at("in/locked/")}));
  std::vector<std::string> keys;
  for (const ObjectVersion& object : page->objects) keys.push_back(object.key);
  EXPECT_EQ(keys, (std::vector<std::string>{at("in/a"), at("in/z")}));
  EXPECT_EQ(page->unsettled_keys, (std::vector<std::string>{at("in/y")}));
  EXPECT_TRUE(page->last);
  EXPECT_EQ(store_.list_level(at("in/b"))->next_page()->folders.size(), 2u);
  fs::permissions(at("in/locked"), fs::perms::owner_all);
}

}  // namespace
}  // namespace leat::connector
