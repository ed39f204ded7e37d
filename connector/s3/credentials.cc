#include "connector/s3/credentials.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <initializer_list>
#include <random>
#include <utility>

#include "connector/hidden_text.h"
#include "connector/s3/credentials/chain.h"
#include "connector/s3/credentials/refreshing.h"
#include "connector/s3/credentials/sts.h"
#include "connector/s3/http_client.h"
#include "core/ascii_case.h"
#include "leat/version.h"

namespace leat {

// All of the capacity: a text that was moved from, or cut short, leaves its bytes behind.
Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.capacity()); }

}  // namespace leat

namespace leat::connector::s3 {
namespace {

std::string first_of(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

bool is_true(std::string_view text) { return core::equal_ignoring_case(text, "true"); }

Result<void> check(const S3Options& options) {
  const auto invalid = [](const std::string& message) {
    return Error{.code = ErrorCode::kInvalidArgument, .message = message};
  };
  if (options.credentials && (options.credentials->access_key_id.empty() ||
                              options.credentials->secret_access_key.empty())) {
    return invalid("the credentials given lack the access key or the secret access key");
  }
  if (options.credentials && options.role) {
    return invalid(
        "both an access key and a role are given; give one of them: a role is assumed with the "
        "credentials of the environment or of a profile");
  }
  if (options.credentials && !options.profile.empty()) {
    return invalid("both an access key and a profile are given; give one of them");
  }
  if (options.role && !options.role->arn.starts_with("arn:")) {
    return invalid("the role '" + options.role->arn +
                   "' is no ARN, such as arn:aws:iam::123456789012:role/name");
  }
  if (options.no_sign_request && (options.credentials || options.role)) {
    return invalid("requests are not to be signed, but credentials or a role are given; give one");
  }
  return {};
}

/// What AWS offers of its endpoints.
Result<void> check_variant(const S3Settings& settings) {
  const auto invalid = [](const std::string& message) {
    return Error{.code = ErrorCode::kInvalidArgument, .message = message};
  };
  const AwsVariant& aws = settings.aws;
  if (!settings.endpoint_url.empty() && (aws.fips || aws.dualstack)) {
    return invalid("the endpoint URL '" + without_url_secrets(settings.endpoint_url) +
                   "' is given, and " +
                   (aws.fips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT") +
                   " asks for one of AWS's; give one of them");
  }
  if (aws.fips && settings.region.starts_with("cn-")) {
    return invalid("AWS has no FIPS endpoints in the region " + settings.region);
  }
  return {};
}

/// The rules by which one setting is found, where there are many like it.
class Lookup {
 public:
  Lookup(const Environment& environment, const ConfigSections& sections, const Profile& profile)
      : environment_(environment), sections_(sections), profile_(profile) {
    ignore_endpoints_ =
        is_true(first_of({variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                          property(profile, "ignore_configured_endpoint_urls")}));
  }

  std::string text(const std::string& given, const char* of_environment,
                   const char* of_profile) const {
    return first_of(
        {given, variable(environment_, of_environment), property(profile_, of_profile)});
  }
  bool flag(const char* of_environment, const char* of_profile) const {
    return is_true(text({}, of_environment, of_profile));
  }
  /// Of the service `name`, whose variable is `of_environment`.
  std::string endpoint_url(const std::string& name, const char* of_environment) const {
    if (ignore_endpoints_) return {};
    const auto services = sections_.services.find(property(profile_, "services"));
    return first_of({variable(environment_, of_environment),
                     variable(environment_, "AWS_ENDPOINT_URL"),
                     services == sections_.services.end()
                         ? std::string()
                         : sub_property(services->second, name, "endpoint_url"),
                     property(profile_, "endpoint_url")});
  }

 private:
  const Environment& environment_;
  const ConfigSections& sections_;
  const Profile& profile_;
  bool ignore_endpoints_ = false;
};

/// Where roles are assumed.
Result<Endpoint> sts_endpoint(const std::string& url, const S3Settings& settings) {
  if (url.empty() && !settings.endpoint_url.empty()) {
    auto s3 = parse_endpoint(settings.endpoint_url);
    if (!s3) return s3;
    // Other makers' services answer at one place.
    if (!is_aws_host(s3->authority)) return s3;
  }
  if (url.empty()) return aws_endpoint("sts", settings.region, settings.aws);
  auto endpoint = parse_endpoint(url);
  if (!endpoint) {
    Error error = std::move(endpoint).error();
    error.message = "the token service: " + error.message;
    return error;
  }
  return endpoint;
}

Result<std::shared_ptr<CredentialsProvider>> make_provider(const S3Options& options,
                                                           const ChainInput& chain,
                                                           S3Settings& settings) {
  const CredentialContext& context = settings.context;
  Result<std::unique_ptr<CredentialSource>> source =
      options.credentials ? static_source(*options.credentials, "the access key given")
                          : find_source(context, chain, settings.has_external_id);
  if (!source) return std::move(source).error();
  if (options.role) {
    settings.has_external_id = settings.has_external_id || !options.role->external_id.empty();
    std::unique_ptr<CredentialSource> base = *std::move(source);
    source = assume_role_source(context, *options.role, std::move(base));
  }
  return std::shared_ptr<CredentialsProvider>(
      std::make_shared<RefreshingCredentials>(*std::move(source), *context.clock));
}

double random_fraction() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

std::unique_ptr<CredentialsProvider> static_credentials(S3Credentials credentials) {
  return std::make_unique<RefreshingCredentials>(
      static_source(std::move(credentials), "the access key given"), system_clock());
}

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it.
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<S3Settings> resolve_settings(const S3Options& options, SettingsInput input) {
  if (auto checked = check(options); !checked) return std::move(checked).error();
  const Environment& environment = input.environment;
  const ProfilePaths paths = profile_paths(environment);
  std::string profile_name = first_of({options.profile, variable(environment, "AWS_PROFILE")});
  const bool profile_named = !profile_name.empty();
  if (!profile_named) profile_name = "default";

  auto sections = read_profiles(paths);
  if (!sections) return std::move(sections).error();
  const auto found = sections->profiles.find(profile_name);
  if (profile_named && found == sections->profiles.end()) {
    return Error{.code = ErrorCode::kNotFound,
                 .message = "there is no profile '" + profile_name + "' in " + paths.config +
                            " or " + paths.credentials + "; correct its name, or add it"};
  }
  const Profile none;
  const Lookup lookup(environment, *sections,
                      found == sections->profiles.end() ? none : found->second);

  S3Settings settings;
  settings.region = first_of({options.region, variable(environment, "AWS_REGION"),
                              lookup.text({}, "AWS_DEFAULT_REGION", "region"), "us-east-1"});
  if (!is_host_label(settings.region)) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "the region '" + settings.region +
                            "' cannot be part of a host's name; write it like us-east-1"};
  }
  settings.aws = {.fips = lookup.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
                  .dualstack = lookup.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")};
  settings.endpoint_url =
      first_of({options.endpoint_url, lookup.endpoint_url("s3", "AWS_ENDPOINT_URL_S3")});
  if (auto checked = check_variant(settings); !checked) return std::move(checked).error();
  settings.ca_bundle = lookup.text(options.ca_bundle, "AWS_CA_BUNDLE", "ca_bundle");
  if (options.no_sign_request) return settings;

  auto sts = sts_endpoint(
      first_of({options.sts_endpoint_url, lookup.endpoint_url("sts", "AWS_ENDPOINT_URL_STS")}),
      settings);
  if (!sts) return std::move(sts).error();
  settings.context = {.environment = environment,
                      .transport = std::move(input.transport),
                      .clock = input.clock != nullptr ? input.clock : &system_clock(),
                      .random = random_fraction,
                      .stop = std::move(input.stop),
                      .sts = *std::move(sts),
                      .region = settings.region,
                      .without_external_id = input.without_external_id};
  if (settings.context.transport == nullptr) {
    HttpClientOptions http;
    http.ca_bundle = settings.ca_bundle;
    http.user_agent = "leat/" + std::string(version());
    settings.context.transport = std::make_shared<HttpClient>(std::move(http));
  }
  auto credentials =
      make_provider(options,
                    {.paths = paths,
                     .sections = *sections,
                     .profile = profile_name,
                     // A profile that was asked for by name means its keys, not those lying about.
                     .ask_environment = options.profile.empty(),
                     .portal_endpoint_url = lookup.endpoint_url("sso", "AWS_ENDPOINT_URL_SSO"),
                     .aws = settings.aws},
                    settings);
  if (!credentials) return std::move(credentials).error();
  settings.credentials = *std::move(credentials);
  return settings;
}

}  // namespace leat::connector::s3
