// An object that is parsed by several threads gives what one parser makes of it: rows, where their
// records stand, rejects, errors and the position to go on from.
#include <gtest/gtest.h>
#include <sched.h>

#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "executor/source_executor.h"
#include "leat/source.h"
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

/// All that came of an object, in order, one line a row or reject.
struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> rejects;
  std::string error;
  std::string offending;
  Position end;

  void add(const RowChunk& chunk) {
    for (std::int64_t row = 0; row < chunk.rows; ++row) {
      std::string line =
          std::to_string(chunk.record_offset(row)) + " " + std::to_string(chunk.record_number(row));
      for (std::size_t i = 0; i < chunk.columns.size(); ++i) {
        line += '|';
        if (chunk.columns[i].is_null(row)) continue;
        append_value_text(chunk.schema->fields[i].type, chunk.columns[i], row, line);
      }
      rows.push_back(std::move(line));
    }
    for (const RejectedRow& reject : chunk.rejects) {
      rejects.push_back(std::to_string(reject.byte_offset) + " " + std::to_string(reject.record) +
                        " " + reject.column + " " + reject.reason + " " + reject.raw);
    }
    end = chunk.end;
  }

  void add(const Error& failure) {
    Error apart = failure;
    apart.at.object.clear();
    error = apart.to_string();
  }
};

/// Of a store whose objects are read in order, and of one that reads any part of them.
class SlicesTest : public ::testing::TestWithParam<bool> {
 protected:
  static std::shared_ptr<MemoryStore::Shared> new_store() {
    auto shared = std::make_shared<MemoryStore::Shared>();
    shared->reads_anywhere = GetParam();
    return shared;
  }

  /// The smallest chunks there are, and more threads than this machine may have.
  SourceOptions options(std::uint64_t memory_bytes_max = 16u << 20) {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / ("state" + std::to_string(++states_));
    options.once = true;
    options.schema = *parse_schema("id bigint not null, name text, amount double precision");
    options.format.on_error = OnError::kReject;
    options.memory_bytes_max = memory_bytes_max;
    options.splits_in_flight_max = 64;
    options.threads = 4;
    return options;
  }

  /// One parser, all bytes at once.
  static Outcome reference(const SourceOptions& options, const std::string& content) {
    Outcome outcome;
    auto parser =
        make_parser(options.format, std::make_shared<const Schema>(*options.schema)).value();
    EXPECT_TRUE(parser->reset_for_new_split(std::make_shared<const ObjectVersion>(), {}));
    RowChunk rows;
    Result<void> parsed = parser->parse({0, std::as_bytes(std::span(content))}, rows);
    outcome.add(rows);
    if (parsed) {
      parsed = parser->finish(rows);
      outcome.add(rows);
    }
    if (!parsed) outcome.add(parsed.error());
    return outcome;
  }

  Outcome load(const SourceOptions& options, const std::string& content,
               int polls_per_run = 1 << 30) {
    return load_all(options, {{"/in/a", content}}, polls_per_run)["/in/a"];
  }

  /// The whole way; closes and opens the source again after every `polls_per_run` polls.
  std::map<std::string, Outcome> load_all(const SourceOptions& options,
                                          const std::map<std::string, std::string>& contents,
                                          int polls_per_run = 1 << 30) {
    auto shared = new_store();
    for (const auto& [key, content] : contents) shared->put(key, content);
    std::map<std::string, Outcome> outcomes;
    for (bool more = true; more;) {
      auto source = Source::open(options, std::make_unique<MemoryStore>(shared)).value();
      for (int i = 0; i < polls_per_run && more; ++i) {
        Result<Polled> polled = source->poll(10s);
        if (!polled) {
          ADD_FAILURE() << polled.error().to_string();
          return outcomes;
        }
        if (polled->kind == Polled::Kind::kRows) {
          outcomes[polled->rows.split->key].add(polled->rows);
        }
        more = polled->kind != Polled::Kind::kEnd;
      }
      EXPECT_TRUE(source->commit(source->checkpoint()));
    }
    auto ledger = state::Ledger::open({.dir = options.state_dir, .read_only = true}).value();
    EXPECT_TRUE(ledger->scan([&](const SplitProgress& progress) {
      Outcome& outcome = outcomes[progress.object.key];
      if (progress.error) outcome.add(*progress.error);
      outcome.offending = progress.offending;
      return true;
    }));
    return outcomes;
  }

  /// What is delivered in one run, whatever becomes of the objects.
  static Outcome drain(const SourceOptions& options,
                       const std::shared_ptr<MemoryStore::Shared>& store) {
    auto source = Source::open(options, std::make_unique<MemoryStore>(store)).value();
    Outcome outcome;
    for (bool more = true; more;) {
      const Polled polled = source->poll(10s).value();
      if (polled.kind == Polled::Kind::kRows) outcome.add(polled.rows);
      more = polled.kind != Polled::Kind::kEnd;
    }
    return outcome;
  }

  static void expect_equal(const Outcome& found, const Outcome& wanted) {
    ASSERT_EQ(found.rows.size(), wanted.rows.size());
    for (std::size_t i = 0; i < wanted.rows.size(); ++i) ASSERT_EQ(found.rows[i], wanted.rows[i]);
    EXPECT_EQ(found.rejects, wanted.rejects);
    EXPECT_EQ(found.error, wanted.error);
    EXPECT_EQ(found.end, wanted.end);
  }

  void expect_same_as_one_parser(const std::string& content,
                                 std::uint64_t memory_bytes_max = 16u << 20) {
    SourceOptions once = options(memory_bytes_max);
    const Outcome wanted = reference(once, content);
    ASSERT_GT(wanted.rows.size(), 100u);
    expect_equal(load(once, content), wanted);
    expect_equal(load(options(memory_bytes_max), content, 3), wanted);
  }

  TemporaryFolder folder_;
  int states_ = 0;
};

std::string record(int id, const std::string& name) {
  return std::to_string(id) + "," + name + "," + std::to_string(id) + ".25";
}

std::string plain(int rows, const char* line_end = "\n") {
  std::string text = std::string("id,name,amount") + line_end;
  for (int i = 0; i < rows; ++i) text += record(i, "some name") + line_end;
  return text;
}

TEST_P(SlicesTest, RowsOfALargeObjectKeepTheirOrderAndTheirPlaces) {
  expect_same_as_one_parser(plain(20'000));
}

TEST_P(SlicesTest, LineEndsOfAllKindsAreCutAlike) {
  expect_same_as_one_parser(plain(10'000, "\r\n"));
  expect_same_as_one_parser(plain(10'000, "\r"));
}

TEST_P(SlicesTest, LineEndsInsideQuotesAreNoPlaceToCut) {
  std::string text = "id,name,amount\n";
  for (int i = 0; i < 10'000; ++i) text += record(i, "\"a,\"\"b\"\"\nc\n,\"") + "\n";
  expect_same_as_one_parser(text);
}

TEST_P(SlicesTest, AQuoteInsideAFieldThatMisleadsTheGuessIsFoundOut) {
  // From the stray quote on, line ends inside quotes look like ends of records, for the first time
  // early, in the middle or in the last slices.
  for (const int stray : {10, 5'000, 9'990}) {
    std::string text = "id,name,amount\n";
    for (int i = 0; i < 10'000; ++i) {
      text += record(i, i == stray ? "5\" pipe" : "\"a\n1,b,2\nc\"") + "\n";
    }
    expect_same_as_one_parser(text);
  }
}

TEST_P(SlicesTest, LineEndsFarFromAnyQuoteThatMisleadTheGuessAreFoundOut) {
  std::string field = "\"";
  while (field.size() < 60'000) field += "a\n1,b,2\n";
  field += "\"";
  // The stray quote misleads the next guess, too.
  for (const int stray : {10, 100, -1}) {
    std::string text = "id,name,amount\n";
    for (int i = 0; i < 200; ++i) {
      text += record(i, i == stray ? "5\" pipe" : i % 4 == 0 ? field : "name") + "\n";
    }
    expect_same_as_one_parser(text, 256u << 20);
  }
}

TEST_P(SlicesTest, StrayQuotesAndBadRecordsAreCountedInTheirTurn) {
  std::string text = "id,name,amount\n";
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 500) {
      case 0:
        text += record(i, "5\" pipe") + "\n";
        break;
      case 1:
        text += record(i, "\"stray\"quote") + "\n";
        break;
      case 2:
        text += "no number,x,1\n";
        break;
      case 3:
        text += "1,too few\n\n\n";
        break;
      default:
        text += record(i, "name") + "\n";
    }
  }
  expect_same_as_one_parser(text);
}

TEST_P(SlicesTest, RecordsLargerThanAChunkAreReadInTheirTurn) {
  std::string text = plain(2'000);
  for (int i = 2'000; i < 2'010; ++i) {
    text += record(i, "\"" + std::string(100'000, i % 2 == 0 ? '\n' : 'x') + "\"") + "\n";
    for (int k = 0; k < 900; ++k) text += record(i, "between") + "\n";
  }
  expect_same_as_one_parser(text);
}

// While there are enough of them each is parsed by who reads it, and the longest one, which is left
// alone at the end, in slices; here and there one goes from slices to none, and back.
TEST_P(SlicesTest, ObjectsSideBySideAreReadAsEachWouldBeAlone) {
  std::map<std::string, std::string> contents;
  for (int i = 0; i < 8; ++i) {
    std::string content = plain(1'000 * (i + 1));
    content +=
        "7,a \"stray\" quote,x\n" + record(8, "\"" + std::string(40'000, 'q') + "\n\"") + "\n";
    for (int id = 0; id < 3'000 * i; ++id)
      content += record(id, "\"text, \"\"quoted\"\"\n\"") + "\n";
    contents["/in/" + std::to_string(i)] = content;
  }
  SourceOptions two = options();
  two.threads = 2;
  const std::map<std::string, Outcome> found = load_all(two, contents);
  SourceOptions resumed = options();
  resumed.threads = 2;
  const std::map<std::string, Outcome> in_parts = load_all(resumed, contents, 30);
  for (const auto& [key, content] : contents) {
    SCOPED_TRACE(key);
    const Outcome wanted = reference(two, content);
    ASSERT_EQ(wanted.rejects.size(), 1u);
    expect_equal(found.at(key), wanted);
    expect_equal(in_parts.at(key), wanted);
  }
}

TEST_P(SlicesTest, OnOneCoreWhereNothingIsCutTheSameIsRead) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  std::string content = plain(5'000);
  content +=
      "7,a \"stray\" quote,x\n" + record(8, "\"" + std::string(100'000, 'q') + "\n\"") + "\n";
  content += plain(5'000).substr(std::string("id,name,amount\n").size());
  SourceOptions once = options();
  once.threads = 1;
  const Outcome wanted = reference(once, content);
  const Outcome found = load(once, content);
  SourceOptions resumed = options();
  resumed.threads = 1;
  const Outcome in_parts = load(resumed, content, 3);
  EXPECT_EQ(::sched_setaffinity(0, sizeof(allowed), &allowed), 0);
  ASSERT_GT(wanted.rows.size(), 10'000u);
  ASSERT_EQ(wanted.rejects.size(), 1u);
  expect_equal(found, wanted);
  expect_equal(in_parts, wanted);
}

TEST_P(SlicesTest, WholeRecordsInFrontOfAFailedReadAreDeliveredWhateverTheirEndsWereGuessedToBe) {
  // From `quoted_from` on each record has line ends in quotes, so that ends are guessed wrong some
  // slices later: at last together with the failure.
  constexpr std::size_t kFailsAt = 256u << 10;
  for (std::size_t quoted_from = kFailsAt / 4; quoted_from < kFailsAt; quoted_from += 5'000) {
    std::string text = "id,name,amount\n";
    for (int i = 0; text.size() < 2 * kFailsAt; ++i) {
      text += record(i, text.size() < quoted_from ? "some name" : "\"a\n1,b,2\nc\"") + "\n";
    }
    SourceOptions options = this->options();
    options.split_attempts_max = 1;
    auto shared = new_store();
    shared->put("/in/a", text);
    shared->before_read = [](const std::string&, std::uint64_t offset) -> std::optional<Error> {
      if (offset < kFailsAt) return std::nullopt;
      return Error{ErrorCode::kBadEncoding, "the bytes from here on are lost"};
    };
    const Outcome outcome = drain(options, shared);
    const auto end = static_cast<std::size_t>(outcome.end.offset);
    ASSERT_GE(end + 64, kFailsAt) << quoted_from;
    ASSERT_TRUE(
        std::string_view(text).substr(end).starts_with(std::to_string(outcome.rows.size()) + ","));
  }
}

TEST_P(SlicesTest, ReadsThatFailNowAndThenAreMadeAgain) {
  std::string text = "id,name,amount\n";
  for (int i = 0; i < 20'000; ++i) {
    text += record(i, i < 10'000 ? "some name" : "\"a\n1,b,2\nc\"") + "\n";
  }
  const Outcome wanted = reference(options(), text);
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto shared = new_store();
    shared->put("/in/a", text);
    std::mutex mutex;
    std::mt19937 random(seed);
    std::uint64_t failures = 0;
    shared->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
      const std::lock_guard lock(mutex);
      if (random() % 4 != 0) return std::nullopt;
      ++failures;
      Error error{ErrorCode::kUnavailable, "not now, at " + std::to_string(offset)};
      error.retryable = true;
      return error;
    };
    SourceOptions options = this->options();
    options.split_attempts_max = 100;
    const ManualClock clock;
    options.clock = &clock;
    expect_equal(drain(options, shared), wanted);
    EXPECT_GT(failures, 0u);
  }
}

TEST_P(SlicesTest, RowsOfAnObjectThatIsReplacedWhileItIsReadAreOfOneVersionAndThenOfTheOther) {
  const std::string text = plain(20'000);
  const Outcome wanted = reference(options(), text);
  for (const std::uint64_t at : {20'000u, 100'000u, 250'000u}) {
    auto shared = new_store();
    shared->put("/in/a", text);
    std::once_flag once;
    shared->before_read = [&](const std::string&, std::uint64_t offset) -> std::optional<Error> {
      if (offset >= at) {
        std::call_once(once, [&] { shared->put("/in/a", "id,name,amount\n7,new,7\n"); });
      }
      return std::nullopt;
    };
    Outcome found = drain(options(), shared);
    ASSERT_EQ(found.rows.back(), "15 1|7|new|7");
    found.rows.pop_back();
    ASSERT_LT(found.rows.size(), wanted.rows.size());
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      ASSERT_EQ(found.rows[i], wanted.rows[i]);
    }
  }
}

TEST_P(SlicesTest, WhoReadsAnObjectAgainGetsItsRowsOnTheThreadThatAsked) {
  std::string content = "id,name,amount\n";
  for (int i = 0; i < 60'000; ++i) content += std::to_string(i) + ",some name,1.25\n";
  auto shared = new_store();
  shared->put("/in/a", content);
  auto source = executor::SourceExecutor::prepare(options(), std::make_unique<MemoryStore>(shared),
                                                  "pipeline")
                    .value();
  const ObjectVersion object{"/in/a", shared->objects["/in/a"].first, content.size(), 0};
  std::int64_t rows = 0;
  const auto read = source->reader().read(
      object, {}, [&, caller = std::this_thread::get_id()](const RowChunk& chunk) -> Result<void> {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        rows += chunk.rows;
        return {};
      });
  ASSERT_TRUE(read.has_value()) << read.error().to_string();
  EXPECT_EQ(rows, 60'000);
}

TEST_P(SlicesTest, AnUnterminatedQuoteAtTheEndNamesItsRecord) {
  expect_same_as_one_parser(plain(10'000) + "1,\"open\n\n" + std::string(70'000, 'x'));
}

TEST_P(SlicesTest, ABadRecordFarBehindIsNamedAndStopsTheObjectThere) {
  const std::string text = plain(15'000) + "x,name,1\n" + plain(5'000).substr(15);
  SourceOptions once = options();
  once.format.on_error = OnError::kFail;
  const Outcome wanted = reference(once, text);
  EXPECT_NE(wanted.error.find("record 15001"), std::string::npos) << wanted.error;
  const Outcome found = load(once, text);
  expect_equal(found, wanted);
  EXPECT_EQ(found.offending.substr(0, 9), "x,name,1\n");
}

TEST_P(SlicesTest, WithoutHeaderRecordsAreCutFromTheFirstOn) {
  SourceOptions once = options();
  once.format.header = false;
  const std::string text = "\xef\xbb\xbf" + plain(20'000).substr(15);
  expect_equal(load(once, text), reference(once, text));
}

INSTANTIATE_TEST_SUITE_P(, SlicesTest, ::testing::Bool(), [](const auto& store) {
  return store.param ? "ReadAnywhere" : "ReadInOrder";
});

}  // namespace
}  // namespace leat
