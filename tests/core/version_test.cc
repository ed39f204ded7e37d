#include "leat/version.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/source_dir.h"

namespace leat {
namespace {

TEST(Version, IsThatOfTheProject) {
  std::ifstream file(test_source_dir() / "CMakeLists.txt");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("project(leat VERSION " + std::string(version()) + " "),
            std::string::npos)
      << version();
}

}  // namespace
}  // namespace leat
