// The same bytes give the same rows, rejects, errors and positions however they are cut, and from
// every record boundary on.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "parser/records/not_text.h"
#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

FormatOptions with(void (*change)(FormatOptions&)) {
  FormatOptions options;
  change(options);
  return options;
}

std::vector<Fixture> inline_fixtures() {
  const auto by_place = [](FormatOptions& o) { o.header = false; };
  std::string large = "a,b\n";
  for (int i = 0; i < 8; ++i) large += "\"" + std::string(37, 'x') + "\ny\"\"\"," + "1\r\n";
  return {
      {"crlf", "a,b\r\n1,2\r\n\"3\",\"4\"\r\n"},
      {"quotes", "a,b\n\"\",\"\"\"\"\n\"x\"\"y\",\"\n\"\n,\n"},
      {"bad_records", "a,b\n1,\"x\"y\n2,\"p\nq\"r,\"s\nt\"\n3,4\n\"5\"\r6,7\n8,9"},
      {"bom",
       "\xef\xbb\xbf"
       "a,b\n1,2\n"},
      {"bom_quoted_header", "\xef\xbb\xbf\"a\",b\n1,2\n"},
      {"blank_lines", "\n\r\na,b\n\n1,2\n\r\n\n3,4\n\n"},
      {"one_column", "a\n\n1\n\"\"\n\n"},
      {"cr_only", "a,b\r1,2\r\r3,\"4\r5\"\r6,7\n8,9\r"},
      {"ragged", "a,b\n1\n1,2\n1,2,3\n,\n"},
      {"unterminated", "a,b\n1,2\n\"3,4\n5,6\n"},
      {"utf8", "a,b\n\xc3\xa9,\xe2\x82\xac\n\xc3,\xa9\n\xff,x\n"},
      {"multibyte_header", "\xc3\xa9,\"b\nc\"\n1,2\n"},
      {"header_only", "a,b"},
      {"header_only_cr", "a,b\r"},
      {"empty", ""},
      {"no_header", "1,2\n3,4\n", with(by_place), "x int, y text"},
      {"no_header_bom",
       "\xef\xbb\xbf"
       "1,2\n3,4",
       with(by_place), "x int, y text"},
      {"no_header_first_bad", "1,\"2\"x\n3,4\n5,z\n", with(by_place), "x int, y int"},
      {"typed",
       "id,ok,when\n1,true,2026-11-20\n2,maybe,2026-02-30\nx,,\n,f,2026-01-01\n",
       {},
       "id bigint not null, ok boolean, \"when\" date"},
      {"reordered", "B,z,a\n1,2,3\n4,5,6\n", {}, "a int, b int, c text"},
      {"nulls", "a,b\nNULL,\"NULL\"\n-,\"-\"\n,\"\"\n", with([](FormatOptions& o) {
         o.null_strings = {"NULL", "-"};
       })},
      {"comments", "#c \"x\na,b\n#\r\n1,2\n#3,4\n5,6\n#",
       with([](FormatOptions& o) { o.comment = '#'; })},
      {"skipped", "one\n\"two\na,b\n1,2\n", with([](FormatOptions& o) { o.skip_lines = 2; })},
      {"skipped_crlf", "one\r\n\r\na,b\r\n1,2\r\n",
       with([](FormatOptions& o) { o.skip_lines = 2; })},
      {"skipped_all", "one\ntwo", with([](FormatOptions& o) { o.skip_lines = 3; })},
      {"escape", "a,b\n\"x\\\"\\\\\",\"\\n\"\n\"\\\",\"1\"\n",
       with([](FormatOptions& o) { o.escape = '\\'; })},
      {"tab", "a\tb\n1 \t\"2\t3\"\n", with([](FormatOptions& o) { o.delimiter = '\t'; })},
      {"too_long", "a,b\n1,2\n1234,6789\n3,4\n",
       with([](FormatOptions& o) { o.record_bytes_max = 8; })},
      {"too_long_quoted", "a,b\n1,2\r\n1,\"\n\n\n\n\n\n\n\n\n\n\"\r\n3,4\n",
       with([](FormatOptions& o) { o.record_bytes_max = 8; })},
      {"fills_limit", "a,b\n1234,678\r\n\"12\",\"\n\"\r\n",
       with([](FormatOptions& o) { o.record_bytes_max = 8; })},
      {"too_many_fields", "a,b,c\n1,2,3\n1,2,3,4\n",
       with([](FormatOptions& o) { o.fields_max = 3; })},
      {"header_too_long", "a,bbbbbbbbbb\n1,2\n",
       with([](FormatOptions& o) { o.record_bytes_max = 8; })},
      {"header_bad", "a,\"b\"c\n1,2\n"},
      {"header_mismatch", "x,y\n1,2\n", {}, "a int"},
      {"large_records", large},
  };
}

void append_files(const std::string& folder, std::vector<Fixture>& out) {
  if (folder.empty()) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    out.push_back({entry.path().filename().string(), read_file(entry.path().string())});
  }
}

/// Every fixture under every policy.
std::vector<Fixture> all_fixtures(const std::string& engine) {
  std::vector<Fixture> bases = inline_fixtures();
  const std::string traps = test_data_folder("LEAT_TRAPS_DIR", "csv-traps");
  const std::string vectors = test_data_folder("LEAT_VECTORS_DIR", "vectors");
  if (!traps.empty()) append_files(traps + "/files", bases);
  if (!vectors.empty()) append_files(vectors + "/csv-spectrum/csvs", bases);
  std::vector<Fixture> all;
  for (Fixture& base : bases) {
    use_engine(engine, base.options);
    for (const OnError policy : {OnError::kFail, OnError::kReject, OnError::kNull}) {
      base.options.on_error = policy;
      all.push_back(base);
    }
  }
  return all;
}

/// The fixture behind a skipped line that is longer than what an object's start waits for, so that
/// its own bytes are parsed as they come.
Fixture behind_long_line(Fixture fixture) {
  const bool cr_only = fixture.bytes.find('\n') == std::string::npos &&
                       fixture.bytes.find('\r') != std::string::npos;
  std::string line(kSniffBytes, '-');
  line += cr_only || fixture.name == "cr_only" ? '\r' : '\n';
  fixture.bytes = line + fixture.bytes;
  ++fixture.options.skip_lines;
  return fixture;
}

/// A cut at every byte, but for the inside of the long line.
std::vector<std::size_t> every_byte(const Fixture& fixture) {
  std::vector<std::size_t> cuts;
  const std::size_t first = fixture.bytes.size() > kSniffBytes ? kSniffBytes - 2 : 1;
  for (std::size_t cut = first; cut < fixture.bytes.size(); ++cut) cuts.push_back(cut);
  return cuts;
}

class CsvCuts : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, CsvCuts, ::testing::ValuesIn(engines()),
                         [](const auto& instance) { return instance.param; });

void expect_same(const Loaded& found, const Loaded& whole, const std::string& what) {
  EXPECT_EQ(found.rows, whole.rows) << what;
  EXPECT_EQ(found.lineage, whole.lineage) << what;
  EXPECT_EQ(found.rejects, whole.rejects) << what;
  EXPECT_EQ(found.error, whole.error) << what;
  EXPECT_EQ(found.end, whole.end) << what;
}

std::string what(const Fixture& fixture, const char* how, std::size_t at) {
  return fixture.name + " (on_error " + std::to_string(static_cast<int>(fixture.options.on_error)) +
         "), " + how + " " + std::to_string(at);
}

TEST_P(CsvCuts, ACutAtAnyByteChangesNothing) {
  for (const Fixture& fixture : all_fixtures(GetParam())) {
    for (const Fixture& variant : {fixture, behind_long_line(fixture)}) {
      const Loaded whole = load(variant);
      const std::size_t first = variant.bytes.size() - fixture.bytes.size();
      for (std::size_t cut = first; cut <= variant.bytes.size(); ++cut) {
        expect_same(load(variant, {cut}), whole, what(variant, "cut at", cut));
      }
      if (HasFailure()) return;
    }
  }
}

TEST_P(CsvCuts, BytesThatComeOneByOneChangeNothing) {
  for (const Fixture& fixture : all_fixtures(GetParam())) {
    for (const Fixture& variant : {fixture, behind_long_line(fixture)}) {
      const auto cuts = every_byte(variant);
      expect_same(load(variant, cuts), load(variant), what(variant, "byte by byte", 0));
    }
  }
}

TEST_P(CsvCuts, AResumeAtAnyPositionGoesOnAsIfNothingHadHappened) {
  for (const Fixture& fixture : all_fixtures(GetParam())) {
    for (const Fixture& variant : {fixture, behind_long_line(fixture)}) {
      const auto cuts = every_byte(variant);
      std::vector<Checkpointed> checkpoints;
      const Loaded whole = load(variant, cuts, {}, &checkpoints);
      const Position* last = nullptr;
      for (const Checkpointed& at : checkpoints) {
        if (last != nullptr && *last == at.position) continue;
        last = &at.position;
        // Through its encoded form, as a state folder keeps it.
        const Result<Position> position = Position::decode(at.position.encode());
        ASSERT_TRUE(position);
        Loaded rest = load(variant, {}, *position);
        const auto before = [](const std::vector<std::string>& all, std::size_t count) {
          return std::vector<std::string>(all.begin(), all.begin() + static_cast<long>(count));
        };
        for (auto [rows, all, count] : {std::tuple(&rest.rows, &whole.rows, at.rows),
                                        std::tuple(&rest.lineage, &whole.lineage, at.rows),
                                        std::tuple(&rest.rejects, &whole.rejects, at.rejects)}) {
          const std::vector<std::string> front = before(*all, count);
          rows->insert(rows->begin(), front.begin(), front.end());
        }
        expect_same(rest, whole, what(variant, "resumed at", at.position.offset));
      }
      if (HasFailure()) return;
    }
  }
}

TEST_P(CsvCuts, EachRecordBoundaryIsAPosition) {
  Fixture fixture = behind_long_line({"boundaries", "a,b\n1,2\n\"3\n\",4\n5,6\n"});
  use_engine(GetParam(), fixture.options);
  std::vector<Checkpointed> checkpoints;
  load(fixture, every_byte(fixture), {}, &checkpoints);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
  for (const Checkpointed& at : checkpoints) {
    const std::pair here(at.position.offset, at.position.record);
    if (found.empty() || found.back() != here) found.push_back(here);
  }
  const std::uint64_t base = kSniffBytes + 1;
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {
      {0, 0}, {base + 4, 0}, {base + 8, 1}, {base + 15, 2}, {base + 19, 3}};
  EXPECT_EQ(found, expected);
}

TEST(CsvCutsDifferential, AllEnginesGiveTheSameRows) {
  const std::vector<Fixture> scalar = all_fixtures("scalar");
  for (const std::string& engine : engines()) {
    const std::vector<Fixture> other = all_fixtures(engine);
    for (std::size_t i = 0; i < scalar.size(); ++i) {
      expect_same(load(other[i]), load(scalar[i]), engine + ", " + scalar[i].name);
    }
  }
}

}  // namespace
}  // namespace leat::parser
