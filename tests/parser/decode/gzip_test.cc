// What is gzip's own: headers, trailers, padding, and restart points inside a member.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "parser/decode/decoder.h"
#include "parser/decode/restart_state.h"
#include "tests/parser/decode/decode_run.h"
#include "tests/parser/decode/encoders.h"

namespace leat::parser {
namespace {

using testing::HasSubstr;

constexpr std::size_t kStateBytesMax = 40 << 10;

/// A member whose header has every optional part.
std::string member_with_full_header(std::string_view text, bool damaged) {
  std::string header("\x1f\x8b\x08\x1e\0\0\0\0\0\x03", 10);
  header += std::string("\x05\0extra", 7) + "name.csv" + '\0' + "a comment" + '\0';
  std::uint32_t checksum = crc32(header);
  if (damaged) checksum ^= 1;
  header += little_endian_32(checksum).substr(0, 2);
  return header + gzip_member(deflate_stored(text, 1000), text).substr(10);
}

/// States as they come up, the newest for each 1,000 bytes.
std::vector<std::string> states_of(std::string_view encoded, const DecoderLimits& limits) {
  std::vector<std::string> states;
  const auto decoder = open_decoder(Encoding::kGzip, limits).decoder;
  const Decoded decoded = run_decoder(
      *decoder, encoded, fixed_cuts(3001, 1000), std::size_t{1} << 40, [&](std::size_t bytes) {
        const std::string state = decoder->state_before(bytes);
        if (!state.empty() && (states.empty() || states.back() != state)) {
          states.push_back(state);
        }
      });
  EXPECT_FALSE(decoded.error);
  return states;
}

/// Resumes at each state; the bytes and the checksums have to be right up to the object's end.
void expect_resumes(const std::vector<std::string>& states, std::string_view encoded,
                    std::string_view text) {
  for (const std::string& state : states) {
    ASSERT_LE(state.size(), kStateBytesMax);
    const Result<OpenedDecoder> resumed = resume_decoder(state, {});
    ASSERT_TRUE(resumed);
    // The last one byte by byte.
    const Decoded rest = run_decoder(*resumed->decoder, encoded.substr(resumed->encoded_offset),
                                     &state == &states.back() ? fixed_cuts(1, 100'000) : Cuts{});
    ASSERT_FALSE(rest.error) << rest.error->to_string();
    ASSERT_TRUE(rest.bytes == text.substr(resumed->decoded_offset));
  }
}

std::size_t inside_a_block(const std::vector<std::string>& states) {
  return static_cast<std::size_t>(
      std::count_if(states.begin(), states.end(), [](const std::string& bytes) {
        const Result<RestartState> state = RestartState::decode(bytes);
        return state && state->deflate && !state->deflate->block_header.empty();
      }));
}

TEST(GzipDecoder, ReadsEveryPartOfAHeader) {
  const std::string text = csv_text(3000);
  const std::string encoded = member_with_full_header(text, false) + gzip(text);
  for (const auto& cuts : {Cuts{}, fixed_cuts(1, 10), fixed_cuts(3, 5000)}) {
    const Decoded decoded = decode(Encoding::kGzip, encoded, cuts);
    EXPECT_FALSE(decoded.error) << decoded.error->to_string();
    EXPECT_TRUE(decoded.bytes == text + text);
  }
}

TEST(GzipDecoder, ChecksTheHeadersChecksum) {
  for (const auto& cuts : {Cuts{}, fixed_cuts(1, 10)}) {
    const Decoded decoded = decode(Encoding::kGzip, member_with_full_header("text", true), cuts);
    ASSERT_TRUE(decoded.error);
    EXPECT_THAT(decoded.error->message, HasSubstr("header does not match its checksum"));
  }
}

TEST(GzipDecoder, ChecksTheBytesChecksumAndLength) {
  const std::string text = csv_text(3000);
  std::string encoded = gzip(text);
  encoded[encoded.size() - 8] ^= 1;
  Decoded decoded = decode(Encoding::kGzip, encoded);
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(decoded.error->message, HasSubstr("CRC-32"));
  EXPECT_TRUE(decoded.bytes == text);
  encoded = gzip(text);
  encoded[encoded.size() - 1] ^= 1;
  decoded = decode(Encoding::kGzip, encoded);
  ASSERT_TRUE(decoded.error);
  EXPECT_THAT(decoded.error->message, HasSubstr("its length"));
  EXPECT_TRUE(decoded.bytes == text);
}

TEST(GzipDecoder, ChecksTheLengthAcrossAResume) {
  const std::string text = csv_text(400'000);
  for (const std::size_t from_end : {1u, 8u}) {
    std::string encoded = gzip(text);
    const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 100'000});
    ASSERT_FALSE(states.empty());
    encoded[encoded.size() - from_end] ^= 1;
    const Result<OpenedDecoder> resumed = resume_decoder(states.back(), {});
    const Decoded rest =
        run_decoder(*resumed->decoder, std::string_view(encoded).substr(resumed->encoded_offset));
    ASSERT_TRUE(rest.error);
    EXPECT_EQ(rest.error->at.byte_offset, text.size());
    EXPECT_TRUE(rest.bytes == text.substr(resumed->decoded_offset));
  }
}

TEST(GzipDecoder, SkipsZerosBehindAMember) {
  const std::string text = csv_text(3000);
  const std::string zeros(1000, '\0');
  for (const auto& cuts : {Cuts{}, fixed_cuts(1, 10), fixed_cuts(700, 5000)}) {
    const Decoded at_end = decode(Encoding::kGzip, gzip(text) + zeros, cuts);
    EXPECT_FALSE(at_end.error);
    EXPECT_TRUE(at_end.bytes == text);
    const Decoded between = decode(Encoding::kGzip, gzip(text) + zeros + gzip(text), cuts);
    EXPECT_FALSE(between.error);
    EXPECT_TRUE(between.bytes == text + text);
    const Decoded garbage = decode(Encoding::kGzip, gzip(text) + zeros + "x", cuts);
    ASSERT_TRUE(garbage.error);
    EXPECT_TRUE(garbage.bytes == text);
  }
  EXPECT_TRUE(decode(Encoding::kGzip, zeros).error);
}

TEST(GzipDecoder, RefusesAnotherMethodThanDeflate) {
  std::string encoded = gzip("text");
  encoded[2] = 7;
  const Decoded decoded = decode(Encoding::kGzip, encoded);
  ASSERT_TRUE(decoded.error);
  EXPECT_THAT(decoded.error->message, HasSubstr("not deflate"));
}

TEST(GzipDecoder, GivesOutAllBytesBeforeAnInvalidBlock) {
  const std::string text = csv_text(70'000);
  // Stored blocks without a final one, then a block of the reserved type.
  std::string stream = deflate_stored(text, 20'000);
  for (std::size_t at = 0; at < stream.size(); at += 20'005) stream[at] = 0;
  const std::string encoded = gzip_member(stream + "\x07", text);
  for (const auto& cuts : {Cuts{}, fixed_cuts(1, 1), fixed_cuts(1 << 20, 17),
                           fixed_cuts(1 << 20, 100'000), fixed_cuts(999, 1 << 20)}) {
    const Decoded decoded = decode(Encoding::kGzip, encoded, cuts);
    ASSERT_TRUE(decoded.error);
    EXPECT_THAT(decoded.error->message, HasSubstr("an invalid block"));
    EXPECT_EQ(decoded.error->at.byte_offset, text.size());
    EXPECT_TRUE(decoded.bytes == text) << decoded.bytes.size();
  }
}

TEST(GzipDecoder, FindsRestartPointsAtBlocks) {
  const std::string text = csv_text(3'000'000);
  for (const int level : {1, 2, 3}) {
    const std::string encoded = gzip(text, {.level = level});
    const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 200'000});
    EXPECT_GE(states.size(), 4u) << level;
    expect_resumes(states, encoded, text);
  }
}

TEST(GzipDecoder, FindsRestartPointsAtStoredBlocks) {
  const std::string text = random_bytes(2'000'000, 1);
  const std::string encoded = gzip_member(deflate_stored(text, 65'535), text);
  const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 200'000});
  EXPECT_GE(states.size(), 5u);
  expect_resumes(states, encoded, text);
}

TEST(GzipDecoder, FindsRestartPointsInsideOneHugeBlock) {
  const std::string text = csv_text(3'000'000);
  for (const bool fixed_code : {false, true}) {
    const std::string encoded = gzip(text, {.level = 0, .fixed_code = fixed_code});
    const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 200'000});
    EXPECT_GE(states.size(), 12u);
    EXPECT_GE(inside_a_block(states), 12u);
    expect_resumes(states, encoded, text);
  }
}

TEST(GzipDecoder, FindsRestartPointsInsideALaterMembersHugeBlock) {
  const std::string text = csv_text(1'000'000);
  const std::string encoded = gzip(text, {.level = 3}) + gzip(text, {.level = 0});
  const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 200'000});
  EXPECT_GE(inside_a_block(states), 3u);
  expect_resumes(states, encoded, text + text);
}

TEST(GzipDecoder, ADecoderThatResumedInsideABlockFindsFurtherPointsInIt) {
  const std::string text = csv_text(2'000'000);
  const std::string encoded = gzip(text, {.level = 0});
  const DecoderLimits limits{.restart_every_bytes = 200'000};
  const std::string inside = states_of(encoded, limits).at(1);
  ASSERT_EQ(inside_a_block({inside}), 1u);
  const Result<OpenedDecoder> first = resume_decoder(inside, limits);
  ASSERT_FALSE(
      run_decoder(*first->decoder, std::string_view(encoded).substr(first->encoded_offset)).error);
  std::vector<std::string> states;
  for (std::size_t offset = first->decoded_offset; offset < text.size(); offset += 250'000) {
    states.push_back(first->decoder->state_before(offset));
  }
  EXPECT_GE(states.size(), 6u);
  expect_resumes(states, encoded, text);
}

TEST(GzipDecoder, ALongSearchWithoutABlockEnds) {
  // One block whose code is not the first one's: a small first member-like block is put before it.
  const std::string text = csv_text(6'000'000);
  const std::string huge = gzip(text, {.level = 0});
  const std::string block = huge.substr(10, huge.size() - 18);
  const std::string encoded =
      gzip_member(std::string("\0\x04\0\xfb\xff", 5) + "1,2\n" + block, "1,2\n" + text);
  const std::vector<std::string> states = states_of(encoded, {.restart_every_bytes = 100'000});
  EXPECT_LE(states.size(), 2u);  // The front, and the huge block's beginning, if anything.
  expect_resumes(states, encoded, "1,2\n" + text);
}

TEST(GzipDecoder, StatesStaySmallWhateverTheWindowHolds) {
  const std::string text = random_bytes(500'000, 9);
  for (const int level : {0, 1}) {
    const std::string encoded = gzip(text, {.level = level});
    for (const std::string& state : states_of(encoded, {.restart_every_bytes = 50'000})) {
      EXPECT_LE(state.size(), kStateBytesMax);
    }
  }
}

TEST(GzipDecoder, AResumeReadsOnlyFromTheStateOn) {
  const std::string text = csv_text(3'000'000);
  const std::string encoded = gzip(text);
  const auto decoder = open_decoder(Encoding::kGzip, {.restart_every_bytes = 200'000}).decoder;
  ASSERT_FALSE(run_decoder(*decoder, encoded).error);
  const Result<OpenedDecoder> resumed = resume_decoder(decoder->state_before(2'700'000), {});
  ASSERT_TRUE(resumed);
  EXPECT_GT(resumed->encoded_offset, encoded.size() * 3 / 4);
  EXPECT_GT(resumed->decoded_offset, 2'200'000u);
  EXPECT_LE(resumed->decoded_offset, 2'700'000u);
}

}  // namespace
}  // namespace leat::parser
