#include "connector/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace leat::connector {
namespace {

Glob compiled(std::string_view pattern) {
  Result<Glob> glob = Glob::compile(pattern);
  EXPECT_TRUE(glob.has_value()) << pattern << ": " << (glob ? "" : glob.error().message);
  return glob ? *std::move(glob) : *Glob::compile("");
}

struct Case {
  std::string_view pattern;
  std::vector<std::string_view> matching;
  std::vector<std::string_view> others;
};

TEST(Glob, MatchesAsDocumented) {
  const std::vector<Case> cases = {
      {"", {""}, {"a", "/"}},
      {"a/b.csv", {"a/b.csv"}, {"a/b.csvx", "a/bxcsv", "a/b.cs", "xa/b.csv"}},
      {"*", {"", "a", ".hidden", "\xff"}, {"/", "a/b", "a/"}},
      {"*.csv", {".csv", "a.csv", "a.csv.csv"}, {"a.csv.gz", "d/a.csv", "a.CSV"}},
      {"a*b*c", {"abc", "axxbyyc", "abcbc"}, {"ab", "abcd", "a/bc"}},
      {"**", {"", "a", "a/b", "/", "//"}, {}},
      {"***", {"a/b"}, {}},
      {"in/**", {"in/", "in/a", "in/a/b/c"}, {"in", "inn/a"}},
      {"a/**/b", {"a/b", "a/x/b", "a/x/y/b", "a//b"}, {"ab", "a/xb", "a/b/c"}},
      {"**/b", {"b", "a/b", "a/x/b", "/b"}, {"ab", "a/xb"}},
      {"**/*.csv", {"x.csv", "a/x.csv", "a/b/.csv"}, {"x.csv/", "csv"}},
      {"a**b", {"ab", "a/b", "axx/yyb"}, {"a", "ba"}},
      {"a/**/**/b", {"a/b", "a/x/b"}, {"a/xb"}},
      {"?",
       {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x82"},
       {"", "ab", "/", "\xc3\xa9\xc3\xa9"}},
      {"a?c",
       {"abc",
        "a\xc3\xa9"
        "c"},
       {"ac", "a/c", "abbc"}},
      {"??",
       {"ab",
        "\xc3\xa9"
        "b"},
       {"a", "\xc3\xa9"}},
      {"[abc]", {"a", "b", "c"}, {"d", "", "ab"}},
      {"[a-c0-9]x", {"bx", "5x"}, {"dx", "-x"}},
      {"[!a-c]", {"d", "\xc3\xa9", "-"}, {"a", "/", ""}},
      {"[^a]", {"b", "^"}, {"a"}},
      {"[]a]", {"]", "a"}, {"[", "b"}},
      {"[!]]", {"a"}, {"]"}},
      {"[a-]", {"a", "-"}, {"b"}},
      {"[\\]\\\\]", {"]", "\\"}, {"a"}},
      {"[*?]", {"*", "?"}, {"a"}},
      {"{a,b}", {"a", "b"}, {"", "ab", ","}},
      {"x{,y}z", {"xz", "xyz"}, {"xyyz"}},
      {"{a}", {"a"}, {"{a}"}},
      {"{}", {""}, {"{}"}},
      {"{a,b{c,d}e,f}", {"a", "bce", "bde", "f"}, {"be", "bcde", "c"}},
      {"*.{csv,tsv}{,.gz}", {"a.csv", "a.tsv.gz"}, {"a.csv.", "a.gz"}},
      {"{in/,}x", {"in/x", "x"}, {"inx"}},
      {"{a,b/c}/**/d", {"a/d", "b/c/d", "a/x/d"}, {"b/d"}},
      {"{a/,b/}**/c", {"a/c", "b/x/c"}, {"ac", "c"}},
      {"a,b", {"a,b"}, {"a", "b"}},
      {"\\*\\?\\[\\]\\{\\}\\\\", {"*?[]{}\\"}, {"a"}},
      {"{a\\,b,c}", {"a,b", "c"}, {"a", "b"}},
      {"dt=2026-11-20/*.csv", {"dt=2026-11-20/a.csv"}, {"dt=2026-11-21/a.csv"}},
      {"a//b", {"a//b"}, {"a/b"}},
  };
  for (const Case& c : cases) {
    const Glob glob = compiled(c.pattern);
    for (const auto key : c.matching) EXPECT_TRUE(glob.matches(key)) << c.pattern << " | " << key;
    for (const auto key : c.others) EXPECT_FALSE(glob.matches(key)) << c.pattern << " | " << key;
  }
}

TEST(Glob, FindsTheLiteralPrefix) {
  struct PrefixCase {
    std::string_view pattern, prefix;
    bool literal;
  };
  for (const auto& [pattern, prefix, literal] : std::vector<PrefixCase>{
           {"", "", true},
           {"a/b.csv", "a/b.csv", true},
           {"a/\\*.csv", "a/*.csv", true},
           {"a/b*.csv", "a/b", false},
           {"a/**/b", "a/", false},
           {"**", "", false},
           {"a/{b,c}", "a/", false},
           {"a?", "a", false},
           {"x[ab]", "x", false},
       }) {
    const Glob glob = compiled(pattern);
    EXPECT_EQ(glob.literal_prefix(), prefix) << pattern;
    EXPECT_EQ(glob.literal(), literal) << pattern;
  }
}

TEST(Glob, NamesThePositionOfWhatIsUnbalanced) {
  for (const auto& [pattern, position] : std::vector<std::pair<std::string_view, int>>{
           {"a/{b,c", 3},
           {"a/b}", 4},
           {"a[bc", 2},
           {"[]", 1},
           {"[!]", 1},
           {"[a-", 1},
           {"[a\\", 1},
           {"a]", 2},
           {"{a,{b}", 1},
           {"abc\\", 4},
           {"[z-a]", 4},
           {"[\xc3\xa9]", 2},
       }) {
    const Result<Glob> glob = Glob::compile(pattern);
    ASSERT_FALSE(glob.has_value()) << pattern;
    EXPECT_EQ(glob.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(glob.error().message.find("position " + std::to_string(position) + ":"),
              std::string::npos)
        << glob.error().message;
    EXPECT_NE(glob.error().message.find(pattern), std::string::npos) << glob.error().message;
  }
}

TEST(Glob, RefusesPatternsBeyondItsLimits) {
  EXPECT_FALSE(Glob::compile(std::string(Glob::kPatternBytesMax + 1, 'a')).has_value());
  EXPECT_TRUE(Glob::compile(std::string(Glob::kPatternBytesMax, '*')).has_value());
  EXPECT_FALSE(Glob::compile(std::string(100, '{') + std::string(100, '}')).has_value());
}

// A matcher that backs up needs 2^n or n^k steps for these; the suite's time limit would tell.
TEST(Glob, TakesNoLongerForPatternsThatMakeOthersBackUp) {
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  EXPECT_FALSE(compiled(stars + "*b").matches(std::string(1000, 'a')));
  EXPECT_TRUE(compiled(stars + "*b").matches(std::string(1000, 'a') + "b"));

  std::string folders;
  for (int i = 0; i < 200; ++i) folders += "**/";
  std::string key;
  for (int i = 0; i < 400; ++i) key += "a/";
  EXPECT_FALSE(compiled(folders + "b").matches(key + "c"));
  EXPECT_TRUE(compiled(folders + "b").matches(key + "b"));

  std::string braces;
  for (int i = 0; i < 200; ++i) braces += "{a,aa,}";
  EXPECT_FALSE(compiled(braces + "b").matches(std::string(200, 'a')));
}

TEST(Glob, TheTableSaysWhatTheAutomatonSays) {
  std::mt19937 random(20'261'126);
  const auto text = [&random](std::string_view alphabet, std::size_t length_max) {
    std::string out(random() % (length_max + 1), ' ');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  int patterns = 0;
  int matching = 0;
  while (patterns < 3'000) {
    const std::string pattern = text("aab/**?[a]{,}\xc3\xa9", 12);
    const Result<Glob> tabled = Glob::compile(pattern);
    if (!tabled) continue;
    const Glob simulated = *Glob::compile(pattern, 0);
    ++patterns;
    for (int i = 0; i < 60; ++i) {
      const std::string key = text("aab/\xc3\xa9", 8);
      ASSERT_EQ(tabled->matches(key), simulated.matches(key)) << pattern << " on " << key;
      matching += simulated.matches(key) ? 1 : 0;
    }
  }
  EXPECT_GT(matching, 1'000);
}

TEST(Glob, EscapedTextMatchesItselfAlone) {
  for (const std::string_view text : {"plain.csv", "a*b?c[d]e{f,g}h\\i", "**", "[!a]", "{}", ""}) {
    const Glob glob = compiled(escape_glob(text));
    EXPECT_TRUE(glob.literal());
    EXPECT_EQ(glob.literal_prefix(), text);
    EXPECT_TRUE(glob.matches(text));
    EXPECT_FALSE(glob.matches(std::string(text) + "x"));
  }
}

TEST(Glob, TellsWhatCanMatchBelowAPrefix) {
  const std::vector<Case> cases = {
      {"in/dt=*/*.csv", {"", "i", "in/", "in/dt=1/", "in/dt=1"}, {"out/", "in/x/", "in/dt=1/x/"}},
      {"in/**/*.csv", {"in/", "in/x/y/"}, {"io/", "x/"}},
      {"{a,b}/c/*", {"a/", "b/c/", ""}, {"c/", "a/b/"}},
      {"a?/x", {"ab/", "a\xc3\xbc/"}, {"a/", "abc/"}},
      {"one", {"", "o", "one"}, {"one/", "two"}},
  };
  for (const Case& c : cases) {
    const Glob glob = compiled(c.pattern);
    for (const std::string_view prefix : c.matching) {
      EXPECT_TRUE(glob.can_match_below(prefix)) << c.pattern << " " << prefix;
    }
    for (const std::string_view prefix : c.others) {
      EXPECT_FALSE(glob.can_match_below(prefix)) << c.pattern << " " << prefix;
    }
  }
}

TEST(Glob, TellsWhetherAKeyCanHaveTwoFoldersOfOneName) {
  for (const std::string_view pattern :
       {"in/**", "in/dt=*/**", "dt=1/dt=2/x", "*/*/x", "dt=*/d%74=*/x", "DT=*/[d]t=*/x",
        "{dt=1,x}/*/y", "dt=?/?t=2/x", "dt=1/**/x", "%64t=1/dt=2/x"}) {
    EXPECT_TRUE(compiled(pattern).can_repeat_folder("dt")) << pattern;
  }
  for (const std::string_view pattern :
       {"in/dt=*/*.csv", "in/dt=*/hour=*/*.csv", "*/*", "dt=*", "dt=1/dt=2", "dt=1/xdt=2/y",
        "dt=1/dt/x", "dt=1/dtx=2/x", "{dt=1,x}/hour=*/y", "dt=1/d*"}) {
    EXPECT_FALSE(compiled(pattern).can_repeat_folder("dt")) << pattern;
  }
  EXPECT_TRUE(compiled("in/**").can_repeat_folder("a=b"));
}

}  // namespace
}  // namespace leat::connector
