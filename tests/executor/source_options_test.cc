// What can be known to be wrong before anything is opened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "leat/source.h"

namespace leat {
namespace {

using ::testing::HasSubstr;

/// @param set  Makes options that validate wrong.
std::string refused(const std::function<void(SourceOptions&)>& set) {
  SourceOptions options;
  options.from = "s3://bucket/in/*.csv";
  options.state_dir = "/nowhere/state";  // Never made: the options are refused before.
  EXPECT_TRUE(options.validate());
  set(options);
  const Result<void> valid = options.validate();
  if (valid) return "it validates";
  EXPECT_EQ(valid.error().code, ErrorCode::kInvalidArgument);
  const Result<std::unique_ptr<Source>> source = Source::open(options);
  if (source) return "it opens";
  EXPECT_EQ(source.error().message, valid.error().message);
  return valid.error().message;
}

TEST(SourceOptions, RefuseAPlaceThatCannotBeRead) {
  EXPECT_THAT(refused([](auto& o) { o.from = "ftp://host/in/*.csv"; }), HasSubstr("ftp"));
  EXPECT_THAT(refused([](auto& o) { o.from = "s3://bucket/in/[a.csv"; }), HasSubstr("["));
}

TEST(SourceOptions, RefuseAConditionThatCannotBeRead) {
  EXPECT_THAT(refused([](auto& o) { o.where = "nix = 3"; }), HasSubstr("none of the partitions"));
  EXPECT_THAT(refused([](auto& o) {
                o.partitions = *parse_schema("dt date");
                o.where = "dt >";
              }),
              HasSubstr("a value is expected"));
}

TEST(SourceOptions, RefuseColumnsOfOneName) {
  EXPECT_THAT(refused([](auto& o) {
                o.schema = *parse_schema("id bigint, dt text");
                o.partitions = *parse_schema("dt date");
              }),
              HasSubstr("both in the data and a partition"));
  EXPECT_THAT(refused([](auto& o) {
                o.partitions = *parse_schema("_object text");
                o.lineage = true;
              }),
              HasSubstr("lineage column"));
  EXPECT_THAT(refused([](auto& o) {
                o.partitions.fields = {{"dt", {}}, {"dt", {}}};
              }),
              HasSubstr("there is a partition dt twice"));
}

TEST(SourceOptions, RefuseTypesThatAreNone) {
  const auto refused_type = [](DataType type, bool partition) {
    return refused([&](auto& o) {
      if (!partition) o.schema.emplace();
      (partition ? o.partitions : *o.schema).fields = {{"n", type}};
    });
  };
  for (const bool partition : {false, true}) {
    EXPECT_THAT(refused_type({TypeId(99)}, partition), HasSubstr("99, which is no TypeId"));
    EXPECT_THAT(refused_type({TypeId(0)}, partition), HasSubstr("0, which is no TypeId"));
    EXPECT_THAT(refused_type({TypeId::kDecimal, 77, 99}, partition), HasSubstr("numeric(77,99)"));
    EXPECT_THAT(refused_type({TypeId::kDecimal, 0, 0}, partition), HasSubstr("precision"));
    EXPECT_THAT(refused_type({TypeId::kDecimal, 5, 6}, partition), HasSubstr("scale"));
    EXPECT_THAT(refused_type({TypeId::kText, 5, 0}, partition), HasSubstr("only numeric"));
  }
}

TEST(SourceOptions, RefuseNumbersThatAreNoEnumerators) {
  const std::pair<const char*, std::function<void(SourceOptions&)>> cases[] = {
      {"types", [](auto& o) { o.types = SourceOptions::Types(9); }},
      {"on_change", [](auto& o) { o.on_change = SourceOptions::OnChange(-1); }},
      {"after.kind", [](auto& o) { o.after.kind = AfterAction::Kind(9); }},
      {"order", [](auto& o) { o.order = SourceOptions::Order(9); }},
      {"discovery", [](auto& o) { o.discovery = SourceOptions::Discovery(9); }},
      {"addressing", [](auto& o) { o.store.s3.addressing = S3Options::Addressing(9); }},
      {"kind", [](auto& o) { o.format.kind = Format(9); }},
      {"on_error", [](auto& o) { o.format.on_error = OnError(9); }},
      {"extra_columns", [](auto& o) { o.format.extra_columns = ExtraColumns(9); }},
      {"missing_columns", [](auto& o) { o.format.missing_columns = MissingColumns(9); }},
      {"line_ends", [](auto& o) { o.format.line_ends = LineEnds(9); }},
      {"short_records", [](auto& o) { o.format.short_records = ShortRecords(9); }},
      {"long_records", [](auto& o) { o.format.long_records = LongRecords(9); }},
  };
  for (const auto& [name, set] : cases) {
    EXPECT_THAT(refused(set), HasSubstr(std::string(name) + " is no enumerator"));
  }
}

TEST(SourceOptions, RefuseWhatNoParserCanBeMadeWith) {
  EXPECT_THAT(refused([](auto& o) { o.format.simd = "zz"; }), HasSubstr("simd names \"zz\""));
  EXPECT_THAT(refused([](auto& o) {
                o.format.kind = Format::kLines;
                o.schema = *parse_schema("a text, b text");
              }),
              HasSubstr("lines have one column"));
}

TEST(SourceOptions, RefuseAnAfterActionWithoutItsName) {
  EXPECT_THAT(refused([](auto& o) { o.after.kind = AfterAction::Kind::kMove; }),
              HasSubstr("need a name"));
  EXPECT_THAT(refused([](auto& o) { o.after.kind = AfterAction::Kind::kTag; }),
              HasSubstr("need a name"));
}

}  // namespace
}  // namespace leat
