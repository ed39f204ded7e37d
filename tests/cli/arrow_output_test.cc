// --format arrow: what a program that reads standard output gets.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/cli/command_test.h"
#include "tests/support/arrow_ipc_reader.h"

namespace leat::cli {
namespace {

using testing::ArrowStream;
using testing::read_arrow_stream;
using testing::texts_of;

using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kEveryType =
    "b bool, s int2, i int4, l int8 not null, f real, d double precision, n numeric(10,2), "
    "t text, y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json";
constexpr const char* kRows =
    "b,s,i,l,f,d,n,t,y,da,ti,ts,tz,u,j\n"
    "true,-2,3,-9223372036854775808,0.5,0.1,-1.50,grün,\\x00ff,0001-01-01,23:59:59.999999,"
    "1969-12-31 23:59:59.999999,9999-12-31 23:59:59Z,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,"
    "\"{\"\"a\"\":[1,2]}\"\n"
    ",,,7,,,,,,,,,,,\n"
    "false,32767,0,8,Infinity,NaN,0,\"\",\"\",1970-01-01,00:00,1970-01-01,1970-01-01,"
    "ffffffff-ffff-ffff-ffff-ffffffffffff,null\n";

TEST_F(CommandTest, ArrowHoldsEveryTypeWithItsNulls) {
  put("in/a.csv", kRows);
  const Outcome outcome =
      leat("cat in/a.csv --format arrow --schema '" + std::string(kEveryType) + "'");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const ArrowStream stream = read_arrow_stream(outcome.out);
  EXPECT_EQ(*stream.schema, *parse_schema(kEveryType));
  EXPECT_TRUE(stream.ended);
  ASSERT_EQ(stream.batches.size(), 1U);
  const Rows rows = texts_of(stream.batches[0]);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0],
            (std::vector<std::string>{"true", "-2", "3", "-9223372036854775808", "0.5", "0.1",
                                      "-1.50", "grün", "\\x00ff", "0001-01-01", "23:59:59.999999",
                                      "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59+00",
                                      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{\"a\":[1,2]}"}));
  std::vector<std::string> nulls(15, "NULL");
  nulls[3] = "7";
  EXPECT_EQ(rows[1], nulls);
  EXPECT_EQ(rows[2][7], "");
}

TEST_F(CommandTest, ArrowOfNothingNewIsAnEmptyStreamOfTheSchema) {
  put("in/a.csv", "id,name\n1,one\n2,two\n");
  const std::string load =
      "load --once --settle 0 --from 'in/*.csv' --to - --format arrow --state st";
  const Outcome first = leat(load);
  ASSERT_EQ(first.status, 0) << first.err;
  const ArrowStream rows = read_arrow_stream(first.out);
  ASSERT_EQ(rows.batches.size(), 1U);
  EXPECT_EQ(rows.batches[0].rows, 2);
  const Outcome second = leat(load);
  ASSERT_EQ(second.status, 0) << second.err;
  const ArrowStream nothing = read_arrow_stream(second.out);
  EXPECT_EQ(*nothing.schema, *rows.schema);
  EXPECT_TRUE(nothing.batches.empty());
  EXPECT_TRUE(nothing.ended);
  const Outcome unknown = leat("cat 'in/*.cvs' --format arrow");
  EXPECT_EQ(unknown.status, 0) << unknown.err;
  EXPECT_TRUE(read_arrow_stream(unknown.out).schema->fields.empty());
}

TEST_F(CommandTest, ArrowOfAFailureHasNoEnd) {
  const Outcome failed = leat("cat nowhere/a.csv --format arrow");
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.out, "");
}

TEST_F(CommandTest, ArrowTellsThatItsReaderWentAway) {
  std::string rows = "id\n";
  for (int i = 0; i < 50'000; ++i) rows += std::to_string(i) + "\n";
  put("in/a.csv", rows);
  leat("cat in/a.csv --format arrow --schema 'id bigint' 2>gone | head -c 100 >part");
  EXPECT_EQ(content("part").size(), 100U);
  EXPECT_EQ(content("gone"), "leat: The reader of standard output went away. [io]\n");
}

// Apache Arrow's own reader, where it is installed. LEAT_PYTHON names another interpreter.
TEST_F(CommandTest, ArrowIsWhatPyarrowReads) {
  const std::string python = "\"${LEAT_PYTHON:-python3}\"";
  if (std::system((python + " -c 'import pyarrow' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "there is no pyarrow here";
  }
  put("in/a.csv", kRows);
  put("read.py",
      "import sys, pyarrow as pa\n"
      "table = pa.ipc.open_stream(sys.stdin.buffer).read_all()\n"
      "table.validate(full=True)\n"
      "print([str(f.type) for f in table.schema], [f.name for f in table.schema if not "
      "f.nullable])\n"
      "print([c.null_count for c in table.columns])\n"
      "print(*(str(v) for v in table.to_pylist()[0].values()))\n");
  const Outcome outcome = leat("cat in/a.csv --format arrow --schema '" + std::string(kEveryType) +
                               "' | PYTHONIOENCODING=utf-8 " + python + " read.py");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "['bool', 'int16', 'int32', 'int64', 'float', 'double', 'decimal128(10, 2)', 'string', "
            "'binary', 'date32[day]', 'time64[us]', 'timestamp[us]', 'timestamp[us, tz=UTC]', "
            "'extension<arrow.uuid>', 'extension<arrow.json>'] ['l']\n"
            "[1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            "True -2 3 -9223372036854775808 0.5 0.1 -1.50 grün b'\\x00\\xff' 0001-01-01 "
            "23:59:59.999999 1969-12-31 23:59:59.999999 9999-12-31 23:59:59+00:00 "
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 {\"a\":[1,2]}\n");
}

}  // namespace
}  // namespace leat::cli
