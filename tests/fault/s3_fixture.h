// A bucket of the real server, reached directly and through the proxy.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connector/s3/s3_client.h"
#include "leat/object_store.h"
#include "tests/fault/fault_proxy.h"
#include "tests/fault/hurried_clock.h"

namespace leat::fault {

/// Empty: no server.
std::string server_url();

/// `clock` nullptr: the machine's.
StoreOptions store_options(const std::string& url, const Clock* clock = nullptr);

/// A store of `bucket`. Throws when it cannot be opened.
std::unique_ptr<ObjectStore> open_bucket(const std::string& bucket, const StoreOptions& options);
std::unique_ptr<connector::s3::S3Client> open_client(const std::string& bucket,
                                                     const StoreOptions& options);

/// All objects below `prefix`.
Result<std::vector<ObjectVersion>> list_all(const ObjectStore& store, const std::string& prefix);
/// The object's bytes, in pieces of `step`; `text` holds those before an error, too.
Result<void> read_all(const ObjectStore& store, const ObjectVersion& object, std::string& text,
                      std::size_t step = 10'000);

std::string random_bytes(std::size_t length, std::uint64_t seed);

/// Each test has a prefix of its own in a bucket that all share.
class S3FaultTest : public ::testing::Test {
 protected:
  static constexpr const char* kBucket = "leat-fault-test";

  void SetUp() override;
  /// Straight to the server, below prefix_.
  ObjectVersion put(const std::string& name, const std::string& bytes);
  /// Straight from the server.
  std::string stored(const std::string& key);

  std::string prefix_;
  std::unique_ptr<connector::s3::S3Client> direct_client_;
  std::unique_ptr<ObjectStore> direct_;
  std::unique_ptr<FaultProxy> proxy_;
};

}  // namespace leat::fault
