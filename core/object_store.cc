// What a store does that can do no more than list and read.
#include "leat/object_store.h"

namespace leat {
namespace {

Error cannot(std::string_view what, const ObjectStore& store, const ObjectVersion& object) {
  return {
      .code = ErrorCode::kUnsupported,
      .message = "this store cannot " + std::string(what) + " objects",
      .at = {.object = store.uri_of(object.key), .record = {}, .byte_offset = {}, .column = {}}};
}

}  // namespace

Result<std::size_t> ObjectReader::read_at(std::uint64_t /*offset*/,
                                          std::span<std::byte> /*out*/) const {
  return Error{ErrorCode::kUnsupported, "objects of this store are read from front to back"};
}

std::unique_ptr<ObjectLister> ObjectStore::list_level(std::string_view /*prefix*/) const {
  return nullptr;
}

Result<void> ObjectStore::remove(const ObjectVersion& object) {
  return cannot("remove", *this, object);
}

Result<void> ObjectStore::move(const ObjectVersion& object, std::string_view /*new_key*/) {
  return cannot("move", *this, object);
}

Result<void> ObjectStore::tag(const ObjectVersion& object, std::string_view /*name*/,
                              std::string_view /*value*/) {
  return cannot("tag", *this, object);
}

}  // namespace leat
