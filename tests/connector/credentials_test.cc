#include "connector/s3/credentials.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connector/s3/profile_file.h"
#include "tests/connector/temporary_folder.h"
#include "tests/connector/vectors.h"

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
    return resolve_settings(options, environment_of(std::move(variables)));
  }
  static std::string keys_of(const Result<S3Settings>& settings) {
    if (!settings) return settings.error().to_string();
    if (settings->credentials == nullptr) return "unsigned";
    const auto credentials = *settings->credentials->current();
    return credentials->access_key_id + " " + credentials->secret_access_key.reveal() + " " +
           credentials->session_token.reveal();
  }

  TemporaryFolder home_;
};

TEST(ProfileFile, ReadsWhatAwsReads) {
  const fs::path folder = vectors_folder("credentials");
  if (folder.empty()) {
    GTEST_SKIP() << "the credentials vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  const auto json = nlohmann::json::parse(read_text(folder / "profile-parser-tests.json"));
  ASSERT_GT(json["tests"].size(), 60u);
  for (const auto& test : json["tests"]) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const auto& input = test["input"];
    Profiles profiles;
    Result<void> read = read_profile_file(input.value("configFile", std::string()),
                                          ProfileFileKind::kConfig, "config", profiles);
    if (read) {
      read = read_profile_file(input.value("credentialsFile", std::string()),
                               ProfileFileKind::kCredentials, "credentials", profiles);
    }
    const auto& output = test["output"];
    if (output.contains("errorContaining")) {
      ASSERT_FALSE(read.has_value());
      EXPECT_NE(read.error().message.find(output["errorContaining"].get<std::string>()),
                std::string::npos)
          << read.error().message;
    } else {
      ASSERT_TRUE(read.has_value()) << read.error().message;
      EXPECT_EQ(profiles, output["config"]["profiles"].get<Profiles>());
    }
  }
}

TEST(ProfileFile, NamesTheLineButNeverItsText) {
  Profiles profiles;
  const auto read = read_profile_file("[default]\naws_secret_access_key: hunter2\n",
                                      ProfileFileKind::kCredentials, "/h/credentials", profiles);
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().message.find("/h/credentials, line 2"), std::string::npos);
  EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos);
}

// Cases that end in keys from environment or profile must give those keys; all others must be an
// error: never keys that were not meant.
TEST(Credentials, FollowsTheChainOfAws) {
  const fs::path folder = vectors_folder("credentials");
  if (folder.empty()) {
    GTEST_SKIP() << "the credentials vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  std::size_t with_keys = 0;
  std::size_t without = 0;
  for (const char* group : {"default-credential-provider-chain", "profile-provider"}) {
    for (const auto& entry : fs::directory_iterator(folder / group)) {
      if (!fs::exists(entry.path() / "env.json")) continue;
      SCOPED_TRACE(entry.path().string());
      auto variables = nlohmann::json::parse(read_text(entry.path() / "env.json"))
                           .get<std::map<std::string, std::string>>();
      if (variables.contains("HOME")) {
        variables["HOME"] = (entry.path() / "fs").native() + variables["HOME"];
      }
      if (std::string(group) == "profile-provider") {  // Of that provider alone.
        variables.erase("AWS_ACCESS_KEY_ID");
        variables.erase("AWS_SECRET_ACCESS_KEY");
      }
      const auto expected =
          nlohmann::json::parse(read_text(entry.path() / "test-case.json"))["result"];
      const auto traffic = nlohmann::json::parse(read_text(entry.path() / "http-traffic.json"));
      const bool runs_process = entry.path().filename().string().starts_with("credential_process");
      const auto settings = resolve_settings({}, environment_of(variables));
      if (expected.contains("Ok") && traffic["events"].empty() && !runs_process) {
        ASSERT_TRUE(settings.has_value()) << settings.error().to_string();
        const auto credentials = *settings->credentials->current();
        EXPECT_EQ(credentials->access_key_id, expected["Ok"]["access_key_id"]);
        EXPECT_EQ(credentials->secret_access_key.reveal(), expected["Ok"]["secret_access_key"]);
        ++with_keys;
      } else {
        EXPECT_FALSE(settings.has_value());
        ++without;
      }
    }
  }
  EXPECT_GE(with_keys, 6u);
  EXPECT_GE(without, 20u);
}

TEST_F(CredentialsTest, FindsItsFilesWhereAwsDoes) {
  const fs::path folder = vectors_folder("credentials");
  if (folder.empty()) {
    GTEST_SKIP() << "the credentials vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  const auto json = nlohmann::json::parse(read_text(folder / "file-location-tests.json"));
  std::size_t cases = 0;
  for (const auto& test : json["tests"]) {
    if (test["platform"] != "linux") continue;
    SCOPED_TRACE(test["name"].get<std::string>());
    // The same places, below a folder of this test's own.
    const std::string root = home_.path().native() + "/" + std::to_string(cases++);
    std::map<std::string, std::string> variables;
    for (const auto& [name, value] : test["environment"].items()) {
      const std::string text = value;
      variables[name] = text.starts_with('/') ? root + text : text;
    }
    const std::string profile = test.value("profile", "default");
    const fs::path config = root + test["configLocation"].get<std::string>();
    const fs::path credentials = root + test["credentialsLocation"].get<std::string>();
    fs::create_directories(config.parent_path());
    fs::create_directories(credentials.parent_path());
    std::ofstream(config) << "[profile " << profile << "]\nregion = eu-north-1\n";
    std::ofstream(credentials) << "[" << profile
                               << "]\naws_access_key_id = A\naws_secret_access_key = S\n";
    const auto settings = resolve_settings({}, environment_of(variables));
    EXPECT_EQ(keys_of(settings), "A S ");
    EXPECT_EQ(settings->region, "eu-north-1");
  }
  EXPECT_EQ(cases, 4u);
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
  EXPECT_EQ(keys_of(resolve_settings(options, environment_of({}))), "unsigned");
}

TEST_F(CredentialsTest, SaysWhereItLookedForCredentials) {
  const auto settings = resolve();
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().code, ErrorCode::kPermissionDenied);
  for (const std::string& part : {std::string("AWS_ACCESS_KEY_ID"), std::string("'default'"),
                                  home_.path().native() + "/.aws/config"}) {
    EXPECT_NE(settings.error().message.find(part), std::string::npos) << settings.error().message;
  }
}

TEST_F(CredentialsTest, SaysThatAProfileIsMissing) {
  for (const auto& settings : {resolve({{"AWS_PROFILE", "other"}})}) {
    ASSERT_FALSE(settings.has_value());
    EXPECT_EQ(settings.error().code, ErrorCode::kNotFound);
    EXPECT_NE(settings.error().message.find("'other'"), std::string::npos);
  }
}

TEST_F(CredentialsTest, NamesWhatItCannotDoYet) {
  for (const char* name : {"role_arn", "credential_process", "sso_session",
                           "web_identity_token_file", "source_profile"}) {
    const std::string key = name;
    write("config", "[default]\n" + key + " = something\n");
    const auto settings = resolve();
    ASSERT_FALSE(settings.has_value()) << key;
    EXPECT_EQ(settings.error().code, ErrorCode::kUnsupported) << key;
    EXPECT_NE(settings.error().message.find(key), std::string::npos) << settings.error().message;
  }
  write("config", "");
  const auto settings = resolve({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23"}});
  EXPECT_EQ(settings.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(settings.error().message.find("AWS_CONTAINER_CREDENTIALS_FULL_URI"), std::string::npos);
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
  EXPECT_FALSE(settings->credentials->renew(*old));  // Nothing new yet.
  write("credentials", keys + "aws_session_token=new\n");
  EXPECT_TRUE(settings->credentials->renew(*old));
  EXPECT_EQ(keys_of(settings), "A S new");
  EXPECT_TRUE(settings->credentials->renew(*old));  // Another thread had renewed them.
}

}  // namespace
}  // namespace leat::connector::s3
