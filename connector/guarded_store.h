// A store of the caller's own, held to what ObjectStore says.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "leat/object_store.h"

namespace leat::connector {

/// Passes every call on. An exception that comes out of the store, its listers or its readers
/// becomes an Error of kInternal that says of which call, and so does a null that may not be one:
/// both would end the process on a thread that the caller never sees. As thread-safe as the store.
class GuardedStore final : public ObjectStore {
 public:
  /// @param store  Not null.
  ///   kInternal  An exception came out of its uri().
  static Result<std::unique_ptr<ObjectStore>> of(std::unique_ptr<ObjectStore> store);
  /// Borrows `store`, which nobody is to change: remove, move and tag are refused.
  explicit GuardedStore(const ObjectStore& store) : store_(store) {}

  std::string uri() const override { return uri_; }
  std::string uri_of(std::string_view key) const override;
  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after) const override;
  bool lists_from_any_key() const noexcept override { return store_.lists_from_any_key(); }
  std::unique_ptr<ObjectLister> list_level(std::string_view prefix) const override;
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override;
  Result<void> remove(const ObjectVersion& object) override;
  Result<void> move(const ObjectVersion& object, std::string_view new_key) override;
  Result<void> tag(const ObjectVersion& object, std::string_view name,
                   std::string_view value) override;
  StoreStats stats() const noexcept override { return store_.stats(); }

 private:
  GuardedStore(std::unique_ptr<ObjectStore> store, std::string uri)
      : owned_(std::move(store)), store_(*owned_), uri_(std::move(uri)) {}

  const std::unique_ptr<ObjectStore> owned_;
  const ObjectStore& store_;
  const std::string uri_;  ///< Of the owned one: asked for once, where it can be said to fail.
};

}  // namespace leat::connector
