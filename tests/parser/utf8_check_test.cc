// Vectors against the loop over bytes, for every target that this machine can run.
#include "parser/records/simd/utf8_check.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

class Utf8Check : public ::testing::TestWithParam<SimdTarget> {
 protected:
  /// From a copy that ends where its memory ends: a sanitizer sees each byte read too far.
  static bool check(std::string_view text) {
    const auto copy = std::make_unique<char[]>(text.size());
    text.copy(copy.get(), text.size());
    return check_utf8_of(GetParam())({copy.get(), text.size()});
  }
  static void expect_agrees(std::string_view text) {
    ASSERT_EQ(check(text), valid_utf8(text)) << ::testing::PrintToString(text);
  }
};

INSTANTIATE_TEST_SUITE_P(Targets, Utf8Check, ::testing::ValuesIn(available_simd_targets()),
                         [](const auto& instance) {
                           return std::string(simd_target_name(instance.param));
                         });

TEST_P(Utf8Check, AgreesOnAllSequencesOfTwoBytesAndTheLimitsOfLongerOnes) {
  // Of each class of bytes the first and the last.
  constexpr unsigned char kLimits[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                       0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
                                       0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
  const auto add = [](const std::string& front, unsigned char byte) {
    return front + static_cast<char>(byte);
  };
  for (unsigned first = 0; first < 256; ++first) {
    const std::string one = add("", static_cast<unsigned char>(first));
    expect_agrees(one);
    for (unsigned second = 0; second < 256; ++second) {
      expect_agrees(add(one, static_cast<unsigned char>(second)));
    }
    for (const unsigned char second : kLimits) {
      for (const unsigned char third : kLimits) {
        const std::string three = add(add(one, second), third);
        expect_agrees(three);
        if (first < 0xc0) continue;
        for (const unsigned char fourth : kLimits) expect_agrees(add(three, fourth));
      }
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(Utf8Check, AgreesAtAnyPlaceOfLongTexts) {
  constexpr std::string_view kParts[] = {"a",
                                         "plain text",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xed\x9f\xbf",
                                         "\xf0\x9f\x98\x80",
                                         "\xf4\x8f\xbf\xbf"};
  std::mt19937_64 random(20261123);
  for (int i = 0; i < 4000; ++i) {
    std::string text;
    for (std::size_t size = random() % 300; text.size() < size;) {
      text += kParts[random() % std::size(kParts)];
    }
    expect_agrees(text);
    EXPECT_TRUE(check(text));
    if (text.empty()) continue;
    expect_agrees(text.substr(0, random() % text.size()));
    expect_agrees(text.substr(random() % text.size()));
    text[random() % text.size()] = static_cast<char>(random());
    expect_agrees(text);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace leat::parser
