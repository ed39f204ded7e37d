#include "executor/partitions.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "executor/object_filter.h"
#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat::executor {
namespace {

using leat::testing::ManualClock;
using leat::testing::MemoryStore;
using leat::testing::TemporaryFolder;

std::string text_of(const Schema& schema, const PartitionValues& values) {
  std::string text;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (i > 0) text += '|';
    if (values.columns[i].is_null(0)) {
      text += "null";
    } else {
      append_value_text(schema.fields[i].type, values.columns[i], 0, text);
    }
  }
  return text;
}

std::string read(std::string_view columns, std::string_view key) {
  PartitionReader reader(*parse_schema(columns));
  const Result<const PartitionValues*> values = reader.read(key);
  return values ? text_of(reader.schema(), **values) : values.error().message;
}

TEST(PartitionReader, ReadsTypedValuesFromFolders) {
  EXPECT_EQ(read("dt date, hour integer, region text",
                 "in/region=eu-west/dt=2026-11-20/hour=07/part-1.csv"),
            "2026-11-20|7|eu-west");
}

TEST(PartitionReader, DecodesPercentsInNamesAndValues) {
  EXPECT_EQ(read("\"full name\" text", "full%20name=a%2Fb%3D%22c%22/x"), "a/b=\"c\"");
  EXPECT_EQ(read("a text", "a=100%/x"), "100%");
}

TEST(PartitionReader, ReadsHivesNullAndMissingFoldersAsNull) {
  EXPECT_EQ(read("dt date, hour integer", "dt=__HIVE_DEFAULT_PARTITION__/x.csv"), "null|null");
  EXPECT_EQ(read("a text", "x.csv"), "null");
  EXPECT_EQ(read("a text", "a=/x.csv"), "");
}

TEST(PartitionReader, TakesTheInnermostFolderAndNotTheFile) {
  EXPECT_EQ(read("a integer", "a=1/a=2/a=3"), "2");
}

TEST(PartitionReader, SaysWhichFolderDoesNotFit) {
  const std::string message = read("dt date", "in/dt=2026-02-30/x.csv");
  EXPECT_NE(message.find("in/dt=2026-02-30/"), std::string::npos) << message;
  EXPECT_NE(read("dt date not null", "in/x.csv").find("do not fit"), std::string::npos);
}

TEST(PartitionReader, RepeatsValuesOfEveryTypeInEachRow) {
  const std::string columns =
      "b boolean, s smallint, i integer, l bigint, f real, d double precision, n numeric(20,3), "
      "dt date, t time, ts timestamp, tz timestamptz, x text, y bytea, u uuid, j json, z text";
  PartitionReader reader(*parse_schema(columns));
  const auto values = reader.read(
      "b=t/s=-3/i=4/l=5/f=1.5/d=2.5/n=12345678901234567.125/dt=2026-11-20/t=10:00/"
      "ts=2026-11-20T10:00/tz=2026-11-20T10:00Z/x=text/y=%5Cx0aff/"
      "u=00112233-4455-6677-8899-aabbccddeeff/j=[1]/file");
  ASSERT_TRUE(values) << values.error().to_string();
  RowChunk chunk;
  chunk.rows = 11;
  append_partitions(reader.schema(), **values, chunk);
  ASSERT_EQ(chunk.columns.size(), 16u);
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    std::string text;
    for (std::size_t i = 0; i + 1 < chunk.columns.size(); ++i) {
      ASSERT_FALSE(chunk.columns[i].is_null(row));
      append_value_text(reader.schema().fields[i].type, chunk.columns[i], row, text);
      text += ' ';
    }
    EXPECT_EQ(text,
              "true -3 4 5 1.5 2.5 12345678901234567.125 2026-11-20 10:00:00 2026-11-20 10:00:00 "
              "2026-11-20 10:00:00+00 text \\x0aff 00112233-4455-6677-8899-aabbccddeeff [1] ");
    EXPECT_TRUE(chunk.columns[15].is_null(row));
  }
  EXPECT_EQ(chunk.columns[15].null_count, 11);
}

class ObjectFilterTest : public ::testing::Test {
 protected:
  static Result<ObjectFilter> filter(const std::string& where) {
    SourceOptions options;
    options.partitions = *parse_schema("dt date not null, hour integer, \"Region\" text");
    options.where = where;
    return ObjectFilter::create(options);
  }
  static bool takes(const std::string& where, const std::string& key) {
    Result<ObjectFilter> made = filter(where);
    EXPECT_TRUE(made) << made.error().to_string();
    return made && made->takes({.key = key});
  }
};

TEST_F(ObjectFilterTest, ComparesValuesByTheirTypes) {
  const std::string key = "dt=2026-11-20/hour=7/Region=eu/x.csv";
  for (const char* yes :
       {"dt = 2026-11-20", "dt >= 2026-11-20", "dt <= 2026-11-20", "dt > 2026-11-19", "hour < 10",
        "hour <> 8", "hour != 8", "hour in (1, 7)", "hour NOT IN (1, 2)", "Region = 'eu'",
        "\"Region\" = eu", "region BETWEEN 'a' AND 'f' and hour between 7 and 7", "dt is not null",
        "dt >= '2026-11-01' AND hour = 07"}) {
    EXPECT_TRUE(takes(yes, key)) << yes;
  }
  for (const char* no : {"dt = 2026-11-21", "dt < 2026-11-20", "hour > 10", "hour <> 7",
                         "hour in (1, 2)", "hour NOT IN (7)", "Region = 'EU'",
                         "hour between 8 and 9", "dt is null", "hour = 7 and Region = us"}) {
    EXPECT_FALSE(takes(no, key)) << no;
  }
}

TEST_F(ObjectFilterTest, NullFulfilsNothingButIsNull) {
  EXPECT_FALSE(takes("hour = 7", "dt=2026-11-20/x"));
  EXPECT_FALSE(takes("hour <> 7", "dt=2026-11-20/x"));
  EXPECT_TRUE(takes("hour is null", "dt=2026-11-20/x"));
}

TEST_F(ObjectFilterTest, TakesWhatItCannotDecide) {
  EXPECT_TRUE(takes("hour = 7", "hour=seven/x"));
}

TEST_F(ObjectFilterTest, SaysWhereAConditionIsWrong) {
  for (const auto& [where, hint] :
       std::map<std::string, std::string>{{"day = 1", "none of the partitions (dt, hour, Region)"},
                                          {"hour ~ 1", "is expected"},
                                          {"hour = x", "no integer"},
                                          {"hour =", "a value is expected"},
                                          {"hour = 1 or hour = 2", "AND or the end"},
                                          {"Region = 'eu", "a value is expected"},
                                          {"hour in 1", "( is expected"}}) {
    const Result<ObjectFilter> made = filter(where);
    ASSERT_FALSE(made) << where;
    EXPECT_NE(made.error().message.find(hint), std::string::npos) << made.error().message;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(ObjectFilterTest, LeavesOutByTimeAndKey) {
  SourceOptions options;
  options.modified_after_ms = 1'000;
  options.key_after = "b";
  Result<ObjectFilter> made = ObjectFilter::create(options);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->takes({.key = "ba", .modified_ms = 1'001}));
  EXPECT_FALSE(made->takes({.key = "ba", .modified_ms = 1'000}));
  EXPECT_FALSE(made->takes({.key = "b", .modified_ms = 1'001}));
}

class PartitionedSourceTest : public ::testing::Test {
 protected:
  SourceOptions options() {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.schema = *parse_schema("id bigint");
    options.partitions = *parse_schema("dt date, hour integer");
    options.lineage = true;
    options.threads = 2;
    options.clock = &clock_;
    return options;
  }

  /// The rows as text, sorted; the objects' states at the end.
  std::string load(const SourceOptions& options) {
    auto source = Source::open(options, std::make_unique<MemoryStore>(store_));
    if (!source) return source.error().to_string();
    std::multimap<std::string, int> rows;
    while (true) {
      Result<Polled> polled = (*source)->poll(std::chrono::seconds(1));
      if (!polled) return polled.error().to_string();
      if (polled->kind == Polled::Kind::kEnd) break;
      if (polled->kind != Polled::Kind::kRows) continue;
      const RowChunk& chunk = polled->rows;
      for (std::int64_t row = 0; row < chunk.rows; ++row) {
        std::string text;
        for (std::size_t i = 0; i < 4; ++i) {
          if (i > 0) text += ',';
          if (chunk.columns[i].is_null(row)) continue;
          append_value_text(chunk.schema->fields[i].type, chunk.columns[i], row, text);
        }
        rows.emplace(text + ";", 0);
      }
    }
    EXPECT_TRUE((*source)->commit((*source)->checkpoint()));
    stats_ = (*source)->stats();
    EXPECT_TRUE((*source)->close());
    std::string all;
    for (const auto& [text, unused] : rows) all += text;
    return all;
  }

  TemporaryFolder folder_{"leat-partitions"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
  SourceStats stats_;
};

TEST_F(PartitionedSourceTest, AddsPartitionsBetweenDataAndLineage) {
  store_->put("/in/dt=2026-11-20/hour=7/a", "id\n1\n2\n");
  store_->put("/in/dt=2026-11-21/b", "id\n3\n");
  EXPECT_EQ(load(options()),
            "1,2026-11-20,7,/in/dt=2026-11-20/hour=7/a;2,2026-11-20,7,/in/dt=2026-11-20/hour=7/a;"
            "3,2026-11-21,,/in/dt=2026-11-21/b;");
}

TEST_F(PartitionedSourceTest, QuarantinesAnObjectWhosePartitionsDoNotFit) {
  store_->put("/in/dt=today/a", "id\n1\n");
  store_->put("/in/dt=2026-11-21/b", "id\n3\n");
  EXPECT_EQ(load(options()), "3,2026-11-21,,/in/dt=2026-11-21/b;");
  EXPECT_EQ(stats_.objects_quarantined, 1u);
}

TEST_F(PartitionedSourceTest, ReadsOnlyWhatTheConditionTakesAndTheRestLater) {
  store_->put("/in/dt=2026-11-20/a", "id\n1\n");
  store_->put("/in/dt=2026-11-21/b", "id\n2\n");
  SourceOptions narrow = options();
  narrow.where = "dt > 2026-11-20";
  EXPECT_EQ(load(narrow), "2,2026-11-21,,/in/dt=2026-11-21/b;");
  EXPECT_EQ(load(options()), "1,2026-11-20,,/in/dt=2026-11-20/a;");
}

TEST_F(PartitionedSourceTest, RefusesAPartitionThatIsAColumnToo) {
  store_->put("/in/id=1/a", "id\n1\n");
  SourceOptions twice = options();
  twice.partitions = *parse_schema("id bigint");
  EXPECT_NE(load(twice).find("both in the data and a partition"), std::string::npos);
}

}  // namespace
}  // namespace leat::executor
