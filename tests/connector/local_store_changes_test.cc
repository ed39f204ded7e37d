// What becomes of loaded files: removed or moved, in the version that was loaded and in no other.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "connector/local/local_store.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

namespace fs = std::filesystem;

class LocalStoreChangesTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).native(); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(at(name), std::ios::binary) << text;
  }
  std::string content(const std::string& name) const {
    std::ifstream in(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  ObjectVersion listed(const std::string& name) const {
    const auto lister = store_.list(at(name), {});
    return lister->next_page().value().objects.at(0);
  }
  /// Another file takes the place of `name`.
  void replace(const std::string& name, const std::string& text) {
    write("next", text);
    fs::rename(at("next"), at(name));
  }

  testing::TemporaryFolder folder_{"leat-changes"};
  LocalStore store_{{.settle_ms = 0}, system_clock()};
};

TEST_F(LocalStoreChangesTest, RemovesTheListedVersionAndSucceedsWhenItIsGone) {
  write("a", "1\n");
  const ObjectVersion object = listed("a");
  EXPECT_TRUE(store_.remove(object));
  EXPECT_FALSE(fs::exists(at("a")));
  EXPECT_TRUE(store_.remove(object));
}

TEST_F(LocalStoreChangesTest, LeavesAFileThatWasReplaced) {
  write("a", "1\n");
  const ObjectVersion object = listed("a");
  replace("a", "2\n");
  EXPECT_EQ(store_.remove(object).error().code, ErrorCode::kObjectChanged);
  EXPECT_EQ(store_.move(object, at("b")).error().code, ErrorCode::kObjectChanged);
  EXPECT_EQ(content("a"), "2\n");
  EXPECT_FALSE(fs::exists(at("b")));
}

TEST_F(LocalStoreChangesTest, MovesIntoFoldersThatItMakesAndMayBeRepeated) {
  write("a", "1\n");
  const ObjectVersion object = listed("a");
  EXPECT_TRUE(store_.move(object, at("done/x/a")));
  EXPECT_EQ(content("done/x/a"), "1\n");
  EXPECT_FALSE(fs::exists(at("a")));
  EXPECT_TRUE(store_.move(object, at("done/x/a")));
}

TEST_F(LocalStoreChangesTest, SaysThatAFileIsGoneWhichWasNotMovedThere) {
  write("a", "1\n");
  const ObjectVersion object = listed("a");
  write("b", "another\n");
  fs::remove(at("a"));
  EXPECT_EQ(store_.move(object, at("b")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(content("b"), "another\n");
}

TEST_F(LocalStoreChangesTest, RefusesRelativePathsAndTags) {
  write("a", "1\n");
  const ObjectVersion object = listed("a");
  EXPECT_EQ(store_.move(object, "done/a").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_.tag(object, "k", "v").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(content("a"), "1\n");
}

}  // namespace
}  // namespace leat::connector
