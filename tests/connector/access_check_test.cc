#include "connector/s3/access_check.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/connector/fake_transport.h"

namespace leat::connector::s3 {
namespace {

using Outcome = CheckStep::Outcome;

constexpr const char* kAssumed =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA12345678</AccessKeyId>"
    "<SecretAccessKey>hunter2</SecretAccessKey><SessionToken>hunter3</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

/// The role of a token service that answers as told; the S3 service is not there.
std::map<std::string, CheckStep> check(const std::shared_ptr<FakeTransport>& sts) {
  ::setenv("AWS_ACCESS_KEY_ID", "AKIA12345678", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "hunter1", 1);
  AccessCheckInput input{.bucket = "bucket", .pattern = "in/**"};
  input.credentials_transport = sts;
  input.store.s3.endpoint_url = "http://127.0.0.1:1";
  input.store.s3.sts_endpoint_url = "https://sts.eu-north-1.amazonaws.com";
  input.store.s3.role = S3Role{.arn = "arn:aws:iam::1:role/r", .external_id = "hunter4"};
  input.store.s3.attempts_max = 1;
  std::map<std::string, CheckStep> steps;
  EXPECT_FALSE(check_access(input, [&](const CheckStep& step) {
    EXPECT_EQ(step.detail.find("hunter"), std::string::npos) << step.detail;
    steps[step.name] = step;
  }));
  return steps;
}

TEST(AccessCheck, IsContentWhereARoleNeedsItsExternalId) {
  auto sts = std::make_shared<FakeTransport>();
  sts->then(answer(200, kAssumed))
      .then(answer(200,
                   "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn>"
                   "<Account>7</Account></GetCallerIdentityResult>"
                   "</GetCallerIdentityResponse>"))
      .then(answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"));
  auto steps = check(sts);
  EXPECT_EQ(steps["identity"].outcome, Outcome::kOk);
  EXPECT_EQ(steps["identity"].detail, "arn:me, account 7");
  EXPECT_EQ(steps["external id"].outcome, Outcome::kOk);
  EXPECT_EQ(steps["list"].outcome, Outcome::kFailed);
  EXPECT_NE(steps["credentials"].detail.find("access key ending in 5678"), std::string::npos);
  const auto seen = sts->seen();
  EXPECT_NE(seen[0].body.find("ExternalId=hunter4"), std::string::npos);
  EXPECT_EQ(seen[2].body.find("ExternalId"), std::string::npos);
}

TEST(AccessCheck, FailsWhereARoleDoesNotNeedIt) {
  auto sts = std::make_shared<FakeTransport>();
  sts->otherwise(answer(200, kAssumed));
  EXPECT_EQ(check(sts)["external id"].outcome, Outcome::kFailed);
}

// Not being able to tell is no proof.
TEST(AccessCheck, FailsWhereItCannotTell) {
  auto sts = std::make_shared<FakeTransport>();
  sts->then(answer(200, kAssumed));
  auto steps = check(sts);
  EXPECT_EQ(steps["identity"].outcome, Outcome::kSkipped);
  EXPECT_EQ(steps["external id"].outcome, Outcome::kFailed);
}

TEST(AccessCheck, StopsWhereThereAreNoCredentials) {
  auto sts = std::make_shared<FakeTransport>();
  sts->otherwise(
      answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"));
  auto steps = check(sts);
  EXPECT_EQ(steps["credentials"].outcome, Outcome::kFailed);
  EXPECT_FALSE(steps.contains("list"));
}

}  // namespace
}  // namespace leat::connector::s3
