#include "cli/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::cli {
namespace {

/// True when `--name`, `--name=…` or `--no-name` is among the arguments.
bool is_given(std::string_view name, const std::vector<std::string>& given) {
  std::string_view positive = name;
  if (positive.starts_with("no-")) positive.remove_prefix(3);
  return std::any_of(given.begin(), given.end(), [&](std::string_view argument) {
    if (!argument.starts_with("--")) return false;
    argument.remove_prefix(2);
    argument = argument.substr(0, argument.find('='));
    return argument == name || argument == positive ||
           (argument.starts_with("no-") && argument.substr(3) == positive);
  });
}

std::string place(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line);
}

Result<std::string> text_of(const toml::node& node, const std::string& path,
                            std::string_view name) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) {
    std::string text = std::to_string(*number);
    return text;
  }
  return Error{ErrorCode::kInvalidArgument,
               place(path, node.source()) + ": " + std::string(name) +
                   " must be a string, a number, true, false, or a list of strings"};
}

Result<void> append_flag(const std::string& path, std::string_view name, const toml::node& node,
                         std::vector<std::string>& arguments) {
  const std::string flag = "--" + std::string(name);
  if (const auto on = node.value_exact<bool>()) {
    arguments.push_back(flag + (*on ? "=true" : "=false"));
    return {};
  }
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& item : *list) {
      Result<std::string> text = text_of(item, path, name);
      if (!text) return std::move(text).error();
      arguments.push_back(flag);
      arguments.push_back(std::move(*text));
    }
    return {};
  }
  Result<std::string> text = text_of(node, path, name);
  if (!text) return std::move(text).error();
  arguments.push_back(flag);
  arguments.push_back(std::move(*text));
  return {};
}

}  // namespace

Result<std::vector<std::string>> read_config_file(const std::string& path,
                                                  const std::vector<std::string>& given,
                                                  const IsFlag& is_flag) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error{ErrorCode::kNotFound, "there is no configuration file " + path};
  }
  if (std::filesystem::is_directory(path, error)) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " is a folder; --config names a file, such as " + path +
                     (path.ends_with('/') ? "" : "/") + std::string(kDefaultConfigFile)};
  }
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& bad) {
    return Error{ErrorCode::kInvalidArgument,
                 place(path, bad.source()) + ": " + std::string(bad.description())};
  }
  std::vector<std::string> arguments;
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (name == "connection" && node.is_table()) continue;  // Read where one is asked for.
    if (node.is_table()) {
      return Error{ErrorCode::kInvalidArgument, place(path, node.source()) + ": [" +
                                                    std::string(name) +
                                                    "] is a table; only [connection.NAME] can be "
                                                    "one; write its keys at the top of the file"};
    }
    if (!is_flag(std::string(name))) {
      return Error{ErrorCode::kInvalidArgument, place(path, node.source()) +
                                                    ": there is no flag --" + std::string(name) +
                                                    "; 'leat load --help' shows all"};
    }
    if (is_given(name, given)) continue;
    if (Result<void> appended = append_flag(path, name, node, arguments); !appended) {
      return std::move(appended).error();
    }
  }
  return arguments;
}

}  // namespace leat::cli
