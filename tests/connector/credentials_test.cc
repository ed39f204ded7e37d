#include "connector/s3/credentials.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "connector/s3/profile_file.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector::s3 {
namespace {

namespace fs = std::filesystem;

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

class CredentialsTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    fs::create_directories(home_.path() / ".aws");
    std::ofstream(home_.path() / ".aws" / name) << text;
  }
  Result<S3Settings> resolve(std::map<std::string, std::string> variables = {},
                             const S3Options& options = {}) {
    variables.try_emplace("HOME", home_.path().native());
    return resolve_settings(options, {.environment = environment_of(std::move(variables)),
                                      .clock = &clock_,
                                      .transport = transport_});
  }
  static std::string keys_of(const Result<S3Settings>& settings) {
    if (!settings) return settings.error().to_string();
    if (settings->credentials == nullptr) return "unsigned";
    const auto current = settings->credentials->current();
    if (!current) return current.error().to_string();
    const auto& credentials = *current;
    return credentials->access_key_id + " " + credentials->secret_access_key.reveal() + " " +
           credentials->session_token.reveal();
  }

  testing::TemporaryFolder home_;
  testing::ManualClock clock_;
  std::shared_ptr<FakeTransport> transport_ = std::make_shared<FakeTransport>();
};

TEST(ProfileFile, NamesTheLineButNeverItsText) {
  ConfigSections profiles;
  const auto read = read_profile_file("[default]\naws_secret_access_key: hunter2\n",
                                      ProfileFileKind::kCredentials, "/h/credentials", profiles);
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().message.find("/h/credentials, line 2"), std::string::npos);
  EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos);
}

TEST_F(CredentialsTest, OptionsOutrankEnvironmentOutranksProfile) {
  write("credentials", "[default]\naws_access_key_id=P\naws_secret_access_key=PS\n");
  write("config", "[default]\nregion=profile-1\nendpoint_url=http://profile\nca_bundle=/profile\n");
  auto settings = resolve();
  EXPECT_EQ(keys_of(settings), "P PS ");
  EXPECT_EQ(settings->region, "profile-1");
  EXPECT_EQ(settings->endpoint_url, "http://profile");
  EXPECT_EQ(settings->ca_bundle, "/profile");

  std::map<std::string, std::string> variables = {{"AWS_ACCESS_KEY_ID", "E"},
                                                  {"AWS_SECRET_ACCESS_KEY", "ES"},
                                                  {"AWS_SESSION_TOKEN", "ET"},
                                                  {"AWS_DEFAULT_REGION", "default-1"},
                                                  {"AWS_ENDPOINT_URL", "http://environment"},
                                                  {"AWS_CA_BUNDLE", "/environment"}};
  settings = resolve(variables);
  EXPECT_EQ(keys_of(settings), "E ES ET");
  EXPECT_EQ(settings->region, "default-1");
  EXPECT_EQ(settings->endpoint_url, "http://environment");
  EXPECT_EQ(settings->ca_bundle, "/environment");

  variables["AWS_REGION"] = "environment-1";
  variables["AWS_ENDPOINT_URL_S3"] = "http://s3";
  settings = resolve(variables);
  EXPECT_EQ(settings->region, "environment-1");
  EXPECT_EQ(settings->endpoint_url, "http://s3");

  S3Options options;
  options.region = "option-1";
  options.endpoint_url = "http://option";
  options.credentials = S3Credentials{
      .access_key_id = "O", .secret_access_key = Secret("OS"), .session_token = Secret()};
  settings = resolve(variables, options);
  EXPECT_EQ(keys_of(settings), "O OS ");
  EXPECT_EQ(settings->region, "option-1");
  EXPECT_EQ(settings->endpoint_url, "http://option");
}

TEST_F(CredentialsTest, AProfileThatWasAskedForOutranksTheEnvironment) {
  write("credentials", "[mine]\naws_access_key_id=P\naws_secret_access_key=PS\n");
  S3Options options;
  options.profile = "mine";
  EXPECT_EQ(
      keys_of(resolve({{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "ES"}}, options)),
      "P PS ");
}

TEST_F(CredentialsTest, WorksWithoutFilesAndHome) {
  EXPECT_EQ(resolve({{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "ES"}})->region,
            "us-east-1");
  S3Options options;
  options.no_sign_request = true;
  EXPECT_EQ(keys_of(resolve_settings(options, {.environment = environment_of({})})), "unsigned");
}

TEST_F(CredentialsTest, SaysWhereItLookedForCredentials) {
  const auto says_all = [&](const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
    for (const std::string& part :
         {std::string("AWS_ACCESS_KEY_ID"), std::string("'default'"),
          home_.path().native() + "/.aws/config", std::string("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
          std::string("--no-sign-request")}) {
      EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
    }
  };
  // Nobody answers at the address of an instance's service: it is asked once, without a proxy.
  const auto settings = resolve();
  ASSERT_TRUE(settings.has_value());
  says_all(settings->credentials->current().error());
  ASSERT_EQ(transport_->seen().size(), 1u);
  EXPECT_FALSE(transport_->seen()[0].request.use_proxy);
  EXPECT_EQ(transport_->seen()[0].request.connect_timeout, std::chrono::seconds(1));
  // Turned off, it is an error at once.
  says_all(resolve({{"AWS_EC2_METADATA_DISABLED", "true"}}).error());
}

TEST_F(CredentialsTest, SaysThatAProfileIsMissing) {
  for (const auto& settings : {resolve({{"AWS_PROFILE", "other"}})}) {
    ASSERT_FALSE(settings.has_value());
    EXPECT_EQ(settings.error().code, ErrorCode::kNotFound);
    EXPECT_NE(settings.error().message.find("'other'"), std::string::npos);
  }
}

TEST_F(CredentialsTest, NamesWhatItCannotDo) {
  for (const auto& [key, text] :
       {std::pair{"login_session", "login_session = x\n"},
        std::pair{"mfa_serial", "role_arn = arn:r\nsource_profile = b\nmfa_serial = x\n"}}) {
    write("config", std::string("[default]\n") + text);
    const auto settings = resolve();
    ASSERT_FALSE(settings.has_value()) << key;
    EXPECT_EQ(settings.error().code, ErrorCode::kUnsupported) << key;
    EXPECT_NE(settings.error().message.find(key), std::string::npos) << settings.error().message;
  }
}

TEST_F(CredentialsTest, RefusesWhatContradictsItself) {
  const S3Credentials keys{.access_key_id = "A", .secret_access_key = Secret("hunter2")};
  const auto refused = [&](const S3Options& options) {
    const auto settings = resolve({}, options);
    EXPECT_FALSE(settings.has_value());
    if (settings) return;
    EXPECT_EQ(settings.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(settings.error().message.find("hunter2"), std::string::npos);
  };
  refused({.credentials = keys, .role = S3Role{.arn = "arn:r"}});
  refused({.profile = "p", .credentials = keys});
  refused({.credentials = keys, .no_sign_request = true});
  refused({.role = S3Role{.arn = "my-role"}});
  refused({.role = S3Role{.arn = "arn:r"}, .no_sign_request = true});
  refused({.region = "us east"});
}

TEST_F(CredentialsTest, AsksTheS3ServiceForRolesWhereItIsNotAws) {
  const auto where = [&](std::map<std::string, std::string> variables, const S3Options& options) {
    const auto settings = resolve(std::move(variables), options);
    return settings ? settings->context.sts.origin() : settings.error().to_string();
  };
  S3Options options;
  options.region = "eu-north-1";
  EXPECT_EQ(where({}, options), "https://sts.eu-north-1.amazonaws.com");
  options.endpoint_url = "http://ceph:8000";
  EXPECT_EQ(where({}, options), "http://ceph:8000");
  options.endpoint_url = "https://bucket.vpce-1.s3.eu-north-1.vpce.amazonaws.com";
  EXPECT_EQ(where({}, options), "https://sts.eu-north-1.amazonaws.com");
  EXPECT_EQ(where({{"AWS_ENDPOINT_URL_STS", "http://sts"}}, options), "http://sts");
  options.sts_endpoint_url = "http://option";
  EXPECT_EQ(where({{"AWS_ENDPOINT_URL_STS", "http://sts"}}, options), "http://option");
}

TEST_F(CredentialsTest, RefusesHalfAKeyPair) {
  for (const auto& settings :
       {resolve({{"AWS_ACCESS_KEY_ID", "E"}}), resolve({{"AWS_SECRET_ACCESS_KEY", "hunter2"}})}) {
    ASSERT_FALSE(settings.has_value());
    EXPECT_EQ(settings.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(settings.error().message.find("hunter2"), std::string::npos);
  }
  write("credentials", "[default]\naws_secret_access_key = hunter2\n");
  EXPECT_EQ(resolve().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CredentialsTest, SaysWhichFileCannotBeRead) {
  fs::create_directories(home_.path() / ".aws" / "config");  // A folder in its place.
  const auto settings = resolve();
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().code, ErrorCode::kIo);
  EXPECT_NE(settings.error().message.find(".aws/config"), std::string::npos);
}

TEST_F(CredentialsTest, ReadsAProfileAgainWhenItsTokenHasExpired) {
  const std::string keys = "[default]\naws_access_key_id=A\naws_secret_access_key=S\n";
  write("credentials", keys + "aws_session_token=old\n");
  const auto settings = resolve();
  ASSERT_TRUE(settings.has_value());
  const auto old = *settings->credentials->current();
  EXPECT_FALSE(*settings->credentials->renew(*old));  // Nothing new yet.
  write("credentials", keys + "aws_session_token=new\n");
  EXPECT_TRUE(*settings->credentials->renew(*old));
  EXPECT_EQ(keys_of(settings), "A S new");
  EXPECT_TRUE(*settings->credentials->renew(*old));  // Another thread had renewed them.
}

}  // namespace
}  // namespace leat::connector::s3
