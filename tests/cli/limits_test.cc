// What the command says where the system, the shell or a wrong path is in its way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/cli/command_test.h"

namespace leat::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class LimitsTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    put("in/a.csv", "id,name\n1,one\n");
  }
  const std::string load_ =
      "load --once --settle 0 --from 'in/*.csv' --schema 'id bigint, name text' --state st ";
};

TEST_F(LimitsTest, EndsWithAMessageWhereThereIsNoMemoryOrNoThread) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need address space without limit";
#endif
  int failed = 0;
  for (int megabytes = 50; megabytes <= 500; megabytes += 25) {
    std::filesystem::remove_all(path("st"));
    const Outcome outcome =
        leat(load_ + "--to null:", "ulimit -v " + std::to_string(megabytes << 10));
    if (outcome.status == 127) continue;  // Too little for its shared libraries.
    if (outcome.status == 0) continue;
    ++failed;
    EXPECT_EQ(outcome.status, 1) << megabytes << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("leat: ")) << megabytes;
    EXPECT_THAT(outcome.err, Not(HasSubstr("terminate called"))) << megabytes;
  }
  EXPECT_GT(failed, 0);
}

TEST_F(LimitsTest, AFileThatMayNotGrowFurtherIsAnError) {
  std::string rows = "id,name\n";
  for (int i = 0; i < 20'000; ++i) rows += std::to_string(i) + ",some text\n";
  put("in/a.csv", rows);
  const Outcome outcome =
      leat(load_ + "--to sqlite:rows.db --table t --sink-retry-for 0", "ulimit -f 64");
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("leat: "));
  EXPECT_EQ(leat("cat in/a.csv > out.csv", "ulimit -f 64").status, 1);
}

TEST_F(LimitsTest, AConfigurationFileThatIsAFolderIsRefused) {
  const Outcome outcome = leat("load --config in");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, StartsWith("leat: in is a folder"));
  EXPECT_THAT(leat(load_ + "--to null: --config in --connection c").err,
              HasSubstr("in is a folder"));
}

TEST_F(LimitsTest, NamesInThePlaceOfAPatternAreTold) {
  put("in/b.csv", "id,name\n2,two\n");
  const Outcome outcome = leat("load --once --to null: --state st --from in/*.csv");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("in/b.csv"));
  EXPECT_THAT(outcome.err, HasSubstr("write it in quotes"));
  const Outcome flag = leat("load --no-such-flag --from 'in/*.csv'");
  EXPECT_EQ(flag.status, 2);
  EXPECT_THAT(flag.err, AllOf(HasSubstr("--no-such-flag"), Not(HasSubstr("quotes"))));
}

TEST_F(LimitsTest, ThePageOfFlagsIsWhatTheCommandSays) {
  std::ifstream file(std::string(LEAT_SOURCE_DIR) + "/docs/flags.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(leat("flags").out, page) << "run leat flags > docs/flags.md";
}

}  // namespace
}  // namespace leat::cli
