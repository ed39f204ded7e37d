#include "tests/support/test_bucket.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>

#include "connector/s3/s3_client.h"
#include "connector/s3/s3_store.h"
#include "connector/s3/write_xml.h"

namespace leat::testing {
namespace {

class FolderBucket final : public TestBucket {
 public:
  explicit FolderBucket(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void put(const std::string& key, std::string_view content) override {
    const std::filesystem::path path = folder_ / key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << content;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
    // Long settled: a run need not wait for it.
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> keys;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file()) keys.push_back(entry.path().lexically_relative(folder_));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  std::vector<std::string> tags(const std::string&) const override { return {}; }

  std::vector<std::string> flags() const override {
    return {"--from=" + (folder_ / "in" / "**" / "*.csv").string()};
  }

 private:
  const std::filesystem::path folder_;
};

/// The flags hold no key: the process that runs them finds it in the environment, as any AWS tool
/// does.
class S3Bucket final : public TestBucket {
 public:
  S3Bucket(std::string name, std::string endpoint, const char* access_key, const char* secret_key)
      : name_(std::move(name)), endpoint_(std::move(endpoint)) {
    ::setenv("AWS_ACCESS_KEY_ID", access_key, 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", secret_key, 1);
    StoreOptions options;
    options.s3.endpoint_url = endpoint_;
    auto client = connector::s3::make_s3_client(name_, options);
    if (!client) throw std::runtime_error(client.error().to_string());
    client_ = std::move(*client);
    if (const auto created = client_->create_bucket(); !created) {
      throw std::runtime_error(created.error().to_string());
    }
  }

  void put(const std::string& key, std::string_view content) override {
    if (const auto stored = client_->put_object(key, content); !stored) {
      throw std::runtime_error(stored.error().to_string());
    }
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> keys;
    std::string token;
    do {
      const auto page = client_->list_page("", "", token);
      if (!page) throw std::runtime_error(page.error().to_string());
      for (const ObjectVersion& object : page->objects) keys.push_back(object.key);
      token = page->next_token;
    } while (!token.empty());
    return keys;
  }

  std::vector<std::string> tags(const std::string& key) const override {
    connector::s3::WriteAnswerReader reader("Tagging");
    const auto got =
        client_->requester().perform({.operation = connector::s3::RequestContext::Operation::kTag,
                                      .key = key,
                                      .method = "GET",
                                      .query = {{"tagging", ""}}},
                                     {}, reader.check());
    if (!got) throw std::runtime_error(got.error().to_string());
    std::vector<std::string> tags;
    for (const auto& [name, value] : reader.answer().tags) tags.push_back(name + "=" + value);
    return tags;
  }

  std::vector<std::string> flags() const override {
    return {"--from=s3://" + name_ + "/in/**/*.csv", "--endpoint-url=" + endpoint_};
  }

 private:
  const std::string name_;
  const std::string endpoint_;
  std::unique_ptr<connector::s3::S3Client> client_;
};

}  // namespace

std::unique_ptr<TestBucket> make_folder_bucket(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "in");
  return std::make_unique<FolderBucket>(folder);
}

std::unique_ptr<TestBucket> make_s3_bucket(const std::string& name) {
  const char* endpoint = std::getenv("LEAT_TEST_S3_ENDPOINT");
  const char* access_key = std::getenv("LEAT_TEST_S3_ACCESS_KEY");
  const char* secret_key = std::getenv("LEAT_TEST_S3_SECRET_KEY");
  if (endpoint == nullptr || access_key == nullptr || secret_key == nullptr) return nullptr;
  return std::make_unique<S3Bucket>(name + "-" + std::to_string(std::random_device{}()), endpoint,
                                    access_key, secret_key);
}

}  // namespace leat::testing
