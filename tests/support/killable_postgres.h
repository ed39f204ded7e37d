// A PostgreSQL server of a test's own, which it may kill.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace leat::test {

/// While it is there, LEAT_TEST_POSTGRES names it.
class KillablePostgres {
 public:
  static bool available() { return std::filesystem::exists("/usr/lib/postgresql/15/bin/initdb"); }

  /// @param folder  Where its own folder is made; empty: somewhere.
  /// @param initdb  More options of initdb.
  explicit KillablePostgres(const std::filesystem::path& folder = {},
                            const std::string& initdb = "")
      : dir_(((folder.empty() ? folder_.path() : folder) / "pg").string()) {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    if (run("start", "LEAT_TEST_POSTGRES_INITDB='" + initdb + "' ") != 0) return;
    std::ifstream in(dir_ + "/env");
    std::string line;
    std::getline(in, line);
    const std::size_t quote = line.find('\'');
    if (const char* former = std::getenv("LEAT_TEST_POSTGRES")) former_ = former;
    ::setenv("LEAT_TEST_POSTGRES", line.substr(quote + 1, line.rfind('\'') - quote - 1).c_str(), 1);
    started_ = true;
  }
  ~KillablePostgres() {
    (void)run("stop");
    if (!started_) return;
    if (former_) {
      ::setenv("LEAT_TEST_POSTGRES", former_->c_str(), 1);
    } else {
      ::unsetenv("LEAT_TEST_POSTGRES");
    }
  }
  KillablePostgres(const KillablePostgres&) = delete;
  KillablePostgres& operator=(const KillablePostgres&) = delete;

  bool started() const { return started_; }
  /// SIGKILL, where it still runs, and a new start. False: it did not start.
  bool crash() const { return run("crash") == 0; }

  /// What it has said so far.
  std::string log() const {
    std::ifstream in(dir_ + "/server.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  int run(const std::string& what, const std::string& environment = "") const {
    const std::string script = (test_source_dir() / "tests/servers/postgres").string();
    return std::system((environment + "'" + script + "' " + what + " '" + dir_ + "'").c_str());
  }

  testing::TemporaryFolder folder_{"leat-own-pg"};
  std::string dir_;
  bool started_ = false;
  std::optional<std::string> former_;
};

}  // namespace leat::test
