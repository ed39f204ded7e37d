// What csv_cuts_test.cc shows of CSV, for the other formats: the same bytes give the same rows
// however they are cut, from every position on, and in parts that whole_records gives.
#include <gtest/gtest.h>

#include <algorithm>

#include "parser/records/not_text.h"
#include "tests/parser/format_fixtures.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

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

/// Large ones show that vectors read what single bytes do: not each of their cuts is tried.
bool is_large(const Fixture& fixture) { return fixture.name.starts_with("large"); }

/// Every fixture as it is, and under every policy behind a skipped line that is longer than what an
/// object's start waits for, so that its own bytes are parsed as they come.
std::vector<Fixture> all_variants() {
  std::vector<Fixture> all;
  for (Fixture fixture : format_fixtures()) {
    fixture.options.on_error = OnError::kReject;
    all.push_back(fixture);
    fixture.bytes.insert(0, std::string(kSniffBytes, '-') + "\n");
    ++fixture.options.skip_lines;
    if (is_large(fixture)) {
      all.push_back(fixture);
      continue;
    }
    for (const OnError policy : {OnError::kFail, OnError::kReject, OnError::kNull}) {
      fixture.options.on_error = policy;
      all.push_back(fixture);
    }
  }
  return all;
}

/// A cut at every byte, but for the inside of the long line.
std::vector<std::size_t> every_byte(const Fixture& fixture) {
  std::vector<std::size_t> cuts;
  const std::size_t first = fixture.bytes.size() > kSniffBytes ? kSniffBytes - 2 : 1;
  for (std::size_t cut = first; cut < fixture.bytes.size(); ++cut) cuts.push_back(cut);
  return cuts;
}

void prepend(const std::vector<std::string>& all, std::size_t count,
             std::vector<std::string>& rest) {
  rest.insert(rest.begin(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
}

TEST(FormatCuts, ACutAtAnyByteChangesNothing) {
  for (const Fixture& fixture : all_variants()) {
    const Loaded whole = load(fixture);
    const std::vector<std::size_t> cuts = every_byte(fixture);
    for (std::size_t i = 0; i < cuts.size(); i += is_large(fixture) ? 17 : 1) {
      expect_same(load(fixture, {cuts[i]}), whole, what(fixture, "cut at", cuts[i]));
    }
    if (HasFailure()) return;
  }
}

TEST(FormatCuts, BytesThatComeOneByOneChangeNothing) {
  for (const Fixture& fixture : all_variants()) {
    expect_same(load(fixture, every_byte(fixture)), load(fixture),
                what(fixture, "byte by byte", 0));
  }
}

TEST(FormatCuts, AResumeAtAnyPositionGoesOnAsIfNothingHadHappened) {
  for (const Fixture& fixture : all_variants()) {
    std::vector<Checkpointed> checkpoints;
    const Loaded whole = load(fixture, every_byte(fixture), {}, &checkpoints);
    for (std::size_t i = 0; i < checkpoints.size(); i += is_large(fixture) ? 17 : 1) {
      const Checkpointed& at = checkpoints[i];
      // Through its encoded form, as a state folder keeps it.
      const Result<Position> position = Position::decode(at.position.encode());
      ASSERT_TRUE(position);
      Loaded rest = load(fixture, {}, *position);
      prepend(whole.rows, at.rows, rest.rows);
      prepend(whole.lineage, at.rows, rest.lineage);
      prepend(whole.rejects, at.rejects, rest.rejects);
      expect_same(rest, whole, what(fixture, "resumed at", at.position.offset));
    }
    if (HasFailure()) return;
  }
}

TEST(FormatCuts, RowsThatComeAFewAtATimeAreTheSame) {
  for (const Fixture& fixture : all_variants()) {
    const Loaded whole = load(fixture);
    for (const std::size_t bytes_max : {1u, 20u, 60u}) {
      const auto parser = make_parser(fixture);
      parser->limit_rows(bytes_max);
      expect_same(load_with(*parser, fixture), whole, what(fixture, "rows in", bytes_max));
    }
  }
}

TEST(FormatCuts, WithoutSimdTheRowsAreTheSame) {
  for (const Fixture& fixture : all_variants()) {
    Fixture scalar = fixture;
    scalar.options.tokenizer = "scalar";
    const Loaded whole = load(fixture);
    expect_same(load(scalar), whole, what(fixture, "scalar", 0));
    const std::size_t cut = fixture.bytes.size() - fixture.bytes.size() % kSniffBytes / 2;
    expect_same(load(fixture, {cut}), whole, what(fixture, "cut at", cut));
  }
}

TEST(FormatCuts, WholeRecordsCanBeParsedApart) {
  std::size_t parted = 0;
  for (const Fixture& fixture : all_variants()) {
    if (is_large(fixture)) continue;
    std::vector<Checkpointed> checkpoints;
    const Loaded whole = load(fixture, every_byte(fixture), {}, &checkpoints);
    const auto first = std::find_if(checkpoints.begin(), checkpoints.end(),
                                    [](const Checkpointed& at) { return at.position.record != 0; });
    if (first == checkpoints.end()) continue;
    const Position& begin = first->position;
    const auto parser = make_parser(fixture);
    ASSERT_TRUE(parser->reset_for_new_split(std::make_shared<ObjectVersion>(), begin));
    const std::string_view rest =
        std::string_view(fixture.bytes).substr(static_cast<std::size_t>(begin.offset));
    std::size_t last = 0;
    for (std::size_t size = 0; size <= rest.size(); ++size) {
      const std::size_t front = parser->whole_records(rest.substr(0, size));
      ASSERT_LE(front, size) << what(fixture, "front of", size);
      if (front == 0 || front == last) continue;
      last = front;
      Fixture part = fixture;
      part.bytes.resize(static_cast<std::size_t>(begin.offset) + front);
      Loaded loaded = load(part, {}, begin);
      if (loaded.error.empty()) {
        ASSERT_EQ(loaded.end.offset, part.bytes.size()) << what(fixture, "front of", size);
        ++parted;
        const Position cut{loaded.end.offset, loaded.end.record, begin.parser_state, {}};
        Loaded behind = load(fixture, {}, cut);
        prepend(loaded.rows, loaded.rows.size(), behind.rows);
        prepend(loaded.lineage, loaded.lineage.size(), behind.lineage);
        prepend(loaded.rejects, loaded.rejects.size(), behind.rejects);
        loaded = std::move(behind);
      }
      prepend(whole.rows, first->rows, loaded.rows);
      prepend(whole.lineage, first->rows, loaded.lineage);
      prepend(whole.rejects, first->rejects, loaded.rejects);
      expect_same(loaded, whole, what(fixture, "parted at", part.bytes.size()));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(parted, 100u);
}

// The line end behind a record that is too large may not have come yet when it is refused.
TEST(FormatCuts, ARefusedRecordSaysNothingOfTheLineEnd) {
  FormatOptions escaping = *dialect_options("redshift");
  escaping.escape = '\\';
  for (FormatOptions options :
       {*dialect_options("postgres"), *dialect_options("postgres-text"), escaping}) {
    options.skip_lines = 1;
    options.record_bytes_max = 4;
    const std::size_t begin = kSniffBytes + 1;
    const Fixture fixture{"refused", std::string(kSniffBytes, '-') + "\n12345678\n1\n", options,
                          "a text"};
    const Loaded whole = load(fixture);
    EXPECT_EQ(whole.failure->code, ErrorCode::kRecordTooLarge);
    for (std::size_t cut = begin; cut < fixture.bytes.size(); ++cut) {
      expect_same(load(fixture, {cut}), whole, what(fixture, "cut at", cut));
    }
  }
}

}  // namespace
}  // namespace leat::parser
