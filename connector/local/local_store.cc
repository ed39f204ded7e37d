#include "connector/local/local_store.h"

#include <sys/stat.h>

#include "connector/local/local_lister.h"
#include "connector/local/local_reader.h"

namespace leat::connector {

LocalStore::LocalStore(LocalOptions options, const Clock& clock)
    : options_(options), clock_(clock) {}

std::unique_ptr<ObjectLister> LocalStore::list(std::string_view prefix,
                                               std::string_view start_after) const {
  return std::make_unique<LocalLister>(prefix, start_after, options_.settle_ms, clock_, counters_);
}

Result<std::unique_ptr<ObjectReader>> LocalStore::open(const ObjectVersion& object,
                                                       std::uint64_t offset) const {
  Result<std::unique_ptr<LocalReader>> reader = LocalReader::open(object, offset, counters_);
  if (!reader) return std::move(reader).error();
  return std::unique_ptr<ObjectReader>(*std::move(reader));
}

StoreStats LocalStore::stats() const noexcept {
  return {.list_requests = counters_.pages.load(std::memory_order_relaxed),
          .get_requests = counters_.files_opened.load(std::memory_order_relaxed),
          .retries = 0,
          .bytes_read = counters_.bytes_read.load(std::memory_order_relaxed)};
}

std::string local_version(const struct stat& status) {
  const std::int64_t modified_ns =
      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return std::to_string(modified_ns) + "-" + std::to_string(status.st_ino);
}

}  // namespace leat::connector
