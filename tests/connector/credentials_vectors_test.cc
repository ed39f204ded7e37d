// Credentials against recorded traffic and cases that others wrote (smithy-rs): all of them, but
// for those that are listed here with a reason.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "connector/s3/credentials.h"
#include "connector/s3/credentials/chain.h"
#include "connector/s3/credentials/container.h"
#include "connector/s3/credentials/instance.h"
#include "connector/s3/credentials/profile_plan.h"
#include "tests/connector/vectors.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector::s3 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Plays back one recording: each request must be the next one of it.
class Replay final : public HttpTransport {
 public:
  explicit Replay(const json& traffic) {
    for (const json& event : traffic["events"]) {
      const json& action = event["action"];
      if (action.contains("Request")) {
        exchanges_.push_back({.request = action["Request"]["request"]});
      } else if (action.contains("Response")) {
        exchanges_.back().status = action["Response"]["response"]["Ok"]["status"];
      } else if (action.contains("Data")) {
        const std::string text = action["Data"]["data"]["Utf8"];
        const bool of_request = action["Data"]["direction"] == "Request";
        (of_request ? exchanges_.back().sent : exchanges_.back().body) += text;
      }
    }
  }

  HttpExchange send(const HttpRequest& request, const BodySink& sink) override {
    HttpExchange exchange;
    if (next_ == exchanges_.size()) {
      ++beyond_;
      exchange.failure = TransportFailure{.kind = TransportFailure::Kind::kConnect,
                                          .reason = "the recording is at its end"};
      return exchange;
    }
    const Recorded& recorded = exchanges_[next_++];
    EXPECT_EQ(request.method, recorded.request["method"]);
    EXPECT_EQ(comparable(request.url), comparable(recorded.request["uri"]));
    for (const auto& [name, values] : recorded.request["headers"].items()) {
      // What lets the asker in. Session tokens were replaced by hand after recording.
      if (!lower(name).starts_with("x-aws-ec2-") && lower(name) != "x-amz-sso_bearer_token") {
        continue;
      }
      const HttpResponse holder{.status = 0, .headers = request.headers};
      const std::string* sent = holder.find(name);
      EXPECT_EQ(sent == nullptr ? "" : *sent, values[0]) << name;
    }
    if (recorded.sent.starts_with("Action=")) {
      const std::string action = recorded.sent.substr(0, recorded.sent.find('&'));
      EXPECT_TRUE(std::string(request.body).starts_with(action)) << action;
    }
    exchange.response.status = recorded.status;
    if (!recorded.body.empty()) {
      sink(exchange.response, std::as_bytes(std::span(recorded.body)));
    }
    return exchange;
  }

  bool used_up() const { return next_ == exchanges_.size(); }
  std::size_t beyond() const { return beyond_; }

 private:
  struct Recorded {
    json request;
    std::string sent = {};
    int status = 0;
    std::string body = {};
  };

  /// Without the slash of an empty path, and with the query's parameters in order.
  static std::string comparable(std::string url) {
    std::vector<std::string> parameters;
    if (const std::size_t mark = url.find('?'); mark != url.npos) {
      std::stringstream query(url.substr(mark + 1));
      for (std::string pair; std::getline(query, pair, '&');) parameters.push_back(pair);
      url.resize(mark);
    }
    std::sort(parameters.begin(), parameters.end());
    if (url.ends_with('/') && url.find('/', url.find("://") + 3) == url.size() - 1) url.pop_back();
    for (const std::string& pair : parameters) url += "&" + pair;
    return url;
  }

  std::vector<Recorded> exchanges_;
  std::size_t next_ = 0;
  std::size_t beyond_ = 0;
};

class CredentialVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = vectors_folder("credentials");
    if (folder_.empty()) {
      GTEST_SKIP() << "the credentials vectors are not here: set LEAT_VECTORS_DIR to their folder";
    }
  }

  json read_json(const fs::path& path) const { return json::parse(read_text(folder_ / path)); }

  /// The case's files in a folder of this test's own, with paths that lead there.
  fs::path copy_files(const fs::path& from, const std::string& name) {
    fs::path root = home_.path() / name;
    fs::create_directories(root);
    if (!fs::exists(from)) return root;
    fs::copy(from, root, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const fs::path config = root / "home" / ".aws" / "config";
    if (!fs::exists(config)) return root;
    std::string text = read_text(config);
    for (std::size_t at = 0; (at = text.find("= /", at)) != text.npos; at += 3) {
      text.replace(at, 3, "= " + root.native() + "/");
      at += root.native().size();
    }
    std::ofstream(config) << text;
    return root;
  }

  void replay_group(const std::string& group, std::size_t expected_cases) {
    std::size_t cases = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / group)) {
      if (!fs::exists(entry.path() / "test-case.json")) continue;
      const std::string name = entry.path().filename();
      SCOPED_TRACE(name);
      ++cases;
      replay(entry.path(), group == "profile-provider", name);
    }
    EXPECT_EQ(cases, expected_cases);
    std::cout << group << ": " << cases << " of " << cases << " cases\n";
  }

  void replay(const fs::path& path, bool profile_alone, const std::string& name) {
    auto variables =
        json::parse(read_text(path / "env.json")).get<std::map<std::string, std::string>>();
    const fs::path root = copy_files(path / "fs", name);
    for (const char* file :
         {"HOME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}) {
      if (variables.contains(file)) variables[file] = root.native() + variables[file];
    }
    if (profile_alone) {  // These are about that provider, which others would come before.
      variables.erase("AWS_ACCESS_KEY_ID");
      variables.erase("AWS_SECRET_ACCESS_KEY");
    }
    const json expected = json::parse(read_text(path / "test-case.json"))["result"];
    const auto transport =
        std::make_shared<Replay>(json::parse(read_text(path / "http-traffic.json")));
    auto settings = resolve_settings(
        {}, {.environment = environment_of(variables), .clock = &clock_, .transport = transport});
    if (expected.contains("Ok")) {
      ASSERT_TRUE(settings.has_value()) << settings.error().to_string();
      const auto credentials = settings->credentials->current();
      ASSERT_TRUE(credentials.has_value()) << credentials.error().to_string();
      const json& ok = expected["Ok"];
      EXPECT_EQ((*credentials)->access_key_id, ok["access_key_id"]);
      EXPECT_EQ((*credentials)->secret_access_key.reveal(), ok["secret_access_key"]);
      EXPECT_EQ((*credentials)->session_token.reveal(), ok.value("session_token", std::string()));
      const auto expires_ms = settings->credentials->expires_ms();
      EXPECT_EQ(expires_ms ? *expires_ms / 1'000 : 0, ok.value("expiry", std::int64_t{0}));
      EXPECT_EQ(transport->beyond(), 0u);
      EXPECT_TRUE(transport->used_up());
    } else {
      EXPECT_FALSE(settings.has_value() && settings->credentials->current().has_value());
    }
  }

  fs::path folder_;
  testing::TemporaryFolder home_;
  testing::ManualClock clock_;
};

TEST_F(CredentialVectors, FollowTheDefaultChain) {
  replay_group("default-credential-provider-chain", 29);
}

TEST_F(CredentialVectors, FollowProfiles) { replay_group("profile-provider", 18); }

// What the profiles of a file mean, without any request.
TEST_F(CredentialVectors, PlanRoles) {
  const std::map<std::string, std::string> out_of_scope = {
      {"SSO token profile selected", "it stands for an access token, which no S3 service takes"}};
  // Our words for what theirs call an error.
  const std::map<std::string, std::string> errors = {
      {"role_arn without source source_profile", "neither source_profile nor credential_source"},
      {"source profile and credential source both present",
       "both source_profile and credential_source"},
      {"partial credentials error (missing secret)", "lacks aws_secret_access_key"},
      {"partial credentials error (missing access key)", "lacks aws_access_key_id"},
      {"missing credentials error (empty source profile)", "'B' holds no credentials"},
      {"missing source profile", "no profile 'B', the source_profile of 'A'"},
      {"missing root profile (should never happen in practice)", "no profile 'A'"},
      {"assume role profile infinite loop", "has no end"},
      {"infinite loop with static credentials", "has no end"},
      {"web identity role", "role_arn is missing"},
      {"invalid SSO credentials configuration: missing account ID", "lacks sso_account_id"},
      {"invalid SSO credentials configuration: missing role name", "lacks sso_role_name"},
      {"invalid SSO token configuration: sso_region must be in sso-session",
       "belong into the section [sso-session A]"},
      {"invalid SSO token configuration: sso-session not found", "no section [sso-session oops]"}};
  std::set<std::string> seen;
  std::size_t run = 0;
  const json tests = read_json("assume-role-tests.json");
  for (const json& test : tests) {
    const std::string name = test["docs"];
    SCOPED_TRACE(name);
    seen.insert(name);
    if (out_of_scope.contains(name)) continue;
    ++run;
    ConfigSections sections;
    sections.profiles = test["input"]["profiles"].get<Profiles>();
    if (test["input"].contains("sso_sessions")) {
      sections.sso_sessions = test["input"]["sso_sessions"].get<Profiles>();
    }
    const auto plan = plan_profile(sections, test["input"]["selected_profile"]);
    const json& output = test["output"];
    if (name == "profile only contains configuration") {
      // No error here: the chain goes on with what comes after profiles.
      ASSERT_TRUE(plan.has_value());
      EXPECT_EQ(plan->base, ProfilePlan::Base::kNone);
      continue;
    }
    if (output.contains("Error")) {
      ASSERT_FALSE(plan.has_value());
      ASSERT_TRUE(errors.contains(name));
      EXPECT_NE(plan.error().message.find(errors.at(name)), std::string::npos)
          << plan.error().message;
      continue;
    }
    ASSERT_TRUE(plan.has_value()) << plan.error().to_string();
    const auto role_json = [](const S3Role& role) {
      json text = {{"role_arn", role.arn}};
      if (!role.session_name.empty()) text["role_session_name"] = role.session_name;
      if (!role.external_id.empty()) text["external_id"] = role.external_id;
      return text;
    };
    json chain = json::array();
    using Base = ProfilePlan::Base;
    if (plan->base == Base::kKeys) {
      const Profile& profile = sections.profiles.at(plan->profile);
      chain.push_back({{"AccessKey",
                        {{"access_key_id", profile.at("aws_access_key_id")},
                         {"secret_access_key", profile.at("aws_secret_access_key")}}}});
    } else if (plan->base == Base::kInstance) {
      chain.push_back({{"NamedSource", "Ec2InstanceMetadata"}});
    } else if (plan->base == Base::kWebIdentity) {
      json step = role_json(plan->web_identity);
      step["web_identity_token_file"] = plan->token_file;
      chain.push_back({{"WebIdentityToken", step}});
    } else if (plan->base == Base::kSso) {
      chain.push_back({{"Sso",
                        {{"sso_account_id", plan->sso.account_id},
                         {"sso_region", plan->sso.region},
                         {"sso_role_name", plan->sso.role_name},
                         {"sso_start_url", plan->sso.start_url}}}});
    }
    for (const S3Role& role : plan->roles) chain.push_back({{"AssumeRole", role_json(role)}});
    json wanted = output["ProfileChain"];
    // leat has no use for the number of the account.
    for (json& step : wanted) {
      if (step.contains("AccessKey")) step["AccessKey"].erase("account_id");
    }
    EXPECT_EQ(chain, wanted);
  }
  for (const auto& [name, reason] : out_of_scope) EXPECT_TRUE(seen.contains(name)) << name;
  for (const auto& [name, message] : errors) EXPECT_TRUE(seen.contains(name)) << name;
  std::cout << "assume-role: " << run << " cases, " << out_of_scope.size() << " out of scope\n";
  EXPECT_EQ(run, 27u);
}

TEST_F(CredentialVectors, FindTheContainersService) {
  std::size_t run = 0;
  const json tests = read_json("ecs-tests.json")["tests"];
  for (const json& test : tests) {
    SCOPED_TRACE(test["docs"].get<std::string>());
    const auto url =
        container_url(environment_of(test["env"].get<std::map<std::string, std::string>>()));
    if (test["result"].contains("Ok")) {
      ASSERT_TRUE(url.has_value()) << url.error().to_string();
      EXPECT_EQ(*url, test["result"]["Ok"]);
    } else {
      EXPECT_FALSE(url.has_value());
    }
    ++run;
  }
  std::cout << "ecs: " << run << " cases\n";
  EXPECT_EQ(run, 11u);
}

TEST_F(CredentialVectors, FindTheInstancesService) {
  const std::map<std::string, std::string> out_of_scope = {
      {"explicit endpoint override", "leat has no option for it: environment and profile do"},
      {"explicit mode override", "leat has no option for it: environment and profile do"}};
  std::set<std::string> seen;
  std::size_t run = 0;
  const json tests = read_json("imds-config/imds-endpoint-tests.json")["tests"];
  for (const json& test : tests) {
    const std::string name = test["docs"];
    SCOPED_TRACE(name);
    seen.insert(name);
    if (out_of_scope.contains(name)) continue;
    ++run;
    auto variables = test["env"].get<std::map<std::string, std::string>>();
    if (variables.contains("AWS_CONFIG_FILE")) {
      const fs::path config = home_.path() / variables["AWS_CONFIG_FILE"];
      std::ofstream(config) << test["fs"][variables["AWS_CONFIG_FILE"]].get<std::string>();
      variables["AWS_CONFIG_FILE"] = config;
    }
    const Environment environment = environment_of(variables);
    auto sections = read_profiles(profile_paths(environment));
    ASSERT_TRUE(sections.has_value());
    const auto options = instance_options(environment, sections->profiles["default"]);
    if (test["result"].contains("Ok")) {
      ASSERT_TRUE(options.has_value()) << options.error().to_string();
      EXPECT_EQ(options->endpoint.origin() + "/latest/api/token", test["result"]["Ok"]);
    } else {
      EXPECT_FALSE(options.has_value());
    }
  }
  for (const auto& [name, reason] : out_of_scope) EXPECT_TRUE(seen.contains(name)) << name;
  std::cout << "imds-config: " << run << " cases, " << out_of_scope.size() << " out of scope\n";
  EXPECT_EQ(run + out_of_scope.size(), tests.size());
  EXPECT_EQ(run, 12u);
}

TEST_F(CredentialVectors, ParseProfiles) {
  const json tests = read_json("profile-parser-tests.json")["tests"];
  std::size_t run = 0;
  for (const json& test : tests) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const json& input = test["input"];
    ConfigSections sections;
    Result<void> read = read_profile_file(input.value("configFile", std::string()),
                                          ProfileFileKind::kConfig, "config", sections);
    if (read) {
      read = read_profile_file(input.value("credentialsFile", std::string()),
                               ProfileFileKind::kCredentials, "credentials", sections);
    }
    const json& output = test["output"];
    if (output.contains("errorContaining")) {
      ASSERT_FALSE(read.has_value());
      EXPECT_NE(read.error().message.find(output["errorContaining"].get<std::string>()),
                std::string::npos)
          << read.error().message;
    } else {
      ASSERT_TRUE(read.has_value()) << read.error().message;
      EXPECT_EQ(sections.profiles, output["config"]["profiles"].get<Profiles>());
      if (output["config"].contains("sso_sessions")) {
        EXPECT_EQ(sections.sso_sessions, output["config"]["sso_sessions"].get<Profiles>());
      }
    }
    ++run;
  }
  std::cout << "profile-parser: " << run << " cases\n";
  EXPECT_GE(run, 60u);
}

TEST_F(CredentialVectors, FindTheFiles) {
  std::size_t run = 0;
  std::size_t elsewhere = 0;
  const json tests = read_json("file-location-tests.json")["tests"];
  for (const json& test : tests) {
    if (test["platform"] != "linux") {  // leat is built for Linux alone.
      ++elsewhere;
      continue;
    }
    SCOPED_TRACE(test["name"].get<std::string>());
    const ProfilePaths paths = profile_paths(
        environment_of(test["environment"].get<std::map<std::string, std::string>>()));
    EXPECT_EQ(paths.config, test["configLocation"]);
    EXPECT_EQ(paths.credentials, test["credentialsLocation"]);
    ++run;
  }
  std::cout << "file-location: " << run << " cases, " << elsewhere << " of other platforms\n";
  EXPECT_EQ(run, 4u);
}

// Nothing of the folder is passed over unnoticed.
TEST_F(CredentialVectors, AreAllKnown) {
  const std::map<std::string, std::string> files = {
      {"assume-role-tests.json", "PlanRoles"},
      {"default-credential-provider-chain", "FollowTheDefaultChain"},
      {"ecs-tests.json", "FindTheContainersService"},
      {"file-location-tests.json", "FindTheFiles"},
      {"imds-config", "FindTheInstancesService"},
      {"profile-parser-tests.json", "ParseProfiles"},
      {"profile-provider", "FollowProfiles"},
      {"recursion-detection.json",
       "out of scope: a header by which AWS Lambda finds functions that call themselves"}};
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    found.insert(entry.path().filename());
  }
  for (const auto& [name, where] : files) EXPECT_TRUE(found.erase(name) == 1) << name;
  EXPECT_TRUE(found.empty()) << *found.begin();
}

}  // namespace
}  // namespace leat::connector::s3
