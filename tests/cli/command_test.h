// The command as a user meets it: a process, its output, its exit code.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_folder.h"

namespace leat::cli {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

/// A test in a folder of its own, with a folder "in" in it.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(path("in")); }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::binary) << text;
  }

  std::string content(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Runs `leat ARGUMENTS` by a shell in the test's folder, without the user's AWS profiles.
  /// @param before  What the shell does first, such as to set a limit.
  Outcome leat(const std::string& arguments, const std::string& before = "true") {
    const std::string command = "cd '" + folder_.path().string() + "' && " + before +
                                " && env -u AWS_PROFILE AWS_EC2_METADATA_DISABLED=true HOME=. " +
                                LEAT_COMMAND + " " + arguments + " 2>err";
    Outcome outcome;
    FILE* pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      outcome.out.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.err = content("err");
    return outcome;
  }

  testing::TemporaryFolder folder_{"leat-cli"};
};

}  // namespace leat::cli
