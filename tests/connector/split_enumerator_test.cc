#include "connector/split_enumerator.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace leat::connector {
namespace {

using Answers = std::vector<Result<ListPage>>;

/// Lists what it was told to, whatever the prefix, and notes the prefix.
class ScriptedStore final : public ObjectStore {
 public:
  explicit ScriptedStore(Answers answers) : answers_(std::move(answers)) {}

  std::string uri() const override { return "scripted://"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  std::unique_ptr<ObjectLister> list(std::string_view prefix, std::string_view) const override {
    prefixes.emplace_back(prefix);
    return std::make_unique<Lister>(answers_);
  }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion&, std::uint64_t) const override {
    return Error{.code = ErrorCode::kUnsupported, .message = "nothing to read"};
  }
  StoreStats stats() const noexcept override { return {}; }

  mutable std::vector<std::string> prefixes;

 private:
  class Lister final : public ObjectLister {
   public:
    explicit Lister(Answers answers) : answers_(answers.begin(), answers.end()) {}
    Result<ListPage> next_page() override {
      Result<ListPage> answer = std::move(answers_.front());
      answers_.pop_front();
      return answer;
    }

   private:
    std::deque<Result<ListPage>> answers_;
  };

  Answers answers_;
};

ListPage page_of(const std::vector<std::string>& keys, bool last, std::uint64_t unsettled = 0) {
  ListPage page{.objects = {}, .last = last, .unsettled = unsettled};
  for (const std::string& key : keys) page.objects.push_back({.key = key, .version = "1"});
  return page;
}

std::vector<std::string> keys_of(const EnumeratedPage& page) {
  std::vector<std::string> keys;
  for (const ObjectVersion& object : page.objects) keys.push_back(object.key);
  return keys;
}

TEST(SplitEnumerator, KeepsWhatMatchesAndCanBeData) {
  const ScriptedStore store(
      {page_of({"in/", "in/a.csv", "in/b.txt", "in/c.csv", "in/d.csv/"}, false, 2),
       page_of({}, false), page_of({"in/x/y.csv"}, true)});
  auto enumerator = SplitEnumerator::create(store, "in/**/*.csv");
  ASSERT_TRUE(enumerator.has_value());
  enumerator->begin_sweep();
  EXPECT_EQ(store.prefixes, (std::vector<std::string>{"in/"}));

  auto page = enumerator->next_page();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(keys_of(*page), (std::vector<std::string>{"in/a.csv", "in/c.csv"}));
  EXPECT_EQ(page->listed, 5u);
  EXPECT_EQ(page->unsettled, 2u);
  EXPECT_TRUE(page->sorted);
  EXPECT_FALSE(page->last);

  page = enumerator->next_page();
  EXPECT_TRUE(page->objects.empty());
  EXPECT_FALSE(page->last);  // Empty is not the end.

  page = enumerator->next_page();
  EXPECT_EQ(keys_of(*page), (std::vector<std::string>{"in/x/y.csv"}));
  EXPECT_TRUE(page->last);
}

TEST(SplitEnumerator, DropsFolderMarkersEvenWhereThePatternMatchesThem) {
  const ScriptedStore store({page_of({"a/", "a/b"}, true)});
  auto enumerator = SplitEnumerator::create(store, "**");
  EXPECT_EQ(keys_of(*enumerator->next_page()), (std::vector<std::string>{"a/b"}));
}

TEST(SplitEnumerator, TellsWhetherKeysAscend) {
  const ScriptedStore store({page_of({"a", "c"}, false), page_of({"b", "d"}, false),
                             page_of({"d", "e"}, false), page_of({"f", "g"}, true)});
  auto enumerator = SplitEnumerator::create(store, "**");
  EXPECT_TRUE(enumerator->next_page()->sorted);
  EXPECT_FALSE(enumerator->next_page()->sorted);  // b after c.
  EXPECT_FALSE(enumerator->next_page()->sorted);  // d after d.
  EXPECT_TRUE(enumerator->next_page()->sorted);
  EXPECT_TRUE(enumerator->next_page()->sorted);  // A new sweep may begin at a again.
}

TEST(SplitEnumerator, AnEmptyKeyCountsForTheOrderToo) {
  const ScriptedStore store({page_of({"", "a"}, false), page_of({""}, true)});
  auto enumerator = SplitEnumerator::create(store, "**");
  EXPECT_TRUE(enumerator->next_page()->sorted);
  EXPECT_FALSE(enumerator->next_page()->sorted);
}

TEST(SplitEnumerator, BeginsAnewAfterAnError) {
  const ScriptedStore store(
      {page_of({"b"}, false), Error{.code = ErrorCode::kUnavailable, .message = "down"}});
  auto enumerator = SplitEnumerator::create(store, "**");
  EXPECT_TRUE(enumerator->next_page().has_value());
  EXPECT_EQ(enumerator->next_page().error().code, ErrorCode::kUnavailable);
  const auto page = enumerator->next_page();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(keys_of(*page), (std::vector<std::string>{"b"}));
  EXPECT_TRUE(page->sorted);
}

TEST(SplitEnumerator, RefusesABrokenPattern) {
  const ScriptedStore store({});
  EXPECT_EQ(SplitEnumerator::create(store, "{a").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace leat::connector
