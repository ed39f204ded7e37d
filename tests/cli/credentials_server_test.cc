// Connections, roles of a real token service, `leat validate`; and that no secret gets out on any
// of these ways.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connector/s3/credentials.h"
#include "connector/s3/credentials/sts.h"
#include "connector/s3/http_client.h"
#include "tests/cli/command_test.h"
#include "tests/fault/fault_proxy.h"
#include "tests/support/test_bucket.h"

namespace leat::cli {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

class CredentialsServerTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    bucket_ = testing::make_s3_bucket("roles");
    if (bucket_ == nullptr || variable("LEAT_TEST_S3_ROLE").empty()) {
      GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT or LEAT_TEST_S3_ROLE is not set: no S3 server here";
    }
    bucket_->put("in/a.csv", "id,name\n1,one\n2,two\n");
    from_ = bucket_->flags().at(0).substr(7);
    // Nothing in the environment: connections and profiles alone.
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) ::unsetenv(name);
    fs::create_directory(path(".aws"));
    put(".aws/credentials", "[base]\naws_access_key_id = " + variable("LEAT_TEST_S3_ACCESS_KEY") +
                                "\naws_secret_access_key = " + secret_ + "\n");
    const std::string endpoint = "endpoint_url = '" + variable("LEAT_TEST_S3_ENDPOINT") + "'\n";
    const std::string key = "access_key_id = '" + variable("LEAT_TEST_S3_ACCESS_KEY") + "'\n";
    const auto role = [&](const char* name) {
      return "role_arn = '" + variable(name) + "'\nprofile = 'base'\n" + endpoint;
    };
    put("leat.toml",
        "[connection.keys]\n" + key + "secret_access_key_env = 'THE_SECRET'\n" + endpoint +
            "[connection.role]\n" + role("LEAT_TEST_S3_ROLE") +
            "role_session_name = 'night'\n[connection.reader]\n" +
            role("LEAT_TEST_S3_READER_ROLE") + "role_duration = '15min'\n[connection.external]\n" +
            role("LEAT_TEST_S3_ROLE") +
            "external_id = 'hunter4'\n[connection.nobody]\nrole_arn = "
            "'arn:aws:iam:::role/not-there'\nprofile = 'base'\n" +
            endpoint + "[connection.wrong]\n" + key + "secret_access_key = 'hunter2'\n" + endpoint +
            "[connection.expired]\naccess_key_id = 'ASIA0123456789'\nsecret_access_key = '" +
            secret_ + "'\nsession_token = 'hunter3'\n" + endpoint);
  }
  void TearDown() override {
    if (secret_.empty()) return;
    // Whatever was done: none of the secrets is in what was said or kept.
    for (const std::string& secret : secrets_) {
      EXPECT_EQ(said_.find(secret), std::string::npos) << said_.substr(said_.find(secret), 200);
      if (!fs::exists(path("kept"))) continue;
      for (const auto& entry : fs::recursive_directory_iterator(path("kept"))) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(text.find(secret), std::string::npos) << entry.path();
      }
    }
  }

  Outcome run(const std::string& arguments) {
    Outcome outcome = leat(arguments);
    said_ += outcome.out + outcome.err;
    return outcome;
  }
  Outcome validate(const std::string& flags) {
    return run("validate '" + from_ + "' --json --connection " + flags);
  }
  /// "ok", "failed", …; empty: there is no such step.
  static std::string outcome_of(const Outcome& outcome, const std::string& step) {
    const auto report = nlohmann::json::parse(outcome.out);
    for (const auto& one : report["steps"]) {
      if (one["step"] == step) return one["outcome"];
    }
    return {};
  }

  const std::string secret_ = variable("LEAT_TEST_S3_SECRET_KEY");
  std::vector<std::string> secrets_ = {secret_, "hunter2", "hunter3", "hunter4", "hunter5"};
  std::unique_ptr<testing::TestBucket> bucket_;
  std::string from_;
  std::string said_;
};

TEST_F(CredentialsServerTest, ARoleIsAssumedToRead) {
  for (const char* connection : {"role", "reader"}) {
    const Outcome rows = run("cat '" + from_ + "' --connection " + connection);
    EXPECT_EQ(rows.status, 0) << rows.err;
    EXPECT_EQ(rows.out, "id,name\n1,one\n2,two\n");
  }
  const Outcome loaded = run("load --once --from '" + from_ +
                             "' --connection reader --to sqlite:kept/rows.db --table t --state "
                             "kept/st --log-level debug --report kept/report.json");
  EXPECT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_EQ(run("ls --state kept/st --json").status, 0);
  const Outcome sniffed = run("sniff '" + from_ + "' --connection role");
  EXPECT_EQ(sniffed.status, 0) << sniffed.err;
}

TEST_F(CredentialsServerTest, AProfileWithARoleIsAssumedToRead) {
  put(".aws/config",
      "[profile r]\nrole_arn = " + variable("LEAT_TEST_S3_ROLE") +
          "\nsource_profile = base\nendpoint_url = " + variable("LEAT_TEST_S3_ENDPOINT") + "\n");
  EXPECT_EQ(run("cat '" + from_ + "' --profile r").out, "id,name\n1,one\n2,two\n");
}

TEST_F(CredentialsServerTest, ValidateTellsWhatARoleMay) {
  const Outcome all = validate("role --write");
  EXPECT_EQ(all.status, 0) << all.out;
  for (const char* step :
       {"settings", "credentials", "list", "region", "clock", "read", "write", "delete"}) {
    EXPECT_EQ(outcome_of(all, step), "ok") << step << all.out;
  }
  EXPECT_EQ(outcome_of(all, "identity"), "skipped");  // This service does not tell.
  EXPECT_EQ(outcome_of(all, "external id"), "");
  EXPECT_EQ(run("cat '" + from_ + "' --connection role").out, "id,name\n1,one\n2,two\n");

  const Outcome reading = validate("reader --write");
  EXPECT_EQ(reading.status, 1);
  EXPECT_EQ(outcome_of(reading, "read"), "ok");
  EXPECT_EQ(outcome_of(reading, "write"), "failed");
  EXPECT_NE(reading.out.find("s3:PutObject"), std::string::npos) << reading.out;
  EXPECT_EQ(validate("reader").status, 0);
}

TEST_F(CredentialsServerTest, ValidateFailsWhereTheExternalIdIsNotNeeded) {
  const Outcome outcome = validate("external");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome_of(outcome, "external id"), "failed");
  EXPECT_EQ(outcome_of(outcome, "read"), "ok");
}

TEST_F(CredentialsServerTest, ASecretMayStandInTheEnvironment) {
  ::setenv("THE_SECRET", secret_.c_str(), 1);
  const Outcome outcome = validate("keys");
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  ::unsetenv("THE_SECRET");
  EXPECT_EQ(validate("keys").status, 2);
}

/// Everything that talks, with these flags; secrets are looked for at the end of the test.
class SecretsServerTest : public CredentialsServerTest {
 protected:
  void SetUp() override {
    CredentialsServerTest::SetUp();
    if (IsSkipped()) return;
    server_ = variable("LEAT_TEST_S3_ENDPOINT");
    session_ = assume_role();
    for (const Secret& secret : {session_.secret_access_key, session_.session_token}) {
      secrets_.push_back(secret.reveal());
    }
    ASSERT_GT(session_.session_token.reveal().size(), 50u);
  }
  void TearDown() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "http_proxy"}) {
      ::unsetenv(name);
    }
    CredentialsServerTest::TearDown();
  }

  /// A real session of the server's token service.
  S3Credentials assume_role() const {
    using namespace connector::s3;
    CredentialContext context;
    context.environment = [](const char*) { return std::nullopt; };
    context.transport = std::make_shared<HttpClient>(HttpClientOptions{});
    context.clock = &system_clock();
    context.sts = *parse_endpoint(server_);
    context.region = "us-east-1";
    auto fetched =
        assume_role_source(context, {.arn = variable("LEAT_TEST_S3_ROLE")},
                           static_source({.access_key_id = variable("LEAT_TEST_S3_ACCESS_KEY"),
                                          .secret_access_key = Secret(secret_)},
                                         "the test"))
            ->fetch();
    if (!fetched) throw std::runtime_error(fetched.error().to_string());
    return fetched->credentials;
  }

  static void use(const std::string& id, const std::string& secret, const std::string& token) {
    ::setenv("AWS_ACCESS_KEY_ID", id.c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", secret.c_str(), 1);
    ::setenv("AWS_SESSION_TOKEN", token.c_str(), 1);
  }
  void use(const S3Credentials& session) {
    use(session.access_key_id, session.secret_access_key.reveal(), session.session_token.reveal());
  }

  /// @return  The status of the load.
  int say_all(const std::string& endpoint) {
    const std::string where = "'" + from_ + "' --endpoint-url '" + endpoint + "' ";
    const std::string state = "kept/" + std::to_string(++states_);
    const Outcome loaded =
        run("load --once --log-level debug --to sqlite:" + state + ".db --table t --state " +
            state + " --report " + state + ".json --from " + where);
    run("ls --state " + state + " --json");
    run("cat " + where + "--log-level debug");
    run("sniff " + where);
    for (const char* how : {"--write", "--json"}) run("validate " + where + how);
    return loaded.status;
  }

  std::string server_;
  S3Credentials session_;
  int states_ = 0;
};

TEST_F(SecretsServerTest, ASessionThatWorksIsNotShown) {
  use(session_);
  EXPECT_EQ(say_all(server_), 0);
}

TEST_F(SecretsServerTest, ASessionThatIsRefusedIsNotShown) {
  const std::string token = session_.session_token.reveal();
  const std::string cut = token.substr(0, token.size() / 2);
  secrets_.push_back(cut);
  use(session_.access_key_id, session_.secret_access_key.reveal(), cut);
  EXPECT_EQ(say_all(server_), 1);
  use(session_.access_key_id, "hunter2", token);
  EXPECT_EQ(say_all(server_), 1);
}

// Services and what stands before them repeat what they were sent.
TEST_F(SecretsServerTest, WhatAServerRepeatsIsNotShown) {
  use(session_);
  const std::string token = session_.session_token.reveal();
  for (const char* code : {"ExpiredToken", "InvalidToken", "SignatureDoesNotMatch", "Whatever"}) {
    const fault::Fault repeats = fault::parse_fault(
        "repeats",
        "answer\nHTTP/1.1 400 Bad Request\nContent-Type: application/xml\n"
        "x-amz-request-id: " +
            token + "\n\n<Error><Code>" + code + "</Code><Message>The token " + token +
            " of the request GET http://h/k?"
            "X-Amz-Signature=hunter3&amp;X-Amz-Security-Token=hunter4 is refused</Message>"
            "<Token-0>" +
            token + "</Token-0><StringToSign>" + token + "</StringToSign></Error>");
    fault::FaultProxy proxy(server_);
    proxy.set([&](const fault::SeenRequest&) { return &repeats; });
    EXPECT_NE(say_all(proxy.url()), 0);
    EXPECT_NE(said_.find("is refused"), std::string::npos);
  }
}

TEST_F(SecretsServerTest, APasswordOfAProxyIsNotShown) {
  use(session_);
  const fault::Fault refuses = fault::parse_fault(
      "refuses", "answer\nHTTP/1.1 407 Proxy Authentication Required\n\nhunter5?");
  fault::FaultProxy proxy(server_);
  proxy.set([&](const fault::SeenRequest&) { return &refuses; });
  ::setenv("http_proxy", ("http://me:hunter5@127.0.0.1:" + std::to_string(proxy.port())).c_str(),
           1);
  EXPECT_NE(say_all("http://s3.example:9000"), 0);
  // It was used, though.
  ASSERT_FALSE(proxy.seen().empty());
  EXPECT_NE(proxy.seen()[0].head.find("Proxy-Authorization: Basic"), std::string::npos);
  proxy.refuse();
  ::setenv("http_proxy", "http://me:hunter5@no-such-proxy.invalid:1", 1);
  run("validate '" + from_ + "' --endpoint-url http://s3.example:9000");
}

TEST_F(SecretsServerTest, UrlsThatAreRefusedShowNoSecret) {
  for (const char* flags :
       {"cat 'https://b.example/k?X-Amz-Credential=hunter4&X-Amz-Signature=hunter2'",
        "cat 's3://me:hunter2@bucket/k' --no-sign-request",
        "cat s3://b/k --endpoint-url 'http://me:hunter2@h'",
        "cat s3://b/k --endpoint-url 'http://h/?X-Amz-Signature=hunter2'",
        "validate s3://b/k --endpoint-url 'http://h/?X-Amz-Signature=hunter2'",
        "load --once --to null: --state kept/st --from "
        "'https://me:hunter2@h/k?Signature=hunter3'"}) {
    EXPECT_EQ(run(flags).status, 2) << flags;
  }
}

TEST_F(CredentialsServerTest, FailuresAreToldApartAndHoldNoSecret) {
  for (const auto& [connection, message] :
       {std::pair{"wrong", "the secret access key does not belong to the access key"},
        std::pair{"expired", "check"}, std::pair{"nobody", "role/not-there"}}) {
    const Outcome checked = validate(connection);
    EXPECT_EQ(checked.status, 1) << connection;
    EXPECT_NE(checked.out.find(message), std::string::npos) << checked.out;
    const std::string state = std::string("kept/") + connection;
    const Outcome loaded =
        run("load --once --from '" + from_ + "' --to null: --log-level debug --state " + state +
            " --report " + state + ".json --connection " + connection);
    EXPECT_EQ(loaded.status, 1) << connection << loaded.err;
    EXPECT_NE(loaded.err.find(message), std::string::npos) << loaded.err;
  }
}

}  // namespace
}  // namespace leat::cli
