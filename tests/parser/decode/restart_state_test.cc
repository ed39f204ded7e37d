// The encoded form of what a decoder needs to go on.
#include "parser/decode/restart_state.h"

#include <gtest/gtest.h>

#include <random>

#include "parser/decode/decoder.h"
#include "tests/parser/decode/decode_run.h"
#include "tests/parser/decode/encoders.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;

RestartState inside_block() {
  return {Encoding::kGzip, 1000, 90'000,
          DeflatePlace{.member_encoded_offset = 10,
                       .member_decoded_offset = 20,
                       .crc = 0xdeadbeef,
                       .bits_used = 5,
                       .final_block = true,
                       .block_header = "\x04header",
                       .window = csv_text(kDeflateWindowBytes)}};
}

TEST(RestartState, BetweenUnitsIsAsDocumented) {
  const RestartState state{Encoding::kZstd, 300, 100'000};
  EXPECT_EQ(state.encode(), "\x01\x02\x00\xac\x02\xa0\x8d\x06"s);
}

TEST(RestartState, ComesBackAsItWas) {
  for (const bool at_block : {false, true}) {
    RestartState state = inside_block();
    if (at_block) {
      state.deflate->block_header.clear();
      state.deflate->final_block = false;
    }
    const Result<RestartState> back = RestartState::decode(state.encode());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->encoding, Encoding::kGzip);
    EXPECT_EQ(back->encoded_offset, 1000u);
    EXPECT_EQ(back->decoded_offset, 90'000u);
    ASSERT_TRUE(back->deflate);
    EXPECT_EQ(back->deflate->member_encoded_offset, 10u);
    EXPECT_EQ(back->deflate->member_decoded_offset, 20u);
    EXPECT_EQ(back->deflate->crc, 0xdeadbeefu);
    EXPECT_EQ(back->deflate->bits_used, 5);
    EXPECT_EQ(back->deflate->final_block, !at_block);
    EXPECT_EQ(back->deflate->block_header, state.deflate->block_header);
    EXPECT_EQ(back->deflate->window, state.deflate->window);
  }
}

TEST(RestartState, RefusesWhatNoDecoderMakes) {
  const std::string good = inside_block().encode();
  const auto refused = [](const std::string& state) {
    const Result<OpenedDecoder> opened = resume_decoder(state, {});
    return !opened && opened.error().code == ErrorCode::kCorrupt;
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("\x02\x02\x00\xac\x02\xa0\x8d\x06"s)) << "a version to come";
  EXPECT_TRUE(refused("\x01\x00\x00\xac\x02\xa0\x8d\x06"s)) << "plain bytes";
  EXPECT_TRUE(refused("\x01\x06\x00\xac\x02\xa0\x8d\x06"s)) << "no such encoding";
  EXPECT_TRUE(refused("\x01\x02\x01\xac\x02\xa0\x8d\x06"s)) << "a deflate block in zstd";
  EXPECT_TRUE(refused("\x01\x02\x00\x00\x05"s)) << "bytes of no input";
  EXPECT_TRUE(refused("\x01\x02\x00\xac\x02\xa0\x8d\x06\x00"s)) << "bytes left over";
  EXPECT_TRUE(refused(good)) << "its block header is none";
  for (std::size_t size = 0; size < good.size(); size += size < 40 ? 1 : 61) {
    EXPECT_TRUE(refused(good.substr(0, size))) << size;
  }
}

TEST(RestartState, ADamagedWindowIsNoticed) {
  const std::string good = inside_block().encode();
  int refused = 0;
  int tried = 0;
  for (std::size_t at = 60; at + 20 < good.size(); at += 97, ++tried) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    if (!RestartState::decode(damaged)) ++refused;
  }
  EXPECT_GT(tried, 50);
  EXPECT_EQ(refused, tried);
}

TEST(RestartState, DamagedStatesAreSafe) {
  const std::uint32_t seed = 99;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string text = csv_text(300'000);
  for (const int level : {0, 1}) {
    const std::string encoded = gzip(text, {.level = level});
    const auto decoder = open_decoder(Encoding::kGzip, {.restart_every_bytes = 100'000}).decoder;
    ASSERT_FALSE(run_decoder(*decoder, encoded).error);
    const std::string good = decoder->state_before(290'000);
    ASSERT_FALSE(good.empty());
    for (int round = 0; round < 500; ++round) {
      // The window's checksum would catch most damage: mostly other bytes are hit.
      std::string damaged = good;
      const std::size_t near = round % 2 == 0 ? random() % 24 : damaged.size() - 1 - random() % 100;
      damaged[near] = static_cast<char>(random());
      const Result<OpenedDecoder> opened = resume_decoder(damaged, {});
      if (!opened) continue;
      const std::size_t begin = std::min<std::size_t>(opened->encoded_offset, encoded.size());
      run_decoder(*opened->decoder, std::string_view(encoded).substr(begin),
                  fixed_cuts(1 + random() % 5000, 1 + random() % 5000), 1 << 20);
    }
  }
}

}  // namespace
}  // namespace leat::parser
