// A source that finds its columns itself, and what it says of objects that depart from them.
#include "leat/sniff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::MemoryStore;
using ::testing::Not;
using testing::TemporaryFolder;

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) {
    ++count;
  }
  return count;
}

class SniffingSource : public ::testing::Test {
 protected:
  SourceOptions options() {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.types = SourceOptions::Types::kSniff;
    options.memory_bytes_max = 16u << 20;
    options.threads = 2;
    options.clock = &clock_;
    options.log = [this](SourceOptions::LogLevel level, const std::string& message) {
      if (level == SourceOptions::LogLevel::kDebug) return;
      const std::lock_guard lock(log_mutex_);
      log_ += message + "\n";
    };
    return options;
  }

  std::unique_ptr<Source> opened(SourceOptions options) {
    Result<std::unique_ptr<Source>> source =
        Source::open(std::move(options), std::make_unique<MemoryStore>(store_));
    if (!source) {
      ADD_FAILURE() << source.error().to_string();
      return nullptr;
    }
    return std::move(*source);
  }

  /// Rows of each object, as "value|value", of one run that is committed.
  std::map<std::string, std::vector<std::string>> load(SourceOptions options) {
    std::map<std::string, std::vector<std::string>> rows;
    std::unique_ptr<Source> source = opened(std::move(options));
    if (source == nullptr) return rows;
    while (true) {
      Result<Polled> polled = source->poll(1s);
      if (!polled) {
        ADD_FAILURE() << polled.error().to_string();
        return rows;
      }
      if (polled->kind == Polled::Kind::kEnd) break;
      if (polled->kind == Polled::Kind::kRows) append(polled->rows, rows);
    }
    EXPECT_TRUE(source->commit(source->checkpoint()));
    stats_ = source->stats();
    schema_ = source->schema() == nullptr ? "" : source->schema()->to_sql();
    return rows;
  }

  static void append(const RowChunk& chunk, std::map<std::string, std::vector<std::string>>& rows) {
    for (std::int64_t row = 0; row < chunk.rows; ++row) {
      std::string text;
      for (std::size_t i = 0; i < chunk.columns.size(); ++i) {
        if (i != 0) text += "|";
        if (chunk.columns[i].is_null(row)) {
          text += "\\N";
        } else {
          append_value_text(chunk.schema->fields[i].type, chunk.columns[i], row, text);
        }
      }
      rows[chunk.split->key].push_back(std::move(text));
    }
  }

  TemporaryFolder folder_{"leat-sniff"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
  SourceStats stats_;
  std::string schema_;
  std::mutex log_mutex_;
  std::string log_;
};

TEST_F(SniffingSource, FindsColumnsTypesAndDialectAndKeepsThem) {
  store_->put("/in/a", "id;at;note\n1;2026-11-20;x\n2;2026-11-21;y, z\n");
  EXPECT_THAT(load(options())["/in/a"], ElementsAre("1|2026-11-20|x", "2|2026-11-21|y, z"));
  EXPECT_EQ(schema_, "id bigint, at date, note text");
  EXPECT_THAT(log_, AllOf(HasSubstr("id bigint, at date, note text"), HasSubstr("delimiter ;"),
                          HasSubstr("--schema"), HasSubstr("--types text")));
  // What alone would be read otherwise is read as before.
  log_.clear();
  store_->put("/in/b", "id;at;note\n3;2026-11-22;\"1,5\"\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("3|2026-11-22|1,5"));
  EXPECT_EQ(schema_, "id bigint, at date, note text");
  EXPECT_THAT(log_, Not(HasSubstr("sample")));
}

TEST_F(SniffingSource, AnOptionOutranksWhatWasKept) {
  store_->put("/in/a", "id;n\n1;2\n");
  load(options());
  SourceOptions commas = options();
  commas.sniffed.delimiter = false;
  store_->put("/in/b", "id,n\n3,4\n");
  EXPECT_THAT(load(commas)["/in/b"], ElementsAre("3|4"));
}

TEST_F(SniffingSource, KeptDialectHoldsForASchemaThatIsGivenLater) {
  store_->put("/in/a", "id;n\n1;2\n");
  load(options());
  SourceOptions given = options();
  given.schema = *parse_schema("n bigint, id bigint");
  store_->put("/in/b", "id;n\n3;4\n");
  EXPECT_THAT(load(given)["/in/b"], ElementsAre("4|3"));
}

TEST_F(SniffingSource, LooksAtSeveralObjects) {
  store_->put("/in/a", "id,n\n1,2\n");
  store_->put("/in/b", "id,n\n1,2.5\n");
  store_->put("/in/c", "id,n,at\n1,2,2026-11-20\n");
  const auto rows = load(options());
  EXPECT_EQ(schema_, "id bigint, n double precision, at date");
  EXPECT_THAT(rows.at("/in/a"), ElementsAre("1|2|\\N"));
  EXPECT_EQ(stats_.objects_quarantined, 0u);
}

TEST_F(SniffingSource, ObjectsWithoutRecordsSettleNothing) {
  store_->put("/in/a", "");
  store_->put("/in/b", "id,n\n");
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_finished, 2u);
  EXPECT_EQ(schema_, "");
  store_->put("/in/c", "id,n\n1,2026-11-20\n");
  EXPECT_THAT(load(options())["/in/c"], ElementsAre("1|2026-11-20"));
  EXPECT_EQ(schema_, "id bigint, n date");
}

TEST_F(SniffingSource, AContinuousSourceWaitsForTheFirstObject) {
  SourceOptions continuous = options();
  continuous.once = false;
  std::unique_ptr<Source> source = opened(continuous);
  ASSERT_TRUE(source->poll(0ms));
  EXPECT_EQ(source->schema(), nullptr);
  store_->put("/in/a", "id|n\n1|2\n");
  std::map<std::string, std::vector<std::string>> rows;
  while (rows.empty()) {
    Result<Polled> polled = source->poll(10s);
    ASSERT_TRUE(polled) << polled.error().to_string();
    if (polled->kind == Polled::Kind::kRows) append(polled->rows, rows);
  }
  EXPECT_THAT(rows["/in/a"], ElementsAre("1|2"));
  EXPECT_EQ(source->schema()->to_sql(), "id bigint, n bigint");
}

TEST_F(SniffingSource, AnObjectThatIsNoTextIsQuarantinedAndTheNextOneDecides) {
  store_->put("/in/a", std::string("\x7f"
                                   "ELF\x01\x01\x01\0\0\0\0\0",
                                   12));
  store_->put("/in/b", "id,n\n1,2\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("1|2"));
  EXPECT_EQ(stats_.objects_quarantined, 1u);
  EXPECT_EQ(schema_, "id bigint, n bigint");
}

TEST_F(SniffingSource, AnObjectOfWhichNoRecordCanBeReadIsQuarantinedAndTheNextOneDecides) {
  store_->put("/in/a", "id,name\n1,\"ab\n2,c\n3,d\n");
  store_->put("/in/b", "1,\"e2024:");
  store_->put("/in/c", "id,name\n1,x,y\n");
  store_->put("/in/d", "id,name\n1,x\n");
  EXPECT_THAT(load(options())["/in/d"], ElementsAre("1|x"));
  EXPECT_EQ(stats_.objects_quarantined, 3u);
  EXPECT_EQ(schema_, "id bigint, name text");
}

TEST_F(SniffingSource, NamesThatAreNoneAreNotReadByPlaceUnasked) {
  store_->put("/in/a", "id,,\xff\n1,2,3\n");
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_quarantined, 1u);
  EXPECT_THAT(log_, AllOf(HasSubstr("column 3"), HasSubstr("UTF-8"), HasSubstr("--schema")));
}

TEST_F(SniffingSource, NamesThatAHeaderHasTwiceAreToldApartAlikeInAllObjects) {
  store_->put("/in/a", "id,at,at\n1,2026-11-20,2026-11-21\n");
  EXPECT_THAT(load(options())["/in/a"], ElementsAre("1|2026-11-20|2026-11-21"));
  EXPECT_EQ(schema_, "id bigint, at date, at_1 date");
  EXPECT_EQ(times(log_, "\"at\" in place 3 is \"at_1\""), 1u) << log_;
  log_.clear();
  store_->put("/in/b", "at,id,at\n2026-11-22,2,2026-11-23\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("2|2026-11-22|2026-11-23"));
  EXPECT_EQ(stats_.objects_with_missing_columns + stats_.objects_with_extra_columns, 0u);
  store_->put("/in/c", "id,at\n3,2026-11-24\n");
  store_->put("/in/d", "id,at,at,at\n4,2026-11-25,2026-11-26,2026-11-27\n");
  EXPECT_THAT(load(options())["/in/c"], ElementsAre("3|2026-11-24|\\N"));
  EXPECT_THAT(log_, HasSubstr("lacks columns, which are null in all of its rows: at_1"));
  EXPECT_THAT(log_, HasSubstr("columns that the schema does not know: \"at_2\""));
  EXPECT_EQ(stats_.objects_quarantined, 1u);
}

TEST_F(SniffingSource, ADelimiterBehindEachRecordIsLeftOutAndOneBehindIsAnError) {
  store_->put("/in/a", "id,n\n1,2,\n3,4,\n");
  EXPECT_THAT(load(options())["/in/a"], ElementsAre("1|2", "3|4"));
  EXPECT_THAT(log_, AllOf(HasSubstr("2 of 2 records"), HasSubstr("a delimiter ends each record")));
  store_->put("/in/b", "id,n\n5,6,\n");
  store_->put("/in/c", "id,n\n7,8,9\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("5|6")) << "also in the next run";
  EXPECT_EQ(stats_.objects_quarantined, 1u);
  EXPECT_THAT(log_, HasSubstr("the record has 3 fields, the header has 2"));
}

TEST_F(SniffingSource, PostgresTextIsFoundAndKept) {
  store_->put("/in/a", "1\ta\\\\b\t\\N\n2\tx\\\ty\t2026-11-20\n");
  EXPECT_THAT(load(options())["/in/a"], ElementsAre("1|a\\b|\\N", "2|x\ty|2026-11-20"));
  EXPECT_THAT(log_, AllOf(HasSubstr("fields that are \\N: 1"), HasSubstr("dialect postgres-text")));
  store_->put("/in/b", "3\t\"c\\nd\"\t\\N\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("3|\"c\nd\"|\\N")) << "also in the next run";
  SourceOptions csv = options();
  csv.sniffed.dialect = csv.sniffed.delimiter = csv.sniffed.quote = false;
  csv.format.delimiter = '\t';
  csv.format.null_strings = {"", "\\N"};
  store_->put("/in/c", "4\t\\n\t\\N\n");
  EXPECT_THAT(load(csv)["/in/c"], ElementsAre("4|\\n|\\N")) << "what is said outranks it";
}

TEST_F(SniffingSource, ObjectsWithoutAHeaderGetColumnsByPlace) {
  store_->put("/in/a", "1,x\n2,y\n");
  EXPECT_THAT(load(options())["/in/a"], ElementsAre("1|x", "2|y"));
  EXPECT_EQ(schema_, "column1 bigint, column2 text");
  store_->put("/in/b", "3,z\n");
  EXPECT_THAT(load(options())["/in/b"], ElementsAre("3|z")) << "also in the next run";
  SourceOptions told = options();
  told.state_dir = folder_.path() / "told";
  told.format.header = false;
  EXPECT_EQ(load(told).size(), 2u);
}

TEST_F(SniffingSource, ANewColumnInALaterObjectIsNoSmallMatter) {
  store_->put("/in/a", "id\n1\n");
  load(options());
  store_->put("/in/b", "id,n\n2,3\n");
  EXPECT_TRUE(load(options()).empty());
  EXPECT_EQ(stats_.objects_quarantined, 1u);
  EXPECT_THAT(log_, HasSubstr("--extra-columns ignore"));
}

TEST_F(SniffingSource, TextIsTheDefault) {
  EXPECT_EQ(SourceOptions().types, SourceOptions::Types::kText);
  SourceOptions text = options();
  text.types = SourceOptions::Types::kText;
  store_->put("/in/a", "id,n\n1,2\n");
  load(text);
  EXPECT_EQ(schema_, "id text, n text");
}

TEST_F(SniffingSource, TellsOfExtraColumnsOnce) {
  for (const char* key : {"/in/a", "/in/b", "/in/c"}) store_->put(key, "id,n,m\n1,2,3\n");
  store_->put("/in/d", "id,n,m,new\n1,2,3,4\n");
  SourceOptions given = options();
  given.schema = *parse_schema("id bigint");
  EXPECT_EQ(load(given).size(), 4u);
  EXPECT_EQ(stats_.objects_with_extra_columns, 4u);
  EXPECT_EQ(stats_.objects_with_missing_columns, 0u);
  EXPECT_EQ(times(log_, "columns that are ignored"), 2u) << log_;
  EXPECT_EQ(times(log_, "lacks them: n, m, new\n"), 1u) << log_;
}

TEST_F(SniffingSource, TellsOfMissingColumnsOnceOrQuarantines) {
  store_->put("/in/a", "id,n\n1,2\n");
  store_->put("/in/b", "id\n1\n");
  store_->put("/in/c", "id\n2\n");
  SourceOptions given = options();
  given.schema = *parse_schema("id bigint, n bigint");
  EXPECT_EQ(load(given).size(), 3u);
  EXPECT_EQ(stats_.objects_with_missing_columns, 2u);
  EXPECT_EQ(times(log_, "lacks columns, which are null in all of its rows: n"), 1u) << log_;
  given.state_dir = folder_.path() / "strict";
  given.format.missing_columns = MissingColumns::kFail;
  EXPECT_EQ(load(given).size(), 1u);
  EXPECT_EQ(stats_.objects_quarantined, 2u);
}

TEST_F(SniffingSource, TellsOfValuesThatDoNotFitForEachObject) {
  store_->put("/in/a", "id,n\n1,x\ny,2\n3,z\n");
  store_->put("/in/b", "id,n\n1,2\n");
  store_->put("/in/c", "id,n\n1,q\n");
  SourceOptions given = options();
  given.schema = *parse_schema("id bigint, n bigint");
  given.format.on_error = OnError::kNull;
  EXPECT_EQ(load(given)["/in/a"].size(), 3u);
  EXPECT_EQ(stats_.objects_with_misfits, 2u);
  EXPECT_EQ(stats_.values_nulled, 4u);
  EXPECT_THAT(log_, HasSubstr("/in/a: column n: 2 values do not fit bigint, the first in record "
                              "1: \"x\"; 2 read as null"));
  EXPECT_THAT(log_, HasSubstr("/in/a: column id: 1 value does not fit bigint"));

  log_.clear();
  given.state_dir = folder_.path() / "reject";
  given.format.on_error = OnError::kReject;
  load(given);
  EXPECT_EQ(stats_.objects_with_misfits, 2u);
  EXPECT_EQ(stats_.values_nulled, 0u);
  EXPECT_THAT(log_, HasSubstr("2 set aside"));

  given.state_dir = folder_.path() / "fail";
  given.format.on_error = OnError::kFail;
  load(given);
  EXPECT_EQ(stats_.objects_with_misfits, 2u);
  EXPECT_EQ(stats_.objects_quarantined, 2u);
}

TEST_F(SniffingSource, CountsMisfitsOfAnObjectThatIsParsedInPieces) {
  std::string bytes = "id,n\n";
  for (int i = 1; i <= 60'000; ++i) {
    bytes += std::to_string(i) + (i >= 50'000 ? ",x\n" : ",12345678\n");
  }
  store_->put("/in/large", bytes);
  SourceOptions given = options();
  given.schema = *parse_schema("id bigint, n bigint");
  given.format.on_error = OnError::kNull;
  EXPECT_EQ(load(given)["/in/large"].size(), 60'000u);
  EXPECT_EQ(stats_.values_nulled, 10'001u);
  EXPECT_THAT(log_, HasSubstr("10001 values do not fit bigint, the first in record 50000: \"x\""));
}

class SniffObjects : public ::testing::Test {
 protected:
  Result<SniffReport> sniffed(const std::string& from, std::uint32_t objects_max = 5) {
    SniffOptions options;
    options.from = from;
    options.objects_max = objects_max;
    options.sample_bytes_max = 64u << 10;
    options.store.clock = &clock_;
    return sniff(options, MemoryStore(store_));
  }

  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
};

TEST_F(SniffObjects, AreTheFirstTheLastAndOthersBetweenThem) {
  store_->put("/in/0", "");
  for (int i = 1; i < 10; ++i) store_->put("/in/" + std::to_string(i), "id\n1\n");
  const Result<SniffReport> report = sniffed("/in/*", 3);
  ASSERT_TRUE(report) << report.error().to_string();
  ASSERT_EQ(report->objects.size(), 3u);
  EXPECT_EQ(report->objects[0].object, "memory://in/1");
  EXPECT_EQ(report->objects[1].object, "memory://in/4");
  EXPECT_EQ(report->objects[2].object, "memory://in/8") << "of the listing's first pages";
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("1 of them empty")));
}

TEST_F(SniffObjects, ReadNoMoreThanTheSample) {
  std::string bytes = "id,n\n";
  while (bytes.size() < (1u << 20)) bytes += "1,2\n";
  store_->put("/in/a", bytes + "x,y\n");
  const Result<SniffReport> report = sniffed("/in/a");
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->objects[0].bytes, 64u << 10);
  EXPECT_FALSE(report->objects[0].whole);
  EXPECT_EQ(report->schema.to_sql(), "id bigint, n bigint");
}

TEST_F(SniffObjects, ThatCannotBeReadAreLeftOut) {
  store_->put("/in/a", "id\n1\n");
  store_->put("/in/b", "id\n1.5\n");
  store_->before_read = [](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key != "/in/b") return std::nullopt;
    return Error{ErrorCode::kPermissionDenied, "access denied"};
  };
  Result<SniffReport> report = sniffed("/in/*");
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->schema.to_sql(), "id bigint");
  ASSERT_EQ(report->objects.size(), 2u);
  EXPECT_EQ(report->objects[1].left_out, "access denied");
  store_->remove("/in/a");
  report = sniffed("/in/*");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(report.error().at.object, "memory://in/b");
}

TEST_F(SniffObjects, ThatAreNoneAreAnError) {
  EXPECT_EQ(sniffed("/in/*").error().code, ErrorCode::kNotFound);
  store_->put("/in/a", "");
  Result<SniffReport> report = sniffed("/in/*");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr("empty"));
  store_->put("/in/b", "\n\n");
  EXPECT_THAT(sniffed("/in/*").error().message, HasSubstr("no record"));
  EXPECT_EQ(sniffed("/in/*", 0).error().code, ErrorCode::kInvalidArgument);
}

/// "id,n\n1,2\n" in a gzip member that stores it uncompressed.
TEST_F(SniffObjects, AreDecoded) {
  const std::string plain = "id,n\n1,2\n";
  std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x09\x00\xf6\xff", 15);
  gzip += plain;
  std::uint32_t crc = 0xffffffff;
  for (const char c : plain) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  crc = ~crc;
  for (const std::uint32_t word : {crc, static_cast<std::uint32_t>(plain.size())}) {
    for (int shift = 0; shift < 32; shift += 8) gzip += static_cast<char>(word >> shift);
  }
  store_->put("/in/a.gz", gzip);
  const Result<SniffReport> report = sniffed("/in/*");
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->schema.to_sql(), "id bigint, n bigint");
  EXPECT_EQ(report->objects[0].bytes, plain.size());
}

}  // namespace
}  // namespace leat
