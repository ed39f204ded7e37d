#include "connector/guarded_store.h"

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace leat::connector {
namespace {

/// @param what  "ObjectReader::read", ….
template <class Call>
auto guarded(std::string_view what, const Call& call) -> decltype(call()) {
  std::string why;
  try {
    return call();
  } catch (const std::exception& exception) {
    why = std::string(": ") + exception.what();
  } catch (...) {
    why = ", which is no std::exception";
  }
  return Error{ErrorCode::kInternal, "an exception came out of " + std::string(what) + why};
}

/// A listing that could not be begun.
class FailedLister final : public ObjectLister {
 public:
  explicit FailedLister(Error error) : error_(std::move(error)) {}
  Result<ListPage> next_page() override { return error_; }

 private:
  const Error error_;
};

// In a row. Ten times what is taken of S3: another store may list much that it then leaves out.
constexpr std::uint64_t kEmptyPagesMax = 10'000;

class GuardedLister final : public ObjectLister {
 public:
  GuardedLister(std::unique_ptr<ObjectLister> lister, std::string_view start_after)
      : lister_(std::move(lister)), start_after_(start_after) {}

  Result<ListPage> next_page() override {
    return guarded("ObjectLister::next_page", [this]() -> Result<ListPage> {
      Result<ListPage> page = lister_->next_page();
      if (!page) return page;
      if (Result<void> right = check(*page); !right) return std::move(right).error();
      return page;
    });
  }

  void reuse(std::vector<ObjectVersion> objects) override {
    (void)guarded("ObjectLister::reuse", [&]() -> Result<void> {
      lister_->reuse(std::move(objects));
      return {};
    });
  }

 private:
  /// What would have a listing go on without end.
  Result<void> check(const ListPage& page) {
    const auto wrong = [](std::string what) {
      return Error{ErrorCode::kCorrupt, "the store's listing cannot be right: " + std::move(what)};
    };
    for (const ObjectVersion& object : page.objects) {
      if (start_after_.empty() || object.key > start_after_) continue;
      return wrong("it holds the key \"" + object.key + "\", and was to begin behind \"" +
                   start_after_ + "\"");
    }
    if (!page.objects.empty()) {
      const std::pair keys(page.objects.front().key, page.objects.back().key);
      if (keys == keys_) {
        return wrong("two pages in a row go from \"" + keys.first + "\" to \"" + keys.second +
                     "\"");
      }
      keys_ = keys;
    }
    const bool empty = page.objects.empty() && page.folders.empty() && page.unsettled_keys.empty();
    empty_pages_ = empty ? empty_pages_ + 1 : 0;
    if (page.last || empty_pages_ < kEmptyPagesMax) return {};
    return wrong(std::to_string(kEmptyPagesMax) +
                 " pages in a row are empty, none of them the last");
  }

  const std::unique_ptr<ObjectLister> lister_;
  const std::string start_after_;
  std::optional<std::pair<std::string, std::string>> keys_;  ///< First and last of a page.
  std::uint64_t empty_pages_ = 0;
};

class GuardedReader final : public ObjectReader {
 public:
  explicit GuardedReader(std::unique_ptr<ObjectReader> reader) : reader_(std::move(reader)) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    return guarded("ObjectReader::read", [&] { return checked(reader_->read(out), out); });
  }

  bool reads_anywhere() const noexcept override { return reader_->reads_anywhere(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    return guarded("ObjectReader::read_at",
                   [&] { return checked(reader_->read_at(offset, out), out); });
  }

 private:
  static Result<std::size_t> checked(Result<std::size_t> bytes, std::span<std::byte> out) {
    if (!bytes || *bytes <= out.size()) return bytes;
    return Error{ErrorCode::kInternal, "the store's reader says that it read " +
                                           std::to_string(*bytes) + " bytes into room for " +
                                           std::to_string(out.size())};
  }

  const std::unique_ptr<ObjectReader> reader_;
};

using Listing = Result<std::unique_ptr<ObjectLister>>;

}  // namespace

Result<std::unique_ptr<ObjectStore>> GuardedStore::of(std::unique_ptr<ObjectStore> store) {
  Result<std::string> uri =
      guarded("ObjectStore::uri", [&]() -> Result<std::string> { return store->uri(); });
  if (!uri) return std::move(uri).error();
  return std::unique_ptr<ObjectStore>(new GuardedStore(std::move(store), *std::move(uri)));
}

std::string GuardedStore::uri_of(std::string_view key) const {
  Result<std::string> uri =
      guarded("ObjectStore::uri_of", [&]() -> Result<std::string> { return store_.uri_of(key); });
  return uri ? *std::move(uri) : std::string(key);
}

std::unique_ptr<ObjectLister> GuardedStore::list(std::string_view prefix,
                                                 std::string_view start_after) const {
  Listing listing =
      guarded("ObjectStore::list", [&]() -> Listing { return store_.list(prefix, start_after); });
  if (!listing) return std::make_unique<FailedLister>(std::move(listing).error());
  if (*listing == nullptr) {
    return std::make_unique<FailedLister>(
        Error{ErrorCode::kInternal, "the store returned no lister: ObjectStore::list gave null"});
  }
  return std::make_unique<GuardedLister>(*std::move(listing), start_after);
}

std::unique_ptr<ObjectLister> GuardedStore::list_level(std::string_view prefix) const {
  Listing listing =
      guarded("ObjectStore::list_level", [&]() -> Listing { return store_.list_level(prefix); });
  if (!listing) return std::make_unique<FailedLister>(std::move(listing).error());
  if (*listing == nullptr) return nullptr;
  return std::make_unique<GuardedLister>(*std::move(listing), std::string_view());
}

Result<std::unique_ptr<ObjectReader>> GuardedStore::open(const ObjectVersion& object,
                                                         std::uint64_t offset) const {
  Result<std::unique_ptr<ObjectReader>> reader =
      guarded("ObjectStore::open", [&] { return store_.open(object, offset); });
  if (!reader) return reader;
  if (*reader == nullptr) {
    return Error{ErrorCode::kInternal, "the store returned no reader: ObjectStore::open gave null"};
  }
  return std::unique_ptr<ObjectReader>(std::make_unique<GuardedReader>(*std::move(reader)));
}

Result<void> GuardedStore::remove(const ObjectVersion& object) {
  if (owned_ == nullptr) return ObjectStore::remove(object);
  return guarded("ObjectStore::remove", [&] { return owned_->remove(object); });
}

Result<void> GuardedStore::move(const ObjectVersion& object, std::string_view new_key) {
  if (owned_ == nullptr) return ObjectStore::move(object, new_key);
  return guarded("ObjectStore::move", [&] { return owned_->move(object, new_key); });
}

Result<void> GuardedStore::tag(const ObjectVersion& object, std::string_view name,
                               std::string_view value) {
  if (owned_ == nullptr) return ObjectStore::tag(object, name, value);
  return guarded("ObjectStore::tag", [&] { return owned_->tag(object, name, value); });
}

}  // namespace leat::connector
