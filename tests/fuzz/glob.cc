// Key patterns against a matcher that tries all ways; what patterns promise of their prefix.
#include "connector/glob.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

/// The wildcards of patterns without braces, brackets and backslashes, over ASCII; each pair of
/// places is tried once.
class Backtracking {
 public:
  Backtracking(std::string_view pattern, std::string_view key) : pattern_(pattern), key_(key) {}

  /// `inside`: of a wildcard at `p` that has taken bytes already.
  bool matches(std::size_t p = 0, std::size_t k = 0, bool inside = false) {
    if (!tried_.emplace(p, k, inside).second) return false;
    if (p == pattern_.size()) return k == key_.size();
    const bool has_byte = k < key_.size();
    if (pattern_.substr(p, 2) == "**") {
      const std::size_t behind = p + 2;
      // As a whole segment it also stands for no segment at all.
      const bool segment =
          (p == 0 || pattern_[p - 1] == '/') && behind < pattern_.size() && pattern_[behind] == '/';
      if (segment && !inside && matches(behind + 1, k)) return true;
      return matches(behind, k) || (has_byte && matches(p, k + 1, true));
    }
    if (pattern_[p] == '*') {
      return matches(p + 1, k) || (has_byte && key_[k] != '/' && matches(p, k + 1, true));
    }
    if (!has_byte) return false;
    if (pattern_[p] == '?') return key_[k] != '/' && matches(p + 1, k + 1);
    return pattern_[p] == key_[k] && matches(p + 1, k + 1);
  }

 private:
  std::string_view pattern_;
  std::string_view key_;
  std::set<std::tuple<std::size_t, std::size_t, bool>> tried_;
};

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace

void glob(std::string_view input) {
  const std::size_t middle = std::min(input.find('\n'), input.size());
  const std::string_view pattern = input.substr(0, middle);
  const std::string_view key = middle == input.size() ? "" : input.substr(middle + 1);

  if (input.size() <= connector::Glob::kPatternBytesMax / 2) {
    const auto exact = connector::Glob::compile(connector::escape_glob(input));
    require(exact && exact->matches(input) && exact->literal() && exact->literal_prefix() == input,
            "an escaped key matches itself", input);
  }
  const auto compiled = connector::Glob::compile(pattern);
  if (!compiled) return;
  const bool found = compiled->matches(key);
  require(!found || key.starts_with(compiled->literal_prefix()),
          "what matches begins with the literal prefix", input);
  require(!compiled->literal() || found == (key == compiled->literal_prefix()),
          "a literal pattern matches itself alone", input);
  if (pattern.find_first_of("{}[]\\") == pattern.npos && is_ascii(input) && input.size() < 200 &&
      pattern.find("***") == pattern.npos) {
    require(found == Backtracking(pattern, key).matches(), "a pattern matches what it says", input);
  }
}

}  // namespace leat::fuzz
