#include "connector/split_enumerator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connector/folder_walk.h"
#include "tests/support/memory_store.h"

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
  auto page = enumerator->next_page();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(store.prefixes, (std::vector<std::string>{"in/"}));
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

/// Keys "a0" to "f9" in pages of two; counts the requests.
class LetterStore final : public ObjectStore {
 public:
  std::string uri() const override { return "letters://"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  std::unique_ptr<ObjectLister> list(std::string_view, std::string_view after) const override {
    return std::make_unique<Lister>(*this, std::string(after));
  }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion&, std::uint64_t) const override {
    return Error{.code = ErrorCode::kUnsupported, .message = "nothing to read"};
  }
  StoreStats stats() const noexcept override { return {}; }

  mutable std::atomic<std::size_t> requests = 0;
  std::string fails_after = {};  ///< Where a listing fails.

 private:
  class Lister final : public ObjectLister {
   public:
    Lister(const LetterStore& store, std::string after) : store_(store), after_(std::move(after)) {}
    Result<ListPage> next_page() override {
      ++store_.requests;
      if (!store_.fails_after.empty() && after_ >= store_.fails_after) {
        return Error{.code = ErrorCode::kUnavailable, .message = "down"};
      }
      ListPage page;
      for (char letter = 'a'; letter <= 'f'; ++letter) {
        for (char digit = '0'; digit <= '9'; ++digit) {
          const std::string key = {letter, digit};
          if (key <= after_ || page.objects.size() == 2) continue;
          page.objects.push_back({.key = key, .version = "1"});
          if (page.objects.size() == 2) after_ = key;
        }
      }
      page.last = page.objects.size() < 2 || page.objects.back().key == "f9";
      return page;
    }

   private:
    const LetterStore& store_;
    std::string after_;
  };
};

TEST(SplitEnumerator, RangesTakeTurnsAndNoneRunsAhead) {
  const LetterStore store;
  auto enumerator = SplitEnumerator::create(store, "**");
  enumerator->begin({{"", "b"}, {"b", "d"}, {"d", "d5"}, {"e9", ""}}, 3);
  std::vector<std::string> firsts;
  std::set<std::string> all;
  for (bool last = false; !last;) {
    const auto page = enumerator->next_page();
    ASSERT_TRUE(page.has_value());
    EXPECT_TRUE(page->sorted);
    last = page->last;
    if (!page->objects.empty()) firsts.push_back(page->objects.front().key);
    for (const ObjectVersion& object : page->objects) {
      EXPECT_TRUE(all.insert(object.key).second) << object.key;
      EXPECT_TRUE(enumerator->covers(object.key)) << object.key;
    }
    EXPECT_LE(store.requests, firsts.size() + 3 + 3);  // One ahead of each; the ends bring no key.
  }
  EXPECT_EQ(all.size(), 10u + 20u + 5u + 10u);
  EXPECT_FALSE(enumerator->covers("d7"));
  firsts.resize(6);
  EXPECT_EQ(firsts, (std::vector<std::string>{"a0", "b0", "d0", "a2", "b2", "d2"}));
}

TEST(SplitEnumerator, WhatIsLeftBeginsBelowTheLowestOpenKey) {
  const LetterStore store;
  auto enumerator = SplitEnumerator::create(store, "**");
  const auto left = [&](const std::set<std::string>& open, std::uint64_t late = 0) {
    return enumerator->remaining(
        [open](const KeyRange& range) -> std::optional<std::string> {
          for (const std::string& key : open) {
            if (range.contains(key)) return key;
          }
          return std::nullopt;
        },
        late);
  };
  using Ranges = std::vector<KeyRange>;
  enumerator->begin({{"", "c"}, {"c", ""}});
  EXPECT_EQ(left({}), Ranges({{"", ""}}));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(enumerator->next_page().has_value());
  EXPECT_EQ(left({"a3"}), Ranges({{"a1", ""}}));
  EXPECT_EQ(left({}, 3), Ranges({{"a3", ""}}));
  EXPECT_EQ(left({}), Ranges({{"a7", ""}}));
  for (bool last = false; !last;) last = enumerator->next_page()->last;
  EXPECT_EQ(left({"b5", "e2"}), Ranges({{"b3", "c"}, {"e1", ""}}));
  EXPECT_EQ(left({}, 5), Ranges({{"f3", ""}}));
  EXPECT_EQ(left({}), Ranges({{"f9", ""}}));
}

TEST(SplitEnumerator, AListingThatFailedKnowsWhatIsLeft) {
  LetterStore store;
  store.fails_after = "c3";
  auto enumerator = SplitEnumerator::create(store, "**");
  const auto none_open = [](const KeyRange&) { return std::optional<std::string>(); };
  enumerator->begin({{"", "b"}, {"b", ""}}, 2);
  while (enumerator->next_page()) {
  }
  EXPECT_EQ(enumerator->remaining(none_open), (std::vector<KeyRange>{{"c3", ""}}));
}

TEST(SplitEnumerator, KeysWithoutOrderAreAllLeft) {
  const ScriptedStore store({page_of({"c", "d"}, false), page_of({"a"}, true)});
  auto enumerator = SplitEnumerator::create(store, "**");
  const auto none_open = [](const KeyRange&) { return std::optional<std::string>(); };
  enumerator->begin_sweep();
  ASSERT_TRUE(enumerator->next_page());
  EXPECT_EQ(enumerator->remaining(none_open), (std::vector<KeyRange>{{"d", ""}}));
  ASSERT_TRUE(enumerator->next_page());
  EXPECT_EQ(enumerator->remaining(none_open), (std::vector<KeyRange>{{"", ""}}));
}

TEST(SplitEnumerator, AFileStillBeingWrittenIsLeft) {
  ListPage page = page_of({"a", "c"}, false);
  page.unsettled_keys = {"b"};
  const ScriptedStore store({page_of({"1"}, false), page, page_of({"d"}, true)});
  auto enumerator = SplitEnumerator::create(store, "**");
  const auto none_open = [](const KeyRange&) { return std::optional<std::string>(); };
  enumerator->begin_sweep();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(enumerator->next_page());
  EXPECT_EQ(enumerator->remaining(none_open), (std::vector<KeyRange>{{"1", ""}}));
}

TEST(SplitEnumerator, WhatIsLeftOfTheOnlyRangeCanBeDivided) {
  const LetterStore store;
  auto enumerator = SplitEnumerator::create(store, "**");
  enumerator->begin_sweep();
  std::set<std::string> all;
  const auto take_page = [&] {
    const auto page = enumerator->next_page();
    for (const ObjectVersion& object : page->objects) {
      EXPECT_TRUE(all.insert(object.key).second) << object.key;
    }
    return page->last;
  };
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(take_page());
  enumerator->divide({{"", "a3"}, {"a3", "c"}, {"e", ""}}, 2);
  while (!take_page()) {
  }
  EXPECT_EQ(all.size(), 20u + 20u);
  EXPECT_TRUE(enumerator->covers("a1"));
  EXPECT_TRUE(enumerator->covers("a5"));
  EXPECT_TRUE(enumerator->covers("a6"));
  EXPECT_FALSE(enumerator->covers("d6"));
}

TEST(FolderWalk, RefusesFoldersThatAreNoBeginsOfKeys) {
  auto shared = std::make_shared<leat::testing::MemoryStore::Shared>();
  shared->has_levels = true;
  shared->put("in/x/a", "");
  const leat::testing::MemoryStore store(shared);
  const auto walk = [&] {
    return walk_folders(store, "in/", [](std::string_view) { return FolderVerdict::kKeep; }, 10,
                        {});
  };
  const Result<FolderWalk> walked = walk();
  ASSERT_TRUE(walked) << walked.error().to_string();
  EXPECT_EQ(walked->folders, std::vector<std::string>{"in/x/"});
  shared->cuts_folder_names = true;
  EXPECT_EQ(walk().error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace leat::connector
