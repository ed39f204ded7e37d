// A place that a test puts objects into and leat reads them from: a folder, or a bucket of the S3
// server that the tests were given.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

class TestBucket {
 public:
  virtual ~TestBucket() = default;
  /// Throws when it cannot.
  virtual void put(const std::string& key, std::string_view content) = 0;
  /// All of its objects, in the byte order of their keys.
  virtual std::vector<std::string> keys() const = 0;
  /// "name=value" of each tag of an object; a folder's have none.
  virtual std::vector<std::string> tags(const std::string& key) const = 0;
  /// The command's flags that read everything below "in/".
  virtual std::vector<std::string> flags() const = 0;
};

std::unique_ptr<TestBucket> make_folder_bucket(const std::filesystem::path& folder);

/// A new bucket whose name begins with `name`; nullptr when there is no S3 server.
std::unique_ptr<TestBucket> make_s3_bucket(const std::string& name);

}  // namespace leat::testing
