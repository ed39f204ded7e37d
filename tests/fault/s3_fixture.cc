#include "tests/fault/s3_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <utility>

#include "connector/s3/s3_store.h"

namespace leat::fault {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return *std::move(result);
}

}  // namespace

std::string server_url() { return variable("LEAT_TEST_S3_ENDPOINT"); }

StoreOptions store_options(const std::string& url, const Clock* clock) {
  StoreOptions options;
  options.clock = clock;
  options.s3.endpoint_url = url;
  options.s3.region = "us-east-1";
  options.s3.credentials =
      S3Credentials{.access_key_id = variable("LEAT_TEST_S3_ACCESS_KEY"),
                    .secret_access_key = Secret(variable("LEAT_TEST_S3_SECRET_KEY")),
                    .session_token = Secret()};
  options.s3.attempts_max = 4;
  options.s3.stall_timeout_ms = 1'000;
  return options;
}

std::unique_ptr<ObjectStore> open_bucket(const std::string& bucket, const StoreOptions& options) {
  return value_or_throw(
      open_store({.scheme = SourceUri::Scheme::kS3, .bucket = bucket, .pattern = "**"}, options));
}

std::unique_ptr<connector::s3::S3Client> open_client(const std::string& bucket,
                                                     const StoreOptions& options) {
  return value_or_throw(connector::s3::make_s3_client(bucket, options));
}

Result<std::vector<ObjectVersion>> list_all(const ObjectStore& store, const std::string& prefix) {
  std::vector<ObjectVersion> objects;
  const auto lister = store.list(prefix, "");
  while (true) {
    Result<ListPage> page = lister->next_page();
    if (!page) return std::move(page).error();
    std::move(page->objects.begin(), page->objects.end(), std::back_inserter(objects));
    if (page->last) return objects;
  }
}

Result<void> read_all(const ObjectStore& store, const ObjectVersion& object, std::string& text,
                      std::size_t step) {
  auto reader = store.open(object, 0);
  if (!reader) return std::move(reader).error();
  std::vector<std::byte> buffer(step);
  while (true) {
    const auto received = (*reader)->read(buffer);
    if (!received) return received.error();
    if (*received == 0) return {};
    text.append(reinterpret_cast<const char*>(buffer.data()), *received);
  }
}

std::string random_bytes(std::size_t length, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(length, ' ');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

void S3FaultTest::SetUp() {
  if (server_url().empty()) {
    GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set: start tests/servers/radosgw";
  }
  prefix_ = "test-" + std::to_string(std::random_device{}()) + "/";
  direct_client_ = open_client(kBucket, store_options(server_url()));
  const auto created = direct_client_->create_bucket();
  ASSERT_TRUE(created.has_value()) << created.error().to_string();
  direct_ = open_bucket(kBucket, store_options(server_url()));
  proxy_ = std::make_unique<FaultProxy>(server_url());
}

ObjectVersion S3FaultTest::put(const std::string& name, const std::string& bytes) {
  const std::string key = prefix_ + name;
  const std::string etag = value_or_throw(direct_client_->put_object(key, bytes));
  return {.key = key, .version = etag, .size = bytes.size()};
}

std::string S3FaultTest::stored(const std::string& key) {
  std::string text;
  const auto objects = value_or_throw(list_all(*direct_, key));
  if (objects.empty()) return "(no object)";
  if (const auto read = read_all(*direct_, objects.front(), text); !read) {
    return read.error().to_string();
  }
  return text;
}

}  // namespace leat::fault
