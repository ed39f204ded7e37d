#include "connector/s3/s3_lister.h"

#include <utility>
#include <vector>

namespace leat::connector::s3 {

S3Lister::S3Lister(S3Client& client, std::string_view prefix, std::string_view start_after,
                   std::stop_token stop, std::string_view delimiter)
    : client_(client),
      prefix_(prefix),
      start_after_(start_after),
      stop_(std::move(stop)),
      delimiter_(delimiter) {}

Result<ListPage> S3Lister::next_page() {
  Result<ListAnswer> answer = client_.list_page(prefix_, start_after_, token_, stop_, delimiter_,
                                                std::exchange(reusable_, {}));
  if (!answer) return std::move(answer).error();
  if (answer->truncated) {
    if (std::optional<Error> error = check_progress(*answer)) return *std::move(error);
  }
  token_ = answer->truncated ? std::move(answer->next_token) : std::string();
  ListPage page;
  page.objects = std::move(answer->objects);
  page.folders = std::move(answer->folders);
  page.last = !answer->truncated;
  return page;
}

std::optional<Error> S3Lister::check_progress(const ListAnswer& answer) {
  const auto endless = [&](const std::string& what) {
    Error error{.code = ErrorCode::kCorrupt,
                .message = "listing s3://" + client_.bucket() + ": " + what +
                           ": the listing would never end; the server does not implement "
                           "ListObjectsV2 fully"};
    error.at.object = "s3://" + client_.bucket() + "/" + prefix_;
    return error;
  };
  if (answer.next_token == remembered_token_) {
    return endless("the server repeats its continuation tokens");
  }
  if (++pages_ == remembered_pages_ * 2) {
    remembered_pages_ = pages_;
    remembered_token_ = answer.next_token;
  }
  if (answer.objects.empty() && answer.folders.empty()) {
    if (++empty_pages_ < kEmptyPagesMax) return std::nullopt;
    return endless(std::to_string(kEmptyPagesMax) + " pages in a row have no key");
  }
  empty_pages_ = 0;
  const bool of_folders = answer.objects.empty();
  const std::string& first = of_folders ? answer.folders.front() : answer.objects.front().key;
  const std::string& last = of_folders ? answer.folders.back() : answer.objects.back().key;
  if (first == first_key_ && last == last_key_) {
    return endless("the server sends the same page again");
  }
  first_key_ = first;
  last_key_ = last;
  return std::nullopt;
}

}  // namespace leat::connector::s3
