// A source as an Arrow stream, used as a C consumer would: moved about, released in odd orders, and
// stopped in the middle.

#include "leat/arrow_stream.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ManualClock;
using testing::MemoryStore;
using testing::TemporaryFolder;

using Ids = std::vector<std::int64_t>;

Ids sequence(std::int64_t first, std::int64_t count) {
  Ids ids;
  for (std::int64_t i = first; i < first + count; ++i) ids.push_back(i);
  return ids;
}

std::string csv(int first, int rows, std::size_t padding = 0) {
  std::string text = "id,name\n";
  for (int i = first; i < first + rows; ++i) {
    text += std::to_string(i) + ",n" + std::string(padding, 'x') + "\n";
  }
  return text;
}

/// Owns one of the interface's structs, as C++ bindings do. Moving it copies the bytes and marks
/// the one left behind as released.
template <class T>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : raw_(std::exchange(other.raw_, T{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Owned() { release(); }
  void release() {
    if (raw_.release != nullptr) raw_.release(&raw_);
    EXPECT_EQ(raw_.release, nullptr);
  }
  T* get() { return &raw_; }
  T* operator->() { return &raw_; }

 private:
  T raw_ = {};
};

using Array = Owned<ArrowArray>;
using SchemaStruct = Owned<ArrowSchema>;

class Stream : public Owned<ArrowArrayStream> {
 public:
  explicit Stream(Source& source, ArrowStreamOptions options = {}) {
    export_stream(source, get(), std::move(options));
  }
  int get_schema(SchemaStruct& schema) { return get()->get_schema(get(), schema.get()); }
  int get_next(Array& array) {
    // What is left in the struct by a consumer has no meaning.
    array.release();
    array->release = [](ArrowArray*) { ADD_FAILURE() << "get_next did not set the array"; };
    return get()->get_next(get(), array.get());
  }
  std::string error() {
    const char* message = get()->get_last_error(get());
    return message != nullptr ? message : "";
  }
  /// All ids up to the end.
  Ids rest() {
    Ids ids;
    Array array;
    while (true) {
      if (const int number = get_next(array); number != 0) {
        ADD_FAILURE() << number << ": " << error();
        return ids;
      }
      if (array->release == nullptr) return ids;
      append(array, ids);
    }
  }

  /// The first column.
  static void append(Array& array, Ids& ids) {
    EXPECT_GT(array->length, 0);
    const auto* values = static_cast<const std::int64_t*>(array->children[0]->buffers[1]);
    ids.insert(ids.end(), values, values + array->length);
  }
};

Ids sorted(Ids ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

class ArrowStreamTest : public ::testing::Test {
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
    return options;
  }
  std::unique_ptr<Source> opened(SourceOptions options, std::optional<Checkpoint> recovered = {}) {
    Result<std::unique_ptr<Source>> source = Source::open(
        std::move(options), std::make_unique<MemoryStore>(store_), std::move(recovered));
    if (!source) throw std::runtime_error(source.error().to_string());
    return std::move(*source);
  }

  TemporaryFolder folder_{"leat-arrow-stream"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
};

TEST_F(ArrowStreamTest, BringsEveryRowAndThenItsEndAgainAndAgain) {
  for (int i = 0; i < 5; ++i) {
    store_->put("/in/" + std::to_string(i), csv(i * 1'000, 1'000, 100));
  }
  const std::unique_ptr<Source> source = opened(options());
  Stream stream(*source);
  SchemaStruct schema;
  ASSERT_EQ(stream.get_schema(schema), 0);
  ASSERT_EQ(schema->n_children, 2);
  EXPECT_STREQ(schema->children[0]->format, "l");
  EXPECT_STREQ(schema->children[1]->name, "name");
  EXPECT_EQ(sorted(stream.rest()), sequence(0, 5'000));
  EXPECT_THAT(stream.rest(), IsEmpty());
  EXPECT_EQ(stream.error(), "");
  EXPECT_TRUE(source->commit(source->checkpoint()));
}

TEST_F(ArrowStreamTest, GetSchemaWaitsForTheFirstHeaderAndLosesNoRow) {
  store_->put("/in/a", "id,note\n1,x\n2,y\n");
  SourceOptions unknown = options();
  unknown.schema.reset();
  const std::unique_ptr<Source> source = opened(unknown);
  Stream stream(*source);
  for (int times = 0; times < 2; ++times) {
    SchemaStruct schema;
    ASSERT_EQ(stream.get_schema(schema), 0) << stream.error();
    ASSERT_EQ(schema->n_children, 2);
    EXPECT_STREQ(schema->children[1]->name, "note");
  }
  Array array;
  ASSERT_EQ(stream.get_next(array), 0);
  EXPECT_EQ(array->length, 2);
  ASSERT_EQ(stream.get_next(array), 0);
  EXPECT_EQ(array->release, nullptr);
}

TEST_F(ArrowStreamTest, WithoutObjectsTheSchemaIsTheGivenOneOrHasNoColumns) {
  for (const bool given : {true, false}) {
    SourceOptions source_options = options();
    if (!given) {
      source_options.schema.reset();
      source_options.state_dir += "-unknown";
    }
    const std::unique_ptr<Source> source = opened(source_options);
    Stream stream(*source);
    SchemaStruct schema;
    ASSERT_EQ(stream.get_schema(schema), 0) << stream.error();
    EXPECT_EQ(schema->n_children, given ? 2 : 0);
    EXPECT_THAT(stream.rest(), IsEmpty());
  }
}

TEST_F(ArrowStreamTest, ACheckpointBetweenTwoBatchesCoversWhatWasHandedOut) {
  store_->put("/in/a", csv(0, 8'000, 200));
  store_->put("/in/b", csv(8'000, 8'000, 200));
  Ids kept;
  int runs = 0;
  std::optional<Checkpoint> durable;
  for (bool end = false; !end; ++runs) {
    ASSERT_LT(runs, 1'000);
    const std::unique_ptr<Source> source = opened(options(), durable);
    Stream stream(*source);
    Array array;
    // Some batches that are kept, one that a crash takes away.
    for (int batches = 0; batches < 8 && !end; ++batches) {
      ASSERT_EQ(stream.get_next(array), 0) << stream.error();
      end = array->release == nullptr;
      if (!end) Stream::append(array, kept);
    }
    durable = source->checkpoint();
    ASSERT_EQ(stream.get_next(array), 0) << stream.error();
  }
  EXPECT_GT(runs, 2);
  EXPECT_EQ(sorted(kept), sequence(0, 16'000));
}

TEST_F(ArrowStreamTest, AnObjectThatChangedIsAnErrorAfterWhichTheStreamGoesOn) {
  store_->put("/in/a", csv(0, 8'000, 200));
  std::atomic<bool> replaced = false;
  store_->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
    if (offset > 500'000 && !replaced.exchange(true)) store_->put("/in/a", csv(100'000, 50));
    return std::nullopt;
  };
  const std::unique_ptr<Source> source = opened(options());
  Stream stream(*source);
  Array array;
  Ids ids;
  int number = 0;
  while ((number = stream.get_next(array)) == 0 && array->release != nullptr) {
    Stream::append(array, ids);
  }
  ASSERT_EQ(number, ESTALE);
  EXPECT_EQ(array->release, nullptr);
  EXPECT_FALSE(ids.empty());
  EXPECT_THAT(stream.error(), HasSubstr("/in/a"));
  EXPECT_THAT(stream.error(), HasSubstr("drop its rows that came since the last commit"));
  EXPECT_EQ(stream.rest(), sequence(100'000, 50));
  EXPECT_EQ(stream.error(), "") << "until the next call";
  EXPECT_TRUE(source->commit(source->checkpoint()));
}

TEST_F(ArrowStreamTest, RejectsGoToTheirTakerBeforeTheRowsOfTheirChunk) {
  store_->put("/in/a", "id,name\n1,a\noops,b\n3,c\n");
  SourceOptions rejecting = options();
  rejecting.format.on_error = OnError::kReject;
  const std::unique_ptr<Source> source = opened(rejecting);
  std::vector<std::string> taken;
  Stream stream(*source, {.on_rejects = [&](const ObjectVersion& object,
                                            std::span<const RejectedRow> rejects) {
    for (const RejectedRow& reject : rejects) {
      taken.push_back(object.key + ":" + std::to_string(reject.record) + ":" + reject.text);
    }
  }});
  Array array;
  ASSERT_EQ(stream.get_next(array), 0) << stream.error();
  EXPECT_EQ(array->length, 2);
  EXPECT_EQ(taken, std::vector<std::string>{"/in/a:2:oops"});
}

TEST_F(ArrowStreamTest, RejectsThatNobodyTakesAreAnErrorAndNotSilence) {
  store_->put("/in/a", "id,name\n1,a\noops,b\n3,c\n");
  SourceOptions rejecting = options();
  rejecting.format.on_error = OnError::kReject;
  const std::unique_ptr<Source> source = opened(rejecting);
  Stream stream(*source);
  Array array;
  for (int times = 0; times < 2; ++times) {
    ASSERT_EQ(stream.get_next(array), EINVAL);
    EXPECT_EQ(array->release, nullptr);
    EXPECT_THAT(stream.error(), HasSubstr("on_rejects"));
    EXPECT_THAT(stream.error(), HasSubstr("record 2"));
  }
  SchemaStruct schema;
  EXPECT_EQ(stream.get_schema(schema), EINVAL);
  EXPECT_EQ(schema->release, nullptr);
}

TEST_F(ArrowStreamTest, AContinuousSourceEndsWithTheStop) {
  store_->put("/in/a", csv(0, 3));
  SourceOptions continuous = options();
  continuous.once = false;
  const std::unique_ptr<Source> source = opened(continuous);
  std::stop_source stop;
  Stream stream(*source, {.stop = stop.get_token()});
  Array array;
  ASSERT_EQ(stream.get_next(array), 0);
  EXPECT_EQ(array->length, 3);
  stop.request_stop();
  EXPECT_EQ(stream.get_next(array), ECANCELED);
  EXPECT_THAT(stream.error(), HasSubstr("stop"));
  EXPECT_TRUE(source->commit(source->checkpoint())) << "what was handed out can still be kept";
}

TEST_F(ArrowStreamTest, ErrorsOfTheSourceKeepTheirMessageAndLast) {
  store_->before_list = []() -> std::optional<Error> {
    return Error{ErrorCode::kPermissionDenied, "the bucket says no"};
  };
  const std::unique_ptr<Source> source = opened(options());
  Stream stream(*source);
  Array array;
  for (int times = 0; times < 2; ++times) {
    ASSERT_EQ(stream.get_next(array), EACCES);
    EXPECT_THAT(stream.error(), HasSubstr("the bucket says no"));
  }
}

TEST_F(ArrowStreamTest, AClosedSourceIsAnErrorAndTheStreamIsReleasedAfterIt) {
  store_->put("/in/a", csv(0, 3));
  std::unique_ptr<Source> source = opened(options());
  Stream stream(*source);
  ASSERT_TRUE(source->close());
  Array array;
  EXPECT_EQ(stream.get_next(array), EINVAL);
  EXPECT_THAT(stream.error(), HasSubstr("closed"));
  source.reset();
  stream.release();
}

TEST_F(ArrowStreamTest, AMovedStreamReadsOnFromItsNewPlace) {
  store_->put("/in/a", csv(0, 8'000, 200));
  const std::unique_ptr<Source> source = opened(options());
  Stream first(*source);
  Array array;
  ASSERT_EQ(first.get_next(array), 0);
  Array moved = std::move(array);
  Ids ids;
  Stream::append(moved, ids);
  Stream second = std::move(first);
  EXPECT_EQ(first->release, nullptr);  // NOLINT(bugprone-use-after-move)
  const Ids rest = second.rest();
  ids.insert(ids.end(), rest.begin(), rest.end());
  EXPECT_EQ(ids, sequence(0, 8'000));
}

TEST_F(ArrowStreamTest, NoExceptionOfTheConsumersCallbackGetsOut) {
  store_->put("/in/a", "id,name\n1,a\noops,b\n");
  SourceOptions rejecting = options();
  rejecting.format.on_error = OnError::kReject;
  for (const bool memory : {true, false}) {
    rejecting.state_dir += "x";
    const std::unique_ptr<Source> source = opened(rejecting);
    Stream stream(*source, {.on_rejects = [&](const auto&, const auto&) {
      if (memory) throw std::bad_alloc();
      throw std::runtime_error("consumer");
    }});
    Array array;
    for (int times = 0; times < 2; ++times) {
      EXPECT_EQ(stream.get_next(array), memory ? ENOMEM : EIO);
      EXPECT_THAT(stream.error(), HasSubstr(memory ? "memory" : "on_rejects"));
    }
  }
}

/// A source that answers by the book: what the real one does only when it is slow, or broken.
class ScriptedSource final : public Source {
 public:
  Result<Polled> poll(std::chrono::milliseconds) override {
    if (script_.empty()) return Polled{.kind = Polled::Kind::kEnd};
    Result<Polled> next = std::move(script_.front());
    script_.pop_front();
    polled_rows_ = polled_rows_ || (next && next->kind == Polled::Kind::kRows);
    return next;
  }
  Checkpoint checkpoint() override { return {}; }
  Result<void> commit(const Checkpoint&) override { return {}; }
  Result<void> close() override { return {}; }
  SourceStats stats() const override { return {}; }
  /// Known once rows were polled.
  std::shared_ptr<const Schema> schema() const override { return polled_rows_ ? schema_ : nullptr; }

  Polled rows(std::int64_t count) {
    Polled polled{.kind = Polled::Kind::kRows};
    polled.rows.schema = schema_;
    polled.rows.split = std::make_shared<const ObjectVersion>();
    polled.rows.rows = count;
    if (count > 0) polled.rows.columns.resize(1);
    for (std::int64_t i = 0; i < count; ++i) polled.rows.columns[0].values.push_back(i);
    return polled;
  }
  void then(Result<Polled> polled) { script_.push_back(std::move(polled)); }

 private:
  std::shared_ptr<const Schema> schema_ =
      std::make_shared<const Schema>(*parse_schema("id bigint"));
  std::deque<Result<Polled>> script_;
  bool polled_rows_ = false;
};

TEST(ArrowStream, WaitsThroughIdlePollsAndChunksWithoutRows) {
  ScriptedSource source;
  for (int i = 0; i < 3; ++i) source.then(Polled{});
  source.then(source.rows(0));
  source.then(source.rows(2));
  source.then(Polled{});
  source.then(source.rows(1));
  Stream stream(source);
  EXPECT_EQ(stream.rest(), (Ids{0, 1, 0}));
}

// Each release at its turn, in every order; what is left is touched after each.
TEST(ArrowStream, IsReleasedInAnyOrderWithWhatItHandedOut) {
  std::vector<int> order = {0, 1, 2, 3};
  do {
    // Also while the rows that were read for the schema are still with the stream.
    for (const bool handed_out : {true, false}) {
      auto source = std::make_unique<ScriptedSource>();
      source->then(source->rows(3));
      auto stream = std::make_unique<Stream>(*source);
      auto schema = std::make_unique<SchemaStruct>();
      auto array = std::make_unique<Array>();
      ASSERT_EQ(stream->get_schema(*schema), 0);
      if (handed_out) {
        ASSERT_EQ(stream->get_next(*array), 0);
      }
      for (const int which : order) {
        if (which == 0) source.reset();
        if (which == 1) stream.reset();
        if (which == 2) schema.reset();
        if (which == 3) array.reset();
        if (schema) {
          EXPECT_STREQ((*schema)->children[0]->name, "id");
        }
        if (array && handed_out) {
          Ids ids;
          Stream::append(*array, ids);
          EXPECT_EQ(ids, sequence(0, 3));
        }
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ArrowStream, AnArrayOutlivesItsStreamColumnByColumn) {
  ScriptedSource source;
  source.then(source.rows(3));
  Array array;
  {
    Stream stream(source);
    ASSERT_EQ(stream.get_next(array), 0);
  }
  Array column;
  *column.get() = *array->children[0];
  array->children[0]->release = nullptr;
  array.release();
  EXPECT_EQ(static_cast<const std::int64_t*>(column->buffers[1])[2], 2);
}

TEST(ArrowStream, TellsErrorsApartByTheirNumbers) {
  for (const auto& [code, number] :
       std::vector<std::pair<ErrorCode, int>>{{ErrorCode::kNotFound, ENOENT},
                                              {ErrorCode::kDiskFull, ENOSPC},
                                              {ErrorCode::kTimeout, ETIMEDOUT},
                                              {ErrorCode::kUnavailable, EIO},
                                              {ErrorCode::kCorrupt, EIO}}) {
    ScriptedSource source;
    source.then(source.rows(1));
    source.then(Error{code, "what happened"});
    source.then(source.rows(1));
    Stream stream(source);
    Array array;
    ASSERT_EQ(stream.get_next(array), 0);
    EXPECT_EQ(stream.get_next(array), number);
    EXPECT_EQ(stream.get_next(array), number) << "rows may be missing: it stays at its end";
    EXPECT_THAT(stream.error(), HasSubstr("what happened"));
  }
}

}  // namespace
}  // namespace leat
