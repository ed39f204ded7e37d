// An object that is overwritten again and again while it is read, through a server where anything
// can go wrong: whatever is handed out is of one version. LEAT_FAULT_OVERWRITES and LEAT_FAULT_SEED
// make it longer.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/fast_clock.h"
#include "tests/fault/fault_lottery.h"
#include "tests/fault/s3_fixture.h"

namespace leat::fault {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

class Overwrites : public S3FaultTest {
 protected:
  static constexpr std::size_t kRowBytes = 16;

  static std::string row_of(std::uint64_t version) {
    const std::string number = std::to_string(version);
    return std::string(kRowBytes - 1 - number.size(), '0') + number + "\n";
  }
  void write(std::uint64_t version) {
    std::string text;
    // Not all of one size: a mixture must not show by its length alone.
    for (std::size_t i = 0; i < 12'000 - version % 2; ++i) text += row_of(version);
    put("a", text);
  }
};

TEST_F(Overwrites, MixNoRowsUnderFaults) {
  const std::uint64_t versions = number_from_environment("LEAT_FAULT_OVERWRITES", 40);
  const std::uint64_t seed = number_from_environment("LEAT_FAULT_SEED", 1);
  write(0);
  // Overwritten as soon as the first rows of a version have been read.
  std::counting_semaphore<> first_rows_read(0);
  std::atomic<std::uint64_t> written = 0;
  std::jthread writer([&](const std::stop_token& stop) {
    for (std::uint64_t version = 1; version < versions; ++version) {
      first_rows_read.acquire();
      if (stop.stop_requested()) return;
      write(version);
      written = version;
      written.notify_one();
    }
  });
  // Whatever happens, it ends: before `writer` is waited for.
  const std::shared_ptr<void> end_writer(nullptr, [&](void*) {
    writer.request_stop();
    first_rows_read.release();
  });

  const std::vector<Fault> faults = load_faults();
  const std::map<std::string, std::size_t> no_sizes;
  FaultLottery lottery(faults, seed, 10, no_sizes);
  proxy_->set([&](const SeenRequest& seen) { return lottery.draw(seen); });
  const FastClock clock(20);
  StoreOptions options = store_options(proxy_->url(), &clock);
  options.read_memory_bytes_max = 128u << 10;  // Three ranges and more for each read.
  options.s3.attempts_max = 10;
  options.s3.stall_timeout_ms = 500;
  const auto store = open_bucket(kBucket, options);

  std::uint64_t reads = 0;
  int whole = 0;
  int changed_midway = 0;
  int failed = 0;
  std::string last;
  while (last != row_of(versions - 1)) {
    const auto objects = list_all(*store, prefix_ + "a");
    if (!objects) {
      ASSERT_TRUE(objects.error().retryable) << objects.error().to_string();
      ++failed;
      continue;
    }
    ASSERT_EQ(objects->size(), 1u);
    auto reader = store->open(objects->front(), 0);
    std::string text;
    std::vector<std::byte> buffer(50'000);
    Result<std::size_t> received = std::size_t{0};
    while ((received = (*reader)->read(buffer)) && *received != 0) {
      if (text.empty()) {
        first_rows_read.release();
        ++reads;
        // Every other time it goes on when the object is another one, else it does not wait.
        for (std::uint64_t now = written; reads % 2 == 0 && reads < versions && now < reads;
             now = written) {
          written.wait(now);
        }
      }
      text.append(reinterpret_cast<const char*>(buffer.data()), *received);
    }
    for (std::size_t i = 0; i + kRowBytes <= text.size(); i += kRowBytes) {
      ASSERT_EQ(text.substr(i, kRowBytes), text.substr(0, kRowBytes)) << "row " << i / kRowBytes;
    }
    if (received) {
      EXPECT_EQ(text.size(), objects->front().size);
      last = text.substr(0, kRowBytes);
      ++whole;
    } else if (received.error().code == ErrorCode::kObjectChanged) {
      changed_midway += !text.empty();
    } else {
      ASSERT_TRUE(received.error().retryable) << received.error().to_string();
      ++failed;
    }
  }
  proxy_->set({});
  std::printf(
      "%llu versions, %zu faults: %d whole reads, %d that changed after their first rows, "
      "%d that failed\n",
      static_cast<unsigned long long>(versions), lottery.happened().size(), whole, changed_midway,
      failed);
  EXPECT_GE(static_cast<std::uint64_t>(changed_midway), versions / 4);
  EXPECT_FALSE(lottery.happened().empty());
}

}  // namespace
}  // namespace leat::fault
