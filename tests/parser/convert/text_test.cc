#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

std::string hex(const std::uint8_t* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", bytes[i]);
    text += pair;
  }
  return text;
}

// The value in hexadecimal, or the reason.
std::string uuid(std::string_view text) {
  std::uint8_t bytes[16] = {77};
  const std::string_view reason = parse_uuid(text, bytes);
  if (reason.empty()) return hex(bytes, sizeof bytes);
  EXPECT_EQ(bytes[0], 77) << "changed on failure: " << text;
  return std::string(reason);
}

TEST(ParseUuid, TakesHyphensBracesAndAnyCase) {
  const std::string expected = "a0eebc999c0b4ef8bb6d6bb9bd380a11";
  EXPECT_EQ(uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), expected);
  EXPECT_EQ(uuid("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), expected);
  EXPECT_EQ(uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11"), expected);
  EXPECT_EQ(uuid("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"), expected);
  EXPECT_EQ(uuid("{a0eebc999c0b4ef8bb6d6bb9bd380a11}"), expected);
}

TEST(ParseUuid, RefusesOtherForms) {
  for (const char* text :
       {"", "{", "{}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
        "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99_9c0b_4ef8_bb6d_6bb9bd380a11",
        " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc999c0b4ef8bb6d6bb9bd380a1-",
        "a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11"}) {
    EXPECT_EQ(uuid(text), "not a UUID (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)") << text;
  }
}

TEST(ParseBytes, DecodesHexAfterBackslashX) {
  Buffer buffer;
  EXPECT_EQ(parse_bytes("\\x00fF7a", buffer), "");
  EXPECT_EQ(hex(buffer.as<std::uint8_t>(), buffer.size()), "00ff7a");
  EXPECT_EQ(parse_bytes("\\x", buffer), "");
  EXPECT_EQ(buffer.size(), 3U);
}

TEST(ParseBytes, TakesAnyOtherTextAsItStands) {
  Buffer buffer;
  const std::string text("\\X00\xff\0z", 7);
  EXPECT_EQ(parse_bytes(text, buffer), "");
  EXPECT_EQ(parse_bytes("", buffer), "");
  EXPECT_EQ(std::string(buffer.as<char>(), buffer.size()), text);
}

TEST(ParseBytes, RefusesBrokenHexAndAppendsNothing) {
  Buffer buffer;
  buffer.append("ab", 2);
  EXPECT_EQ(parse_bytes("\\x123", buffer), "odd number of hexadecimal digits after \\x");
  EXPECT_EQ(parse_bytes("\\x12g4", buffer), "something other than hexadecimal digits after \\x");
  EXPECT_EQ(parse_bytes("\\x12 4", buffer), "something other than hexadecimal digits after \\x");
  EXPECT_EQ(buffer.size(), 2U);
}

TEST(ValidJson, TakesOneValueWithSpacesAroundIt) {
  for (const char* text :
       {"{}", "[]", "null", "true", "1", "-1.5e-3", "\"a\"", " {\"a\": [1, null]} \n",
        "\"\\u00e9\\n\"", "\"é\"", "{\"a\":1,\"a\":2}", "1e308"}) {
    EXPECT_TRUE(valid_json(text)) << text;
  }
}

TEST(ValidJson, RefusesEverythingElse) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "'a'",
                           "nul",
                           "NaN",
                           "Infinity",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "0x1",
                           "\"a",
                           "\"\t\"",
                           "\"\\x\"",
                           "1 2",
                           "{} x",
                           "// a\n1",
                           "/* a */ 1",
                           "1e400",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(valid_json(text)) << text;
  }
}

TEST(ValidJson, DoesNotTakeANulForTheEnd) {
  EXPECT_FALSE(valid_json(std::string_view("1\0", 2)));
  EXPECT_FALSE(valid_json(std::string_view("{}\0garbage", 10)));
  EXPECT_FALSE(valid_json(std::string_view("\"a\0b\"", 5)));
}

TEST(ValidJson, DoesNotRecurse) {
  EXPECT_FALSE(valid_json(std::string(10'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 500'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(valid_json(objects));
  EXPECT_TRUE(valid_json(std::string(500'000, '[') + std::string(500'000, ']')));
}

// Decodes bit by bit and judges the code point: slow, plain, and written another way.
bool reference_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    std::size_t length = 0;
    while (length < 8 && (byte(i) >> (7 - length) & 1) != 0) ++length;
    if (length == 1 || length > 4) return false;
    if (length == 0) {
      ++i;
      continue;
    }
    if (i + length > text.size()) return false;
    std::uint32_t code = byte(i) & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if (byte(i + k) >> 6 != 2) return false;
      code = code << 6 | (byte(i + k) & 0x3fU);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
    i += length;
  }
  return true;
}

TEST(ValidUtf8, TakesEveryScalarValue) {
  std::string text;
  for (std::uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xc0 | code >> 6);
      add(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      add(0xe0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3f));
      add(0x80 | (code & 0x3f));
    } else {
      add(0xf0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3f));
      add(0x80 | (code >> 6 & 0x3f));
      add(0x80 | (code & 0x3f));
    }
  }
  EXPECT_TRUE(valid_utf8(text));
  EXPECT_TRUE(reference_valid_utf8(text));
}

TEST(ValidUtf8, RefusesWhatIsNotWellFormed) {
  for (const char* text : {"\x80",
                           "\xbf",
                           "\xc0\x80",
                           "\xc1\xbf",
                           "\xc2",
                           "\xc2\x41",
                           "\xe0\x80\x80",
                           "\xe0\x9f\xbf",
                           "\xed\xa0\x80",
                           "\xed\xbf\xbf",
                           "\xf0\x80\x80\x80",
                           "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80",
                           "\xfe",
                           "\xff",
                           "\xe2\x82",
                           "\xf0\x9f\x98",
                           "\xf8\x88\x80\x80\x80",
                           "abc\xff"}) {
    EXPECT_FALSE(valid_utf8(text)) << text;
  }
  EXPECT_TRUE(valid_utf8(""));
}

TEST(ValidUtf8, FindsABadByteAtEveryPlace) {
  for (std::size_t size = 1; size <= 80; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(valid_utf8(text));
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = '\x80';
      EXPECT_FALSE(valid_utf8(text)) << size << " " << i;
      text[i] = 'a';
    }
  }
}

TEST(ValidUtf8, AgreesWithTheReferenceOnEveryPairAndOnRandomMutations) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char pair[] = {static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(valid_utf8({pair, 2}), reference_valid_utf8({pair, 2})) << a << " " << b;
    }
  }
  const char* given = std::getenv("LEAT_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261120;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::string base = "plain ascii in front, then ä€😀 mixed \xf4\x8f\xbf\xbf\xed\x9f\xbf end";
  int refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = base.substr(random() % base.size());
    for (auto count = random() % 3; count != 0 && !text.empty(); --count) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, static_cast<char>(0x80 | random()));
      }
    }
    const bool expected = reference_valid_utf8(text);
    ASSERT_EQ(valid_utf8(text), expected)
        << hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    refused += expected ? 0 : 1;
  }
  EXPECT_GT(refused, 10'000);
  EXPECT_LT(refused, 190'000);
}

}  // namespace
}  // namespace leat::parser
