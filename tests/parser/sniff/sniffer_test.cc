// What is found in whole files: dialect, header, columns.
#include "parser/sniff/sniffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<SniffReport> sniff_all(const std::vector<std::string>& objects,
                              const FormatOptions& format = {},
                              const SniffedSettings& choose = {}) {
  std::vector<Sample> samples;
  for (const std::string& bytes : objects) {
    samples.push_back({"object" + std::to_string(samples.size() + 1), bytes, true});
  }
  return sniff_samples(std::move(samples), format, choose);
}

std::string shown(char character) {
  if (character == '\t') return "tab";
  return character == '\0' ? "none" : std::string(1, character);
}

/// What differs from the defaults, then the columns.
std::string summary(const Result<SniffReport>& report) {
  if (!report) return std::string(error_code_name(report.error().code));
  const FormatOptions& format = report->format;
  std::string text;
  if (format.kind == Format::kPostgresText) text += "postgres-text ";
  if (format.delimiter != ',') text += "delimiter " + shown(format.delimiter) + " ";
  if (format.quote != '"') text += "quote " + shown(format.quote) + " ";
  if (format.escape != format.quote && format.kind == Format::kCsv)
    text += "escape " + shown(format.escape) + " ";
  if (format.comment) text += "comment " + shown(*format.comment) + " ";
  if (format.skip_lines != 0) text += "skip " + std::to_string(format.skip_lines) + " ";
  if (!format.header) text += "no header ";
  if (format.long_records == LongRecords::kIgnoreEmpty) text += "long records ignore-empty ";
  return text + "| " + (report->schema.fields.empty() ? "nothing" : report->schema.to_sql());
}

struct Case {
  const char* name;
  std::string bytes;
  const char* found;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"plain", "id,name\n1,x\n2,y\n", "| id bigint, name text"},
      {"semicolons", "id;amount\n1;1,5\n2;2,5\n", "delimiter ; | id bigint, amount text"},
      {"names_that_stand_twice", "id,name,name\n1,x,2\n2,y,3\n",
       "| id bigint, name text, name_1 bigint"},
      {"names_that_stand_twice_above_texts", "who,phone,phone\nAnn,x,y\nBob,p,q\n",
       "| who text, phone text, phone_1 text"},
      {"row_numbers_of_a_data_frame", ",name\n0,x\n1,y\n", "| column1 bigint, name text"},
      {"a_comma_behind_the_last_column", "a,b,\n1,2,\n3,4,\n",
       "| a bigint, b bigint, column3 text"},
      {"a_delimiter_told_by_a_spreadsheet", "sep=;\r\na;b\r\n1;2\r\n3;4\r\n",
       "delimiter ; skip 1 | a bigint, b bigint"},
      {"a_quote_told_by_a_spreadsheet", "sep=\"\na,b\n1,2\n3,4\n",
       "delimiter tab | \"sep=\"\"\" text"},
      {"a_text_like_that_of_a_spreadsheet", "sep=;x\n1\n", "| \"sep=;x\" bigint"},
      {"decimal_commas_without_header", "1,5;2,5;3,5\n1,7;2,0;3,1\n",
       "delimiter ; no header | column1 text, column2 text, column3 text"},
      {"dates_of_another_form_without_header",
       "K1|01.06.2015|A b\nK2|01.06.2013|C d\nK3|02.07.2014|C d\n",
       "delimiter | no header | column1 text, column2 text, column3 text"},
      {"dates_of_another_form_below_names", "who|born\nA b|01.06.2015\nC d|01.06.2013\n",
       "delimiter | | who text, born text"},
      {"amounts_with_a_sign_without_header", "a;$12.50\nb;$7\nc;$1.25\n",
       "delimiter ; no header | column1 text, column2 text"},
      {"telephone_numbers_without_header", "Bo,+4930123\nAl,+4940456\n Di,+4989789\n",
       "no header | column1 text, column2 text"},
      {"numbers_behind_spaces_without_header", " 1, 2\n 2, 3\n 3, 4\n",
       "no header | column1 text, column2 text"},
      {"row_names_without_a_name",
       "\"\",\"mort\",\"gdp\"\n\"Albania\",154,28\n\"Andorra\",32,63\n\"Angola\",NA,NA\n",
       "| column1 text, mort text, gdp text"},
      {"row_names_without_a_name_beside_texts", ",name,city\nx,Bob,Paris\ny,Al,Rome\n",
       "| column1 text, name text, city text"},
      {"names_alone_but_for_row_names", "\"\",\"a\",\"b\"\n", "| column1 text, a text, b text"},
      {"texts_behind_an_empty_one", "\"\"\na\nb\n", "no header | column1 text"},
      {"a_last_column_without_a_name", "name,city,\nBob,Paris,z\nAl,Rome,u\n",
       "| name text, city text, column3 text"},
      {"a_first_record_that_lacks_a_value", ",Bob,Paris\n,Al,Rome\nx,Di,Oslo\n",
       "no header | column1 text, column2 text, column3 text"},
      {"row_names_and_a_delimiter_at_line_ends", ",t,c\n1,9,z,\n2,13,z,\n3,13,y,\n",
       "long records ignore-empty | column1 bigint, t bigint, c text"},
      {"a_name_that_is_a_value_by_accident",
       "Country,Group,ID\nAngola,Africa,AO\nIndonesia,Asia,ID\nChile,America,CL\nPeru,America,PE\n",
       "| \"Country\" text, \"Group\" text, \"ID\" text"},
      {"years_above_decimals", "Country,2019,2020\nA,1.5,2.5\nB,3.5,4.5\n",
       "| \"Country\" text, \"2019\" double precision, \"2020\" double precision"},
      {"years_above_integers", "Country,2019,2020,2021\nA,15,25,7\nB,35,45,8\n",
       "| \"Country\" text, \"2019\" bigint, \"2020\" bigint, \"2021\" bigint"},
      {"the_largest_integers", "a,9223372036854775807,-9223372036854775808\nb,1.5,2.5\nc,1.5,2.5\n",
       "no header | column1 text, column2 numeric(38,1), column3 numeric(38,1)"},
      {"integers_that_count_up_below_others", "1,2,3\n4,5,6\n7,8,9\n",
       "no header | column1 bigint, column2 bigint, column3 bigint"},
      {"escaped_quotes_between_semicolons_without_header",
       "\"\\\"H\\\" J\";1\n\"B \\\"C\\\" E\";3\n",
       "delimiter ; escape \\ no header | column1 text, column2 bigint"},
      {"a_title_that_holds_the_delimiter", "Report, made by X\n\nid,name,v\n1,a,2\n2,b,3\n3,c,4\n",
       "skip 2 | id bigint, name text, v bigint"},
      {"titles_that_hold_the_delimiter_and_no_blank_line",
       "Report, made by X\nat 2020-01-01, Paris\nid,name,v\n1,a,2\n2,b,3\n3,c,4\n",
       "skip 2 | id bigint, name text, v bigint"},
      {"titles_of_a_statistics_office",
       "\"Source\",\"WDI\",\r\n\r\n\"Updated\",\"2020-01-01\",\r\n\r\n\"Country\",\"Code\","
       "\"1960\",\"1961\",\r\n"
       "\"A\",\"B\",\"1.5\",\"2.25\",\r\n\"C\",\"D\",\"2.5\",,\r\n\"E\",\"F\",,\"7.125\","
       "\r\n",
       "skip 4 | \"Country\" text, \"Code\" text, \"1960\" double precision, "
       "\"1961\" double precision, column5 text"},
      {"tabs", "id\tnote\n1\ta, b\n2\tc, d\n", "delimiter tab | id bigint, note text"},
      {"pipes", "id|note|at\n1|a, b|2026-11-20\n2|c, d|2026-11-21\n",
       "delimiter | | id bigint, note text, at date"},
      {"carets", "id^n\n1^2\n2^3\n", "delimiter ^ | id bigint, n bigint"},
      {"delimiters_in_quotes", "a,b\n\"x;y;z\",1\n\"p;q;r\",2\n", "| a text, b bigint"},
      {"line_ends_in_quotes", "a,b\n\"x\ny,z\n\",1\n\"p\n\nq\",2\n", "| a text, b bigint"},
      {"single_quotes", "a,b\n'x,y',1\n'p,q',2\n'r',3\n", "quote ' | a text, b bigint"},
      {"apostrophes_are_no_quotes", "a,b\n'tis,1\nx,2\n'twas,3\ny,4\n", "| a text, b bigint"},
      {"backslash_escapes", "a,b\n\"x\\\"y\",1\n\"p\\\",q\",2\n", "escape \\ | a text, b bigint"},
      {"literal_quotes",
       "a\tb\n\"one\" two\t1\n\"three\" four\t2\n\"five\" x\t3\n\"six\" y\t4\n\"se\" z\t5\n",
       "delimiter tab quote none | a text, b bigint"},
      {"comments", "# made by a tool, today\nid,name\n1,x\n# in between\n2,y\n",
       "comment # | id bigint, name text"},
      {"names_that_begin_with_a_hash", "#id,name\n1,x\n2,y\n", "| \"#id\" bigint, name text"},
      {"colours_are_no_comments", "colour,n\n#ff0000,1\n#00ff00,2\n", "| colour text, n bigint"},
      {"titles_above_two_columns", "Sales\nby month\n\nmonth,total\nx,1\ny,2\nz,3\n",
       "skip 3 | month text, total bigint"},
      {"a_name_above_texts_that_hold_commas", "remark\nyes, indeed\nno, never\nwell, well\n",
       "delimiter tab | remark text"},
      {"titles", "Sales 2026\n\nid,name,n\n1,x,1\n2,y,2\n",
       "skip 2 | id bigint, name text, n bigint"},
      {"no_header", "1,x\n2,y\n", "no header | column1 bigint, column2 text"},
      {"no_header_nulls", ",x\n2,y\n3,z\n", "no header | column1 bigint, column2 text"},
      {"text_without_evidence", "first,last\nAda,Lovelace\nAlan,Turing\n",
       "| first text, last text"},
      {"text_without_header", "DE,Berlin\nDE,Hamburg\nFR,Paris\n",
       "no header | column1 text, column2 text"},
      {"repeated_header", "a,b\nx,y\na,b\np,q\n", "| a text, b text"},
      {"one_record_of_values", "1,2026-11-20\n", "no header | column1 bigint, column2 date"},
      {"header_only", "id,name\n", "| id text, name text"},
      {"one_column", "name\nAda\nAlan\n", "| name text"},
      {"one_column_of_numbers", "n\n1\n\n3\n", "| n bigint"},
      {"one_column_with_commas", "name\nLovelace, Ada\nTuring, Alan\n",
       "delimiter tab | name text"},
      {"one_value", "17", "no header | column1 bigint"},
      {"ragged", "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n13,14,15\n",
       "| a bigint, b bigint, c bigint"},
      {"delimiter_at_line_ends", "a,b,c\n1,2,3,\n4,5,6,\n",
       "long records ignore-empty | a bigint, b bigint, c bigint"},
      {"delimiter_at_some_line_ends", "a,b,c\n1,2,3,\n4,5,6\n7,8,9,\n1,2,3,\n4,5,6,\n7,8,9,\n",
       "long records ignore-empty | a bigint, b bigint, c bigint"},
      {"delimiter_at_all_line_ends", "a,b,c,\n1,2,3,\n",
       "| a bigint, b bigint, c bigint, column4 text"},
      {"a_field_more_than_names", "a,b,c\n1,2,3,\n4,5,6,x\n7,8,9,\n", "field_count"},
      {"a_quoted_field_more_than_names", "a,b,c\n1,2,3,\"\"\n4,5,6,\"\"\n", "field_count"},
      {"row_names_in_front", "\"w\",\"f\"\n\"1\",26.5,5\n\"2\",27.6,17\n",
       "skip 1 no header | column1 bigint, w double precision, f bigint"},
      {"a_field_less_than_names", "a,b,c,d\n1,2,3\n4,5,6\n", "field_count"},
      {"a_first_record_of_a_field_less", "a,b,c,d\n1,2,3\n", "field_count"},
      {"a_first_record_of_a_field_more", "id,name,qty\n7,Smith, John,3\n", "field_count"},
      {"a_first_record_of_a_field_less_between_semicolons", "id;name;qty\n7;Smith\n",
       "field_count"},
      {"a_first_record_that_a_delimiter_ends", "id,name\n1,x,\n",
       "long records ignore-empty | id bigint, name text"},
      {"a_first_record_of_a_quote_that_is_not_closed", "id,name\n1,\"ab\n2,c\n3,d\n",
       "unterminated_quote"},
      {"an_only_record_of_a_quote_that_is_not_closed", "id\tname\n1\t\"ab", "unterminated_quote"},
      {"a_quote_that_is_not_closed_without_header", "1,\"e2024:", "unterminated_quote"},
      {"a_first_record_of_text_behind_a_quote", "id,name\n1,\"ab\"c\n", "malformed_record"},
      {"two_lines_of_prose", "Dear Sir, hello\nthis, that, and more\n",
       "delimiter tab | \"Dear Sir, hello\" text"},
      {"two_lines_of_code", "a>=1.2,<2\nb>=1,<3,!=2\n", "delimiter tab | \"a>=1.2,<2\" text"},
      {"one_line_of_prose", "He said, \"hello", "| \"He said\" text, \" \"\"hello\" text"},
      {"two_records_of_values", "1,2,3\n4,5\n", "delimiter tab | \"1,2,3\" text"},
      {"a_quote_that_is_not_closed_in_a_line_of_several", "he said,\"no\nthen left\nand\n",
       "delimiter tab | \"he said,\"\"no\" text"},
      {"padded_titles",
       ",,\r\nBy State,,\r\nName,State,Total\r\nAlabama,AL,19582\r\nAlaska,AK,3123\r\n",
       "skip 2 | \"Name\" text, \"State\" text, \"Total\" bigint"},
      {"years_that_fall", "Musei,2011,2010\nA,23,17\nB,in restauro,5\n",
       "| \"Musei\" text, \"2011\" text, \"2010\" bigint"},
      {"years_apart", "x,1940,1945,1950\na,5,6,7\nb,8,9,10\n",
       "| x text, \"1940\" bigint, \"1945\" bigint, \"1950\" bigint"},
      {"years_among_years", "a,1990,1995\nb,2001,2003\n",
       "no header | column1 text, column2 bigint, column3 bigint"},
      {"years_everywhere", "1900,1930,1960\n1905,1931,1970\n1910,1940,1985\n",
       "no header | column1 bigint, column2 bigint, column3 bigint"},
      {"quoted_numbers_above_numbers", "\"\",\"17\",\"4\"\n\"a\",27,29\n\"b\",59,53\n",
       "| column1 text, \"17\" bigint, \"4\" bigint"},
      {"quoted_numbers_everywhere", "\"x\",\"17\"\n\"a\",\"27\"\n\"b\",\"59\"\n",
       "no header | column1 text, column2 bigint"},
      {"one_record_of_numbers_behind_spaces", " -2.48, -0.48, 3.52\n",
       "no header | column1 text, column2 text, column3 text"},
      {"byte_order_mark", "\xef\xbb\xbfid,name\n1,x\n", "| id bigint, name text"},
      {"carriage_returns", "id,name\r1,x\r2,y\r", "| id bigint, name text"},
      {"all_null", "a,b\n1,\n2,\n", "| a bigint, b text"},
      {"empty", "", "| nothing"},
      {"blank_lines", "\n\n", "| nothing"},
      {"binary",
       std::string("\x7f"
                   "ELF\x02\x01\x01\0\0\0",
                   10),
       "not_text"},
      {"zip_codes", "zip,n\n01234,1\n98765,2\n", "| zip text, n bigint"},
      {"names_to_quote", "order id,select\n1,2\n", "| \"order id\" bigint, \"select\" bigint"},
  };
  return all;
}

class SniffedFile : public ::testing::TestWithParam<Case> {};

TEST_P(SniffedFile, GivesDialectAndColumns) {
  const Result<SniffReport> report = sniff_all({GetParam().bytes});
  EXPECT_EQ(summary(report), GetParam().found)
      << (report ? report->header_evidence : report.error().to_string());
}

INSTANTIATE_TEST_SUITE_P(Table, SniffedFile, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Sniffer, WhatTheCallerSaidStands) {
  FormatOptions format;
  format.delimiter = ';';
  EXPECT_EQ(summary(sniff_all({"a,b\n1,2\n"}, format)), "delimiter ; | \"a,b\" text");
  format = {};
  format.header = false;
  EXPECT_EQ(summary(sniff_all({"a,b\n1,2\n"}, format)), "no header | column1 text, column2 text");
  SniffedSettings choose;
  choose.header = false;
  EXPECT_EQ(summary(sniff_all({"1,2\n3,4\n"}, {}, choose)), "| \"1\" bigint, \"2\" bigint");
  choose = {};
  choose.delimiter = false;
  EXPECT_EQ(summary(sniff_all({"a;b\n1;2\n"}, {}, choose)), "| \"a;b\" text");
  format = {};
  format.null_strings = {"", "NA"};
  EXPECT_EQ(summary(sniff_all({"a,b\n1,NA\n2,7\n"}, format)), "| a bigint, b bigint");
  format = {};
  format.skip_lines = 1;
  EXPECT_EQ(summary(sniff_all({"junk \"\na,b\n1,2\n"}, format)), "skip 1 | a bigint, b bigint");
}

TEST(Sniffer, UnitesTheColumnsOfSeveralObjects) {
  const auto report = sniff_all({"id,n\n1,2\n", "N,at,id\n2.5,2026-11-20,3\n", "id,n\n4,\n"});
  EXPECT_EQ(summary(report), "| id bigint, n double precision, at date");
  EXPECT_THAT(report->notes, Contains(HasSubstr("object2 has a column \"at\"")));
  EXPECT_THAT(report->notes, Contains(HasSubstr("object1 has no column \"at\"")));
  EXPECT_EQ(report->records, 3u);
  ASSERT_TRUE(report->columns[1].near);
  EXPECT_EQ(report->columns[1].near->first.object, "object2");
}

TEST(Sniffer, ObjectsThatBeginAlikeHaveAHeader) {
  EXPECT_EQ(summary(sniff_all({"a,a b\nx,y\n", "a,a b\np,q\n"})), "| a text, \"a b\" text");
}

TEST(Sniffer, LeavesOutEmptyObjectsAndOnesThatAreNoText) {
  const auto report = sniff_all({"", "\x1f\x8b\x08 gzip", "a,b\n1,2\n"});
  EXPECT_EQ(summary(report), "| a bigint, b bigint");
  ASSERT_EQ(report->objects.size(), 3u);
  EXPECT_EQ(report->objects[0].left_out, "it is empty");
  EXPECT_THAT(report->objects[1].left_out, HasSubstr("gzip"));
  EXPECT_EQ(report->objects[2].left_out, "");
  EXPECT_EQ(report->objects[2].records, 1u);
}

TEST(Sniffer, IgnoresARecordThatTheSampleCutsOff) {
  std::string bytes = "id,n\n";
  for (int i = 0; i < 100; ++i) bytes += std::to_string(i) + ",2026-11-20\n";
  const std::string cut = bytes.substr(0, bytes.size() - 4);
  EXPECT_EQ(summary(sniff_samples({{"o", cut, false}}, {}, {})), "| id bigint, n date");
  EXPECT_EQ(summary(sniff_samples({{"o", cut, true}}, {}, {})), "| id bigint, n text");
  const std::string in_quotes = bytes + "100,\"2026";
  EXPECT_EQ(sniff_samples({{"o", in_quotes, false}}, {}, {})->records, 100u);
}

TEST(Sniffer, SaysThatNoRecordEndsInTheSample) {
  const auto report = sniff_samples({{"o", std::string(10'000, 'x'), false}}, {}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kRecordTooLarge);
  EXPECT_EQ(report.error().at.object, "o");
  EXPECT_THAT(report.error().message, HasSubstr("--schema"));
}

TEST(Sniffer, SaysWhyNoRecordCanBeRead) {
  const Result<SniffReport> report = sniff_all({"\"a\"b,c\n\"d\"e,f\n"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kMalformedRecord);
  EXPECT_THAT(report.error().message, HasSubstr("text after a closing quote; a quote inside"));
}

TEST(Sniffer, SaysThatAQuoteInTheFirstRecordIsNotClosed) {
  std::string bytes = "id,name,qty\n0,\"n0,0\n";
  for (int i = 1; i < 1'000; ++i) bytes += std::to_string(i) + ",n," + std::to_string(3 * i) + "\n";
  const Result<SniffReport> report = sniff_all({bytes});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnterminatedQuote);
  EXPECT_EQ(report.error().at.record, 1u);
  EXPECT_EQ(report.error().at.byte_offset, 12u);
  EXPECT_THAT(report.error().message, HasSubstr("--quote"));
  EXPECT_EQ(summary(sniff_all({bytes, "id,name,qty\n1,x,2\n2,y,3\n"})),
            "| id bigint, name text, qty bigint");

  const Result<SniffReport> cut = sniff_samples({{"o", bytes, false}}, {}, {});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kRecordTooLarge);
  EXPECT_THAT(cut.error().message, AllOf(HasSubstr("quote"), HasSubstr("--schema")));
}

TEST(Sniffer, ObjectsOfNamesAloneSayNothingAgainstTheDelimiterOfOthers) {
  const auto report = sniff_all({"id,name\n1,\"ab\n2,c\n", "1,\"e2024:", "id,name\n1,x,y\n",
                                 "id,name\n1,\"cd", "id,name\n1,x\n"});
  EXPECT_EQ(summary(report), "| id bigint, name text");
  EXPECT_EQ(report->records_misfit, 3u);
  EXPECT_EQ(summary(sniff_all({"id,name\n1,2,3\n", "name\nLovelace, Ada\nTuring, Alan\n"})),
            "delimiter tab | \"id,name\" text, name text");
}

TEST(Sniffer, ReportsRecordsThatFitNoTable) {
  const auto report = sniff_all({"a,b,c\n1,2,3\n4,5\n6,\"7\"x,8\n9,10,11\n"});
  EXPECT_EQ(report->records, 4u);
  EXPECT_EQ(report->records_misfit, 2u);
  EXPECT_DOUBLE_EQ(report->confidence(), 0.5);
  ASSERT_EQ(report->misfits.size(), 2u);
  EXPECT_EQ(report->misfits[0].record, 2u);
  EXPECT_EQ(report->misfits[0].byte_offset, 12u);
  EXPECT_EQ(report->misfits[0].text, "2 fields where 3 are due");
  EXPECT_EQ(report->misfits[1].record, 3u);
  EXPECT_THAT(report->misfits[1].text, HasSubstr("quote"));
}

TEST(Sniffer, SaysThatNoTypeFitsAllValues) {
  const auto report = sniff_all({"a\nx\n\xffy\n\\x3\n"});
  EXPECT_EQ(summary(report), "| a text");
  ASSERT_TRUE(report->columns[0].misfit.has_value()) << "one is not UTF-8, another no bytea";
  EXPECT_EQ(report->columns[0].misfit->text, "\xffy");
  EXPECT_EQ(report->columns[0].misfit->record, 2u);
  EXPECT_FALSE(sniff_all({"a\nx\n\xffy\n"})->columns[0].misfit) << "a column of bytea";
}

TEST(Sniffer, TakesAllLineEndsForOnesWhereToldTo) {
  FormatOptions any;
  any.line_ends = LineEnds::kAny;
  any.comment = '#';
  const auto report = sniff_all({"a,b\r#c\n1,2\r\n3,4\n"}, any);
  EXPECT_EQ(summary(report), "comment # | a bigint, b bigint");
  EXPECT_EQ(report->records, 2u);
}

TEST(Sniffer, CountsBlankLinesOfOneColumnInAnObjectOfNothingElse) {
  FormatOptions by_place;
  by_place.header = false;
  by_place.null_strings = {"NULL"};
  const auto report = sniff_all({"1\n", "\n"}, by_place, {.header = false});
  EXPECT_EQ(summary(report), "no header | column1 text") << "an empty field is no number";
  EXPECT_EQ(report->records, 2u);
}

TEST(Sniffer, SkippedLinesSayNothingOfTheLineEndsOfPostgres) {
  FormatOptions skips;
  skips.kind = Format::kPostgresCsv;
  skips.header = false;
  skips.skip_lines = 1;
  const auto report = sniff_all({"title\r1,2\n3,4\n"}, skips, {.header = false});
  EXPECT_EQ(summary(report), "skip 1 no header | column1 bigint, column2 bigint");
  EXPECT_EQ(report->records, 2u);
}

TEST(Sniffer, TakesABlankLineForTheHeaderOfPostgres) {
  FormatOptions text;
  text.kind = Format::kPostgresText;
  text.null_strings = {"\\N"};
  const std::string bytes = "\nx\n1\n";
  const auto report = sniff_all({bytes}, text, {.header = false});
  EXPECT_EQ(summary(report), "postgres-text | column1 text");
  const Loaded loaded = load({"o", bytes, report->format, report->schema.to_sql()});
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.rows.size(), 2u);
}

TEST(Sniffer, CountsBlankLinesBehindThoseThatAreSkippedInPlaceOfAHeader) {
  FormatOptions nothing_is_null;
  nothing_is_null.null_strings = {"NULL"};
  const auto report = sniff_all({"\n\n", "\xff\n4\n"}, nothing_is_null, {});
  EXPECT_EQ(summary(report), "skip 1 no header | column1 text") << "an empty field is no number";
  EXPECT_EQ(report->records, 2u);
}

TEST(Sniffer, ReadsByPlaceUnderNamesThatAreNone) {
  const std::string bytes = "\nid,name,,name,\xff\n1,x,2,y,5\n2,z,3,w,6\n";
  const auto report = sniff_all({bytes});
  EXPECT_EQ(summary(report),
            "skip 2 no header | id bigint, name text, column3 bigint, name_1 text, column5 bigint");
  EXPECT_THAT(report->names_fault, HasSubstr("column 5"));
  EXPECT_EQ(report->records, 2u);
  const Loaded loaded = load({"o", bytes, report->format, report->schema.to_sql()});
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.rows.size(), 2u);
}

TEST(Sniffer, LeavesOutAnObjectWhoseHeaderIsNotWhereLinesAreSkipped) {
  const auto report = sniff_all({"id,\xff\n1,2\n", "\n\nid,\xff\n3,4\n"});
  EXPECT_EQ(summary(report), "skip 1 no header | id bigint, column2 bigint");
  EXPECT_EQ(report->objects[0].left_out, "");
  EXPECT_THAT(report->objects[1].left_out, HasSubstr("in another line"));
}

TEST(Sniffer, SaysOnceHowNamesThatStandTwiceAreToldApart) {
  const std::string bytes = "a,b,a,B\n1,x,2.5,y\n";
  const auto report = sniff_all({bytes, bytes, "a,b\n2,z\n"});
  EXPECT_EQ(summary(report), "| a bigint, b text, a_1 double precision, \"B_1\" text");
  EXPECT_THAT(report->notes, ElementsAre("names that stand in the header twice are told apart: "
                                         "\"a\" in place 3 is \"a_1\", \"B\" in place 4 is \"B_1\"",
                                         HasSubstr("object3 has no column \"a_1\""),
                                         HasSubstr("object3 has no column \"B_1\"")));
  EXPECT_THAT(load({"o", bytes, report->format, report->schema.to_sql()}).rows,
              ElementsAre("1|x|2.5|y"));
}

TEST(Sniffer, TellsOfDelimitersBehindEachRecord) {
  const std::string bytes = "a,b\n1,x,\n2,y,\n";
  const auto report = sniff_all({bytes, "a,b\n3,z,\n", "b,a\nw,4\n"});
  EXPECT_EQ(summary(report), "long records ignore-empty | a bigint, b text");
  EXPECT_DOUBLE_EQ(report->confidence(), 1);
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("a delimiter ends 3 of 3 records")));
  EXPECT_THAT(load({"o", bytes, report->format, report->schema.to_sql()}).rows,
              ElementsAre("1|x", "2|y"));
  SniffedSettings choose;
  choose.long_records = false;
  EXPECT_EQ(sniff_all({bytes}, {}, choose).error().code, ErrorCode::kFieldCount);
}

TEST(Sniffer, LeavesOutAnObjectWhoseNamesStandInAnotherOrder) {
  const auto report = sniff_all({"id,ID\n1,x\n", "ID,id\ny,2\n"});
  EXPECT_EQ(summary(report), "| id bigint, \"ID_1\" text");
  EXPECT_THAT(report->objects[1].left_out, HasSubstr("told apart by their order"));
}

TEST(Sniffer, NamesLineEndsAndByteOrderMarks) {
  EXPECT_EQ(sniff_all({"a,b\r\n1,2\r\n"})->line_end, "CRLF");
  EXPECT_EQ(sniff_all({"a,b\r1,2\r"})->line_end, "CR");
  EXPECT_EQ(sniff_all({"a,b\r\n1,2\n"})->line_end, "LF and CRLF");
  EXPECT_EQ(sniff_all({"1,2"})->line_end, "");
  EXPECT_TRUE(sniff_all({"\xef\xbb\xbf"
                         "a,b\n1,2\n"})
                  ->byte_order_mark);
  EXPECT_FALSE(sniff_all({"a,b\n1,2\n"})->byte_order_mark);
}

TEST(Sniffer, ReadsManyColumns) {
  std::string names;
  std::string row;
  for (int i = 0; i < 20'000; ++i) {
    names += (i == 0 ? "c" : ",c") + std::to_string(i);
    row += i == 0 ? "1" : ",1";
  }
  const auto report = sniff_all({names + "\n" + row + "\n"});
  ASSERT_TRUE(report) << report.error().to_string();
  ASSERT_EQ(report->schema.fields.size(), 20'000u);
  EXPECT_EQ(report->schema.fields.back(), (Field{"c19999", {TypeId::kInt64}, true}));
}

TEST(Sniffer, FindsColumnsOfJsonLinesByTheirKeys) {
  FormatOptions format;
  format.kind = Format::kJsonLines;
  const std::string bytes = R"({"id": 1, "zip": "12345", "at": "2026-11-20", "o": {"a": 1}})"
                            "\nnot JSON\n"
                            R"({"ok": true, "id": 2, "n": 1.5, "zip": null, "o": [1], "s": "{}"})"
                            "\n";
  const auto report = sniff_all({bytes}, format);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->schema.to_sql(),
            "id bigint, zip text, at date, o json, ok boolean, n double precision, s text");
  EXPECT_EQ(report->records, 3u);
  ASSERT_EQ(report->misfits.size(), 1u);
  EXPECT_EQ(report->misfits[0].record, 2u);
  EXPECT_EQ(report->columns[1].nulls, 1u);
  format.on_error = OnError::kReject;
  EXPECT_EQ(load({"o", bytes, format, report->schema.to_sql()}).rows.size(), 2u);

  const auto unnamed = sniff_all({"{\"\": 1}\n{\"a\": 1}\n"}, format);
  EXPECT_EQ(unnamed->schema.to_sql(), "a bigint");
  EXPECT_THAT(unnamed->names_fault, HasSubstr("can name no column"));
  EXPECT_EQ(summary(sniff_all({"1\n2\n"}, format)), "malformed_record");
}

// What stands for bytes that windows-1252 does not have is no reason to make a column bytea: it
// would take them as they are.
TEST(Sniffer, WhatAnEncodingLacksIsNoText) {
  std::vector<Sample> samples(1);
  samples[0] = {
      .object = "o", .bytes = "id,name\n1,José\n2,\xffguas\n", .whole = true, .transcoded = true};
  const auto report = sniff_samples(samples, {}, {});
  EXPECT_EQ(summary(report), "| id bigint, name text");
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("1 value with bytes that the encoding does not "
                                                   "have, the first in record 2 of o (byte 16)")));
  samples[0].transcoded = false;
  EXPECT_EQ(summary(sniff_samples(samples, {}, {})), "| id bigint, name bytea");
}

TEST(Sniffer, TakesJsonLinesForNoCsv) {
  const auto report = sniff_all({"", "\n{\"a\": 1, \"b\": 2}\n{\"a\": 1, \"b\": 2}\n"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotText);
  EXPECT_THAT(report.error().message, HasSubstr("--input-format jsonl"));
}

TEST(Sniffer, FindsTypesInOtherDialects) {
  FormatOptions format = *dialect_options("postgres-text");
  EXPECT_EQ(sniff_all({"1\t\\N\tx\\ty\n2\t2026-11-20\tz\n"}, format)->schema.to_sql(),
            "column1 bigint, column2 date, column3 text");
  format = *dialect_options("postgres");
  EXPECT_EQ(sniff_all({"1,x\"y\"z\n2,\"\"\n"}, format)->schema.to_sql(),
            "column1 bigint, column2 text");
  format = *dialect_options("redshift");
  EXPECT_EQ(sniff_all({"1|x|2.50\n2||3.25\n"}, format)->schema.to_sql(),
            "column1 bigint, column2 text, column3 numeric(18,2)");
}

struct TextCase {
  const char* name;
  std::string bytes;
  bool found;
};

class PostgresText : public ::testing::TestWithParam<TextCase> {};

TEST_P(PostgresText, IsFoundWhereBackslashesLeaveNoDoubt) {
  const auto report = sniff_all({GetParam().bytes});
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->format.kind == Format::kPostgresText, GetParam().found)
      << summary(report) << ::testing::PrintToString(report->notes);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PostgresText,
    ::testing::Values(
        TextCase{"null", "1\t\\N\n2\tx\n", true}, TextCase{"backslash", "1\ta\\\\b\n2\tx\n", true},
        TextCase{"tab_and_line_end_of_outfile", "1\ta\\\tb\n2\tx\\\ny\n3\tz\n", true},
        TextCase{"letters_beside_a_null", "1\ta\\tb\n2\t\\N\n3\t\\r\\n\n", true},
        TextCase{"null_above_an_end_marker", "1\t\\N\n2\tx\n\\.\n", true},
        TextCase{"a_path_escaped", "1\tC:\\\\temp\n2\t\\N\n", true},
        TextCase{"json_escaped", "1\t{\"a\": \"x\\\\ny\"}\n2\t\\N\n", true},
        TextCase{"quotes_in_some_texts", "1\t\"a\"\n2\t\\N\n3\tb\n4\t\"c\" d\n5\te\n", true},
        TextCase{"no_backslash", "1\ta\n2\tx\n", false},
        TextCase{"letters_alone", "1\ta\\tb\n2\tx\\ny\n", false},
        TextCase{"another_letter", "1\t\\N\n2\t\\d+\n", false},
        TextCase{"a_null_inside_a_text", "1\ta\\\\b\n2\tx\\Ny\n", false},
        TextCase{"a_path", "1\tC:\\temp\n2\t\\N\n", false},
        TextCase{"a_network_path", "1\t\\\\server\\files\n2\t\\N\n", false},
        TextCase{"json_that_would_break", "1\t{\"a\": \"x\\ny\"}\n2\t\\N\n", false},
        TextCase{"quotes_around_a_column", "1\t\"a\"\t\\N\n2\t\"b\"\tx\n", false},
        TextCase{"a_byte_order_mark",
                 "\xef\xbb\xbf"
                 "1\t\\N\n2\tx\n",
                 false},
        TextCase{"commas", "1,\\N\n2,x\n", false}, TextCase{"one_column", "\\N\nx\n", false}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(Sniffer, ReadsPostgresTextAsItWasWritten) {
  const std::string bytes = "1\ta\\\\b\t\\N\n2\tx\\\ty\t2026-11-20\n";
  const auto report = sniff_all({bytes});
  EXPECT_EQ(summary(report),
            "postgres-text delimiter tab quote none no header | column1 bigint, column2 text, "
            "column3 date");
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("fields that are \\N: 1, with other")));
  EXPECT_THAT(load({"o", bytes, report->format, report->schema.to_sql()}).rows,
              ElementsAre("1|a\\b|\\N", "2|x\ty|2026-11-20"));
  const std::string named =
      "id\tnote\n"
      "1\t\\N\n2\ta\\\\b\n";
  EXPECT_EQ(summary(sniff_all({named})),
            "postgres-text delimiter tab quote none | id bigint, note text");
}

TEST(Sniffer, PostgresTextWithoutEvidenceOfAHeaderHasNone) {
  EXPECT_EQ(summary(sniff_all({"Ann\tUlm\nBob\t\\N\n"})),
            "postgres-text delimiter tab quote none no header | column1 text, column2 text");
}

TEST(Sniffer, FindsPostgresTextByABackslashFarBehind) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += std::to_string(i) + "\tx\n";
  EXPECT_EQ(sniff_all({bytes + "7\t\\N\n"})->format.kind, Format::kPostgresText);
  EXPECT_EQ(sniff_all({bytes + "7\t\\q\n"})->format.kind, Format::kCsv);
}

TEST(Sniffer, LooksForNoOtherDialectThanTheOneThatWasSaid) {
  const std::string bytes = "1\t\\N\n2\tx\n";
  SniffedSettings choose;
  choose.dialect = false;
  EXPECT_EQ(sniff_all({bytes}, {}, choose)->format.kind, Format::kCsv);
  FormatOptions tab;
  tab.delimiter = '\t';
  EXPECT_EQ(sniff_all({bytes}, tab)->format.kind, Format::kCsv);
  FormatOptions null;
  null.null_strings = {"NA"};
  EXPECT_EQ(sniff_all({bytes}, null)->format.kind, Format::kCsv);
  FormatOptions trim;
  trim.trim = true;
  EXPECT_EQ(sniff_all({bytes}, trim)->format.kind, Format::kCsv);
}

TEST(Sniffer, LinesAreNotSniffed) {
  FormatOptions format;
  format.kind = Format::kLines;
  EXPECT_EQ(summary(sniff_all({"a\n"}, format)), "unsupported");
}

struct Trap {
  const char* file;
  const char* found;
};

/// The dialect's traps: docs/csv.md says what the parser makes of each.
class SniffedTrap : public ::testing::TestWithParam<Trap> {};

TEST_P(SniffedTrap, GivesColumnsThatItsGoodRecordsFit) {
  const std::string folder = test_data_folder("LEAT_TRAPS_DIR", "csv-traps");
  if (folder.empty()) GTEST_SKIP() << "the trap files are not here: set LEAT_TRAPS_DIR";
  const std::string bytes = read_file(folder + "/files/" + GetParam().file);
  const auto report = sniff_all({bytes});
  EXPECT_EQ(summary(report), GetParam().found);
  if (!report || report->schema.fields.empty()) return;
  FormatOptions format = report->format;
  format.on_error = OnError::kReject;
  const Loaded loaded = load({"trap", bytes, format, report->schema.to_sql()});
  EXPECT_EQ(loaded.rows.size(), report->records - report->records_misfit);
  EXPECT_THAT(loaded.rejects, ::testing::Each(::testing::Not(HasSubstr("bad_value"))));
}

INSTANTIATE_TEST_SUITE_P(
    Files, SniffedTrap,
    ::testing::Values(Trap{"01_bom.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"03_cr_only.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"04_mixed_eol.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"05_quote_in_unquoted.csv", "| a bigint, b text, c bigint"},
                      Trap{"06_text_after_close.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"08_empty_vs_qempty.csv", "| a text, b bigint, c text"},
                      Trap{"09b_backslash_dot_1col.csv", "| a text"},
                      Trap{"10_trailing_delim.csv",
                           "long records ignore-empty | a bigint, b bigint, c bigint"},
                      Trap{"11_short_row.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"13b_blank_1col.csv", "| a bigint"},
                      Trap{"14_nul.csv", "| a bigint, b text, c bigint"},
                      Trap{"15_bad_utf8.csv", "| a bigint, b bytea, c bigint"},
                      Trap{"16_unterminated_eof.csv", "| a bigint, b bigint, c bigint"},
                      Trap{"18_quoted_nl.csv", "| a bigint, b text, c bigint"},
                      Trap{"26_backslash_escape.csv", "escape \\ | a bigint, b text, c bigint"},
                      Trap{"27_header_only.csv", "| a text, b text, c text"},
                      Trap{"28_empty_file.csv", "| nothing"},
                      Trap{"29_ws_around.csv", "| a text, b text, c bigint"},
                      Trap{"31_comment.csv", "comment # | a bigint, b bigint, c bigint"},
                      Trap{"40_gz_members.csv.gz", "not_text"}),
    [](const auto& instance) {
      std::string name = instance.param.file;
      std::replace(name.begin(), name.end(), '.', '_');
      return "T" + name;
    });

TEST(Sniffer, HeedsTheOptionsThatFewFilesNeed) {
  FormatOptions format;
  format.long_delimiter = "||";
  format.trim = true;
  format.short_records = ShortRecords::kNull;
  format.decimal_separator = ',';
  format.date_format = "%d.%m.%Y";
  EXPECT_EQ(summary(sniff_all({" n ||x||d\n 1 ||2,5||1.12.2026\n2\n"}, format)),
            "| n bigint, x double precision, d date");
}

TEST(Sniffer, ReadsRaggedRecordsAsTheFlagsWouldTakeThem) {
  const std::string bytes =
      "id,name,city,zip\n1,Bob\n2,Al,Rome\n3,Eve,Oslo,0150\n4,Dan,Bern\n5,Joe\n";
  FormatOptions format;
  format.short_records = ShortRecords::kNull;
  const auto report = sniff_all({bytes}, format);
  EXPECT_EQ(summary(report), "| id bigint, name text, city text, zip text");
  EXPECT_EQ(report->records_misfit, 0u);

  format = {};
  format.long_records = LongRecords::kIgnore;
  EXPECT_EQ(summary(sniff_all({"id,name\n1,Bob\n2,Al,Rome\n3,Eve,Oslo,0150\n5,Joe,a,b\n"}, format)),
            "| id bigint, name text");
}

TEST(Sniffer, SaysWhichDelimiterMayHaveBeenMeantWhereItTakesNone) {
  EXPECT_THAT(
      sniff_all({"id,name,city,zip\n1,Bob\n2,Al,Rome\n3,Eve,Oslo,0150\n4,Dan,Bern\n5,Joe\n"})
          ->notes,
      ElementsAre(HasSubstr("',' stands in 6 of 6: if it is the delimiter, say --delimiter ','")));
  EXPECT_THAT(sniff_all({"city:pop\nA:1\nB:2\n"})->notes,
              ElementsAre("each record is one column, but would be 2 with --delimiter ':'"));
  EXPECT_THAT(sniff_all({"name\nLovelace, Ada\nno comma\nTuring, Alan\n"})->notes, IsEmpty());
  EXPECT_THAT(sniff_all({"1,2,3\n4,5\n"})->notes, Contains(HasSubstr("',' stands in 2 of 2")));
  EXPECT_THAT(sniff_all({"id;name\n7\n8\n9\n"})->notes,
              ElementsAre(HasSubstr("the first would be 2 names with --delimiter ';'")));
  EXPECT_THAT(sniff_all({"Title\n\nid,name,x\n1,\"ab,2\n2,c,3\n"})->notes,
              ElementsAre(HasSubstr("the quote in the record at byte 17 would never be closed")));
}

TEST(Sniffer, LeavesOutAnObjectOfAnotherDelimiter) {
  const auto report = sniff_all({"id,v\n1,2\n", "id;v\n1;2\n", "id,v\n3,4\n"});
  EXPECT_EQ(summary(report), "| id bigint, v bigint");
  EXPECT_THAT(report->objects[1].left_out, HasSubstr("another delimiter"));
}

TEST(Sniffer, TellsOfTextInAnotherEncoding) {
  EXPECT_THAT(sniff_all({"ann\xe9\x65,v\n2020,1\n2021,2\n"})->notes,
              Contains(HasSubstr("the header is not UTF-8: if it is in another encoding, set "
                                 "--encoding windows-1252")));
}

TEST(Sniffer, TellsOfValuesThatWouldBeNumbersWithoutSpaces) {
  EXPECT_THAT(sniff_all({"id,a,b\n1, 0.5,x\n2, 1.5, 1\n"})->notes,
              ElementsAre("column a is text; all its values would be numbers with --trim"));
}

TEST(Sniffer, TellsOfQuotesBehindSpaces) {
  const std::string bytes = "name, city\n\"Ann\", \"Ulm, Süd\"\n\"Bob\", \"Bonn\"\n";
  Result<SniffReport> report = sniff_all({bytes});
  ASSERT_TRUE(report);
  EXPECT_THAT(report->notes, Contains(HasSubstr("--delimiter ', '")));
  FormatOptions format;
  format.long_delimiter = ", ";
  report = sniff_all({bytes}, format);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->schema.to_sql(), "name text, city text");
  EXPECT_EQ(report->records_misfit, 0u);
  EXPECT_THAT(report->notes, IsEmpty());
}

TEST(Sniffer, TellsOfFlagsWithWhichTextWouldBeNumbersOrDates) {
  const auto notes = [](const char* bytes) { return sniff_all({bytes})->notes; };
  EXPECT_THAT(notes("n;x\n1;1.234,5\n2;0,25\n"),
              Contains(HasSubstr("--decimal-separator , --thousands-separator .")));
  EXPECT_THAT(notes("n;x\n1;1,234\n2;5,678\n"), IsEmpty()) << "these may be thousands";
  EXPECT_THAT(notes("n;d\n1;20.11.2026\n"), Contains(HasSubstr("--date-format '%d.%m.%Y'")));
  EXPECT_THAT(notes("n;d\n1;1/2/2026\n"),
              Contains(HasSubstr("'%m/%d/%Y' or --date-format '%d/%m/%Y'")));
  EXPECT_THAT(notes("n;d\n1;1/13/2026 1:05 PM\n"),
              Contains(HasSubstr("--timestamp-format '%m/%d/%Y %I:%M %p'")));
  EXPECT_THAT(notes("n;d\n1;Anna\n2;Ben\n3;Eva\n4;M\xfcller\n"),
              Contains(HasSubstr("--encoding windows-1252")));
  EXPECT_THAT(notes("n;d\n1;M\xfcller\n"), Contains(HasSubstr("--encoding windows-1252")));
}

}  // namespace
}  // namespace leat::parser
