#include "tests/parser/format_fixtures.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;

FormatOptions dialect(const char* name, void (*change)(FormatOptions&) = nullptr) {
  FormatOptions options = *dialect_options(name);
  if (change != nullptr) change(options);
  return options;
}

void append_postgres_text(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, const char* schema = "a text, b text",
                       void (*change)(FormatOptions&) = nullptr) {
    out.push_back({"text_"s + name, std::move(bytes), dialect("postgres-text", change), schema});
  };
  const auto header = [](FormatOptions& o) { o.header = true; };
  add("plain", "1\t2\n3\t\\N\n\t\n");
  add("no_final_line_end", "1\t2\n3\t4");
  add("crlf", "1\t2\r\n3\t4\r\n");
  add("cr", "1\t2\r3\t4\r");
  add("mixed", "1\t2\n3\t4\r\n5\r\t6\n7\t8\n");
  add("mixed_crlf", "1\t2\r\n3\t4\n5\t6\r7\t8\r\n\\N\t\r\n");
  add("mixed_cr", "1\t2\r3\t4\n5\t6\r");
  add("escapes", "\\b\\f\\n\t\\r\\t\\v\\\\\n\\101\\x41\\x4\t\\8\\x\\xg\\q\\'\n\\1\t\\12\\1234\n");
  add("escaped_ends", "1\\\n2\t3\\\t4\\\\\n5\\\\\\\n\t\\\\\n");
  add("escaped_ends_crlf", "1\t2\r\n1\\\n2\t3\\\r\\\n4\\\\\r\n5\\\\\\\r\n6\t7\r\n");
  add("utf8", "\xc3\xa9\t\\303\\251\n\\303\t\\xff\n\xc3\t\xa9\n");
  add("nul", "1\ta\0b\n\\0\t2\n3\t\\x00\n\\x0041\t\\000\n"s);
  add("end_marker", "1\t2\n\\.\n3\t4\n");
  add("end_marker_crlf", "1\t2\r\n\\.\r\n3\t4\r\n");
  add("end_marker_first", "\\.\n3\t4\n");
  add("end_marker_bad", "1\t2\n\\.x\n3\\.\t4\n5\t6\\.\n\\.\r\n7\t8\n\\.");
  add("end_marker_mixed", "1\t2\r\n\\.\n3\t4\r\n\\.\r\r\n");
  add("end_marker_escaped", "1\t2\n\\\\.\n\\\n\\.\n3\t4\n");
  add("backslash_at_end", "1\t2\n3\t\\N\\");
  add("blank", "\n\n1\n", "a text");
  add("blank_among_two", "1\t2\n\n3\t4\n");
  add("typed", "1\tt\t2026-11-20\n\\N\t\\N\t\\N\nx\tf\t2026-02-30\n4\t\\x74\t2026-01-01\n",
      "a bigint, b boolean, c date");
  add("header", "b\ta\\x41\n1\t2\n3\t4\n", "aA int, b int", header);
  add("bom_header", "\xef\xbb\xbf"s + "a\tb\n1\t2\n", "a text, b text", header);
  add("bom", "\xef\xbb\xbf"s + "1\t2\n");
  add("pipe", "1|\\|2\n3|\t\n", "a text, b text", [](FormatOptions& o) { o.delimiter = '|'; });
  add("too_long", "1\t2\n1234\t6789\n3\t4\n", "a text, b text",
      [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("fills_limit", "1\t2\r\n1234\t678\r\n\\\n\\\n\\\n\t\\\n\r\n", "a text, b text",
      [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("too_many_fields", "1\t2\n1\t2\t3\n", "a text, b text",
      [](FormatOptions& o) { o.fields_max = 2; });
  add("ragged", "1\n1\t2\n1\t2\t3\n");
}

void append_postgres_csv(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, const char* schema = "a text, b text",
                       void (*change)(FormatOptions&) = nullptr) {
    out.push_back({"csv_"s + name, std::move(bytes), dialect("postgres", change), schema});
  };
  const auto header = [](FormatOptions& o) { o.header = true; };
  const auto escape = [](FormatOptions& o) { o.escape = '\\'; };
  add("plain", "1,2\n\"\",\n\"x\"\"y\",\"\n\"\n");
  add("toggled",
      "a\"b,c\"d,1\n\"x\"y\"z\",\"\"\"\"\"\"\n\"\"a\"\",a\"\"\n\"a\"\"\"\"b\"c\"\",\"\"\"\"\n");
  add("toggled_lines", "a\"\n\"b\"\r\n\",1\n\"\"\"\n\"\"\",\"\"\"\"\n");
  add("crlf", "1,2\r\n\"\r\",\"\n\"\r\n");
  add("cr", "1,2\r3,\"\n\r\"\r");
  add("mixed", "1,2\n3,4\r\n5\r,6\n7,8\n");
  add("mixed_crlf", "1,2\r\n3,4\n5,6\r7,8\r\n");
  add("mixed_cr", "1,2\r3,4\n5,6\r");
  add("end_marker", "1,2\n\\.\n3,4\n");
  add("end_marker_crlf", "1,2\r\n\\.\r\n3,4\r\n");
  add("end_marker_cr", "1,2\r\\.\r3,4\r");
  add("end_marker_first", "\\.\r\n3,4\n");
  add("end_marker_none", "1,2\n\\.x,y\n\\.,z\n\"\\.\",3\n4,\"\n\\.\n\"\n\\,\\.\n");
  add("end_marker_at_end", "1,2\n\\.");
  add("end_marker_mixed", "1,2\n\\.\r\n3,4\n");
  add("end_marker_mixed_crlf", "1,2\r\n\\.\n3,4\r\n\\.\r5\r\n\\.\r\r\n");
  add("unterminated", "1,2\n\"3,4\n5,6\n");
  add("unterminated_inside", "1,2\n3,4\"\n5,6\n");
  add("blank", "\n\n\"\"\n1\n", "a text");
  add("blank_among_two", "1,2\n\n3,4\n");
  add("nul", "1,a\0b\n\"\0\",2\n3,4\n"s);
  add("null", "NULL,\"NULL\"\nN\"UL\"L,\"\"\n", "a text, b text",
      [](FormatOptions& o) { o.null_strings = {"NULL"}; });
  add("escape", "\"x\\\"\\\\\",\"\\n\"\nx\\y,\"\\\",\"z\n\"a\"\"b\",c\"\\\\\"\n", "a text, b text",
      escape);
  add("escape_unterminated", "1,2\n\"\\\"\n", "a text, b text", escape);
  add("typed", "1,t,2026-11-20\n,,\nx,f,2026-02-30\n\"4\",\"t\"rue,2026-0\"1\"-01\n",
      "a bigint, b boolean, c date");
  add("header", "b,\"a\"A\n1,2\n3,4\n", "aA int, b int", header);
  add("bom_header", "\xef\xbb\xbf"s + "a,b\n1,2\n", "a text, b text", header);
  add("bom", "\xef\xbb\xbf"s + "1,2\n");
  add("too_long", "1,2\n1234,6789\n3,4\n", "a text, b text",
      [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("too_long_quoted", "1,2\r\n1,\"\n\n\n\n\n\n\n\n\"\r\n", "a text, b text",
      [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("fills_limit", "1,2\r\n1234,678\r\n\"12\",\"\n\"\r\n", "a text, b text",
      [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("too_many_fields", "1,2\n1,2,3\n", "a text, b text",
      [](FormatOptions& o) { o.fields_max = 2; });
}

/// CSV with options that few files need.
void append_unusual_csv(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, void (*change)(FormatOptions&),
                       const char* schema = "a text, b text") {
    out.push_back({"unusual_"s + name, std::move(bytes), dialect("default", change), schema});
  };
  const auto bars = [](FormatOptions& o) { o.long_delimiter = "||", o.header = false; };
  add("long_delimiter", "1||2\n\"a||b\"\"\"||\"\"\n|x|||y|\r\n\"q\"|||\n3||\"open\"|\n4||5", bars);
  add("long_delimiter_end", "1||2\n3||", bars);
  add("long_delimiter_half", "1||2\n3|", bars);
  add("long_delimiter_header", "b::a\n1::2\n\"::\"::\n:::::\n", [](FormatOptions& o) {
    o.long_delimiter = "::";
    o.comment = '#';
  });
  add("long_delimiter_utf8",
      "1\xc2\xa6"
      "2\n3\xc2\xa7\xc2\xa6\xc2\n\xc2\xa6\n",
      [](FormatOptions& o) { o.long_delimiter = "\xc2\xa6", o.header = false; });
  add("long_delimiter_overlaps", "1aab2\n3aaab4\naab\n5aa\n",
      [](FormatOptions& o) { o.long_delimiter = "aab", o.header = false; });
  add("long_delimiter_limit", "1||2\n123||567\n1234||678\n1||2\n",
      [](FormatOptions& o) { o.long_delimiter = "||", o.header = false, o.record_bytes_max = 8; });
  const auto any = [](FormatOptions& o) { o.line_ends = LineEnds::kAny; };
  add("any_line_end", "a,b\r1,2\n3,\"\r\n\r\"\r\n\r\n\n\r5,6\r7,8", any);
  add("any_line_end_one_column", "a\n1\r2\r\n\r\r\n3\r", any, "a text");
  add("any_line_end_comment", "a,b\r#x\r1,2\n#y\r\n3,4\r#",
      [](FormatOptions& o) { o.line_ends = LineEnds::kAny, o.comment = '#'; });
  add("any_line_end_bad", "a,b\r\"x\"y,2\r\"1,2\r", any);
  const auto trim = [](FormatOptions& o) { o.trim = true, o.null_strings = {"", "NA"}; };
  add("trim", " a ,\tb\n 1 , x \n  ,\" y \"\n NA ,\t\n\"NA\", \"q\" \n x y\t,\t \n", trim);
  add("trim_typed", "a,b\n 1 ,\t2026-11-20 \n NA , x\n\" 1\",\n", trim, "a int, b date");
  const auto ragged = [](FormatOptions& o) {
    o.short_records = ShortRecords::kNull, o.long_records = LongRecords::kIgnore;
  };
  add("ragged", "a,b,c\n1,2,3\n1\n1,2\n1,2,3,4\n\n\"x\"y,2\n1,2,3,\n", ragged,
      "a text, b text, c int not null");
  add("ragged_all_short", "a,b,c\n1\n2\n3\n", ragged, "a bigint, b text, c text");
  add("ragged_all_long", "a\n1,2\n3,4\n", ragged, "a bigint");
  add("short_only", "a,b\n1\n1,2,3\n\"\"\n",
      [](FormatOptions& o) { o.short_records = ShortRecords::kNull; });
  add("long_only", "a,b\n1\n1,2,3\n",
      [](FormatOptions& o) { o.long_records = LongRecords::kIgnore; });
  const auto rest = [](FormatOptions& o) { o.long_records = LongRecords::kIgnoreEmpty; };
  add("empty_rest", "a,b\n1,2,\n3,4,,\r\n5,6,x\n7,8,\"\"\n9,10\n\n11,12, \n13\n14,15,", rest,
      "a bigint, b text");
  add("empty_rest_of_all", "a,b\n1,2,\n\"3\",\"x,\",\n5,6,\n", rest, "a bigint, b text");
  add("filled_rest_of_some", "a,b\n1,2,\n3,4,x\n5,6,\n", rest, "a bigint, b text");
  add("trimmed_rest", "a,b\n1,2, \n3,4,\t x\n5,6,\" \"\n",
      [](FormatOptions& o) { o.long_records = LongRecords::kIgnoreEmpty, o.trim = true; });
  add(
      "decimal_comma", "a;b\n1,5;1.234.567\n-0,25;-1.234\n\"1.000,5\";1.23\n1.5;12.3456\n,;1.,\n",
      [](FormatOptions& o) {
        o.delimiter = ';', o.decimal_separator = ',', o.thousands_separator = '.';
      },
      "a double precision, b bigint");
  add(
      "formats", "a,b\n20.11.2026,11/20/26 1:05 PM\n30.02.2026,1/2/26 12:00 AM\n,13/1/26 1:00 AM\n",
      [](FormatOptions& o) {
        o.date_format = "%d.%m.%Y", o.timestamp_format = "%m/%d/%y %I:%M %p";
      },
      "a date, b timestamp");
}

void append_redshift(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, const char* schema = "a text, b text",
                       void (*change)(FormatOptions&) = nullptr) {
    out.push_back({"redshift_"s + name, std::move(bytes), dialect("redshift", change), schema});
  };
  const auto escape = [](FormatOptions& o) { o.escape = '\\'; };
  const auto quotes = [](FormatOptions& o) { o.quote = '"', o.escape = '\\'; };
  add("plain", "1|\"2\\\n|\n\n3|4\r\n");
  add("escape", "1|a\\|b\n\\\n\\\r\\\n|\\\\\n\n\\N|\\n\r\n|\\\"\\'\n", "a text, b text", escape);
  add("escape_at_end", "1|2\n3|4\\", "a text, b text", escape);
  add("escape_cr", "1|2\r3\\\r|4\r\r5\n|6\r", "a text, b text", escape);
  add("escape_mixed", "1|2\n3\r|4\n5|6\r\n7|8\\\r\n", "a text, b text", escape);
  add("escape_header", "b|a\\|\n1|2\n", "\"a|\" int, b int",
      [](FormatOptions& o) { o.escape = '\\', o.header = true; });
  add("escape_one_column", "\n\\\n\n1\n", "a text", escape);
  add("escape_null", "\\N|\\\\N\n|\n", "a text, b text",
      [](FormatOptions& o) { o.escape = '\\', o.null_strings = {"\\N"}; });
  add("quotes", "\"1\"|\"a|b\\\"c\\\\\"\n\"\"|\n\"x\n\"|\"\\\n\"\r\n\"x\"y|\"z\"\n5|\"6\"\n",
      "a text, b text", quotes);
  add("quotes_only", "\"1\"|\"a|b\"\n\"c\"\"d\"|\n", "a text, b text",
      [](FormatOptions& o) { o.quote = o.escape = '"'; });
  add("quotes_open", "\"1\"|\"2\"\n\"3\\\"|4\n", "a text, b text", quotes);
  add("too_long", "1|2\n12\\\n4|6789\n3|4\n", "a text, b text",
      [](FormatOptions& o) { o.escape = '\\', o.record_bytes_max = 8; });
  add("fills_limit", "1|2\r\n\\\n\\\n|\\\n|\r\n", "a text, b text",
      [](FormatOptions& o) { o.escape = '\\', o.record_bytes_max = 8; });
  add("too_many_fields", "1|2\n1|2|3\n", "a text, b text",
      [](FormatOptions& o) { o.escape = '\\', o.fields_max = 2; });
}

FormatOptions of_kind(Format kind, void (*change)(FormatOptions&) = nullptr) {
  FormatOptions options;
  options.kind = kind;
  if (change != nullptr) change(options);
  return options;
}

void append_json_lines(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, const char* schema = "a text, b text",
                       void (*change)(FormatOptions&) = nullptr) {
    out.push_back({"json_"s + name, std::move(bytes), of_kind(Format::kJsonLines, change), schema});
  };
  add("plain", "{\"a\": \"x\", \"b\": 1}\n{\"b\":null,\"a\":\"\"}\n{}\n");
  add("no_final_line_end", "{\"a\":\"x\"}\n{\"a\":\"y\"}");
  add("crlf", "{\"a\":\"x\"}\r\n\r\n{\"a\":1,\r\"b\":2}\r\n");
  add("blank", "\n \t\n{\"a\":1}\n\n{\"a\":2}\n \n  ");
  add("no_schema", "\n{\"a\":1,\"b \\u00e9\":[1, {\"x\":\"\\n\"}]}\n{\"b \u00e9\":true}\n", "");
  add("no_schema_extra", "{\"a\":1}\n{\"a\":2,\"b\":3}\n{\"a\":4}\n", "");
  add("no_schema_bad", "{\"a\":1,}\n{\"a\":2}\n", "");
  add("no_schema_empty", "{}\n{\"a\":2}\n", "");
  add("bom", "\xef\xbb\xbf"s + "{\"a\":1}\n{\"a\":2}\n");
  add("bom_no_schema", "\xef\xbb\xbf"s + "{\"a\":1}\n{\"a\":2}\n", "");
  add("escapes",
      "{\"a\":\"\\\"\\\\\\/"
      "\\b\\f\\n\\r\\t\",\"b\":\"\\u0041\\u00e9\\u20ac\\ud834\\udd1e\\u0000\"}\n"
      "{\"\\u0061\":1,\"b\":\"\\ud834\"}\n{\"a\":\"\\udd1e\\ud834\",\"b\":"
      "\"\\ud834\\ud834\\udd1e\"}\n");
  add("utf8",
      "{\"a\":\"\u00e9\u20ac\"}\n{\"a\":\"\xc3\"}\n{\"a\":\"x\",\"z\":\"\xff\"}\n{\"a\":\"\xa9\"}"
      "\n");
  add("malformed",
      "{\"a\":1}\n{\"a\":01}\n{\"a\":1,}\n{\"a\" 1}\n{a:1}\n[1]\n1\n{\"a\":1} "
      "{\"a\":2}\n{\"a\":\"x\n\"}\n"
      "{\"a\":[1,2}\n{\"a\":{\"b\":1]}\n{\"a\":\"\\x\"}\n{\"a\":\"\\u12g4\"}\n{\"a\":tru}\n{\"a\":+"
      "1}\n{\"a\":1\n"
      "{\"a\":NaN}\n{\"a\":\"\t\"}\n{\"a\":-}\n{\"a\":1.}\n{\"a\":.5}\n{\"a\":1e}\n{\"a\":2}\n{");
  add("keys",
      "{\"a\":1,\"z\":{\"a\":2}}\n{\"a\":1,\"a\":2}\n{\"z\":1,\"z\":2,\"b\":3}\n{\"z\":1}\n{\"A\":"
      "1}\n");
  add("extra", "{\"a\":1,\"z\":2}\n{\"a\":3}\n", "a text, b text",
      [](FormatOptions& o) { o.extra_columns = ExtraColumns::kFail; });
  add("missing", "{\"a\":1,\"b\":2}\n{\"a\":3}\n{\"b\":null,\"a\":4}\n", "a text, b text",
      [](FormatOptions& o) { o.missing_columns = MissingColumns::kFail; });
  add("typed",
      "{\"a\":9007199254740993,\"b\":true,\"c\":1.10,\"d\":\"x\"}\n{\"a\":\"7\",\"b\":\"f\",\"c\":"
      "1e1,\"d\":[ 1 ]}\n"
      "{\"a\":1.5,\"b\":null}\n{\"a\":null,\"b\":2}\n{\"a\":3,\"b\":1,\"d\":null}\n{\"a\":4,\"d\":"
      "\"\\ud800\"}\n",
      "a bigint not null, b boolean, c numeric(10,2), d json");
  add("bytes", "{\"a\":\"\\\\x0aff\"}\n{\"a\":\"\\ud800\"}\n{\"a\":{ }}\n", "a bytea");
  add("too_long", "{\"a\":1}\n{\"a\":123456}\n{\"a\":2}\n", "a text",
      [](FormatOptions& o) { o.record_bytes_max = 10; });
  add("fills_limit", "{\"a\":1234}\r\n{\"a\":2}\r\n", "a text",
      [](FormatOptions& o) { o.record_bytes_max = 10; });
  add("too_many_fields", "{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2,\"c\":3}\n", "a text",
      [](FormatOptions& o) { o.fields_max = 2; });
}

void append_lines(std::vector<Fixture>& out) {
  const auto add = [&](const char* name, std::string bytes, const char* schema = "",
                       void (*change)(FormatOptions&) = nullptr) {
    out.push_back({"lines_"s + name, std::move(bytes), of_kind(Format::kLines, change), schema});
  };
  add("plain", "a,\"b\n\n\\N\n\"\n");
  add("no_final_line_end", "a\nb");
  add("crlf", "a\r\n\r\nb\r\r\n\rc\nd\r");
  add("bom", "\xef\xbb\xbf"s + "a\nb\n");
  add("utf8", "\u00e9\n\xc3\n\xa9\nb\n");
  add("bytes", "\xff\n\\x0a\n", "\"raw line\" bytea");
  add("typed", "1\n\n2\nx\n", "n bigint");
  add("too_long", "1\n123456789\n", "", [](FormatOptions& o) { o.record_bytes_max = 8; });
  add("fills_limit", "1\r\n12345678\r\n\r\n", "", [](FormatOptions& o) { o.record_bytes_max = 8; });
}

std::string repeated(const std::string& records, int times) {
  std::string bytes;
  for (int i = 0; i < times; ++i) bytes += records;
  return bytes;
}

/// Objects in which vectors find enough bytes around a field to read it: rows of one byte at a time
/// are converted without them.
void append_large(std::vector<Fixture>& out) {
  const char* const schema = "n bigint, t text, d date, x double precision";
  const auto add = [&](const char* name, const std::string& records, FormatOptions options) {
    out.push_back({name, repeated(records, 8), std::move(options), schema});
  };
  FormatOptions escaping = dialect("redshift", [](FormatOptions& o) { o.escape = '\\'; });
  add("large_redshift",
      "12|plain text|2026-11-20|1.5\n||2026-11-21|\n7|a\\|b\\\nc|2026-11-22|-2e3\n", escaping);
  escaping.quote = '"';
  add("large_redshift_quotes",
      "\"12\"|\"plain|text\"|\"2026-11-20\"|\"1.5\"\n|\"\"||\n\"7\"|\"a\\\"b\"|2026-11-22|-2e3\n",
      escaping);
  add("large_text",
      "12\tplain "
      "text\t2026-11-20\t1.5\n\\N\t\\N\t\\N\t\\N\n7\ta\\tb\\\\N\t2026-11-22\t-2e3\n\\x38\t\t2026-"
      "11-22\t1\n",
      dialect("postgres-text"));
  add("large_text_empty_null",
      "12\tplain text\t2026-11-20\t1.5\n\t\t\t\n7\ta\\tb\\N\t2026-11-22\t-2e3\n",
      dialect("postgres-text", [](FormatOptions& o) { o.null_strings = {""}; }));
  add("large_text_lines",
      "12\ta\\\nb\t2026-11-20\t1.5\n8\t\\.\t2026-11-22\t1\n9\t\\303\\251\\n\t2026-11-22\t1\n",
      dialect("postgres-text"));
  add("large_csv",
      "12,plain "
      "text,2026-11-20,1.5\n,,,\n7,\"a,\"\"b\",\"2026-11-22\",-2e3\n\"8\",\"\",2026-11-22,1\n",
      dialect("postgres"));
  add("large_csv_toggled",
      "12,pla\"in "
      "te\"xt,2026-11-20,1.5\n,,,\n7,\"a,\"\"b\"c,20\"26-11\"-22,-2e3\n\"8\",\"x\ny\",2026-11-22,"
      "1\n",
      dialect("postgres"));
  add("large_json",
      "{\"n\":12,\"t\":\"plain "
      "text\",\"d\":\"2026-11-20\",\"x\":1.5}\n{}\n{\"t\":\"\",\"d\":null}\n"
      "{\"n\":\"7\",\"t\":\"a\\n\\u00e9b\",\"d\":\"2026-11\\u002d22\",\"x\":-2e3}\n{\"x\":8,\"t\":["
      "1, 2]}\n",
      of_kind(Format::kJsonLines));
  out.push_back(
      {"large_lines", repeated("a line of text\n\nb\r\n", 12), of_kind(Format::kLines), ""});
}

}  // namespace

std::vector<Fixture> format_fixtures() {
  std::vector<Fixture> all;
  append_postgres_text(all);
  append_postgres_csv(all);
  append_redshift(all);
  append_unusual_csv(all);
  append_json_lines(all);
  append_lines(all);
  append_large(all);
  return all;
}

}  // namespace leat::parser
