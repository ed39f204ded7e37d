// Encoded positions, progress and checkpoints: round trips, and no bytes that break the decoder.

#include "leat/split.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire.h"

namespace leat {
namespace {

constexpr std::uint64_t kMaxU64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kMinI64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMaxI64 = std::numeric_limits<std::int64_t>::max();

Position some_position() {
  return {.offset = 1234567890123,
          .record = 42,
          .parser_state = std::string("id\0name", 7),
          .decoder_state = std::string(130, '\xff')};
}

SplitProgress some_progress() {
  SplitProgress progress;
  progress.object = {.key = std::string("in/\xff\0/a.csv", 11),
                     .version = "\"9e107d9d372bb6826bd81d3542a419d6\"",
                     .size = 1ull << 40,
                     .modified_ms = 1'795'000'000'123};
  progress.state = SplitState::kQuarantined;
  progress.position = some_position();
  progress.rows = 41;
  progress.rejected = 1;
  progress.epoch = 7;
  progress.updated_ms = -5;
  progress.error = Error{.code = ErrorCode::kUnterminatedQuote,
                         .message = "A quote is open at the end of the object.",
                         .at = {.object = "s3://bucket/in/a.csv",
                                .record = 43,
                                .byte_offset = 1234567890123,
                                .column = "full name"},
                         .retryable = true};
  progress.offending = "\"no end";
  return progress;
}

Checkpoint some_checkpoint() {
  SplitProgress finished;
  finished.object = {.key = "b.csv", .version = "v2", .size = 3, .modified_ms = kMinI64};
  finished.state = SplitState::kFinished;
  finished.updated_ms = kMaxI64;
  finished.rows = kMaxU64;
  return {.epoch = 8,
          .splits = {some_progress(), finished, SplitProgress{}},
          .token = 4096,
          .parent = 77};
}

void expect_same(const SplitProgress& a, const SplitProgress& b) {
  EXPECT_TRUE(a.object.same_version(b.object));
  EXPECT_EQ(a.object.modified_ms, b.object.modified_ms);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.rejected, b.rejected);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.updated_ms, b.updated_ms);
  EXPECT_EQ(a.offending, b.offending);
  ASSERT_EQ(a.error.has_value(), b.error.has_value());
  if (!a.error) return;
  EXPECT_EQ(a.error->code, b.error->code);
  EXPECT_EQ(a.error->message, b.error->message);
  EXPECT_EQ(a.error->retryable, b.error->retryable);
  EXPECT_EQ(a.error->at.object, b.error->at.object);
  EXPECT_EQ(a.error->at.record, b.error->at.record);
  EXPECT_EQ(a.error->at.byte_offset, b.error->at.byte_offset);
  EXPECT_EQ(a.error->at.column, b.error->at.column);
}

TEST(Position, RoundTrips) {
  for (const Position& position :
       {Position{}, some_position(), Position{kMaxU64, kMaxU64, "", ""}}) {
    const auto decoded = Position::decode(position.encode());
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(*decoded, position);
  }
}

TEST(SplitProgress, RoundTripsEveryStateWithAndWithoutError) {
  for (std::uint8_t state = 1; state <= 8; ++state) {
    for (const bool with_error : {false, true}) {
      SplitProgress progress = some_progress();
      progress.state = static_cast<SplitState>(state);
      if (!with_error) progress.error.reset();
      const auto decoded = SplitProgress::decode(progress.encode());
      ASSERT_TRUE(decoded) << decoded.error().to_string();
      expect_same(*decoded, progress);
    }
  }
}

TEST(SplitProgress, KeepsUnknownErrorPlacesUnknown) {
  SplitProgress progress = some_progress();
  progress.error->at = {};
  const auto decoded = SplitProgress::decode(progress.encode());
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->error->at.record);
  EXPECT_FALSE(decoded->error->at.byte_offset);
}

TEST(SplitProgress, KeepsErrorCodesOfLaterVersions) {
  SplitProgress progress = some_progress();
  progress.error->code = static_cast<ErrorCode>(60'000);
  const auto decoded = SplitProgress::decode(progress.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->error->code, static_cast<ErrorCode>(60'000));
}

TEST(Checkpoint, RoundTrips) {
  const Checkpoint checkpoint = some_checkpoint();
  const auto decoded = Checkpoint::decode(checkpoint.encode());
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->epoch, checkpoint.epoch);
  EXPECT_EQ(decoded->mark(), checkpoint.mark());
  ASSERT_EQ(decoded->splits.size(), checkpoint.splits.size());
  for (std::size_t i = 0; i < checkpoint.splits.size(); ++i) {
    expect_same(decoded->splits[i], checkpoint.splits[i]);
  }
}

TEST(Checkpoint, EncodesTheDocumentedBytes) {
  SplitProgress progress;
  progress.object = {.key = "a", .version = "v", .size = 300, .modified_ms = -1};
  progress.position = {.offset = 2, .record = 3, .parser_state = "p", .decoder_state = ""};
  progress.rows = 4;
  progress.rejected = 5;
  progress.epoch = 6;
  progress.updated_ms = 1;
  const Checkpoint checkpoint{.epoch = 6, .splits = {progress}, .token = 9, .parent = 8};
  const std::string expected =
      std::string{2, 6, 9, 8, 1} +                    // version, epoch, token, parent, count
      std::string{1, 1, 'a', 1, 'v', '\xac', 2, 1} +  // state, object
      std::string{2, 3, 1, 'p', 0} +                  // position
      std::string{4, 5, 6, 2, 0, 0} +      // rows, rejected, epoch, updated, offending, error
      "\x3d\x19\x26\x34\x61\x25\x55\x69";  // checksum
  EXPECT_EQ(checkpoint.encode(), expected);
}

// Whatever still decodes must be exactly what encoding it makes; all else is kCorrupt.
template <class T>
void expect_robust(const std::string& encoded) {
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    const auto cut = T::decode(std::string_view(encoded).substr(0, length));
    ASSERT_FALSE(cut) << "cut to " << length << " bytes";
    ASSERT_EQ(cut.error().code, ErrorCode::kCorrupt);
  }
  for (const char extra : {'\0', '\1', '\xff'}) {
    const auto longer = T::decode(encoded + extra);
    ASSERT_FALSE(longer);
    ASSERT_EQ(longer.error().code, ErrorCode::kCorrupt);
  }
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string mutated = encoded;
      mutated[at] = static_cast<char>(value);
      const auto decoded = T::decode(mutated);
      if (decoded) {
        ASSERT_EQ(decoded->encode(), mutated) << "byte " << at << " set to " << value;
      } else {
        ASSERT_EQ(decoded.error().code, ErrorCode::kCorrupt);
        ASSERT_FALSE(decoded.error().message.empty());
      }
    }
  }
}

TEST(Position, RefusesCutAndDamagedBytes) { expect_robust<Position>(some_position().encode()); }

TEST(SplitProgress, RefusesCutAndDamagedBytes) {
  expect_robust<SplitProgress>(some_progress().encode());
}

TEST(Checkpoint, RefusesCutAndDamagedBytes) {
  expect_robust<Checkpoint>(some_checkpoint().encode());
}

TEST(Checkpoint, NoChangedByteAndNoTwoBitsPassItsChecksum) {
  const std::string encoded = some_checkpoint().encode();
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    for (std::size_t other = bit; other < encoded.size() * 8; other += 61) {
      std::string damaged = encoded;
      damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
      if (other != bit) damaged[other / 8] ^= static_cast<char>(1 << other % 8);
      ASSERT_FALSE(Checkpoint::decode(damaged)) << "bits " << bit << " and " << other;
    }
  }
}

TEST(Checkpoint, OfEarlierVersionsOfLeatIsRead) {
  std::string earlier = some_checkpoint().encode();
  earlier.resize(earlier.size() - 8);
  earlier[0] = 1;
  const auto decoded = Checkpoint::decode(earlier);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->encode(), some_checkpoint().encode());
}

TEST(Checkpoint, NamesALaterFormatVersion) {
  std::string bytes = some_checkpoint().encode();
  bytes[0] = 3;
  const auto decoded = Checkpoint::decode(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("format version 3; this leat reads version 2 and"),
            std::string::npos)
      << decoded.error().message;
}

TEST(Checkpoint, RefusesAbsurdCountsBeforeAllocating) {
  std::string bytes("\x01\x01\x00", 3);
  core::append_varint(kMaxU64, bytes);
  EXPECT_FALSE(Checkpoint::decode(bytes));
}

TEST(Position, RefusesAbsurdLengths) {
  std::string bytes("\x01\x00\x00", 3);
  core::append_varint(kMaxU64, bytes);
  EXPECT_FALSE(Position::decode(bytes));
}

TEST(Position, NamesALaterFormatVersion) {
  std::string bytes = some_position().encode();
  bytes[0] = 2;
  const auto decoded = Position::decode(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(decoded.error().message.find("format version 2"), std::string::npos);
}

TEST(SplitState, HasNames) {
  EXPECT_EQ(split_state_name(SplitState::kReading), "reading");
  EXPECT_EQ(split_state_name(SplitState::kFinished), "finished");
  EXPECT_EQ(split_state_name(SplitState::kQuarantined), "quarantined");
  EXPECT_EQ(split_state_name(SplitState::kGone), "gone");
  EXPECT_EQ(split_state_name(SplitState::kChanged), "changed");
  EXPECT_EQ(split_state_name(SplitState::kNoted), "changed");
}

TEST(SplitState, AFinishedSplitThatIsListedInAnotherVersionIsShownAsChanged) {
  SplitProgress split{.state = SplitState::kFinished};
  EXPECT_EQ(shown_state(split), SplitState::kFinished);
  split.error = Error{.code = ErrorCode::kObjectChanged, .message = "another version"};
  EXPECT_EQ(shown_state(split), SplitState::kChanged);
  split.state = SplitState::kQuarantined;
  EXPECT_EQ(shown_state(split), SplitState::kQuarantined);
}

TEST(SplitProgress, RefusesAStateThatItDoesNotKnow) {
  std::string bytes = some_progress().encode();
  for (const char state : {'\0', '\x09'}) {
    bytes[1] = state;
    EXPECT_FALSE(SplitProgress::decode(bytes));
  }
}

TEST(Wire, VarintsRoundTripAtTheirLimits) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16'383},
        std::uint64_t{16'384}, std::uint64_t{1} << 63, kMaxU64}) {
    std::string bytes;
    core::append_varint(value, bytes);
    core::WireReader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.complete());
  }
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, kMinI64, kMaxI64}) {
    std::string bytes;
    core::append_signed(value, bytes);
    core::WireReader reader(bytes);
    EXPECT_EQ(reader.signed_varint(), value);
    EXPECT_TRUE(reader.complete());
  }
}

TEST(Wire, RefusesVarintsWithASecondEncodingOrOverflow) {
  for (const std::string& bytes :
       {std::string("\x80\x00", 2), std::string(9, '\x80') + '\x02', std::string(11, '\xff')}) {
    core::WireReader reader(bytes);
    reader.varint();
    EXPECT_FALSE(reader.ok());
  }
}

}  // namespace
}  // namespace leat
