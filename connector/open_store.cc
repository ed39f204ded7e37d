// Which store reads which source.

#include <memory>

#include "connector/local/local_store.h"
#include "connector/s3/s3_store.h"
#include "leat/object_store.h"

namespace leat {

Result<std::unique_ptr<ObjectStore>> open_store(const SourceUri& uri, const StoreOptions& options) {
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock();
  if (uri.scheme == SourceUri::Scheme::kLocal) {
    return std::unique_ptr<ObjectStore>(
        std::make_unique<connector::LocalStore>(options.local, clock));
  }
  return connector::s3::S3Store::open(uri.bucket, options);
}

}  // namespace leat
