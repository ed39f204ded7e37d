// Cores that the process may use: its affinity, and the quotas of its control groups.
#include "executor/usable_cores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace leat::executor {
namespace {

class UsableCores : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::uint32_t cores() const { return usable_cores(folder_.path()); }

  testing::TemporaryFolder folder_{"leat-cores"};
  const std::uint32_t all_ = usable_cores(folder_.path() / "nowhere");
};

TEST_F(UsableCores, AreThoseOfTheAffinityWhereNoQuotaSaysLess) {
  EXPECT_GE(all_, 1u);
  put("proc/self/cgroup", "0::/job\n");
  put("sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(), all_);
  put("sys/fs/cgroup/job/cpu.max", "99900000 100000\n");
  EXPECT_EQ(cores(), all_);
}

TEST_F(UsableCores, AreNoMoreThanTheQuotaRoundedUp) {
  put("proc/self/cgroup", "12:cpu:/old\n0::/job\n");
  put("sys/fs/cgroup/job/cpu.max", "20000 100000\n");
  EXPECT_EQ(cores(), 1u);
  put("sys/fs/cgroup/job/cpu.max", "110000 100000\n");
  EXPECT_EQ(cores(), std::min(all_, 2u));
}

TEST_F(UsableCores, HeedTheGroupsAboveAndThatOfAContainer) {
  put("proc/self/cgroup", "0::/pod/job\n");
  put("sys/fs/cgroup/pod/cpu.max", "50000 100000\n");
  put("sys/fs/cgroup/pod/job/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(), 1u);
  std::filesystem::remove_all(folder_.path() / "sys/fs/cgroup/pod");
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(cores(), 1u);
}

TEST_F(UsableCores, DoNotDependOnWhatCannotBeRead) {
  put("proc/self/cgroup", "0::/../../elsewhere\n");
  put("sys/fs/cgroup/cpu.max", "nonsense");
  EXPECT_EQ(cores(), all_);
}

}  // namespace
}  // namespace leat::executor
