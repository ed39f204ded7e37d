#include "leat/version.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace leat {
namespace {

TEST(Version, IsThatOfTheProject) {
  std::ifstream file(LEAT_SOURCE_DIR "/CMakeLists.txt");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("project(leat VERSION " + std::string(version()) + " "),
            std::string::npos)
      << version();
}

}  // namespace
}  // namespace leat
