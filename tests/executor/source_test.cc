#include "leat/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "state/ledger.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::MemoryStore;
using testing::TemporaryFolder;

/// "id,name" and `rows` records with ids from `first`, padded so that an object of some thousand
/// rows takes many chunks.
std::string csv(int first, int rows, std::size_t padding = 0) {
  std::string text = "id,name\n";
  for (int i = first; i < first + rows; ++i) {
    text += std::to_string(i) + ",n" + std::string(padding, 'x') + "\n";
  }
  return text;
}

class SourceTest : public ::testing::Test {
 protected:
  SourceOptions options() {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.schema = *parse_schema("id bigint, name text");
    options.memory_bytes_max = 16u << 20;
    options.splits_in_flight_max = 4;
    options.threads = 2;
    options.clock = &clock_;
    options.log = [this](SourceOptions::LogLevel, const std::string& message) {
      const std::lock_guard lock(log_mutex_);
      log_ += message + "\n";
    };
    return options;
  }

  Result<std::unique_ptr<Source>> open(SourceOptions options,
                                       std::optional<Checkpoint> recovered = {}) {
    return Source::open(std::move(options), std::make_unique<MemoryStore>(store_),
                        std::move(recovered));
  }

  std::unique_ptr<Source> opened(SourceOptions options, std::optional<Checkpoint> recovered = {}) {
    Result<std::unique_ptr<Source>> source = open(std::move(options), std::move(recovered));
    if (!source) {
      ADD_FAILURE() << source.error().to_string();
      return nullptr;
    }
    return std::move(*source);
  }

  /// Polls to the end and commits once. Ids per object, in order of arrival.
  std::map<std::string, std::vector<std::int64_t>> load(SourceOptions options) {
    std::map<std::string, std::vector<std::int64_t>> ids;
    std::unique_ptr<Source> source = opened(std::move(options));
    if (source == nullptr) return ids;
    while (true) {
      Result<Polled> polled = source->poll(1s);
      if (!polled) {
        ADD_FAILURE() << polled.error().to_string();
        return ids;
      }
      if (polled->kind == Polled::Kind::kEnd) break;
      if (polled->kind == Polled::Kind::kDiscard) ids.erase(polled->discarded->key);
      if (polled->kind == Polled::Kind::kRows) append(polled->rows, ids[polled->rows.split->key]);
    }
    const Result<void> committed = source->commit(source->checkpoint());
    EXPECT_TRUE(committed) << committed.error().to_string();
    stats_ = source->stats();
    return ids;
  }

  static void append(const RowChunk& chunk, std::vector<std::int64_t>& ids) {
    for (std::int64_t row = 0; row < chunk.rows; ++row) {
      ids.push_back(chunk.columns[0].at<std::int64_t>(row));
    }
  }

  std::vector<SplitProgress> ledger_entries() {
    std::vector<SplitProgress> entries;
    auto ledger = state::Ledger::open({.dir = folder_.path() / "state", .read_only = true});
    EXPECT_TRUE(ledger) << ledger.error().to_string();
    if (!ledger) return entries;
    EXPECT_TRUE((*ledger)->scan([&](const SplitProgress& progress) {
      entries.push_back(progress);
      return true;
    }));
    return entries;
  }

  static std::vector<std::int64_t> sequence(std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = first; i < first + count; ++i) numbers.push_back(i);
    return numbers;
  }

  TemporaryFolder folder_{"leat-source"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
  SourceStats stats_;
  std::mutex log_mutex_;
  std::string log_;
};

TEST_F(SourceTest, DeliversEveryRowOfEveryObjectInOrder) {
  for (int i = 0; i < 20; ++i) {
    store_->put("/in/" + std::to_string(i) + ".csv", csv(i * 10'000, 3'000, 100));
  }
  const auto ids = load(options());
  ASSERT_EQ(ids.size(), 20u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ids.at("/in/" + std::to_string(i) + ".csv"),
              sequence(std::int64_t{i} * 10'000, 3'000));
  }
  EXPECT_EQ(stats_.rows, 60'000u);
  EXPECT_EQ(stats_.objects_finished, 20u);
}

TEST_F(SourceTest, SecondRunDeliversOnlyWhatIsNew) {
  store_->put("/in/b", csv(0, 5));
  store_->put("/in/d", csv(5, 5));
  EXPECT_EQ(load(options()).size(), 2u);
  EXPECT_TRUE(load(options()).empty());
  store_->put("/in/a", csv(10, 5));
  store_->put("/in/c", csv(15, 5));
  store_->put("/in/e", csv(20, 5));
  const auto ids = load(options());
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids.at("/in/c"), sequence(15, 5));
}

TEST_F(SourceTest, EmptyObjectsAndHeadersAloneAreFinishedWithoutRows) {
  store_->put("/in/empty", "");
  store_->put("/in/header", "id,name\n");
  store_->put("/in/folder/", "");
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_finished, 2u);
}

// Stops the source after some polls, with what the last one brought not committed in every other
// run, and goes on: the rows must come out as if nothing had happened.
TEST_F(SourceTest, ResumesExactlyWhereverItWasStopped) {
  store_->put("/in/large", csv(0, 8'000, 200));
  store_->put("/in/small", csv(100'000, 10));
  store_->put("/in/wide", csv(200'000, 4'000, 300));
  std::vector<std::int64_t> expected = sequence(0, 8'000);
  for (const auto& more : {sequence(100'000, 10), sequence(200'000, 4'000)}) {
    expected.insert(expected.end(), more.begin(), more.end());
  }
  for (const int polls : {2, 5, 12}) {
    SourceOptions source_options = options();
    source_options.state_dir = folder_.path() / ("state" + std::to_string(polls));
    source_options.splits_in_flight_max = 16;  // Small chunks.
    std::vector<std::int64_t> committed;
    bool ended = false;
    int runs = 0;
    for (; !ended; ++runs) {
      std::unique_ptr<Source> source = opened(source_options);
      ASSERT_NE(source, nullptr);
      for (int poll = 1; poll <= polls && !ended; ++poll) {
        Result<Polled> polled = source->poll(10s);
        ASSERT_TRUE(polled) << polled.error().to_string();
        ended = polled->kind == Polled::Kind::kEnd;
        if (poll == polls && runs % 2 == 0 && !ended) break;
        append(polled->rows, committed);
        ASSERT_TRUE(source->commit(source->checkpoint()));
      }
    }
    std::sort(committed.begin(), committed.end());
    EXPECT_EQ(committed, expected) << "stopped after every " << polls << " polls";
    EXPECT_GT(runs, 3);
  }
}

TEST_F(SourceTest, ConsumersCheckpointOutranksTheLedger) {
  store_->put("/in/a", csv(0, 8'000, 100));
  std::vector<std::int64_t> durable;
  std::optional<Checkpoint> kept;
  {
    std::unique_ptr<Source> source = opened(options());
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled);
    ASSERT_EQ(polled->kind, Polled::Kind::kRows);
    append(polled->rows, durable);
    // The consumer keeps rows and checkpoint, and dies before the ledger hears of it.
    kept = *Checkpoint::decode(source->checkpoint().encode());
  }
  std::unique_ptr<Source> source = opened(options(), kept);
  while (true) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled);
    if (polled->kind == Polled::Kind::kEnd) break;
    if (polled->kind == Polled::Kind::kRows) append(polled->rows, durable);
  }
  EXPECT_EQ(durable, sequence(0, 8'000));
}

TEST_F(SourceTest, RefusesACheckpointBehindTheLedger) {
  store_->put("/in/a", csv(0, 5));
  load(options());
  Result<std::unique_ptr<Source>> source = open(options(), Checkpoint{});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kStateMismatch);
  EXPECT_NE(source.error().message.find("epoch 1"), std::string::npos) << source.error().message;
  // The same number, but another history.
  source = open(options(), Checkpoint{.epoch = 1, .splits = {}, .token = 12345});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kStateMismatch);
}

TEST_F(SourceTest, RefusesASecondSourceOnTheSameState) {
  std::unique_ptr<Source> first = opened(options());
  Result<std::unique_ptr<Source>> second = open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyOpen);
}

TEST_F(SourceTest, RefusesAStateFolderOfAnotherPipeline) {
  SourceOptions first = options();
  first.pipeline = "orders";
  load(first);
  SourceOptions second = options();
  second.pipeline = "events";
  Result<std::unique_ptr<Source>> source = open(second);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kStateMismatch);
}

TEST_F(SourceTest, QuarantinesABadObjectAndLoadsTheOthers) {
  store_->put("/in/a", csv(0, 5));
  store_->put("/in/b", csv(10, 2) + "not a number,x\n" + "13,y\n");
  store_->put("/in/c", csv(20, 5));
  const auto ids = load(options());
  EXPECT_EQ(ids.at("/in/a"), sequence(0, 5));
  EXPECT_EQ(ids.at("/in/b"), sequence(10, 2));
  EXPECT_EQ(ids.at("/in/c"), sequence(20, 5));
  EXPECT_EQ(stats_.objects_finished, 2u);
  EXPECT_EQ(stats_.objects_quarantined, 1u);
  const auto entries = ledger_entries();
  ASSERT_EQ(entries.size(), 3u);
  const auto bad = std::find_if(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.state == SplitState::kQuarantined;
  });
  ASSERT_NE(bad, entries.end());
  EXPECT_EQ(bad->object.key, "/in/b");
  EXPECT_EQ(bad->rows, 2u);
  ASSERT_TRUE(bad->error.has_value());
  EXPECT_EQ(bad->error->code, ErrorCode::kBadValue);
  EXPECT_EQ(bad->error->at.record, 3u);
  EXPECT_EQ(bad->error->at.column, "id");
  EXPECT_TRUE(load(options()).empty()) << "a quarantined object is not read again by itself";
}

TEST_F(SourceTest, ReadsAQuarantinedObjectAgainInANewVersionWhenNothingWasDelivered) {
  store_->put("/in/a", "id,name\noops,x\n");
  EXPECT_TRUE(load(options()).empty());
  store_->put("/in/a", csv(0, 3));
  EXPECT_EQ(load(options()).at("/in/a"), sequence(0, 3));
}

TEST_F(SourceTest, RejectsRowsByPolicy) {
  store_->put("/in/a", csv(0, 2) + "oops,x\n" + "3,y\n");
  SourceOptions source_options = options();
  source_options.format.on_error = OnError::kReject;
  const auto ids = load(source_options);
  EXPECT_EQ(ids.at("/in/a"), (std::vector<std::int64_t>{0, 1, 3}));
  EXPECT_EQ(stats_.rows_rejected, 1u);
  EXPECT_EQ(stats_.objects_finished, 1u);
}

TEST_F(SourceTest, MarksAnObjectThatVanishedAsGone) {
  store_->put("/in/a", csv(0, 3));
  store_->put("/in/b", csv(3, 3));
  store_->before_read = [this](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key == "/in/a") store_->remove("/in/a");
    return std::nullopt;
  };
  const auto ids = load(options());
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(stats_.objects_gone, 1u);
  EXPECT_EQ(stats_.objects_finished, 1u);
}

TEST_F(SourceTest, TakesUpTheNewVersionOfAnObjectThatChangedWhileBeingRead) {
  store_->put("/in/a", csv(0, 8'000, 200));
  std::atomic<bool> replaced = false;
  store_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    if (offset > 500'000 && !replaced.exchange(true)) store_->put("/in/a", csv(100'000, 50));
    return std::nullopt;
  };
  const auto ids = load(options());
  EXPECT_EQ(ids.at("/in/a"), sequence(100'000, 50));
  EXPECT_EQ(stats_.rows, 50u);
  EXPECT_EQ(stats_.objects_finished, 1u);
  EXPECT_TRUE(load(options()).empty());
}

TEST_F(SourceTest, KeepsVersionsApartWhenRowsOfTheFirstAreCommitted) {
  store_->put("/in/a", csv(0, 8'000, 200));
  {
    std::unique_ptr<Source> source = opened(options());
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled);
    ASSERT_EQ(polled->kind, Polled::Kind::kRows);
    ASSERT_TRUE(source->commit(source->checkpoint()));
  }
  store_->put("/in/a", csv(100'000, 50));
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_changed, 1u);
  const auto entries = ledger_entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].state, SplitState::kChanged);
  EXPECT_TRUE(load(options()).empty()) << "nor does a later listing mix the versions";
  EXPECT_EQ(stats_.objects_changed, 0u) << "it was told once";
  store_->put("/in/a", csv(200'000, 50));
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_changed, 1u) << "but this is another change";
}

TEST_F(SourceTest, KeepsVersionsApartWhenTheFirstRowsAreCommittedTogetherWithTheChange) {
  store_->put("/in/a", csv(0, 0));
  EXPECT_TRUE(load(options()).empty());
  store_->put("/in/a", csv(0, 8'000, 200));
  std::atomic<bool> replaced = false;
  store_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    if (offset > 500'000 && !replaced.exchange(true)) store_->put("/in/a", csv(100'000, 50));
    return std::nullopt;
  };
  std::size_t rows = 0;
  {
    std::unique_ptr<Source> source = opened(options());
    for (auto kind = Polled::Kind::kIdle; kind != Polled::Kind::kEnd;) {
      Result<Polled> polled = source->poll(10s);
      ASSERT_TRUE(polled);
      kind = polled->kind;
      ASSERT_NE(kind, Polled::Kind::kDiscard);
      if (kind != Polled::Kind::kRows) continue;
      // The consumer tries to keep the first rows, and cannot: they come with the next checkpoint.
      if (rows == 0) (void)source->checkpoint();
      rows += static_cast<std::size_t>(polled->rows.rows);
    }
    ASSERT_TRUE(source->commit(source->checkpoint()));
  }
  ASSERT_GT(rows, 0u);
  const auto entries = ledger_entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].state, SplitState::kChanged);
  EXPECT_EQ(entries[0].rows, rows);
  EXPECT_TRUE(load(options()).empty()) << "rows of the version before are with the consumer";
}

TEST_F(SourceTest, AChangeWhileRowsOfTheFormerVersionAreCommittedEndsASourceThatIsToFail) {
  store_->put("/in/a", csv(0, 8'000, 200));
  SourceOptions options = this->options();
  options.on_change = SourceOptions::OnChange::kFail;
  std::atomic<bool> replaced = false;
  store_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    if (offset > 500'000 && !replaced.exchange(true)) store_->put("/in/a", csv(100'000, 50));
    return std::nullopt;
  };
  std::unique_ptr<Source> source = opened(options);
  Result<Polled> polled = source->poll(10s);
  while (polled && polled->kind != Polled::Kind::kEnd) {
    ASSERT_TRUE(source->commit(source->checkpoint()));
    polled = source->poll(10s);
  }
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, ErrorCode::kObjectChanged);
  EXPECT_FALSE(source->poll(10s)) << "the failure stands";
}

TEST_F(SourceTest, AnObjectThatChangesWheneverItIsReadEndsASingleRun) {
  store_->put("/in/a", csv(0, 10));
  store_->put("/in/b", csv(50, 10));
  int versions = 0;
  store_->before_read = [&](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key == "/in/a") store_->put("/in/a", csv(++versions, 10));
    return std::nullopt;
  };
  std::unique_ptr<Source> source = opened(options());
  Result<Polled> polled = source->poll(10s);
  std::int64_t rows = 0;
  while (polled && polled->kind != Polled::Kind::kEnd) {
    if (polled->kind == Polled::Kind::kRows) rows += polled->rows.rows;
    polled = source->poll(10s);
  }
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, ErrorCode::kObjectChanged) << polled.error().to_string();
  EXPECT_EQ(rows, 10) << "of the other object";
  EXPECT_EQ(versions, 10);
}

TEST_F(SourceTest, PollKeepsItsTimeLimitWhereObjectsBringNoRows) {
  for (int i = 0; i < 50; ++i) store_->put("/in/" + std::to_string(i), "");
  std::unique_ptr<Source> source = opened(options());
  for (std::uint64_t polls = 1;; ++polls) {
    Result<Polled> polled = source->poll(0s);
    ASSERT_TRUE(polled);
    ASSERT_LE(source->stats().objects_finished, polls) << "one event and no more";
    if (polled->kind == Polled::Kind::kEnd) break;
    std::this_thread::yield();
  }
  EXPECT_EQ(source->stats().objects_finished, 50u);
}

TEST_F(SourceTest, ReportsAChangedFinishedObjectOnceAndLoadsNothingOfIt) {
  store_->put("/in/a", csv(0, 3));
  load(options());
  store_->put("/in/a", csv(10, 3));
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_changed, 1u);
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_changed, 0u);
  const auto entries = ledger_entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].error.has_value());
}

TEST_F(SourceTest, OutlastsTransientReadFailures) {
  store_->put("/in/a", csv(0, 8'000, 200));
  std::atomic<int> reads = 0;
  store_->before_read = [&](const std::string&, std::uint64_t) -> std::optional<Error> {
    if (++reads % 2 == 0) {
      Error error{ErrorCode::kUnavailable, "connection reset"};
      error.retryable = true;
      return error;
    }
    return std::nullopt;
  };
  EXPECT_EQ(load(options()).at("/in/a"), sequence(0, 8'000));
  EXPECT_GT(stats_.store.retries, 3u);
}

TEST_F(SourceTest, OnceEndsWithTheErrorOfAnObjectThatCannotBeReadAndKeepsTheOthers) {
  store_->put("/in/a", csv(0, 3));
  store_->put("/in/b", csv(3, 3));
  store_->before_read = [](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key != "/in/b") return std::nullopt;
    Error error{ErrorCode::kUnavailable, "connection reset"};
    error.retryable = true;
    return error;
  };
  std::unique_ptr<Source> source = opened(options());
  std::vector<std::int64_t> ids;
  while (true) {
    Result<Polled> polled = source->poll(10s);
    if (!polled) {
      EXPECT_EQ(polled.error().code, ErrorCode::kUnavailable);
      EXPECT_EQ(polled.error().at.object, "memory://in/b");
      break;
    }
    ASSERT_NE(polled->kind, Polled::Kind::kEnd);
    if (polled->kind == Polled::Kind::kRows) append(polled->rows, ids);
  }
  EXPECT_EQ(ids, sequence(0, 3));
  ASSERT_TRUE(source->commit(source->checkpoint()));
  source.reset();
  store_->before_read = nullptr;
  EXPECT_EQ(load(options()).at("/in/b"), sequence(3, 3));
}

TEST_F(SourceTest, ContinuousSourceComesBackToAnObjectThatCouldNotBeRead) {
  store_->put("/in/a", csv(0, 3));
  std::atomic<int> reads = 0;
  store_->before_read = [&](const std::string&, std::uint64_t) -> std::optional<Error> {
    if (++reads > 20) return std::nullopt;
    return Error{ErrorCode::kPermissionDenied, "access denied"};
  };
  SourceOptions continuous = options();
  continuous.once = false;
  std::unique_ptr<Source> source = opened(continuous);
  std::vector<std::int64_t> ids;
  while (ids.empty()) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind == Polled::Kind::kRows) append(polled->rows, ids);
  }
  EXPECT_EQ(ids, sequence(0, 3));
}

TEST_F(SourceTest, ContinuousSourceFindsObjectsThatLandLater) {
  store_->put("/in/b", csv(0, 3));
  SourceOptions continuous = options();
  continuous.once = false;
  std::unique_ptr<Source> source = opened(continuous);
  std::map<std::string, std::vector<std::int64_t>> ids;
  while (ids.size() < 2) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind != Polled::Kind::kRows) continue;
    append(polled->rows, ids[polled->rows.split->key]);
    ASSERT_TRUE(source->commit(source->checkpoint()));
    if (ids.size() == 1) store_->put("/in/a", csv(10, 3));
  }
  EXPECT_EQ(ids.at("/in/a"), sequence(10, 3));
}

TEST_F(SourceTest, FailsAtOnceWhenTheFirstListingDoes) {
  store_->before_list = [] {
    return std::optional<Error>(Error{ErrorCode::kNotFound, "no such bucket"});
  };
  for (const bool once : {true, false}) {
    SourceOptions source_options = options();
    source_options.once = once;
    std::unique_ptr<Source> source = opened(source_options);
    Result<Polled> polled = source->poll(10s);
    ASSERT_FALSE(polled);
    EXPECT_EQ(polled.error().code, ErrorCode::kNotFound);
  }
}

TEST_F(SourceTest, ContinuousSourceOutlastsLaterListingFailures) {
  store_->put("/in/b", csv(0, 3));
  std::atomic<int> listings = 0;
  store_->before_list = [&]() -> std::optional<Error> {
    const int listing = ++listings;
    if (listing == 1 || listing > 5) return std::nullopt;
    return Error{ErrorCode::kUnavailable, "connection refused"};
  };
  SourceOptions continuous = options();
  continuous.once = false;
  std::unique_ptr<Source> source = opened(continuous);
  std::set<std::string> keys;
  while (keys.size() < 2) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind != Polled::Kind::kRows) continue;
    keys.insert(polled->rows.split->key);
    store_->put("/in/c", csv(0, 3));
  }
  const std::lock_guard lock(log_mutex_);
  EXPECT_NE(log_.find("listing failed"), std::string::npos) << log_;
}

TEST_F(SourceTest, TakesTheSchemaFromTheFirstHeaderAndKeepsIt) {
  store_->put("/in/a", "x,y\n1,2\n");
  SourceOptions headers = options();
  headers.schema.reset();
  {
    std::unique_ptr<Source> source = opened(headers);
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    ASSERT_EQ(polled->kind, Polled::Kind::kRows);
    EXPECT_EQ(polled->rows.schema->to_sql(), "x text, y text");
    ASSERT_TRUE(source->commit(source->checkpoint()));
  }
  store_->put("/in/0", "y,x\n20,10\n");
  store_->put("/in/b", "x,y,z\n1,2,3\n");
  std::unique_ptr<Source> source = opened(headers);
  EXPECT_EQ(source->schema()->to_sql(), "x text, y text");
  while (true) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind == Polled::Kind::kEnd) break;
    ASSERT_EQ(polled->rows.split->key, "/in/0");
    EXPECT_EQ(polled->rows.columns[0].text_at(0), "10");
    EXPECT_EQ(polled->rows.columns[1].text_at(0), "20");
  }
  EXPECT_EQ(source->stats().objects_quarantined, 1u) << "a new column is not dropped silently";
}

TEST_F(SourceTest, AppendsLineage) {
  store_->put("/in/a", csv(7, 2));
  SourceOptions lineage = options();
  lineage.lineage = true;
  std::unique_ptr<Source> source = opened(lineage);
  Result<Polled> polled = source->poll(10s);
  ASSERT_TRUE(polled) << polled.error().to_string();
  ASSERT_EQ(polled->kind, Polled::Kind::kRows);
  const RowChunk& rows = polled->rows;
  EXPECT_EQ(rows.schema->to_sql(),
            "id bigint, name text, _object text not null, _version text not null, "
            "_offset bigint not null, _record bigint not null");
  ASSERT_EQ(rows.columns.size(), 6u);
  EXPECT_EQ(rows.columns[2].text_at(1), "/in/a");
  EXPECT_EQ(rows.columns[3].text_at(1), "v1");
  EXPECT_EQ(rows.columns[4].at<std::int64_t>(1), 12);
  EXPECT_EQ(rows.columns[5].at<std::int64_t>(1), 2);
}

TEST_F(SourceTest, CommitTakesOnlyTheLatestEpoch) {
  store_->put("/in/a", csv(0, 3));
  std::unique_ptr<Source> source = opened(options());
  ASSERT_TRUE(source->poll(10s));
  Checkpoint checkpoint = source->checkpoint();
  ASSERT_TRUE(source->commit(checkpoint));
  const Result<void> again = source->commit(checkpoint);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SourceTest, CommitTakesOnlyTheLatestOfSeveralCheckpoints) {
  store_->put("/in/a", csv(0, 8'000, 200));
  std::unique_ptr<Source> source = opened(options());
  ASSERT_TRUE(source->poll(10s));
  const Checkpoint former = source->checkpoint();
  ASSERT_TRUE(source->poll(10s));
  const Checkpoint latest = source->checkpoint();
  ASSERT_EQ(former.epoch, latest.epoch);
  const Result<void> refused = source->commit(former);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(source->commit(latest));
}

TEST_F(SourceTest, RefusesALaterCheckpointWithoutTheStateThatIsBehindIt) {
  store_->put("/in/a", csv(0, 8'000, 200));
  Checkpoint kept;
  {
    std::unique_ptr<Source> source = opened(options());
    for (int epoch = 1; epoch <= 2; ++epoch) {
      ASSERT_TRUE(source->poll(10s));
      kept = source->checkpoint();
      ASSERT_TRUE(source->commit(kept));
    }
  }
  std::filesystem::remove_all(options().state_dir);
  const Result<std::unique_ptr<Source>> source = open(options(), kept);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kStateMismatch);
  EXPECT_NE(source.error().message.find("epoch 2"), std::string::npos) << source.error().message;
}

TEST_F(SourceTest, GoesOnWithAnObjectThatWasGoneForAWhileBehindItsRows) {
  store_->put("/in/a", csv(0, 8'000, 200));
  std::vector<std::int64_t> committed;
  {
    std::unique_ptr<Source> source = opened(options());
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled);
    ASSERT_EQ(polled->kind, Polled::Kind::kRows);
    append(polled->rows, committed);
    ASSERT_TRUE(source->commit(source->checkpoint()));
  }
  // A mount that comes up late: neither listed nor found.
  store_->before_read = [](const std::string&, std::uint64_t) -> std::optional<Error> {
    return Error{ErrorCode::kNotFound, "no such file"};
  };
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_gone, 1u);
  store_->before_read = {};
  const auto rest = load(options());
  ASSERT_TRUE(rest.contains("/in/a"));
  committed.insert(committed.end(), rest.at("/in/a").begin(), rest.at("/in/a").end());
  EXPECT_EQ(committed, sequence(0, 8'000));
  EXPECT_EQ(stats_.objects_finished, 1u);
  EXPECT_TRUE(load(options()).empty());
}

TEST_F(SourceTest, RefusesASchemaThatNoTableCanHave) {
  const auto refused = [&](Schema schema) {
    SourceOptions bad = options();
    bad.schema = std::move(schema);
    const auto source = open(bad);
    EXPECT_FALSE(source);
    if (source) return std::string();
    EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument);
    return source.error().message;
  };
  EXPECT_EQ(refused({}), "the schema has no columns");
  Schema twice = *parse_schema("id bigint, name text");
  twice.fields[1].name = "id";
  EXPECT_EQ(refused(twice), "the schema has a column id twice");
  twice.fields[1].name = "";
  EXPECT_EQ(refused(twice), "the schema has a column without a name");
}

TEST_F(SourceTest, RefusesAStoreThatIsNull) {
  const auto source = Source::open(options(), std::unique_ptr<ObjectStore>());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SourceTest, WaitsAsLongAsAnyTimeLimitSays) {
  store_->put("/in/a", csv(0, 3));
  std::unique_ptr<Source> source = opened(options());
  const Result<Polled> polled = source->poll(std::chrono::milliseconds::max());
  ASSERT_TRUE(polled);
  EXPECT_EQ(polled->rows.rows, 3);
  for (const auto past : {std::chrono::milliseconds::min(), std::chrono::milliseconds(-1)}) {
    EXPECT_TRUE(source->poll(past));
  }
}

TEST_F(SourceTest, AClosedSourceRefusesWhatNeedsItsLedger) {
  store_->put("/in/a", csv(0, 3));
  std::unique_ptr<Source> source = opened(options());
  ASSERT_TRUE(source->poll(10s));
  ASSERT_TRUE(source->close());
  EXPECT_EQ(source->poll(1s).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(source->checkpoint().epoch, 0u);
  EXPECT_EQ(source->commit(source->checkpoint()).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SourceTest, AnObjectThatEndsBeforeItsListedSizeIsNotFinished) {
  store_->put("/in/a", csv(0, 1'000));
  store_->ends_at = 500;
  std::unique_ptr<Source> source = opened(options());
  Result<Polled> polled = source->poll(10s);
  while (polled && polled->kind != Polled::Kind::kEnd) polled = source->poll(10s);
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, ErrorCode::kIo) << polled.error().to_string();
  EXPECT_EQ(source->stats().objects_finished, 0u);
}

TEST_F(SourceTest, ClosesWhileWorkersWaitForRoom) {
  for (int i = 0; i < 30; ++i) store_->put("/in/" + std::to_string(i), csv(0, 20'000, 100));
  std::unique_ptr<Source> source = opened(options());
  ASSERT_TRUE(source->poll(10s));
  EXPECT_TRUE(source->close());
  EXPECT_FALSE(source->poll(0s));
}

}  // namespace
}  // namespace leat
