#include "leat/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat {
namespace {

using testing::HasSubstr;

// The one column's type in SQL, or the message.
std::string type_of(std::string_view type) {
  const auto schema = parse_schema("c " + std::string(type));
  if (!schema) {
    EXPECT_EQ(schema.error().code, ErrorCode::kInvalidArgument);
    return schema.error().message;
  }
  EXPECT_EQ(schema->fields.size(), 1U);
  return schema->fields[0].type.to_sql();
}

std::string failure(std::string_view sql) {
  const auto schema = parse_schema(sql);
  if (schema) return "accepted: " + schema->to_sql();
  EXPECT_EQ(schema.error().code, ErrorCode::kInvalidArgument);
  return schema.error().message;
}

TEST(ParseSchema, ReadsNamesTypesAndNotNull) {
  const auto schema =
      parse_schema("  id BigInt NOT null,\n\tName text,amount Numeric ( 10 , 2 )not null ");
  ASSERT_TRUE(schema) << schema.error().to_string();
  ASSERT_EQ(schema->fields.size(), 3U);
  EXPECT_EQ(schema->fields[0], (Field{"id", {TypeId::kInt64}, false}));
  EXPECT_EQ(schema->fields[1], (Field{"Name", {TypeId::kText}, true}));
  EXPECT_EQ(schema->fields[2], (Field{"amount", {TypeId::kDecimal, 10, 2}, false}));
}

TEST(ParseSchema, ReadsQuotedNames) {
  const auto schema = parse_schema(R"("full name" text, "a ""b"", c" int, "not" date, größe real)");
  ASSERT_TRUE(schema) << schema.error().to_string();
  EXPECT_EQ(schema->fields[0].name, "full name");
  EXPECT_EQ(schema->fields[1].name, "a \"b\", c");
  EXPECT_EQ(schema->fields[2].name, "not");
  EXPECT_EQ(schema->fields[3].name, "größe");
}

TEST(ParseSchema, KnowsTheSqlNamesOfEachType) {
  const std::pair<const char*, const char*> names[] = {
      {"bool", "boolean"},
      {"boolean", "boolean"},
      {"int2", "smallint"},
      {"smallint", "smallint"},
      {"int", "integer"},
      {"int4", "integer"},
      {"INTEGER", "integer"},
      {"int8", "bigint"},
      {"bigint", "bigint"},
      {"real", "real"},
      {"float4", "real"},
      {"double precision", "double precision"},
      {"DOUBLE\n PRECISION", "double precision"},
      {"float8", "double precision"},
      {"numeric(38,38)", "numeric(38,38)"},
      {"decimal(5)", "numeric(5,0)"},
      {"dec(5,0)", "numeric(5,0)"},
      {"date", "date"},
      {"time", "time"},
      {"time(6)", "time"},
      {"time without time zone", "time"},
      {"timestamp", "timestamp"},
      {"timestamp(6)", "timestamp"},
      {"timestamp without time zone", "timestamp"},
      {"timestamptz", "timestamptz"},
      {"timestamptz(6)", "timestamptz"},
      {"timestamp with time zone", "timestamptz"},
      {"Timestamp(6) With Time Zone", "timestamptz"},
      {"text", "text"},
      {"varchar", "text"},
      {"character varying", "text"},
      {"bytea", "bytea"},
      {"uuid", "uuid"},
      {"json", "json"},
  };
  for (const auto& [name, sql] : names) EXPECT_EQ(type_of(name), sql) << name;
}

TEST(ParseSchema, ListsTheKnownTypesWhenOneIsUnknown) {
  EXPECT_EQ(type_of("blob"),
            "the schema cannot be read: unknown type \"blob\"; known types: boolean, smallint, "
            "integer, bigint, real, double precision, numeric(p,s), date, time, timestamp, "
            "timestamptz, text, bytea, uuid, json");
  EXPECT_THAT(type_of("time with time zone"), HasSubstr("unknown type \"time with time zone\""));
  EXPECT_THAT(type_of("double"), HasSubstr("unknown type \"double\""));
  EXPECT_THAT(failure("id"), HasSubstr("a type was expected at the end; known types: boolean"));
}

TEST(ParseSchema, NamesTheColumnOfAnError) {
  const auto schema = parse_schema("id bigint, \"my col\" blob");
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().at.column, "my col");
}

TEST(ParseSchema, RefusesLengthsOfTextWithAHint) {
  for (const char* type :
       {"varchar(20)", "char(3)", "char", "character varying(20)", "character(5)", "bpchar"}) {
    EXPECT_THAT(type_of(type), HasSubstr("use text")) << type;
  }
}

TEST(ParseSchema, RefusesDecimalsWithoutPrecisionOrOutOfRange) {
  EXPECT_THAT(type_of("numeric"), HasSubstr("needs precision and scale, such as numeric(18,2)"));
  for (const char* type : {"numeric(0,0)", "numeric(39,2)", "numeric(5,6)", "numeric(5,-1)",
                           "numeric(300,2)", "numeric(-1)"}) {
    EXPECT_THAT(type_of(type), HasSubstr("1 <= precision <= 38 and 0 <= scale <= precision"))
        << type;
  }
  for (const char* type : {"numeric(", "numeric()", "numeric(5", "numeric(5,", "numeric(5,)",
                           "numeric(5,2", "numeric(5,2,1)", "numeric(a)", "numeric(99999999999)"}) {
    EXPECT_THAT(type_of(type), HasSubstr("a number and \")\" were expected")) << type;
  }
}

TEST(ParseSchema, RefusesOtherPrecisionsThanMicroseconds) {
  for (const char* type : {"timestamp(3)", "timestamptz(0)", "time(9)", "timestamp(6,1)",
                           "timestamp(3) with time zone"}) {
    EXPECT_THAT(type_of(type), HasSubstr("always keeps microseconds")) << type;
  }
}

TEST(ParseSchema, RefusesArgumentsOfOtherTypes) {
  EXPECT_THAT(type_of("bigint(20)"), HasSubstr("type \"bigint\" takes no (…)"));
}

TEST(ParseSchema, RefusesBrokenSyntax) {
  EXPECT_THAT(failure(""), HasSubstr("names no column"));
  EXPECT_THAT(failure(" \n"), HasSubstr("names no column"));
  EXPECT_THAT(failure("id bigint,"), HasSubstr("a column name was expected at the end"));
  EXPECT_THAT(failure(",id bigint"), HasSubstr("a column name was expected at \",id bigint\""));
  EXPECT_THAT(failure("(id bigint)"), HasSubstr("a column name was expected at \"(id bigint)\""));
  EXPECT_THAT(failure("1st int"), HasSubstr("into double quotes"));
  EXPECT_THAT(failure("id bigint primary key"),
              HasSubstr("only NOT NULL or a comma may follow, not \"primary key\""));
  EXPECT_THAT(failure("id bigint not"), HasSubstr("NOT must be followed by NULL"));
  EXPECT_THAT(failure("id bigint; drop table t"), HasSubstr("only NOT NULL or a comma may follow"));
  EXPECT_THAT(failure("\"\" int"), HasSubstr("a column name is empty"));
  EXPECT_THAT(failure("\"id int"), HasSubstr("the double quote at \"\"id int\" is not closed"));
  EXPECT_THAT(failure("a timestamp with zone"), HasSubstr("must go on with \"time zone\""));
  EXPECT_THAT(failure(std::string_view("\"a\0b\" int", 9)), HasSubstr("NUL"));
  EXPECT_THAT(failure("a text, b int, a date"), HasSubstr("column a is there twice"));
}

TEST(ParseSchema, TakesAHundredThousandColumns) {
  std::string sql;
  for (int i = 0; i < 100'000; ++i) sql += (i == 0 ? "c" : ",c") + std::to_string(i) + " int";
  const auto schema = parse_schema(sql);
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->fields.size(), 100'000U);
}

TEST(Schema, IsReadBackFromItsSql) {
  Schema schema;
  const TypeId all[] = {TypeId::kBool,      TypeId::kInt16,       TypeId::kInt32, TypeId::kInt64,
                        TypeId::kFloat32,   TypeId::kFloat64,     TypeId::kDate,  TypeId::kTime,
                        TypeId::kTimestamp, TypeId::kTimestampTz, TypeId::kText,  TypeId::kBytes,
                        TypeId::kUuid,      TypeId::kJson};
  for (const TypeId id : all) {
    schema.fields.push_back({"Column " + std::to_string(static_cast<int>(id)), {id}, false});
  }
  schema.fields.push_back({"select", {TypeId::kDecimal, 10, 2}, true});
  schema.fields.push_back({"\"quoted\", name", {TypeId::kText}, true});
  schema.fields.push_back({"UPPER", {TypeId::kText}, false});
  schema.fields.push_back({"tab\tline\nend", {TypeId::kText}, true});
  const auto back = parse_schema(schema.to_sql());
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(*back, schema) << schema.to_sql();
}

TEST(Schema, WritesSql) {
  const auto schema = parse_schema("id bigint not null, \"full name\" varchar");
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->to_sql(), "id bigint not null, \"full name\" text");
}

TEST(Schema, FindsExactlyThenTheOnlyOneIgnoringCase) {
  const auto schema = parse_schema("Id int, id int, name int, ä int");
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->find("Id"), 0);
  EXPECT_EQ(schema->find("id"), 1);
  EXPECT_EQ(schema->find("ID"), -1) << "ambiguous";
  EXPECT_EQ(schema->find("NAME"), 2);
  EXPECT_EQ(schema->find("Ä"), -1) << "only ASCII letters are folded";
  EXPECT_EQ(schema->find("nam"), -1);
  EXPECT_EQ(schema->find(""), -1);
}

TEST(QuoteIdentifier, LeavesOnlySafeNamesBare) {
  EXPECT_EQ(quote_identifier("id"), "id");
  EXPECT_EQ(quote_identifier("_rest2"), "_rest2");
  EXPECT_EQ(quote_identifier(""), "\"\"");
  EXPECT_EQ(quote_identifier("Id"), "\"Id\"");
  EXPECT_EQ(quote_identifier("2nd"), "\"2nd\"");
  EXPECT_EQ(quote_identifier("a b"), "\"a b\"");
  EXPECT_EQ(quote_identifier("a\"; drop table t; --"), "\"a\"\"; drop table t; --\"");
  EXPECT_EQ(quote_identifier("é"), "\"é\"");
}

TEST(QuoteIdentifier, QuotesReservedWords) {
  for (const char* word : {"select", "order", "user", "group", "add", "with", "table", "raise"}) {
    EXPECT_EQ(quote_identifier(word), "\"" + std::string(word) + "\"");
  }
  for (const char* word : {"name", "date", "value", "key", "time", "type", "id"}) {
    EXPECT_EQ(quote_identifier(word), word);
  }
}

TEST(DataType, KnowsItsWidth) {
  EXPECT_EQ(DataType{TypeId::kBool}.width(), 0U);
  EXPECT_EQ(DataType{TypeId::kInt16}.width(), 2U);
  EXPECT_EQ(DataType{TypeId::kDate}.width(), 4U);
  EXPECT_EQ(DataType{TypeId::kTimestampTz}.width(), 8U);
  EXPECT_EQ((DataType{TypeId::kDecimal, 10, 2}).width(), 16U);
  EXPECT_EQ(DataType{TypeId::kUuid}.width(), 16U);
  EXPECT_EQ(DataType{TypeId::kText}.width(), 0U);
}

}  // namespace
}  // namespace leat
