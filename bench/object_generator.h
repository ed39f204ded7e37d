// Ten million objects without I/O: keys, ETags and listings that are computed, not stored.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/object_store.h"

namespace leat::bench {

inline std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline void append_hex(std::uint64_t bits, int digits, std::string& out) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    out.push_back("0123456789abcdef"[(bits >> shift) & 15]);
  }
}

inline void append_decimal(std::uint64_t number, int digits, std::string& out) {
  char text[20];
  for (int at = digits - 1; at >= 0; --at, number /= 10) {
    text[at] = static_cast<char>('0' + number % 10);
  }
  out.append(text, static_cast<std::size_t>(digits));
}

/// Objects as a job writes them each hour: Hive partitions, a counter, a UUID. Keys of 96 bytes, in
/// byte order of their numbers; ETags of 34.
class ObjectGenerator {
 public:
  explicit ObjectGenerator(std::uint64_t count)
      : count_(count), per_folder_(std::max<std::uint64_t>(1, (count + kFolders - 1) / kFolders)) {}

  std::uint64_t count() const noexcept { return count_; }

  void object(std::uint64_t number, ObjectVersion& out) const {
    static constexpr const char* kRegions[] = {"ap-east-1", "eu-west-1", "sa-east-1", "us-west-2"};
    const std::uint64_t folder = number / per_folder_;
    const std::uint64_t day = folder / 24 % kDays;
    out.key.assign("region=").append(kRegions[folder / 24 / kDays % 4]).append("/dt=2026-");
    append_decimal(day / 28 + 1, 2, out.key);
    out.key += '-';
    append_decimal(day % 28 + 1, 2, out.key);
    out.key += "/hour=";
    append_decimal(folder % 24, 2, out.key);
    out.key += "/part-";
    append_decimal(number % per_folder_, 8, out.key);
    const std::uint64_t high = mixed(number * 4);
    const std::uint64_t low = mixed(number * 4 + 1);
    out.key += '-';
    append_hex(high >> 32, 8, out.key);
    out.key += '-';
    append_hex(high >> 16, 4, out.key);
    out.key += '-';
    append_hex(high, 4, out.key);
    out.key += '-';
    append_hex(low >> 48, 4, out.key);
    out.key += '-';
    append_hex(low, 12, out.key);
    out.key += ".csv.gz";
    out.version.assign(1, '"');
    append_hex(mixed(number * 4 + 2), 16, out.version);
    append_hex(mixed(number * 4 + 3), 16, out.version);
    out.version += '"';
    out.size = 1'000'000 + mixed(number) % 9'000'000;
    out.modified_ms = 1'795'000'000'000 + static_cast<std::int64_t>(number);
  }

 private:
  static constexpr std::uint64_t kDays = 12 * 28;
  static constexpr std::uint64_t kFolders = 4 * kDays * 24;

  const std::uint64_t count_;
  const std::uint64_t per_folder_;
};

/// Lists them in pages of 1,000, as S3 does, from any key on.
class GeneratorStore final : public ObjectStore {
 public:
  /// @param line  What each object holds; empty: objects of many sizes, which cannot be read.
  explicit GeneratorStore(std::uint64_t count, std::string line = {})
      : objects_(count), line_(std::move(line)) {}

  std::string uri() const override { return "s3://bench"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  std::unique_ptr<ObjectLister> list(std::string_view /*prefix*/,
                                     std::string_view start_after) const override {
    listings_.fetch_add(1);
    return std::make_unique<Lister>(*this, first_after(start_after));
  }
  bool lists_from_any_key() const noexcept override { return true; }
  std::uint64_t listings() const noexcept { return listings_.load(); }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override {
    if (line_.empty()) {
      return Error{ErrorCode::kNotFound, "there is nothing to read: " + object.key};
    }
    gets_.fetch_add(1);
    return std::unique_ptr<ObjectReader>(
        std::make_unique<Reader>(std::string_view(line_).substr(offset)));
  }
  StoreStats stats() const noexcept override {
    return {.list_requests = pages_.load(),
            .get_requests = gets_.load(),
            .retries = 0,
            .bytes_read = 0};
  }

 private:
  class Reader final : public ObjectReader {
   public:
    explicit Reader(std::string_view rest) : rest_(rest) {}
    Result<std::size_t> read(std::span<std::byte> out) override {
      const std::size_t size = std::min(out.size(), rest_.size());
      std::memcpy(out.data(), rest_.data(), size);
      rest_.remove_prefix(size);
      return size;
    }

   private:
    std::string_view rest_;  ///< The store's.
  };

  class Lister final : public ObjectLister {
   public:
    Lister(const GeneratorStore& store, std::uint64_t first) : store_(store), next_(first) {}
    Result<ListPage> next_page() override {
      store_.pages_.fetch_add(1);
      ListPage page;
      page.objects = std::exchange(reusable_, {});
      page.objects.resize(std::min<std::uint64_t>(1'000, store_.objects_.count() - next_));
      for (ObjectVersion& object : page.objects) {
        object.key.reserve(96);
        object.version.reserve(34);
        store_.objects_.object(next_++, object);
        if (!store_.line_.empty()) object.size = store_.line_.size();
      }
      page.last = next_ == store_.objects_.count();
      return page;
    }

    void reuse(std::vector<ObjectVersion> objects) override { reusable_ = std::move(objects); }

   private:
    const GeneratorStore& store_;
    std::uint64_t next_;
    std::vector<ObjectVersion> reusable_;
  };

  /// The number of the first object whose key comes after this one.
  std::uint64_t first_after(std::string_view key) const {
    if (key.empty()) return 0;
    std::uint64_t low = 0;
    std::uint64_t high = objects_.count();
    ObjectVersion object;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      objects_.object(middle, object);
      (object.key > key ? high : low) = object.key > key ? middle : middle + 1;
    }
    return low;
  }

  const ObjectGenerator objects_;
  const std::string line_;
  mutable std::atomic<std::uint64_t> pages_ = 0;
  mutable std::atomic<std::uint64_t> gets_ = 0;
  mutable std::atomic<std::uint64_t> listings_ = 0;
};

}  // namespace leat::bench
