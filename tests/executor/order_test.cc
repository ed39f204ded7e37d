// SourceOptions::Order: in which order objects are begun, and in how much memory.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "executor/oldest_objects.h"
#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using executor::OldestObjects;

std::shared_ptr<const ObjectVersion> object(const std::string& key, std::int64_t modified_ms) {
  return std::make_shared<const ObjectVersion>(ObjectVersion{key, "v", 1, modified_ms});
}

std::vector<std::string> keys_of(const OldestObjects::Taken& taken) {
  std::vector<std::string> keys;
  for (const auto& one : taken.objects) keys.push_back(one->key);
  return keys;
}

TEST(OldestObjects, AreThoseModifiedFirstInOrder) {
  OldestObjects oldest(3);
  for (const auto& [key, time] : {std::pair{"a", 5}, {"b", 1}, {"c", 3}, {"d", 3}, {"e", 9}}) {
    oldest.offer(object(key, time));
  }
  const OldestObjects::Taken taken = oldest.take();
  EXPECT_EQ(keys_of(taken), (std::vector<std::string>{"b", "c", "d"}));
  EXPECT_TRUE(taken.left_out);
  oldest.offer(object("z", 1));
  EXPECT_FALSE(oldest.take().left_out) << "what was taken is over";
  EXPECT_TRUE(oldest.take().objects.empty());
}

/// Objects of one row, their number; listed in pages of 1,000 as the vector has them.
class ListStore final : public ObjectStore {
 public:
  explicit ListStore(std::shared_ptr<const std::vector<ObjectVersion>> objects)
      : objects_(std::move(objects)) {}

  std::string uri() const override { return "list://"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  StoreStats stats() const noexcept override { return {}; }

  std::unique_ptr<ObjectLister> list(std::string_view, std::string_view) const override {
    class Lister final : public ObjectLister {
     public:
      explicit Lister(std::shared_ptr<const std::vector<ObjectVersion>> objects)
          : objects_(std::move(objects)) {}
      Result<ListPage> next_page() override {
        ListPage page;
        const std::size_t end = std::min(at_ + 1'000, objects_->size());
        page.objects.assign(objects_->begin() + static_cast<std::ptrdiff_t>(at_),
                            objects_->begin() + static_cast<std::ptrdiff_t>(end));
        at_ = end;
        page.last = at_ == objects_->size();
        return page;
      }

     private:
      std::shared_ptr<const std::vector<ObjectVersion>> objects_;
      std::size_t at_ = 0;
    };
    return std::make_unique<Lister>(objects_);
  }

  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override {
    class Reader final : public ObjectReader {
     public:
      explicit Reader(std::string text) : text_(std::move(text)) {}
      Result<std::size_t> read(std::span<std::byte> out) override {
        const std::size_t bytes = std::min(out.size(), text_.size());
        std::memcpy(out.data(), text_.data(), bytes);
        text_.erase(0, bytes);
        return bytes;
      }

     private:
      std::string text_;
    };
    const std::string text = object.key + "\n";
    return std::unique_ptr<ObjectReader>(
        std::make_unique<Reader>(text.substr(static_cast<std::size_t>(offset))));
  }

 private:
  std::shared_ptr<const std::vector<ObjectVersion>> objects_;
};

class OrderTest : public ::testing::Test {
 protected:
  void add(const std::string& key, std::int64_t modified_ms) {
    objects_->push_back({key, "v", key.size() + 1, modified_ms});
  }

  /// The keys in the order in which their rows came; or the error.
  Result<std::vector<std::string>> load(SourceOptions::Order order,
                                        std::uint32_t splits_in_flight = 1) {
    SourceOptions options;
    options.from = "s3://list/**";
    options.state_dir = folder_.path() / "state";
    options.format.kind = Format::kLines;
    options.format.header = false;
    options.schema = *parse_schema("line text");
    options.once = true;
    options.order = order;
    options.ordered_objects_max = 100;
    options.splits_in_flight_max = splits_in_flight;
    options.threads = 1;
    options.clock = &clock_;
    auto source = Source::open(options, std::make_unique<ListStore>(objects_));
    if (!source) return std::move(source).error();
    std::vector<std::string> keys;
    while (true) {
      Result<Polled> polled = (*source)->poll(std::chrono::seconds(10));
      if (!polled) return std::move(polled).error();
      for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
        keys.emplace_back(polled->rows.columns[0].text_at(static_cast<std::size_t>(row)));
      }
      if (polled->kind == Polled::Kind::kEnd) return keys;
    }
  }

  testing::TemporaryFolder folder_{"leat-order", testing::TemporaryFolder::in_memory()};
  testing::ManualClock clock_;
  std::shared_ptr<std::vector<ObjectVersion>> objects_ =
      std::make_shared<std::vector<ObjectVersion>>();
};

TEST_F(OrderTest, ByKeyIsAsTheStoreLists) {
  for (const char* key : {"a/2", "a/3", "b/1", "c", "d/1"}) add(key, 1);
  const auto keys = load(SourceOptions::Order::kKey);
  ASSERT_TRUE(keys) << keys.error().to_string();
  EXPECT_EQ(*keys, (std::vector<std::string>{"a/2", "a/3", "b/1", "c", "d/1"}));
}

TEST_F(OrderTest, ByKeyIsRefusedWhereTheStoreListsInNoOrder) {
  for (const char* key : {"b", "a"}) add(key, 1);
  const auto keys = load(SourceOptions::Order::kKey);
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, ErrorCode::kUnsupported) << keys.error().to_string();
}

TEST_F(OrderTest, ByTimeTheOldestComesFirstWhateverTheListing) {
  add("a", 30);
  add("b", 10);
  add("c", 20);
  add("d", 10);
  const auto keys = load(SourceOptions::Order::kModified);
  ASSERT_TRUE(keys) << keys.error().to_string();
  EXPECT_EQ(*keys, (std::vector<std::string>{"b", "d", "c", "a"}));
}

// More objects than are held: listed again for the rest, which is still in order.
TEST_F(OrderTest, ByTimeMoreObjectsThanAreHeldComeInOrderToo) {
  constexpr std::int64_t kObjects = 320;
  for (std::int64_t i = 0; i < kObjects; ++i) {
    std::string key = std::to_string(1'000 + i);
    add(key, (i * 7'919) % kObjects);
  }
  const auto keys = load(SourceOptions::Order::kModified);
  ASSERT_TRUE(keys) << keys.error().to_string();
  ASSERT_EQ(keys->size(), static_cast<std::size_t>(kObjects));
  std::vector<std::int64_t> times;
  for (const std::string& key : *keys) {
    times.push_back(((std::stoll(key) - 1'000) * 7'919) % kObjects);
  }
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

// A store that lists in no order, and a key twice: pages are looked up together.
TEST_F(OrderTest, OfAListingInNoOrderEachObjectIsReadOnce) {
  for (int i = 0; i < 2'300; ++i) add(std::to_string(10'000 + i * 7'919 % 2'300), 1);
  add("10005", 1);
  add("10005", 1);
  const auto keys = load(SourceOptions::Order::kNone);
  ASSERT_TRUE(keys) << keys.error().to_string();
  std::vector<std::string> sorted = *keys;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_EQ(sorted.size(), 2'300u);
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
}

// A folder with many objects is listed in front of one with few: these need not wait for its end.
TEST_F(OrderTest, InNoOrderASmallFolderDoesNotWaitForALargeOne) {
  for (int i = 0; i < 400; ++i) add("a/" + std::to_string(1'000 + i), 1);
  for (int i = 0; i < 5; ++i) add("b/" + std::to_string(i), 1);
  const auto keys = load(SourceOptions::Order::kNone);
  ASSERT_TRUE(keys) << keys.error().to_string();
  ASSERT_EQ(keys->size(), 405u);
  const auto last_of_b =
      std::find_if(keys->rbegin(), keys->rend(), [](const auto& key) { return key[0] == 'b'; });
  EXPECT_LT(keys->rend() - last_of_b, 300) << "they came at the end";
}

}  // namespace
}  // namespace leat
