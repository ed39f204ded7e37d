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

}  // namespace

std::vector<Fixture> format_fixtures() {
  std::vector<Fixture> all;
  append_postgres_text(all);
  append_postgres_csv(all);
  return all;
}

}  // namespace leat::parser
