#include "cli/connection.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/quantities.h"

namespace leat::cli {
namespace {

/// One connection's table, and the errors that name its keys.
class Reader {
 public:
  Reader(const std::string& path, const std::string& name, const toml::table& table)
      : path_(path), name_(name), table_(table) {}

  Result<S3Options> read() {
    S3Options options;
    S3Credentials keys;
    S3Role role;
    std::string addressing, duration, secret, token;
    take("endpoint_url", options.endpoint_url);
    take("sts_endpoint_url", options.sts_endpoint_url);
    take("region", options.region);
    take("profile", options.profile);
    take("ca_bundle", options.ca_bundle);
    take("addressing", addressing);
    take("no_sign_request", options.no_sign_request);
    take_or_env("access_key_id", keys.access_key_id);
    take_or_env("secret_access_key", secret);
    take_or_env("session_token", token);
    take("role_arn", role.arn);
    take("role_session_name", role.session_name);
    take_or_env("external_id", role.external_id);
    take("role_duration", duration);
    keys.secret_access_key = Secret(std::move(secret));
    keys.session_token = Secret(std::move(token));
    if (auto known = check_keys(); !known) return std::move(known).error();
    if (auto checked = check(keys, role, options); !checked) return std::move(checked).error();

    if (!keys.access_key_id.empty()) options.credentials = std::move(keys);
    if (!duration.empty()) {
      auto parsed = parse_duration(duration);
      if (!parsed || *parsed < std::chrono::minutes(15) || *parsed > std::chrono::hours(12)) {
        return invalid("role_duration", "must be between 15min and 12h, such as \"1h\"");
      }
      role.duration_s = static_cast<std::uint32_t>(parsed->count() / 1'000);
    }
    if (!role.arn.empty()) options.role = std::move(role);
    if (!addressing.empty()) {
      using Addressing = S3Options::Addressing;
      if (addressing != "auto" && addressing != "path" && addressing != "virtual") {
        return invalid("addressing", "must be auto, path or virtual");
      }
      options.addressing = addressing == "auto"   ? Addressing::kAuto
                           : addressing == "path" ? Addressing::kPath
                                                  : Addressing::kVirtualHost;
    }
    return options;
  }

 private:
  /// nullptr: not there. Dashes count as underscores: flags have them.
  const toml::node* find(std::string_view key) {
    seen_.insert(std::string(key));
    for (const auto& [name, node] : table_) {
      if (plain(name.str()) == key) return &node;
    }
    return nullptr;
  }

  static std::string plain(std::string_view key) {
    std::string text(key);
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
  }

  template <class T>
  bool take(std::string_view key, T& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (const auto value = node->value_exact<T>()) {
      out = *value;
    } else if (!problem_) {
      problem_ = invalid(key, std::is_same_v<T, bool> ? "must be true or false" : "must be a text");
    }
    return true;
  }

  void take_or_env(const std::string& key, std::string& out) {
    const bool given = take(key, out);
    std::string variable;
    if (!take(key + "_env", variable) || problem_) return;
    if (given) {
      problem_ = invalid(key, "and " + key + "_env are both given; give one of them");
      return;
    }
    const char* value = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr || *value == '\0') {
      problem_ = invalid(key + "_env", "names the variable " + variable + ", which is not set");
      return;
    }
    out = value;
  }

  Error invalid(std::string_view key, const std::string& what) {
    const toml::node* node = find(key);
    const auto line = (node != nullptr ? node->source() : table_.source()).begin.line;
    return {ErrorCode::kInvalidArgument, path_ + ":" + std::to_string(line) + ": [connection." +
                                             name_ + "] " + std::string(key) + " " + what};
  }

  Result<void> check_keys() {
    if (problem_) return *problem_;
    for (const auto& [key, node] : table_) {
      if (seen_.contains(plain(key.str()))) continue;
      std::string known;
      for (const std::string& name : seen_) known += (known.empty() ? "" : ", ") + name;
      return invalid(key.str(), "is no key of a connection; these are: " + known);
    }
    return {};
  }

  Result<void> check(const S3Credentials& keys, const S3Role& role, const S3Options& options) {
    const bool any_key = !keys.access_key_id.empty() || !keys.secret_access_key.empty() ||
                         !keys.session_token.empty();
    if (any_key && !role.arn.empty()) {
      return invalid("role_arn",
                     "is given beside an access key; give one of them: a role is assumed with the "
                     "credentials of the environment, or of the connection's profile");
    }
    if (any_key && (keys.access_key_id.empty() || keys.secret_access_key.empty())) {
      return invalid(keys.access_key_id.empty() ? "access_key_id" : "secret_access_key",
                     "is missing, though others of the key are there");
    }
    if (any_key && !options.profile.empty()) {
      return invalid("profile", "is given beside an access key; give one of them");
    }
    if (role.arn.empty()) {
      for (const char* key :
           {"role_session_name", "external_id", "external_id_env", "role_duration"}) {
        if (find(key) != nullptr) return invalid(key, "means nothing without a role_arn");
      }
    }
    if (options.no_sign_request && (any_key || !role.arn.empty() || !options.profile.empty())) {
      return invalid("no_sign_request", "is given beside credentials; give one of them");
    }
    return {};
  }

  const std::string& path_;
  const std::string& name_;
  const toml::table& table_;
  std::set<std::string> seen_;
  std::optional<Error> problem_;
};

}  // namespace

Result<S3Options> read_connection(const std::string& path, const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error{ErrorCode::kNotFound, "--connection " + name + ": there is no file " + path +
                                           "; --config names another one"};
  }
  if (std::filesystem::is_directory(path, error)) {
    return Error{ErrorCode::kInvalidArgument,
                 "--connection " + name + ": " + path + " is a folder; --config names a file"};
  }
  toml::table file;
  try {
    file = toml::parse_file(path);
  } catch (const toml::parse_error& bad) {
    return Error{ErrorCode::kInvalidArgument,
                 path + ":" + std::to_string(bad.source().begin.line) + ": " +
                     "it is no proper TOML"};  // Its own words may hold a piece of a secret.
  }
  const toml::table* connections = file["connection"].as_table();
  const toml::table* table = connections == nullptr ? nullptr : (*connections)[name].as_table();
  if (table == nullptr) {
    std::string there;
    if (connections != nullptr) {
      for (const auto& [key, node] : *connections) {
        there += (there.empty() ? "" : ", ") + std::string(key.str());
      }
    }
    return Error{ErrorCode::kNotFound, path + " has no [connection." + name + "]" +
                                           (there.empty() ? "" : "; there are: " + there)};
  }
  return Reader(path, name, *table).read();
}

}  // namespace leat::cli
