#include "connector/s3/profile_file.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/ascii_case.h"

namespace leat::connector::s3 {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-_/.%@:+").find(c) != std::string_view::npos;
  });
}

/// Up to a '#' or ';' that begins the line or follows a blank.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    if ((line[i] == '#' || line[i] == ';') && kBlank.find(line[i - 1]) != kBlank.npos) {
      return line.substr(0, i);
    }
  }
  return line;
}

class Reader {
 public:
  Reader(ProfileFileKind kind, std::string_view file) : kind_(kind), file_(file) {}

  Result<void> read(std::string_view text) {
    while (!text.empty() && !problem_) {
      const std::size_t length = std::min(text.find('\n'), text.size());
      ++line_number_;
      read_line(text.substr(0, length));
      text.remove_prefix(std::min(length + 1, text.size()));
    }
    if (!problem_) return {};
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = std::string(file_) + ", line " + std::to_string(line_number_) + ": " +
                            *problem_};
  }

  /// "[profile default]" outranks "[default]" in one file, wherever they stand.
  const ConfigSections& sections() {
    Profiles& profiles = sections_.profiles;
    if (const auto prefixed = profiles.find(kPrefixedDefault); prefixed != profiles.end()) {
      profiles["default"] = prefixed->second;
      profiles.erase(kPrefixedDefault);
    }
    return sections_;
  }

 private:
  // Not a name that a profile can have.
  static constexpr const char* kPrefixedDefault = "[profile default]";

  void read_line(std::string_view line) {
    const std::string_view content = trim(line);
    if (content.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.front() == '[') {
      read_section(trim(without_comment(line)));
    } else if (line.front() == ' ' || line.front() == '\t') {
      read_continuation(content);
    } else {
      read_property(line);
    }
  }

  void read_section(std::string_view line) {
    // A comment may also follow the bracket directly.
    const std::size_t close = line.find(']');
    const std::string_view rest = close == line.npos ? line : trim(line.substr(close + 1));
    if (close == line.npos || (!rest.empty() && rest[0] != '#' && rest[0] != ';')) {
      problem_ = "Profile definition must end with ']'";
      return;
    }
    in_section_ = true;
    profile_ = nullptr;
    property_.clear();
    std::string_view name = trim(line.substr(1, close - 1));
    Profiles* of_kind = &sections_.profiles;
    bool prefixed = false;
    if (kind_ == ProfileFileKind::kConfig) {
      if (!(prefixed = take_prefix(name, "profile"))) {
        if (take_prefix(name, "sso-session")) {
          of_kind = &sections_.sso_sessions;
        } else if (take_prefix(name, "services")) {
          of_kind = &sections_.services;
        } else if (name != "default") {
          return;  // Ignored, as AWS does.
        }
      }
    }
    if (!is_name(name)) return;
    profile_ = &(*of_kind)[prefixed && name == "default" ? kPrefixedDefault : std::string(name)];
  }

  /// Removes "prefix " from the front.
  static bool take_prefix(std::string_view& name, std::string_view prefix) {
    if (name.size() <= prefix.size() || !name.starts_with(prefix) ||
        kBlank.find(name[prefix.size()]) == kBlank.npos) {
      return false;
    }
    name = trim(name.substr(prefix.size()));
    return true;
  }

  void read_property(std::string_view line) {
    if (!in_section_) {
      problem_ = "Expected a profile definition, such as [default], before the first property";
      return;
    }
    const std::string_view content = without_comment(line);
    const std::size_t equals = content.find('=');
    if (equals == content.npos) {
      problem_ = "Expected an '=' sign defining a property";
      return;
    }
    const std::string_view name = trim(content.substr(0, equals));
    if (name.empty()) {
      problem_ = "Property did not have a name";
      return;
    }
    property_ = core::lower_case(name);
    has_value_ = !trim(content.substr(equals + 1)).empty();
    if (profile_ != nullptr && is_name(name)) {
      (*profile_)[property_] = trim(content.substr(equals + 1));
    }
  }

  void read_continuation(std::string_view content) {
    if (!in_section_) {
      problem_ = "Expected a profile definition, such as [default], before the first property";
      return;
    }
    if (property_.empty()) {
      problem_ = "Expected a property definition, found continuation";
      return;
    }
    // Below a property without a value stand properties of its own.
    if (!has_value_) {
      const std::size_t equals = content.find('=');
      if (equals == content.npos) {
        problem_ = "Expected an '=' sign defining a sub-property";
        return;
      }
      if (trim(content.substr(0, equals)).empty()) {
        problem_ = "Sub-property did not have a name";
        return;
      }
    }
    if (profile_ != nullptr) {
      if (const auto at = profile_->find(property_); at != profile_->end()) {
        at->second.append("\n").append(content);
      }
    }
  }

  const ProfileFileKind kind_;
  const std::string_view file_;
  ConfigSections sections_;
  std::size_t line_number_ = 0;
  bool in_section_ = false;
  Profile* profile_ = nullptr;  // nullptr: the section is ignored.
  std::string property_;        // The last one, which a continuation belongs to.
  bool has_value_ = false;
  std::optional<std::string> problem_;
};

}  // namespace

Result<void> read_profile_file(std::string_view text, ProfileFileKind kind, std::string_view file,
                               ConfigSections& sections) {
  Reader reader(kind, file);
  if (auto read = reader.read(text); !read) return std::move(read).error();
  const auto add = [](const Profiles& from, Profiles& to) {
    for (const auto& [name, properties] : from) {
      for (const auto& [property, value] : properties) to[name][property] = value;
      to.try_emplace(name);
    }
  };
  add(reader.sections().profiles, sections.profiles);
  add(reader.sections().sso_sessions, sections.sso_sessions);
  add(reader.sections().services, sections.services);
  return {};
}

std::string property(const Profile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

std::string sub_property(const Profile& profile, const std::string& group, std::string_view name) {
  const std::string text = property(profile, group);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t equals = line.find('=');
    if (equals != line.npos && core::lower_case(trim(line.substr(0, equals))) == name) {
      return std::string(trim(line.substr(equals + 1)));
    }
  }
  return {};
}

}  // namespace leat::connector::s3
