// Compressed objects through the whole source: the rows of the plain one, resumed in the middle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "leat/source.h"
#include "state/ledger.h"
#include "tests/parser/decode/encoders.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::MemoryStore;
using testing::TemporaryFolder;

struct Compression {
  const char* name;
  std::function<std::string(std::string_view)> compress;
};

/// Several members, frames or streams, so that each encoding has places to begin at.
std::string in_parts(std::string_view text,
                     const std::function<std::string(std::string_view)>& compress) {
  constexpr std::size_t kPart = 300'000;
  std::string compressed;
  for (std::size_t i = 0; i < text.size(); i += kPart)
    compressed += compress(text.substr(i, kPart));
  return compressed;
}

std::string rows(int count) {
  std::string text = "id,name\n";
  for (int i = 0; i < count; ++i) {
    text += std::to_string(i) + ",name " + std::to_string(i * 7919LL % 1'000'003) + "\n";
  }
  return text;
}

class CompressedObjects : public ::testing::Test {
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
    return options;
  }

  /// Ids in their order; closes the source and opens it again after every `polls_per_run` polls.
  std::vector<std::int64_t> load(int polls_per_run) {
    std::vector<std::int64_t> ids;
    for (bool more = true; more;) {
      auto source = Source::open(options(), std::make_unique<MemoryStore>(shared_)).value();
      for (int i = 0; i < polls_per_run && more; ++i) {
        Result<Polled> polled = source->poll(10s);
        if (!polled) {
          ADD_FAILURE() << polled.error().to_string();
          return ids;
        }
        for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
          ids.push_back(polled->rows.columns[0].at<std::int64_t>(row));
        }
        more = polled->kind != Polled::Kind::kEnd;
      }
      EXPECT_TRUE(source->commit(source->checkpoint()));
    }
    return ids;
  }

  std::vector<SplitProgress> ledger_entries() {
    std::vector<SplitProgress> entries;
    auto ledger = state::Ledger::open({.dir = folder_.path() / "state", .read_only = true}).value();
    EXPECT_TRUE(ledger->scan([&](const SplitProgress& progress) {
      entries.push_back(progress);
      return true;
    }));
    return entries;
  }

  static void expect_sequence(const std::vector<std::int64_t>& ids, std::int64_t count) {
    ASSERT_EQ(ids.size(), static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(ids[static_cast<std::size_t>(i)], i);
  }

  TemporaryFolder folder_;
  std::shared_ptr<MemoryStore::Shared> shared_ = std::make_shared<MemoryStore::Shared>();
};

class EveryCompression : public CompressedObjects,
                         public ::testing::WithParamInterface<Compression> {};

INSTANTIATE_TEST_SUITE_P(
    , EveryCompression,
    ::testing::Values(Compression{"Gzip", [](std::string_view text) { return parser::gzip(text); }},
                      Compression{"GzipMembers",
                                  [](std::string_view text) {
                                    return in_parts(text, [](std::string_view part) {
                                      return parser::gzip(part);
                                    });
                                  }},
                      Compression{"Zstd",
                                  [](std::string_view text) {
                                    return in_parts(text, [](std::string_view part) {
                                      return parser::zstd(part);
                                    });
                                  }},
                      Compression{"Bzip2",
                                  [](std::string_view text) {
                                    return in_parts(text, [](std::string_view part) {
                                      return parser::bzip2(part);
                                    });
                                  }},
                      Compression{"Xz",
                                  [](std::string_view text) {
                                    return in_parts(text, [](std::string_view part) {
                                      return parser::xz(part);
                                    });
                                  }},
                      Compression{"Lz4",
                                  [](std::string_view text) {
                                    return in_parts(text, [](std::string_view part) {
                                      return parser::lz4(part);
                                    });
                                  }}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(EveryCompression, GivesTheRowsOfThePlainObject) {
  shared_->put("/in/a", GetParam().compress(rows(100'000)));
  expect_sequence(load(1 << 30), 100'000);
}

TEST_P(EveryCompression, GoesOnWhereACommitLeftIt) {
  shared_->put("/in/a", GetParam().compress(rows(100'000)));
  expect_sequence(load(3), 100'000);
}

TEST_F(CompressedObjects, TheContentDecidesAndNotTheName) {
  shared_->put("/in/plain.csv.gz", "id,name\n0,a\n");
  shared_->put("/in/really.csv", parser::gzip("id,name\n1,b\n"));
  std::vector<std::int64_t> ids = load(1 << 30);
  std::sort(ids.begin(), ids.end());
  expect_sequence(ids, 2);
}

TEST_F(CompressedObjects, RowsInFrontOfBrokenBytesAreKeptAndTheObjectIsSetAside) {
  const std::string whole = parser::gzip(rows(100'000));
  shared_->put("/in/a", whole.substr(0, whole.size() / 2));
  shared_->put("/in/b", parser::gzip("id,name\n7,other\n"));
  const std::vector<std::int64_t> ids = load(1 << 30);
  EXPECT_GT(ids.size(), 20'000u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 7), 2);  // One of each object.
  const std::vector<SplitProgress> entries = ledger_entries();
  ASSERT_EQ(entries.size(), 2u);
  for (const SplitProgress& entry : entries) {
    if (entry.object.key == "/in/b") {
      EXPECT_EQ(entry.state, SplitState::kFinished);
      continue;
    }
    EXPECT_EQ(entry.state, SplitState::kQuarantined);
    ASSERT_TRUE(entry.error);
    EXPECT_EQ(entry.error->code, ErrorCode::kBadEncoding);
    EXPECT_THAT(entry.error->message, HasSubstr("cut off"));
    EXPECT_TRUE(entry.error->at.byte_offset);
    EXPECT_EQ(entry.rows, ids.size() - 1);
  }
}

TEST_F(CompressedObjects, ABombIsSetAsideAndOthersGoOn) {
  std::string bomb = parser::zstd("id,name\n");
  const std::string blank_lines = parser::zstd(std::string(8u << 20, '\n'));
  for (int i = 0; i < 10; ++i) bomb += blank_lines;
  shared_->put("/in/bomb", bomb);
  shared_->put("/in/good", "id,name\n0,a\n");
  expect_sequence(load(1 << 30), 1);
  const std::vector<SplitProgress> entries = ledger_entries();
  ASSERT_EQ(entries.size(), 2u);
  const SplitProgress& entry = entries[entries[0].object.key == "/in/bomb" ? 0 : 1];
  EXPECT_EQ(entry.state, SplitState::kQuarantined);
  ASSERT_TRUE(entry.error);
  EXPECT_THAT(entry.error->message, HasSubstr("--max-decode-ratio"));
}

}  // namespace
}  // namespace leat
