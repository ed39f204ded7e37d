// Listings that are cut while they are under way: every object once, over crashes, whatever the
// keys; and what cuts cost and bring.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connector/range_cut.h"
#include "connector/split_enumerator.h"

namespace leat::connector {
namespace {

using Random = std::mt19937_64;
using Keys = std::vector<std::string>;

std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

/// Sorted keys in pages; counts the requests of each listing.
class KeyStore final : public ObjectStore {
 public:
  KeyStore(const std::set<std::string>& keys, std::size_t page_keys, bool from_any_key = true)
      : keys_(keys.begin(), keys.end()), page_keys_(page_keys), from_any_key_(from_any_key) {}

  std::string uri() const override { return "keys://"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  bool lists_from_any_key() const noexcept override { return from_any_key_; }
  std::unique_ptr<ObjectLister> list(std::string_view, std::string_view after) const override {
    const std::lock_guard lock(mutex_);
    counts_.push_back(std::make_unique<std::atomic<std::size_t>>(0));
    return std::make_unique<Lister>(*this, std::upper_bound(keys_.begin(), keys_.end(), after),
                                    *counts_.back());
  }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion&, std::uint64_t) const override {
    return Error{.code = ErrorCode::kUnsupported, .message = "nothing to read"};
  }
  StoreStats stats() const noexcept override { return {}; }

  std::vector<std::size_t> requests_of_each() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> requests;
    for (const auto& count : counts_) requests.push_back(*count);
    return requests;
  }
  std::size_t requests() const {
    std::size_t sum = 0;
    for (const std::size_t count : requests_of_each()) sum += count;
    return sum;
  }

 private:
  class Lister final : public ObjectLister {
   public:
    Lister(const KeyStore& store, Keys::const_iterator next, std::atomic<std::size_t>& count)
        : store_(store), next_(next), count_(count) {}
    Result<ListPage> next_page() override {
      ++count_;
      ListPage page;
      page.objects = std::exchange(reusable_, {});
      std::size_t written = 0;
      for (; next_ != store_.keys_.end() && written < store_.page_keys_; ++next_, ++written) {
        if (written == page.objects.size()) page.objects.emplace_back();
        page.objects[written].key = *next_;
        page.objects[written].version = "1";
      }
      page.objects.resize(written);
      page.last = next_ == store_.keys_.end();
      return page;
    }
    void reuse(std::vector<ObjectVersion> objects) override { reusable_ = std::move(objects); }

   private:
    const KeyStore& store_;
    Keys::const_iterator next_;
    std::vector<ObjectVersion> reusable_;
    std::atomic<std::size_t>& count_;
  };

  const Keys keys_;
  const std::size_t page_keys_;
  const bool from_any_key_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<std::atomic<std::size_t>>> counts_;
};

/// Keys of one of the kinds that people have, or of none.
std::string key_of(std::size_t kind, std::uint64_t number, Random& random) {
  static constexpr const char* kHex = "0123456789abcdef";
  std::string key = "in/";
  switch (kind) {
    case 0:  // One huge folder.
      return key + "huge/part-" + padded(number, 8) + ".csv";
    case 1: {  // Hashes.
      for (int i = 0; i < 12; ++i) key.push_back(kHex[below(random, 16)]);
      return key;
    }
    case 2:  // Days and hours.
      return key + "dt=2026-" + padded(1 + number / 672 % 12, 2) + "-" +
             padded(1 + number / 24 % 28, 2) + "/hour=" + padded(number % 24, 2) + "/" +
             padded(number, 6);
    case 3:  // A huge folder among small ones.
      if (below(random, 4) == 0) return key + padded(below(random, 500), 3) + "/a";
      return key + "250/log-" + padded(number, 7);
    case 4: {  // Characters of several bytes.
      static constexpr const char* kParts[] = {"\xc3\xbc", "\xe6\x97\xa5", "\xf0\x9f\x8c\x8a", "a"};
      for (int i = 0; i < 6; ++i) key += kParts[below(random, 4)];
      return key + padded(number % 10, 1);
    }
    case 5: {  // Any bytes, of any length.
      for (std::uint64_t i = 1 + below(random, 8); i > 0; --i) {
        key.push_back(static_cast<char>(1 + below(random, 255)));
      }
      return key;
    }
    default:  // Numbers without leading zeros, and keys that are fronts of others.
      return key + "x" + std::to_string(number) + std::string(below(random, 3), '/') +
             std::string(below(random, 3), 'y');
  }
}

std::set<std::string> generate(Random& random) {
  std::set<std::string> keys;
  const std::size_t kind = below(random, 7);
  const std::uint64_t count = 1 + below(random, below(random, 2) == 0 ? 60 : 1'500);
  for (std::uint64_t i = 0; i < count; ++i) keys.insert(key_of(kind, i, random));
  for (auto key = keys.begin(); key != keys.end();) {
    key = key->ends_with('/') ? keys.erase(key) : std::next(key);
  }
  return keys;
}

/// Ranges that hold all keys, cut at some of them and at others.
std::vector<KeyRange> random_ranges(const std::set<std::string>& keys, Random& random) {
  std::set<std::string> cuts;
  for (std::uint64_t i = below(random, 4); i > 0 && !keys.empty(); --i) {
    const auto key =
        std::next(keys.begin(), static_cast<std::ptrdiff_t>(below(random, keys.size())));
    cuts.insert(*key + (below(random, 2) == 0 ? "" : "!"));
  }
  std::vector<KeyRange> ranges{{}};
  for (const std::string& cut : cuts) {
    ranges.back().until = cut + '\0';
    ranges.push_back({.after = cut});
  }
  return ranges;
}

TEST(ListingCuts, ShowEveryObjectOnceWhateverTheKeysAndAfterACrashWhatWasLeft) {
  std::size_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::set<std::string> keys = generate(random);
    const KeyStore store(keys, 1 + below(random, 9));
    auto enumerator = SplitEnumerator::create(store, "**");
    const std::vector<KeyRange> ranges = random_ranges(keys, random);
    const std::size_t parallel = 1 + below(random, 6);
    enumerator->begin(ranges, parallel);

    // Up to a crash, or to the end: some keys are settled, in whatever order.
    std::set<std::string> listed;
    std::set<std::string> open;
    const bool crashes = below(random, 2) == 0;
    bool last = false;
    while (!last && !(crashes && below(random, 40) == 0)) {
      auto page = enumerator->next_page();
      ASSERT_TRUE(page);
      ASSERT_TRUE(page->sorted);
      last = page->last;
      for (const ObjectVersion& object : page->objects) {
        ASSERT_TRUE(listed.insert(object.key).second) << object.key << " came twice";
        ASSERT_TRUE(enumerator->covers(object.key)) << object.key;
        open.insert(object.key);
      }
      enumerator->reuse(std::move(page->objects));
      for (auto key = open.begin(); key != open.end();) {
        key = below(random, 4) != 0 ? open.erase(key) : std::next(key);
      }
      // As the record of the listing is kept now and then.
      if (below(random, 5) == 0) {
        (void)enumerator->remaining([&](const KeyRange& range) -> std::optional<std::string> {
          const auto at = open.upper_bound(range.after);
          if (at == open.end() || !range.contains(*at)) return std::nullopt;
          return *at;
        });
      }
    }
    if (last) {
      ASSERT_EQ(listed, keys);
    }
    cuts +=
        store.requests_of_each().size() - std::min(ranges.size(), store.requests_of_each().size());

    const std::vector<KeyRange> left =
        enumerator->remaining([&](const KeyRange& range) -> std::optional<std::string> {
          const auto at = open.upper_bound(range.after);
          if (at == open.end() || !range.contains(*at)) return std::nullopt;
          return *at;
        });
    for (std::size_t i = 1; i < left.size(); ++i) {
      ASSERT_FALSE(left[i - 1].until.empty());
      // One key at most may seem to lie in both: nothing is between it and the cut.
      ASSERT_LE(left[i - 1].until, left[i].after + '\0');
    }
    auto after_crash = SplitEnumerator::create(store, "**");
    after_crash->begin(left, parallel);
    std::set<std::string> again;
    for (last = left.empty(); !last;) {
      const auto page = after_crash->next_page();
      ASSERT_TRUE(page);
      last = page->last;
      for (const ObjectVersion& object : page->objects) {
        ASSERT_TRUE(again.insert(object.key).second) << object.key << " came twice";
      }
    }
    for (const std::string& key : keys) {
      const bool settled = listed.contains(key) && !open.contains(key);
      ASSERT_TRUE(settled || again.contains(key)) << key << " is lost";
    }
  }
  EXPECT_GT(cuts, 100u) << "the seeds are to reach cuts";
  RecordProperty("cuts", std::to_string(cuts));
}

struct Listed {
  std::size_t requests = 0;
  std::size_t listings = 0;
  double turns = 0;  ///< Requests one after the other: those under way together count as one.
};

Listed list_all(const std::set<std::string>& keys, std::vector<KeyRange> ranges,
                std::size_t parallel, bool from_any_key, std::size_t page_keys) {
  const KeyStore store(keys, page_keys, from_any_key);
  auto enumerator = SplitEnumerator::create(store, "**");
  enumerator->begin(std::move(ranges), parallel);
  std::size_t found = 0;
  Listed listed;
  for (bool last = false; !last;) {
    const auto page = enumerator->next_page();
    EXPECT_TRUE(page);
    listed.turns += 1.0 / static_cast<double>(std::max<std::size_t>(1, enumerator->under_way()));
    found += page->objects.size();
    last = page->last;
  }
  EXPECT_EQ(found, keys.size());
  listed.requests = store.requests();
  listed.listings = store.requests_of_each().size();
  return listed;
}

TEST(ListingCuts, AListingOfFewPagesCostsNoRequestMore) {
  for (std::uint64_t pages = 1; pages < 8; ++pages) {
    std::set<std::string> keys;
    for (std::uint64_t i = 0; i < pages * 10; ++i) keys.insert("in/" + padded(i, 6));
    for (const std::vector<KeyRange>& ranges :
         {std::vector<KeyRange>{{}}, {{"", "in/000005!"}, {"in/000005!", ""}}}) {
      EXPECT_EQ(list_all(keys, ranges, 4, true, 10).requests,
                list_all(keys, ranges, 4, false, 10).requests)
          << pages;
    }
  }
}

struct Bucket {
  const char* name;
  std::set<std::string> keys;
};

std::vector<Bucket> buckets() {
  std::vector<Bucket> all(5);
  all[0].name = "one_huge_folder_among_a_thousand_small_ones";
  for (std::uint64_t i = 0; i < 1'000; ++i) all[0].keys.insert("in/" + padded(i, 4) + "/a.csv");
  for (std::uint64_t i = 0; i < 40'000; ++i) {
    all[0].keys.insert("in/0500/part-" + padded(i, 8) + ".csv");
  }
  all[1].name = "numbers_in_one_folder";
  for (std::uint64_t i = 0; i < 40'000; ++i) all[1].keys.insert("in/" + padded(i, 10));
  all[2].name = "hashes";
  Random random(7);
  while (all[2].keys.size() < 40'000) all[2].keys.insert(key_of(1, 0, random));
  all[3].name = "days";
  for (std::uint64_t i = 0; i < 40'000; ++i) {
    all[3].keys.insert("logs/2026-" + padded(1 + i / 4'000, 2) + "-" + padded(1 + i / 160 % 25, 2) +
                       "T" + padded(i / 7 % 24, 2) + "-" + padded(i, 7) + ".gz");
  }
  all[4].name = "folders_of_many_sizes";
  for (std::uint64_t folder = 0; folder < 200; ++folder) {
    const std::uint64_t count = 12'000 / (1 + folder * 3);
    for (std::uint64_t i = 0; i < count; ++i) {
      all[4].keys.insert("in/table" + std::to_string(folder * 7919 % 1000) + "/" + padded(i, 9));
    }
  }
  return all;
}

// A bucket is listed by several to its end, wherever its objects are.
TEST(ListingCuts, KeepAllListersBusyForFewRequests) {
  for (const Bucket& bucket : buckets()) {
    // As folders have it cut: a range of the first half, and one of the rest.
    const std::string middle =
        bucket.name == std::string("one_huge_folder_among_a_thousand_small_ones") ? "in/0600/"
                                                                                  : "in/z";
    const std::vector<KeyRange> ranges{{"", middle}, {middle, ""}};
    const Listed before = list_all(bucket.keys, ranges, 4, false, 100);
    const Listed after = list_all(bucket.keys, ranges, 4, true, 100);
    EXPECT_LE(static_cast<double>(after.requests), 1.15 * static_cast<double>(before.requests))
        << bucket.name;
    EXPECT_LE(after.turns, 0.5 * before.turns) << bucket.name;
    RecordProperty(bucket.name, "requests " + std::to_string(before.requests) + " to " +
                                    std::to_string(after.requests) + ", one after the other " +
                                    std::to_string(before.turns) + " to " +
                                    std::to_string(after.turns));
  }
}

TEST(RangeCut, IsAsFarAheadAsTheOriginIsBehindOrHalfOfTheWay) {
  const auto key = [](const char* origin, const char* at, const char* until) {
    const std::optional<RangeCut> cut = guess_cut(origin, at, until);
    return cut ? cut->key.substr(0, 6) : "none";
  };
  EXPECT_EQ(key("in/000", "in/300", ""), "in/600");
  EXPECT_EQ(key("in/000", "in/300", "in/400"), "in/3~");
  EXPECT_EQ(key("in/000", "in/900", ""), "in/B00");
  EXPECT_EQ(key("in/a", "in/b", "io/"), "in/c  ");
  EXPECT_EQ(key("a", "a", ""), "none");
  EXPECT_EQ(key("a", "\xc3\xbc", ""), "none");
}

TEST(RangeCut, LiesBehindWhatWasListedAndIsPrintable) {
  Random random(3);
  for (int i = 0; i < 50'000; ++i) {
    std::string keys[3];
    for (std::string& key : keys) {
      for (std::uint64_t size = below(random, 12); size > 0; --size) {
        key.push_back(below(random, 3) != 0 ? "abc/019~"[below(random, 8)]
                                            : static_cast<char>(below(random, 256)));
      }
    }
    std::sort(std::begin(keys), std::end(keys));
    const std::string until = below(random, 2) == 0 ? "" : keys[2];
    const std::optional<RangeCut> cut = guess_cut(keys[0], keys[1], until);
    if (!cut) continue;
    ASSERT_GT(cut->key, keys[1]);
    if (!until.empty()) {
      ASSERT_LT(cut->key, until);
    }
    ASSERT_GE(cut->way, 1);
    ASSERT_GT(cut->left, 0);
    const std::size_t same = static_cast<std::size_t>(
        std::mismatch(cut->key.begin(), cut->key.end(), keys[1].begin(), keys[1].end()).first -
        cut->key.begin());
    for (const char c : cut->key.substr(same)) ASSERT_TRUE(c >= ' ' && c <= '~');
  }
}

}  // namespace
}  // namespace leat::connector
