// Loads through a server where anything can go wrong at any moment: the rows that arrive are those
// of a load that was left alone, each once, in time. LEAT_FAULT_RUNS, LEAT_FAULT_SEED and
// LEAT_FAULT_FIRST_RUN make it longer, or repeat one run; see scripts/fault-test.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "leat/loader.h"
#include "tests/fault/fast_clock.h"
#include "tests/fault/fault.h"
#include "tests/fault/fault_lottery.h"
#include "tests/fault/s3_fixture.h"
#include "tests/parser/decode/encoders.h"
#include "tests/support/temporary_folder.h"

namespace leat::fault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kBucket = "leat-random-faults";
/// The token of listing-empty-page.fault goes before it.
constexpr const char* kPrefix = "test-load/";
constexpr int kObjects = 200;
constexpr int kClockSpeed = 20;
/// A run takes about half a second; it is 20 minutes of its own time.
constexpr seconds kDeadline{60};
/// Runs of `leat load` after which it must be done: a listing that fails for good ends one.
constexpr int kLoadsMax = 10;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// Rows of one object, whatever their order.
struct Digest {
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;  ///< Of a hash of each row, all of its columns.
  bool operator==(const Digest&) const = default;
};
using Table = std::map<std::string, Digest>;

Table digest_of(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK ||
      sqlite3_prepare_v2(database, "SELECT _object, * FROM t", -1, &statement, nullptr) !=
          SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(database));
  }
  const auto text_of = [&](int column) {
    const unsigned char* text = sqlite3_column_text(statement, column);
    return std::string(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  };
  Table table;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    Draw row(0);
    for (int i = 1; i < sqlite3_column_count(statement); ++i) {
      row.add(std::to_string(sqlite3_column_type(statement, i))).add(text_of(i));
    }
    Digest& digest = table[text_of(0)];
    ++digest.rows;
    digest.sum += row.below(SIZE_MAX);
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return table;
}

/// What is different, in words; empty: nothing is.
std::string difference(const Table& got, const Table& wanted) {
  for (const auto& [object, digest] : wanted) {
    const auto found = got.find(object);
    const Digest there = found == got.end() ? Digest{} : found->second;
    if (there == digest) continue;
    return object + " has " + std::to_string(there.rows) + " rows instead of " +
           std::to_string(digest.rows) + (there.rows == digest.rows ? ", and they differ" : "");
  }
  for (const auto& [object, digest] : got) {
    if (!wanted.contains(object)) return "rows of " + object + ", which there is not";
  }
  return {};
}

/// Ends what takes too long: first as a signal does, then the process.
class Watchdog {
 public:
  Watchdog(seconds limit, std::string what)
      : thread_([this, limit, what = std::move(what)](const std::stop_token& over) {
          std::unique_lock lock(mutex_);
          if (wake_.wait_for(lock, over, limit, [] { return false; }) || over.stop_requested()) {
            return;
          }
          late_ = true;
          stop_.request_stop();
          wake_.wait_for(lock, over, limit, [] { return false; });
          if (over.stop_requested()) return;
          std::fprintf(stderr, "%s does not even end when it is stopped\n", what.c_str());
          std::abort();
        }) {}

  std::stop_token stop() { return stop_.get_token(); }
  bool late() {
    const std::lock_guard lock(mutex_);
    return late_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::stop_source stop_;
  bool late_ = false;
  std::jthread thread_;
};

class RandomFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    if (server_url().empty()) {
      GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set: start tests/servers/radosgw";
    }
    put_objects();
    proxy_ = std::make_unique<FaultProxy>(server_url());
  }

  void put_objects() {
    const auto client = open_client(kBucket, store_options(server_url()));
    const auto created = client->create_bucket();
    ASSERT_TRUE(created.has_value()) << created.error().to_string();
    Draw draw(1);
    for (int i = 0; i < kObjects; ++i) {
      static constexpr std::array<const char*, 5> kFolders = {"a/", "b c/", "d+%/", "e//",
                                                              "\xc3\xa4/"};
      const std::string key = kPrefix + std::string(kFolders[draw.below(kFolders.size())]) +
                              "part " + std::to_string(i) + (i % 20 == 7 ? ".csv.gz" : ".csv");
      // Mostly small ones, a few of several ranges, and one of many.
      const std::size_t rows = i == 50              ? 6'000
                               : i % 50 == 1        ? 4'000
                               : key.ends_with("z") ? 300
                                                    : draw.below(20);
      std::string text = "id,name,amount\n";
      for (std::size_t row = 0; row < rows; ++row) {
        static constexpr std::array<const char*, 6> kNames = {
            "plain", "", "\"with, comma\"", "\"two\nlines\"", "\"a \"\"quoted\"\" word\"", "\"\""};
        text += std::to_string(id_++) + "," + kNames[draw.below(kNames.size())] + "," +
                std::to_string(draw.below(100'000)) + "." + std::to_string(draw.below(10)) + "\n";
      }
      if (key.ends_with(".gz")) text = parser::gzip(text, {.flush_every_bytes = 8'192});
      const auto stored = client->put_object(key, text);
      ASSERT_TRUE(stored.has_value()) << stored.error().to_string();
      sizes_["/" + std::string(kBucket) + "/" + key] = text.size();
    }
    // What a server holds that was used before.
    const auto listed = list_all(*open_bucket(kBucket, store_options(server_url())), kPrefix);
    ASSERT_TRUE(listed.has_value()) << listed.error().to_string();
    for (const ObjectVersion& object : *listed) {
      if (sizes_.contains("/" + std::string(kBucket) + "/" + object.key)) continue;
      ASSERT_TRUE(client->delete_object(object.key).has_value());
    }
  }

  LoaderOptions loader_options(const std::filesystem::path& folder, const std::string& url) const {
    LoaderOptions options;
    options.source.from = "s3://" + std::string(kBucket) + "/" + kPrefix + "**";
    options.source.state_dir = folder / "state";
    options.source.schema = *parse_schema("id bigint, name text, amount numeric(12,1)");
    options.source.store = store_options(url);
    options.source.store.s3.attempts_max = 10;
    options.source.store.s3.stall_timeout_ms = 500;
    options.source.once = true;
    options.source.lineage = true;
    options.source.threads = 2;
    options.source.memory_bytes_max = 64u << 20;
    options.to = "sqlite:" + (folder / "rows.db").string();
    options.sink.table = "t";
    options.checkpoint_interval = milliseconds(50);
    return options;
  }

  /// One load to its end, in as many runs as it takes.
  /// @return  What is wrong; empty: nothing is.
  std::string run(std::uint64_t seed, std::uint64_t number, const Table& truth,
                  std::vector<FaultLottery::Happened>& happened) {
    Draw draw(seed);
    draw.add("run").add(std::to_string(number));
    const std::uint64_t run_seed = draw.below(SIZE_MAX);
    static constexpr std::array<std::size_t, 5> kPercents = {2, 5, 10, 15, 25};
    static constexpr std::array<int, 4> kClockErrors = {0, 0, 3'600, -86'400};
    static constexpr std::array<std::uint64_t, 3> kReadMemory = {128u << 10, 1u << 20, 64u << 20};
    const std::size_t percent = kPercents[draw.below(kPercents.size())];
    const FastClock clock(kClockSpeed, seconds(kClockErrors[draw.below(kClockErrors.size())]));
    const testing::TemporaryFolder folder("leat-faults", testing::TemporaryFolder::in_memory());
    LoaderOptions options = loader_options(folder.path(), proxy_->url());
    options.source.clock = &clock;
    options.source.splits_in_flight_max = static_cast<std::uint32_t>(1 + draw.below(12));
    options.source.store.read_memory_bytes_max = kReadMemory[draw.below(kReadMemory.size())];
    options.source.store.s3.hedge_reads = draw.below(4) == 0;

    FaultLottery lottery(faults_, run_seed, percent, sizes_);
    proxy_->set([&](const SeenRequest& seen) { return lottery.draw(seen); });
    Watchdog watchdog(kDeadline, "run " + std::to_string(number));
    std::string wrong = load(std::move(options), watchdog);
    proxy_->set({});
    happened = lottery.happened();
    if (!wrong.empty()) return wrong;
    return difference(digest_of(folder.path() / "rows.db"), truth);
  }

  std::string load(const LoaderOptions& options, Watchdog& watchdog) {
    for (int i = 0; i < kLoadsMax; ++i) {
      auto loader = Loader::create(options);
      if (!loader) return loader.error().to_string();
      const Result<LoadReport> report = (*loader)->run(watchdog.stop(), {});
      if (watchdog.late()) return "it took longer than its deadline";
      if (report) {
        const SourceStats& stats = report->source;
        retries_ += stats.store.retries;
        if (stats.objects_quarantined != 0) return "objects are quarantined";
        if (stats.rows_rejected != 0) return "rows are rejected";
        if (stats.objects_changed != 0 || stats.objects_gone != 0)
          return "objects are not the same";
        return {};
      }
      if (!report.error().retryable) return report.error().to_string();
      ++failed_loads_;
    }
    return "it is not done after " + std::to_string(kLoadsMax) + " loads";
  }

  const std::vector<Fault> faults_ = load_faults();
  std::map<std::string, std::size_t> sizes_;
  std::uint64_t id_ = 0;
  std::uint64_t retries_ = 0;
  int failed_loads_ = 0;
  std::unique_ptr<FaultProxy> proxy_;
};

TEST_F(RandomFaults, ChangeNoRow) {
  const std::uint64_t runs = number_from_environment("LEAT_FAULT_RUNS", 3);
  const std::uint64_t seed = number_from_environment("LEAT_FAULT_SEED", 1);
  const std::uint64_t first = number_from_environment("LEAT_FAULT_FIRST_RUN", 0);

  const testing::TemporaryFolder folder;
  {
    Watchdog watchdog(kDeadline, "the load without faults");
    ASSERT_EQ(load(loader_options(folder.path(), server_url()), watchdog), "");
  }
  const Table truth = digest_of(folder.path() / "rows.db");
  std::uint64_t rows = 0;
  for (const auto& [object, digest] : truth) rows += digest.rows;
  ASSERT_EQ(rows, id_);

  retries_ = 0;
  std::uint64_t failed = 0;
  std::uint64_t count = 0;
  std::map<std::string, int> kinds;
  milliseconds longest{0};
  for (std::uint64_t number = first; number < first + runs; ++number) {
    std::vector<FaultLottery::Happened> happened;
    const auto start = std::chrono::steady_clock::now();
    const std::string wrong = run(seed, number, truth, happened);
    const auto took =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    longest = std::max(longest, took);
    count += happened.size();
    for (const FaultLottery::Happened& one : happened) ++kinds[one.fault->name];
    if (!wrong.empty()) {
      ++failed;
      ADD_FAILURE() << "run " << number << " of seed " << seed << ": " << wrong
                    << "\nRepeat it with: scripts/fault-test 1 " << seed << " " << number;
      for (const FaultLottery::Happened& one : happened) {
        std::fprintf(stderr, "  %s: %s\n", one.fault->name.c_str(), one.request.c_str());
      }
    }
    if ((number - first + 1) % 100 == 0) {
      std::printf("%llu runs, %llu of them wrong, %llu faults\n",
                  static_cast<unsigned long long>(number - first + 1),
                  static_cast<unsigned long long>(failed), static_cast<unsigned long long>(count));
      std::fflush(stdout);
    }
  }
  std::printf(
      "seed %llu: %llu runs of %llu rows, %llu of them wrong; %llu faults of %zu kinds, %llu "
      "retries, "
      "%d loads that had to be run again; the longest run took %lld ms\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(runs),
      static_cast<unsigned long long>(rows), static_cast<unsigned long long>(failed),
      static_cast<unsigned long long>(count), kinds.size(),
      static_cast<unsigned long long>(retries_), failed_loads_,
      static_cast<long long>(longest.count()));
  EXPECT_GT(count, runs);
}

}  // namespace
}  // namespace leat::fault
