// What a decoder refuses although it is valid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include "parser/decode/decoder.h"
#include "tests/parser/decode/decode_run.h"
#include "tests/parser/decode/encoders.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

TEST(DecoderLimits, StopABomb) {
  const std::string zeros(16 << 20, '0');
  const DecoderLimits limits{.ratio_max = 1'000, .ratio_from_bytes = 1 << 20};
  for (const auto& [encoding, encoded] :
       {std::pair{Encoding::kZstd, zstd(zeros)}, std::pair{Encoding::kBzip2, bzip2(zeros)},
        std::pair{Encoding::kXz, xz(zeros)}}) {
    const Decoded decoded = decode(encoding, encoded, {}, limits);
    ASSERT_TRUE(decoded.error) << encoding_name(encoding);
    EXPECT_EQ(decoded.error->code, ErrorCode::kUnsupported);
    EXPECT_THAT(decoded.error->message, HasSubstr("--max-decode-ratio"));
    EXPECT_THAT(decoded.error->message, HasSubstr("1000 times"));
    EXPECT_GE(decoded.bytes.size(), limits.ratio_from_bytes);
    EXPECT_LT(decoded.bytes.size(), zeros.size());
  }
}

TEST(DecoderLimits, LetASmallObjectDecodeToManyTimesItsSize) {
  const std::string zeros(1 << 20, '0');
  const DecoderLimits limits{.ratio_max = 10, .ratio_from_bytes = 1 << 20};
  EXPECT_TRUE(decode(Encoding::kZstd, zstd(zeros), {}, limits).bytes == zeros);
}

TEST(DecoderLimits, AreNoneWithARatioOfZero) {
  const std::string zeros(10 << 20, '0');
  const Decoded decoded =
      decode(Encoding::kZstd, zstd(zeros), {}, {.ratio_max = 0, .ratio_from_bytes = 0});
  EXPECT_FALSE(decoded.error);
  EXPECT_TRUE(decoded.bytes == zeros);
}

TEST(DecoderLimits, CountFromTheObjectsFrontAfterAResume) {
  // Incompressible first, so that the whole stays below the ratio, though its end is above.
  const std::string encoded = zstd(random_bytes(200'000, 1)) + zstd(std::string(5 << 20, '0'));
  const DecoderLimits limits{
      .ratio_max = 50, .ratio_from_bytes = 1 << 20, .restart_every_bytes = 100'000};
  const auto decoder = open_decoder(Encoding::kZstd, limits).decoder;
  ASSERT_FALSE(run_decoder(*decoder, encoded).error);
  const Result<OpenedDecoder> resumed = resume_decoder(decoder->state_before(300'000), limits);
  ASSERT_TRUE(resumed);
  ASSERT_EQ(resumed->decoded_offset, 200'000u);
  EXPECT_FALSE(
      run_decoder(*resumed->decoder, std::string_view(encoded).substr(resumed->encoded_offset))
          .error);
}

TEST(DecoderLimits, NeverMeetGzipsGreatestRatio) {
  const std::string zeros(80 << 20, '\0');
  const std::string encoded = gzip(zeros, {.level = 3});
  EXPECT_GT(zeros.size() / encoded.size(), 100u);
  EXPECT_FALSE(decode(Encoding::kGzip, encoded).error);
}

TEST(DecoderLimits, RefuseALargeZstdWindow) {
  // A frame with a window of 256 MiB, and one raw block of one byte.
  const std::string encoded = "\x28\xb5\x2f\xfd\x00\x90\x09\x00\x00"s + "a";
  const Decoded refused = decode(Encoding::kZstd, encoded);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error->message, HasSubstr("more than 128 MiB"));
  const std::string smaller = "\x28\xb5\x2f\xfd\x00\x70\x09\x00\x00"s + "a";  // 16 MiB.
  EXPECT_EQ(decode(Encoding::kZstd, smaller).bytes, "a");
  EXPECT_TRUE(decode(Encoding::kZstd, smaller, {}, {.memory_bytes_max = 16 << 20}).error);
}

TEST(DecoderLimits, RefuseALargeXzDictionary) {
  const std::string encoded = xz(csv_text(1000), 6);
  const Decoded refused = decode(Encoding::kXz, encoded, {}, {.memory_bytes_max = 4 << 20});
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error->message, HasSubstr("4 are allowed"));
  EXPECT_FALSE(decode(Encoding::kXz, encoded).error);
}

TEST(DecoderLimits, RefuseAZstdDictionary) {
  const std::string encoded = "\x28\xb5\x2f\xfd\x01\x00\x05\x09\x00\x00"s + "a";
  const Decoded refused = decode(Encoding::kZstd, encoded);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error->message, HasSubstr("dictionary"));
}

TEST(DecoderLimits, RefuseAnXzChecksumThatNobodyKnows) {
  const std::string flags = "\x00\x02"s;
  const std::uint32_t checksum =
      lzma_crc32(reinterpret_cast<const std::uint8_t*>(flags.data()), flags.size(), 0);
  const std::string encoded =
      "\xfd\x37\x7a\x58\x5a\x00"s + flags + little_endian_32(checksum) + std::string(100, '\0');
  const Decoded refused = decode(Encoding::kXz, encoded);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error->message, HasSubstr("checksum"));
}

}  // namespace
}  // namespace leat::parser
