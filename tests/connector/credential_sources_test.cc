// What the recordings do not hold: what is sent, what is refused, and that no secret gets out.

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <string>

#include "connector/s3/credentials.h"
#include "connector/s3/credentials/container.h"
#include "connector/s3/credentials/instance.h"
#include "connector/s3/credentials/process.h"
#include "connector/s3/credentials/sts.h"
#include "tests/connector/canned_server.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector::s3 {
namespace {

constexpr const char* kAssumed =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
    "<SecretAccessKey>hunter2</SecretAccessKey><SessionToken>tok</SessionToken>"
    "<Expiration>2026-11-26T12:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

class CredentialSourcesTest : public ::testing::Test {
 protected:
  CredentialContext context(const std::map<std::string, std::string>& variables = {}) {
    return {.environment = [variables](const char* name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            .transport = transport_,
            .clock = &clock_,
            .sts = {.tls = true, .authority = "sts.eu-north-1.amazonaws.com", .path_prefix = {}},
            .region = "eu-north-1"};
  }
  static std::unique_ptr<CredentialSource> keys() {
    return static_source({.access_key_id = "AKID", .secret_access_key = Secret("hunter1")}, "keys");
  }
  static std::string name_of(const Result<FetchedCredentials>& fetched) {
    return fetched ? fetched->credentials.access_key_id : fetched.error().to_string();
  }

  testing::ManualClock clock_;
  std::shared_ptr<FakeTransport> transport_ = std::make_shared<FakeTransport>();
};

TEST_F(CredentialSourcesTest, AssumeARoleWithAllThatItAsksFor) {
  transport_->then(answer(200, kAssumed));
  auto source = assume_role_source(context(),
                                   {.arn = "arn:aws:iam::1:role/r",
                                    .session_name = "night",
                                    .external_id = "x/1",
                                    .duration_s = 900},
                                   keys());
  const auto fetched = source->fetch();
  EXPECT_EQ(name_of(fetched), "ASIA");
  EXPECT_EQ(fetched->expires_ms, 1'795'694'400'000);
  const auto seen = transport_->seen().at(0);
  EXPECT_EQ(seen.request.url, "https://sts.eu-north-1.amazonaws.com/");
  EXPECT_EQ(seen.body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
            "&RoleSessionName=night&DurationSeconds=900&ExternalId=x%2F1");
  EXPECT_NE(seen.header("Authorization").find("/eu-north-1/sts/aws4_request"), std::string::npos);
}

TEST_F(CredentialSourcesTest, AssumeRolesOneAfterTheOther) {
  transport_->then(answer(200, kAssumed)).then(answer(200, kAssumed));
  auto source = assume_role_source(context(), {.arn = "arn:b"},
                                   assume_role_source(context(), {.arn = "arn:a"}, keys()));
  EXPECT_EQ(name_of(source->fetch()), "ASIA");
  const auto seen = transport_->seen();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_NE(seen[0].header("Authorization").find("AKID/"), std::string::npos);
  EXPECT_NE(seen[1].header("Authorization").find("ASIA/"), std::string::npos);
  EXPECT_EQ(seen[1].header("X-Amz-Security-Token"), "tok");
  EXPECT_EQ(source->description(),
            "the role arn:b, assumed with the role arn:a, assumed with keys");
}

TEST_F(CredentialSourcesTest, TryAgainWhereItHelpsOnly) {
  const auto denied = error_answer(403, "AccessDenied", "<Message>not you</Message>");
  transport_->then(answer(503, "")).then(error_answer(400, "Throttling")).then(denied);
  auto source = assume_role_source(context(), {.arn = "arn:a"}, keys());
  const auto fetched = source->fetch();
  EXPECT_EQ(transport_->seen().size(), 3u);
  ASSERT_FALSE(fetched.has_value());
  EXPECT_EQ(fetched.error().code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(fetched.error().retryable);
  EXPECT_NE(fetched.error().message.find("arn:a"), std::string::npos);
  EXPECT_NE(fetched.error().message.find("not you"), std::string::npos);
}

TEST_F(CredentialSourcesTest, RefuseAnswersThatAreNone) {
  for (const char* body :
       {"", "<html>", "<AssumeRoleResponse></AssumeRoleResponse>", "<!DOCTYPE a><a/>"}) {
    transport_->then(answer(200, body));
    auto source = assume_role_source(context(), {.arn = "arn:a"}, keys());
    const auto fetched = source->fetch();
    ASSERT_FALSE(fetched.has_value()) << body;
    EXPECT_EQ(fetched.error().code, ErrorCode::kCorrupt) << body;
  }
  transport_->then(answer(200, std::string(3u << 20, 'x')));
  EXPECT_EQ(assume_role_source(context(), {.arn = "arn:a"}, keys())->fetch().error().code,
            ErrorCode::kCorrupt);
}

TEST_F(CredentialSourcesTest, ReadTheWebIdentityTokenAnewEachTime) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "token";
  auto source = web_identity_source(context(), {.arn = "arn:a"}, file);
  EXPECT_EQ(source->fetch().error().code, ErrorCode::kIo);
  for (const char* token : {"one", "two"}) {
    transport_->then(answer(200, kAssumed));
    std::ofstream(file) << token << "\n";
    EXPECT_EQ(name_of(source->fetch()), "ASIA");
    EXPECT_TRUE(transport_->seen().back().body.ends_with(std::string("WebIdentityToken=") + token));
    EXPECT_EQ(transport_->seen().back().header("Authorization"), "(none)");
  }
}

TEST_F(CredentialSourcesTest, SendTheContainersTokenToNobodyElse) {
  for (const char* url : {"http://example.com/x", "http://169.254.169.254/x", "http://10.0.0.1/",
                          "http://127.0.0.1.example.com/", "http://[::2]/",
                          "http://localhost@evil/", "ftp://localhost/"}) {
    const auto refused = container_source(context({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}));
    ASSERT_FALSE(refused.has_value()) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  for (const char* url : {"http://127.0.0.9/x", "http://[::1]:99/x", "https://example.com/x"}) {
    EXPECT_TRUE(
        container_source(context({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}})).has_value())
        << url;
  }
  transport_->then(answer(200, R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"t"})"));
  auto source = container_source(context({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x?id=1"},
                                          {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc"}}));
  EXPECT_EQ(name_of((*source)->fetch()), "A");
  const auto seen = transport_->seen().at(0);
  EXPECT_EQ(seen.request.url, "http://169.254.170.2/x?id=1");
  EXPECT_EQ(seen.header("Authorization"), "Basic abc");
  EXPECT_FALSE(seen.request.use_proxy);
  source = container_source(context({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"},
                                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX-Evil: b"}}));
  EXPECT_EQ((*source)->fetch().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CredentialSourcesTest, UseVersion1OfTheInstancesServiceOnRequestOnly) {
  const auto script = [&] {
    transport_->then(answer(404, ""))
        .then(answer(200, "my-role\n"))
        .then(answer(200, R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"t"})"));
  };
  auto options = instance_options(context().environment, {});
  transport_->then(answer(404, ""));
  auto source = instance_source(context(), *options, {});
  EXPECT_EQ(source->fetch().error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(transport_->seen().size(), 1u);
  options = instance_options(context({{"AWS_EC2_METADATA_V1_DISABLED", "false"}}).environment, {});
  script();
  source = instance_source(context(), *options, {});
  EXPECT_EQ(name_of(source->fetch()), "A");
  EXPECT_EQ(transport_->seen().back().header("X-aws-ec2-metadata-token"), "(none)");
}

// Over real HTTP, past a proxy that is not there.
TEST_F(CredentialSourcesTest, AskTheInstanceAndTheContainerWithoutAProxy) {
  const auto ok = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const std::string document = R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"t"})";
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  CannedServer server({{ok("token"), ok("my-role"), ok(document)}, {ok(document)}});
  for (const auto& [name, value] :
       {std::pair{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url("")},
        std::pair{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url("/v1/credentials")}}) {
    const auto settings =
        resolve_settings({}, {.environment = context({{name, value}}).environment});
    ASSERT_TRUE(settings.has_value()) << settings.error().to_string();
    const auto credentials = settings->credentials->current();
    ASSERT_TRUE(credentials.has_value()) << credentials.error().to_string();
    EXPECT_EQ((*credentials)->secret_access_key.reveal(), "hunter2");
  }
  ::unsetenv("http_proxy");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_TRUE(requests[0].starts_with("PUT /latest/api/token HTTP/1.1")) << requests[0];
  EXPECT_NE(requests[2].find("X-aws-ec2-metadata-token: token"), std::string::npos) << requests[2];
  EXPECT_TRUE(requests[3].starts_with("GET /v1/credentials HTTP/1.1")) << requests[3];
}

TEST_F(CredentialSourcesTest, RunAProcessAndKeepItsWordsToThemselves) {
  const auto run = [&](const std::string& command) {
    return process_source({.environment = {}, .transport = {}, .clock = &system_clock()},
                          "the profile 'p'", command, std::chrono::milliseconds(300))
        ->fetch();
  };
  const std::string keys = R"("AccessKeyId":"A","SecretAccessKey":"hunter2")";
  const auto fetched =
      run("echo '{\"Version\":1," + keys +
          ",\"SessionToken\":\"t\",\"Expiration\":\"2026-11-26T13:30:00+01:30\"}'");
  EXPECT_EQ(name_of(fetched), "A");
  EXPECT_EQ(fetched->expires_ms, 1'795'694'400'000);
  for (const auto& [command, code] :
       {std::pair{"echo '{\"Version\":2," + keys + "}'", ErrorCode::kUnsupported},
        std::pair{std::string("echo hunter2"), ErrorCode::kCorrupt},
        std::pair{std::string("echo '{\"Version\":1,\"SecretAccessKey\":\"hunter2\"}'"),
                  ErrorCode::kCorrupt},
        std::pair{std::string("echo hunter2; exit 3"), ErrorCode::kPermissionDenied},
        std::pair{std::string("yes hunter2"), ErrorCode::kCorrupt},
        std::pair{std::string("exec 1>&-; exit 3"), ErrorCode::kPermissionDenied},
        std::pair{std::string("exec sleep 60 >&-"), ErrorCode::kTimeout},
        std::pair{std::string("exec perl -e 'setpgrp(0, getpgrp(getppid)); exec \"sleep 60\"'"),
                  ErrorCode::kTimeout},
        std::pair{std::string("sleep 60"), ErrorCode::kTimeout}}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto failed = run(command);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << command;
    ASSERT_FALSE(failed.has_value()) << command;
    EXPECT_EQ(failed.error().code, code) << failed.error().to_string();
    EXPECT_EQ(failed.error().message.find("hunter2"), std::string::npos) << failed.error().message;
  }
}

}  // namespace
}  // namespace leat::connector::s3
