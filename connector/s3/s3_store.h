// One bucket of an S3 service as an object store.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "connector/s3/credentials.h"
#include "connector/s3/read_budget.h"
#include "connector/s3/s3_client.h"
#include "leat/object_store.h"

namespace leat::connector::s3 {

/// Keys are bytes, exactly as S3 has them; versions are ETags as sent. Thread-safe.
class S3Store final : public ObjectStore {
 public:
  /// Resolves region, endpoint and credentials; sends nothing.
  ///   See resolve_settings and parse_endpoint.
  static Result<std::unique_ptr<ObjectStore>> open(const std::string& bucket,
                                                   const StoreOptions& options);
  S3Store(std::unique_ptr<S3Client> client, std::uint64_t read_memory_bytes_max,
          std::stop_token stop = {});

  std::string uri() const override { return "s3://" + client_->bucket(); }
  std::string uri_of(std::string_view key) const override;
  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after = {}) const override;
  bool lists_from_any_key() const noexcept override { return true; }
  std::unique_ptr<ObjectLister> list_level(std::string_view prefix) const override;
  /// Sends nothing: the first read does.
  ///   kInvalidArgument  offset > object.size.
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override;
  Result<void> remove(const ObjectVersion& object) override;
  /// A copy within the bucket, then a removal: a crash in between leaves both, and a repetition
  /// finishes it.
  Result<void> move(const ObjectVersion& object, std::string_view new_key) override;
  Result<void> tag(const ObjectVersion& object, std::string_view name,
                   std::string_view value) override;
  StoreStats stats() const noexcept override { return client_->stats(); }

 private:
  const std::unique_ptr<S3Client> client_;
  mutable ReadBudget read_budget_;
  const std::stop_token stop_;
};

/// The client behind S3Store::open, for tools that also write.
Result<std::unique_ptr<S3Client>> make_s3_client(const std::string& bucket,
                                                 const StoreOptions& options);
/// The same, with settings that are resolved already.
Result<std::unique_ptr<S3Client>> make_s3_client(const std::string& bucket,
                                                 const StoreOptions& options,
                                                 const S3Settings& settings);

}  // namespace leat::connector::s3
