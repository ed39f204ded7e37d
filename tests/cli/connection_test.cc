// [connection.NAME]: what is refused, and that no message holds a secret.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/command_test.h"

namespace leat::cli {
namespace {

class ConnectionTest : public CommandTest {
 protected:
  /// What is said about a connection that holds these lines.
  std::string refused(const std::string& lines) {
    put("leat.toml", "[connection.c]\n" + lines);
    const Outcome outcome = leat("cat 's3://bucket/*.csv' --connection c");
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(outcome.err.find("hunter2"), std::string::npos) << outcome.err;
    return outcome.err;
  }
};

TEST_F(ConnectionTest, ContradictionsAreNamedWithTheirLine) {
  const std::string keys = "access_key_id = 'A'\nsecret_access_key = 'hunter2'\n";
  for (const auto& [lines, message] :
       {std::pair{keys + "role_arn = 'arn:r'\n", "leat.toml:4: [connection.c] role_arn is given"},
        std::pair{keys + "profile = 'p'\n", "leat.toml:4: [connection.c] profile is given beside"},
        std::pair{keys + "no-sign-request = true\n", "no_sign_request is given beside"},
        std::pair{keys + "secret_access_key_env = 'X'\n", "secret_access_key_env are both given"},
        std::pair{std::string("secret_access_key = 'hunter2'\n"), "access_key_id is missing"},
        std::pair{std::string("external_id = 'hunter2'\n"), "means nothing without a role_arn"},
        std::pair{std::string("role_arn = 'r'\n"), "'r' is no ARN"},
        std::pair{std::string("role_arn = 'arn:r'\nrole_duration = '1s'\n"), "15min and 12h"},
        std::pair{std::string("addressing = 'hunter2'\n"), "must be auto, path or virtual"},
        std::pair{std::string("secret_acess_key = 'hunter2'\n"), "is no key of a connection"},
        std::pair{std::string("secret_access_key = 5\n"), "must be a text"},
        std::pair{std::string("secret_access_key_env = 'NOT_SET'\n"), "NOT_SET, which is not set"},
        std::pair{std::string("secret_access_key = hunter2\n"), "leat.toml:2: it is no proper"}}) {
    const std::string said = lines.starts_with("role_arn = 'r'") ? "" : refused(lines);
    if (said.empty()) {
      put("leat.toml", "[connection.c]\n" + lines);
      EXPECT_NE(leat("cat 's3://bucket/*.csv' --connection c").err.find(message),
                std::string::npos);
      continue;
    }
    EXPECT_NE(said.find(message), std::string::npos) << said;
  }
}

TEST_F(ConnectionTest, MissingOnesAreToldApart) {
  EXPECT_NE(leat("cat 's3://bucket/*' --connection c").err.find("there is no file leat.toml"),
            std::string::npos);
  put("other.toml", "[connection.here]\nregion = 'eu-north-1'\n");
  const Outcome outcome = leat("cat 's3://bucket/*' --connection c --config other.toml");
  EXPECT_NE(outcome.err.find("no [connection.c]; there are: here"), std::string::npos)
      << outcome.err;
}

TEST_F(ConnectionTest, StandsBesideThePipelineInOneFile) {
  put("in/a.csv", "id\n1\n");
  put("leat.toml",
      "from = 'in/*.csv'\nto = 'null:'\nstate = 'st'\nonce = true\nsettle = '0s'\n"
      "connection-name = 'c'\n\n[connection.c]\nregion = 'eu-north-1'\n");
  Outcome outcome = leat("load");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  outcome = leat("load --connection d");  // The flag outranks the file.
  EXPECT_NE(outcome.err.find("no [connection.d]"), std::string::npos) << outcome.err;
}

TEST_F(ConnectionTest, ValidateTellsOfLocalFiles) {
  put("in/a.csv", "id\n1\n");
  Outcome outcome = leat("validate in/ --json");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(report["passed"], true);
  EXPECT_EQ(report["steps"].size(), 2u);
  outcome = leat("validate not/there/");
  EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
  EXPECT_EQ(leat("validate in/ --write").status, 2);
}

TEST_F(ConnectionTest, ValidateSaysWhereCredentialsWereLookedFor) {
  const Outcome outcome = leat("validate s3://bucket/in/");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("no AWS credentials found"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace leat::cli
