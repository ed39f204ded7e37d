// What holds for every encoding.
#include "parser/decode/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/parser/decode/decode_run.h"
#include "tests/parser/decode/encoders.h"

namespace leat::parser {
namespace {

using testing::HasSubstr;

struct EncodingCase {
  std::string name;
  Encoding encoding;
  std::function<std::string(std::string_view)> encode;
};

std::vector<EncodingCase> encoding_cases() {
  const auto by_gzip = [](GzipOptions options) {
    return [options](std::string_view text) { return gzip(text, options); };
  };
  return {
      {"GzipOneBlock", Encoding::kGzip, by_gzip({.level = 0})},
      {"GzipDynamic", Encoding::kGzip, by_gzip({.level = 1})},
      {"GzipDynamicSmaller", Encoding::kGzip, by_gzip({.level = 3, .flush_every_bytes = 5000})},
      {"GzipFixed", Encoding::kGzip, by_gzip({.fixed_code = true})},
      {"GzipStored", Encoding::kGzip,
       [](std::string_view text) { return gzip_member(deflate_stored(text, 20'000), text); }},
      {"Zstd", Encoding::kZstd, [](std::string_view text) { return zstd(text); }},
      {"Bzip2", Encoding::kBzip2, [](std::string_view text) { return bzip2(text, 1); }},
      {"Xz", Encoding::kXz, [](std::string_view text) { return xz(text); }},
      {"Lz4Linked", Encoding::kLz4, [](std::string_view text) { return lz4(text, true); }},
      {"Lz4Independent", Encoding::kLz4, [](std::string_view text) { return lz4(text, false); }},
  };
}

class EveryEncoding : public testing::TestWithParam<EncodingCase> {
 protected:
  std::string encode(std::string_view text) const { return GetParam().encode(text); }
  Decoded decode(std::string_view encoded, const Cuts& cuts = {},
                 const DecoderLimits& limits = {}) const {
    return parser::decode(GetParam().encoding, encoded, cuts, limits);
  }
};

INSTANTIATE_TEST_SUITE_P(Decoder, EveryEncoding, testing::ValuesIn(encoding_cases()),
                         [](const auto& which) { return which.param.name; });

TEST_P(EveryEncoding, IsKnownByItsFirstBytes) {
  const std::string encoded = encode("id,name\n1,a\n");
  const auto front = std::as_bytes(std::span(encoded)).first(kEncodingMagicBytes);
  EXPECT_EQ(detect_encoding(front), GetParam().encoding);
}

TEST_P(EveryEncoding, GivesBackWhatWasEncoded) {
  for (const std::size_t size : {0u, 1u, 100u, 65'536u, 3'000'000u}) {
    const std::string text = csv_text(size);
    const Decoded decoded = decode(encode(text));
    EXPECT_FALSE(decoded.error) << decoded.error->to_string();
    EXPECT_TRUE(decoded.bytes == text) << size;
  }
}

TEST_P(EveryEncoding, DoesNotDependOnWhereTheInputWasCut) {
  const std::string text = csv_text(1500);
  const std::string encoded = encode(text) + encode(text);
  for (std::size_t cut = 1; cut < encoded.size(); ++cut) {
    std::size_t next = cut;
    const auto pieces = [&] { return std::exchange(next, std::size_t{1} << 40); };
    const Decoded decoded = decode(encoded, {pieces, [] { return std::size_t{700}; }});
    ASSERT_FALSE(decoded.error) << cut << ": " << decoded.error->to_string();
    ASSERT_TRUE(decoded.bytes == text + text) << cut;
  }
}

TEST_P(EveryEncoding, DoesNotDependOnTheSizesOfInputsAndOutputs) {
  const std::string text = csv_text(9'000) + random_bytes(66'000, 3) + csv_text(9'000, 2);
  const std::string encoded = encode(text) + encode("") + encode(text);
  for (const auto& [in, out] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1 << 20}, {1, 1}, {1 << 20, 1}, {7, 13}, {4096, 333}, {100'000, 65'537}}) {
    const Decoded decoded = decode(encoded, fixed_cuts(in, out));
    ASSERT_FALSE(decoded.error) << in << " " << out << ": " << decoded.error->to_string();
    ASSERT_TRUE(decoded.bytes == text + text) << in << " " << out;
  }
}

TEST_P(EveryEncoding, ConcatenatedUnitsAreOneStream) {
  const std::string a = csv_text(70'000, 1);
  const std::string b = csv_text(10, 2);
  const Decoded decoded = decode(encode(a) + encode("") + encode(b) + encode(""));
  EXPECT_FALSE(decoded.error);
  EXPECT_TRUE(decoded.bytes == a + b);
}

TEST_P(EveryEncoding, AnObjectThatIsCutOffGivesWhatIsThereAndThenAnError) {
  const std::string text = csv_text(1500);
  const std::string whole = encode(text);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Decoded alone = decode(whole.substr(0, size));
    ASSERT_TRUE(alone.error) << size;
    ASSERT_EQ(alone.error->code, ErrorCode::kCorrupt);
    ASSERT_THAT(alone.error->message, HasSubstr("cut off")) << size;
    ASSERT_THAT(alone.error->message, HasSubstr(encoding_name(GetParam().encoding)));
    ASSERT_THAT(alone.error->message, HasSubstr("encoded byte " + std::to_string(size)));
    ASSERT_EQ(alone.error->at.byte_offset, alone.bytes.size());
    ASSERT_TRUE(text.starts_with(alone.bytes)) << size;
    if (size == 0) continue;
    const Decoded second = decode(whole + whole.substr(0, size), fixed_cuts(100, 50));
    ASSERT_TRUE(second.error) << size;
    ASSERT_THAT(second.error->message,
                HasSubstr("begins at encoded byte " + std::to_string(whole.size())));
    ASSERT_TRUE(second.bytes == text + alone.bytes) << size;
  }
}

TEST_P(EveryEncoding, OtherBytesBehindItAreAnErrorAfterAllBytesBefore) {
  const std::string text = csv_text(300'000);
  const std::string encoded = encode(text);
  for (const std::string garbage :
       {"some garbage", "1,2,3\n4,5,6\n", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"}) {
    for (const auto& cuts :
         {fixed_cuts(1 << 20, 1 << 20), fixed_cuts(1 << 20, 1000), fixed_cuts(11, 1 << 20)}) {
      const Decoded decoded = decode(encoded + garbage, cuts);
      ASSERT_TRUE(decoded.error);
      EXPECT_EQ(decoded.error->code, ErrorCode::kCorrupt);
      EXPECT_THAT(decoded.error->message,
                  HasSubstr("from encoded byte " + std::to_string(encoded.size()) + " on"));
      EXPECT_TRUE(decoded.bytes == text);
    }
  }
}

TEST_P(EveryEncoding, PlainTextIsNone) {
  const Decoded decoded = decode("id,name\n1,a\n");
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(decoded.error->message, HasSubstr("does not begin as"));
}

TEST_P(EveryEncoding, AnErrorStays) {
  const auto decoder = open_decoder(GetParam().encoding, {}).decoder;
  std::string out(100, '\0');
  for (int i = 0; i < 3; ++i) {
    const auto again = decoder->decode(std::as_bytes(std::span("plain text, 20 bytes")), true,
                                       std::as_writable_bytes(std::span(out)));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kCorrupt);
  }
}

TEST_P(EveryEncoding, NoDamagedByteGoesUnnoticed) {
  const std::string text = csv_text(1200);
  const std::string encoded = encode(text);
  int harmless = 0;
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    std::string damaged = encoded;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const Decoded decoded = decode(damaged);
    if (decoded.error) {
      ASSERT_FALSE(decoded.error->message.empty());
      const Decoded other = decode(damaged, fixed_cuts(13, 7));
      ASSERT_TRUE(other.error) << at;
      ASSERT_EQ(other.error->code, decoded.error->code) << at;
      if (GetParam().encoding == Encoding::kXz) {
        // The library decodes past a damaged chunk's end before it notices.
        ASSERT_TRUE(decoded.bytes.starts_with(other.bytes)) << at;
      } else {
        ASSERT_EQ(other.bytes, decoded.bytes) << at << " " << decoded.error->message;
      }
    } else {
      ASSERT_TRUE(decoded.bytes == text) << at;
      ++harmless;
    }
  }
  EXPECT_LE(harmless, 10);  // gzip's time of modification and the like.
}

TEST_P(EveryEncoding, AResumeGoesOnWithTheSameBytes) {
  const std::uint32_t seed = 20'261'120;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto any = [&random](std::size_t max) {
    return [&random, max] { return std::size_t{1} + random() % max; };
  };
  std::string text;
  std::string encoded;
  for (std::uint32_t unit = 0; unit < 6; ++unit) {
    const std::string part = csv_text(100'000 + random() % 200'000, unit);
    text += part;
    encoded += encode(part);
  }
  const DecoderLimits limits{.restart_every_bytes = 50'000};
  std::string state;  // What the next round begins with.
  std::size_t states_tried = 0;
  for (int round = 0; round < 4; ++round) {
    OpenedDecoder opened = open_decoder(GetParam().encoding, limits);
    if (!state.empty()) {
      Result<OpenedDecoder> resumed = resume_decoder(state, limits);
      ASSERT_TRUE(resumed);
      opened = std::move(*resumed);
      EXPECT_EQ(opened.decoder->state_before(opened.decoded_offset), state);
    }
    std::vector<std::pair<std::size_t, std::string>> states;
    std::size_t asked = opened.decoded_offset;
    const auto ask = [&](std::size_t bytes) {
      if (random() % 8 != 0) return;
      const std::size_t there = opened.decoded_offset + bytes;
      asked += random() % (there - asked + 1);
      const std::string at = opened.decoder->state_before(asked);
      if (!at.empty() && (states.empty() || states.back().second != at)) {
        states.emplace_back(asked, at);
      }
    };
    const Decoded decoded =
        run_decoder(*opened.decoder, std::string_view(encoded).substr(opened.encoded_offset),
                    {any(20'000), any(9'000)}, std::size_t{1} << 40, ask);
    ASSERT_FALSE(decoded.error) << decoded.error->to_string();
    ASSERT_TRUE(decoded.bytes == text.substr(opened.decoded_offset));
    for (const auto& [offset, at] : states) {
      const Result<OpenedDecoder> resumed = resume_decoder(at, limits);
      ASSERT_TRUE(resumed);
      ASSERT_LE(resumed->decoded_offset, offset);
      const Decoded rest =
          run_decoder(*resumed->decoder, std::string_view(encoded).substr(resumed->encoded_offset),
                      {any(30'000), any(100'000)});
      ASSERT_FALSE(rest.error) << rest.error->to_string();
      ASSERT_TRUE(rest.bytes == text.substr(resumed->decoded_offset));
      ++states_tried;
    }
    if (!states.empty()) state = states[states.size() / 3].second;
  }
  EXPECT_GE(states_tried, 5u);
}

TEST_P(EveryEncoding, WithoutARestartPointAResumeBeginsAtTheFront) {
  const std::string text = csv_text(100'000);
  const std::string encoded = encode(text);
  const auto decoder = open_decoder(GetParam().encoding, {}).decoder;
  const std::string state = decoder->state_before(0);
  ASSERT_FALSE(run_decoder(*decoder, encoded).error);
  EXPECT_EQ(decoder->state_before(text.size()), state);
  const Result<OpenedDecoder> resumed = resume_decoder(state, {});
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->encoded_offset, 0u);
  EXPECT_EQ(resumed->decoded_offset, 0u);
  EXPECT_TRUE(run_decoder(*resumed->decoder, encoded).bytes == text);
  EXPECT_TRUE(run_decoder(*resume_decoder(state, {})->decoder, "").error) << "cut off";
}

TEST_P(EveryEncoding, AStateAtTheEndFindsNothingMore) {
  const std::string text = csv_text(100'000);
  const std::string encoded = encode(text);
  const DecoderLimits limits{.restart_every_bytes = 100'000};
  const auto decoder = open_decoder(GetParam().encoding, limits).decoder;
  ASSERT_FALSE(run_decoder(*decoder, encoded).error);
  const Result<OpenedDecoder> resumed = resume_decoder(decoder->state_before(100'000), limits);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->encoded_offset, encoded.size());
  EXPECT_EQ(resumed->decoded_offset, text.size());
  const Decoded rest = run_decoder(*resumed->decoder, "");
  EXPECT_FALSE(rest.error);
  EXPECT_EQ(rest.bytes, "");
}

TEST_P(EveryEncoding, ManyRestartPointsThatNobodyAsksForAreThinnedOut) {
  std::string text;
  std::string encoded;
  for (std::uint32_t unit = 0; unit < 500; ++unit) {
    text += csv_text(300, unit);
    encoded += encode(csv_text(300, unit));
  }
  const DecoderLimits limits{.restart_every_bytes = 1};
  const auto decoder = open_decoder(GetParam().encoding, limits).decoder;
  ASSERT_FALSE(run_decoder(*decoder, encoded).error);
  for (const std::size_t offset : {75'000u, 149'000u, 150'000u}) {
    const Result<OpenedDecoder> resumed = resume_decoder(decoder->state_before(offset), limits);
    ASSERT_TRUE(resumed);
    EXPECT_LE(resumed->decoded_offset, offset);
    EXPECT_GT(resumed->decoded_offset + 10'000, offset);
    const Decoded rest =
        run_decoder(*resumed->decoder, std::string_view(encoded).substr(resumed->encoded_offset));
    EXPECT_TRUE(rest.bytes == text.substr(resumed->decoded_offset));
  }
}

TEST_P(EveryEncoding, RandomDamageNeitherHangsNorBreaksAnything) {
  const std::uint32_t seed = 4711;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string encoded = encode(csv_text(60'000)) + encode(csv_text(3000, 2));
  const DecoderLimits limits{
      .ratio_from_bytes = 1 << 20, .memory_bytes_max = 16 << 20, .restart_every_bytes = 10'000};
  for (int round = 0; round < 300; ++round) {
    std::string damaged = encoded;
    for (auto i = random() % 6 + 1; i > 0; --i) {
      const std::size_t at =
          random() % std::min<std::size_t>(damaged.size(), 1u << (random() % 17));
      const std::size_t size = std::min<std::size_t>(random() % 20, damaged.size() - at);
      switch (random() % 4) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(at, std::min(size, damaged.size() - at - 1));
          break;
        case 2:
          damaged.insert(at, random_bytes(size, static_cast<std::uint32_t>(random())));
          break;
        default:
          damaged.replace(at, size, size, static_cast<char>(random() % 2 == 0 ? 0 : 0xff));
      }
    }
    const std::size_t in = 1 + random() % 5000;
    const std::size_t out = 1 + random() % 5000;
    const auto decoder = open_decoder(GetParam().encoding, limits).decoder;
    const Decoded decoded = run_decoder(*decoder, damaged, fixed_cuts(in, out), 4 << 20);
    const std::string state = decoder->state_before(decoded.bytes.size());
    if (state.empty()) continue;
    const Result<OpenedDecoder> resumed = resume_decoder(state, limits);
    ASSERT_TRUE(resumed);
    const Decoded again =
        run_decoder(*resumed->decoder, std::string_view(damaged).substr(resumed->encoded_offset),
                    fixed_cuts(out, in), 4 << 20);
    if (decoded.bytes.size() > 4 << 20) continue;
    ASSERT_EQ(again.error.has_value(), decoded.error.has_value()) << round;
    ASSERT_TRUE(decoded.bytes.ends_with(again.bytes)) << round;
  }
}

TEST_P(EveryEncoding, RandomBytesBehindItsMagicAreSafe) {
  const std::string magic = encode("x");
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const std::string bytes = magic.substr(0, seed % magic.size()) + random_bytes(2000, seed);
    const Decoded decoded =
        decode(bytes, fixed_cuts(1 + seed % 700, 1 + seed), {.memory_bytes_max = 16 << 20});
    EXPECT_TRUE(decoded.error) << seed;
  }
}

TEST(Decoder, NamesEveryEncoding) {
  EXPECT_EQ(encoding_name(Encoding::kIdentity), "none");
  EXPECT_EQ(encoding_name(Encoding::kGzip), "gzip");
  EXPECT_EQ(encoding_name(Encoding::kZstd), "zstd");
  EXPECT_EQ(encoding_name(Encoding::kBzip2), "bzip2");
  EXPECT_EQ(encoding_name(Encoding::kXz), "xz");
  EXPECT_EQ(encoding_name(Encoding::kLz4), "lz4");
}

TEST(Decoder, TakesTextForPlain) {
  for (const std::string_view text : {"", "\x1f", "id,name\n", "BZh9,name,amount\n", "BZh91AY&S",
                                      "(\xb5/", "PK\x03\x04", "\xef\xbb\xbfid,name"}) {
    EXPECT_EQ(detect_encoding(std::as_bytes(std::span(text))), Encoding::kIdentity) << text;
  }
}

TEST(Decoder, NothingDecodesPlainBytes) {
  EXPECT_EQ(open_decoder(Encoding::kIdentity, {}).decoder, nullptr);
}

TEST(Decoder, SkipsFramesThatHoldNoData) {
  const std::string skipped = skippable_frame("what pzstd writes") + skippable_frame("");
  const std::string text = csv_text(5000);
  for (const bool bytewise : {false, true}) {
    const Cuts cuts = bytewise ? fixed_cuts(1, 1) : Cuts{};
    const std::string by_zstd = skipped + zstd(text) + skipped + zstd(text) + skipped;
    EXPECT_EQ(detect_encoding(std::as_bytes(std::span(by_zstd))), Encoding::kZstd);
    EXPECT_TRUE(decode(Encoding::kZstd, by_zstd, cuts).bytes == text + text);
    EXPECT_FALSE(decode(Encoding::kZstd, by_zstd, cuts).error);
    const std::string by_lz4 = lz4(text) + skipped + lz4(text) + skipped;
    EXPECT_TRUE(decode(Encoding::kLz4, by_lz4, cuts).bytes == text + text);
    EXPECT_FALSE(decode(Encoding::kLz4, by_lz4, cuts).error);
  }
}

TEST(Decoder, GivesOutWholeBlocksBeforeADamagedOne) {
  const std::string text = random_bytes(400'000, 5);  // Stored as it is: blocks are found again.
  for (const auto& [encoding, encoded, block] :
       {std::tuple{Encoding::kZstd, zstd(text), std::size_t{128} << 10},
        std::tuple{Encoding::kLz4, lz4(text, false), std::size_t{64} << 10}}) {
    // The header of the third block says that it is larger than blocks can be.
    const std::size_t third = encoded.find(text.substr(2 * block, 16));
    ASSERT_NE(third, std::string::npos);
    std::string damaged = encoded;
    for (std::size_t i = 1; i <= 3; ++i) damaged[third - i] = '\x7f';
    for (const auto& cuts : {fixed_cuts(1 << 20, 1 << 20), fixed_cuts(1 << 20, 999)}) {
      const Decoded decoded = decode(encoding, damaged, cuts);
      ASSERT_TRUE(decoded.error);
      EXPECT_TRUE(decoded.bytes == text.substr(0, 2 * block)) << decoded.bytes.size();
    }
  }
}

TEST(Decoder, XzPaddingComesInFours) {
  const std::string text = csv_text(3000);
  const std::string encoded = xz(text);
  const std::string padded = encoded + std::string(8, '\0') + encoded + std::string(4, '\0');
  for (const auto& cuts : {Cuts{}, fixed_cuts(1, 100)}) {
    const Decoded good = decode(Encoding::kXz, padded, cuts);
    EXPECT_FALSE(good.error);
    EXPECT_TRUE(good.bytes == text + text);
    EXPECT_TRUE(decode(Encoding::kXz, encoded + std::string(6, '\0'), cuts).error);
    EXPECT_TRUE(decode(Encoding::kXz, encoded + std::string(6, '\0') + encoded, cuts).error);
  }
}

}  // namespace
}  // namespace leat::parser
