// Lists the keys of a bucket, page by page.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "connector/s3/s3_client.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Trusts no server to come to an end: a listing that goes in circles or stands still is an error.
/// Borrows the client.
class S3Lister final : public ObjectLister {
 public:
  /// A bucket with many deleted versions can bring some pages without a key, but not so many.
  static constexpr std::size_t kEmptyPagesMax = 1'000;

  /// @param delimiter  See S3Client::list_page.
  S3Lister(S3Client& client, std::string_view prefix, std::string_view start_after,
           std::stop_token stop, std::string_view delimiter = {});

  /// A page that failed can be asked for again.
  Result<ListPage> next_page() override;
  void reuse(std::vector<ObjectVersion> objects) override { reusable_ = std::move(objects); }

 private:
  std::optional<Error> check_progress(const ListAnswer& answer);

  S3Client& client_;
  const std::string prefix_;
  const std::string start_after_;
  const std::stop_token stop_;
  const std::string delimiter_;
  std::string token_;
  std::vector<ObjectVersion> reusable_;
  // A token that comes again closes a circle. One is remembered, in place of a later one each time
  // that twice as many pages have come: that finds every circle.
  std::string remembered_token_;
  std::size_t pages_ = 0;
  std::size_t remembered_pages_ = 1;
  std::size_t empty_pages_ = 0;  // In a row.
  std::string first_key_;        // Of the last page that had one.
  std::string last_key_;
};

}  // namespace leat::connector::s3
