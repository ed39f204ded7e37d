// An object store in memory whose behaviour a test decides: what a listing says, and which read
// fails how. The stores that users have are tested against the real thing.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/object_store.h"

namespace leat::testing {

class MemoryStore final : public ObjectStore {
 public:
  struct Shared {
    std::mutex mutex;
    std::map<std::string, std::pair<std::string, std::string>> objects;  ///< Version, content.
    std::map<std::string, std::int64_t> modified_ms;  ///< Where it is not as of all others.
    std::vector<std::string> listed_after;            ///< Of each listing, where it began.
    std::uint64_t versions = 0;
    /// Asked before each read of at most `out` bytes at `offset`; an Error fails it.
    std::function<std::optional<Error>(const std::string& key, std::uint64_t offset)> before_read;
    /// Asked before each listing.
    std::function<std::optional<Error>()> before_list;
    StoreStats stats;
    bool has_levels = false;             ///< Whether folders can be listed.
    bool cuts_folder_names = false;      ///< Wrongly, to what follows the prefix.
    bool reads_anywhere = false;         ///< Whether its objects can be read so.
    std::uint64_t ends_at = UINT64_MAX;  ///< Readers say that objects end here.
    bool lists_from_any_key = false;     ///< What the store says of itself.

    void put(const std::string& key, std::string content) {
      const std::lock_guard lock(mutex);
      objects[key] = {"v" + std::to_string(++versions), std::move(content)};
    }
    void remove(const std::string& key) {
      const std::lock_guard lock(mutex);
      objects.erase(key);
    }
  };

  explicit MemoryStore(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::string uri() const override { return "memory://"; }
  std::string uri_of(std::string_view key) const override { return "memory:/" + std::string(key); }

  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after) const override {
    const std::lock_guard lock(shared_->mutex);
    shared_->listed_after.emplace_back(start_after);
    return std::make_unique<Lister>(shared_, std::string(prefix), std::string(start_after));
  }

  bool lists_from_any_key() const noexcept override { return shared_->lists_from_any_key; }

  std::unique_ptr<ObjectLister> list_level(std::string_view prefix) const override {
    if (!shared_->has_levels) return nullptr;
    return std::make_unique<Lister>(shared_, std::string(prefix), "", /*one_level=*/true);
  }

  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override {
    return std::unique_ptr<ObjectReader>(std::make_unique<Reader>(shared_, object, offset));
  }

  StoreStats stats() const noexcept override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->stats;
  }

 private:
  class Lister final : public ObjectLister {
   public:
    Lister(std::shared_ptr<Shared> shared, std::string prefix, std::string after,
           bool one_level = false)
        : shared_(std::move(shared)),
          prefix_(std::move(prefix)),
          after_(std::move(after)),
          one_level_(one_level) {}

    /// Pages of three, so that there are several.
    Result<ListPage> next_page() override {
      if (shared_->before_list) {
        if (std::optional<Error> error = shared_->before_list()) return *std::move(error);
      }
      const std::lock_guard lock(shared_->mutex);
      ++shared_->stats.list_requests;
      ListPage page;
      page.last = true;
      for (auto it = shared_->objects.upper_bound(after_); it != shared_->objects.end(); ++it) {
        if (!it->first.starts_with(prefix_)) continue;
        const std::size_t slash = it->first.find('/', prefix_.size());
        const bool folder = one_level_ && slash != std::string::npos;
        std::string name = folder ? it->first.substr(0, slash + 1) : std::string();
        if (folder && name == last_folder_) continue;
        if (page.objects.size() + page.folders.size() == 3) {
          page.last = false;
          break;
        }
        if (folder) {
          last_folder_ = name;
          page.folders.push_back(shared_->cuts_folder_names ? name.substr(prefix_.size())
                                                            : std::move(name));
          after_ = it->first;
          continue;
        }
        const auto modified = shared_->modified_ms.find(it->first);
        page.objects.push_back(
            {it->first, it->second.first, it->second.second.size(),
             modified != shared_->modified_ms.end() ? modified->second : 1'700'000'000'000});
        after_ = it->first;
      }
      return page;
    }

   private:
    std::shared_ptr<Shared> shared_;
    std::string prefix_;
    std::string after_;
    const bool one_level_;
    std::string last_folder_;
  };

  class Reader final : public ObjectReader {
   public:
    Reader(std::shared_ptr<Shared> shared, ObjectVersion object, std::uint64_t offset)
        : shared_(std::move(shared)), object_(std::move(object)), offset_(offset) {}

    Result<std::size_t> read(std::span<std::byte> out) override {
      Result<std::size_t> bytes = read_at(offset_, out);
      if (bytes) offset_ += *bytes;
      return bytes;
    }

    bool reads_anywhere() const noexcept override { return shared_->reads_anywhere; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      if (shared_->before_read) {
        if (std::optional<Error> error = shared_->before_read(object_.key, offset)) {
          return *std::move(error);
        }
      }
      const std::lock_guard lock(shared_->mutex);
      ++shared_->stats.get_requests;
      const auto it = shared_->objects.find(object_.key);
      if (it == shared_->objects.end()) return Error{ErrorCode::kNotFound, "no such object"};
      if (it->second.first != object_.version) {
        return Error{ErrorCode::kObjectChanged, "the object was replaced"};
      }
      const std::string& content = it->second.second;
      const std::uint64_t end = std::min<std::uint64_t>(shared_->ends_at, content.size());
      const std::size_t bytes = std::min<std::size_t>(out.size(), end - std::min(end, offset));
      std::memcpy(out.data(), content.data() + offset, bytes);
      return bytes;
    }

   private:
    std::shared_ptr<Shared> shared_;
    ObjectVersion object_;
    std::uint64_t offset_;
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace leat::testing
