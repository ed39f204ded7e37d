#include "cli/quantities.h"

#include <gtest/gtest.h>

namespace leat::cli {
namespace {

using std::chrono::milliseconds;

TEST(Quantities, DurationsHaveUnits) {
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("10s"), milliseconds(10'000));
  EXPECT_EQ(*parse_duration("1.5 s"), milliseconds(1'500));
  EXPECT_EQ(*parse_duration("3"), milliseconds(3'000));
  EXPECT_EQ(*parse_duration("2min"), milliseconds(120'000));
  EXPECT_EQ(*parse_duration("1h"), milliseconds(3'600'000));
  for (const char* bad : {"", "ms", "-1s", "1 day", "10 s s", "1e99s", "nan", "inf"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Quantities, SizesHaveUnits) {
  EXPECT_EQ(*parse_bytes("512MiB"), 512u << 20);
  EXPECT_EQ(*parse_bytes("512M"), 512u << 20);
  EXPECT_EQ(*parse_bytes("2 GiB"), 2ull << 30);
  EXPECT_EQ(*parse_bytes("1.5GB"), 1'500'000'000u);
  EXPECT_EQ(*parse_bytes("4096"), 4096u);
  for (const char* bad : {"", "MiB", "-1", "1 potato", "1e30"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Quantities, RatesHaveATime) {
  EXPECT_EQ(parse_rate("100/min")->requests, 100u);
  EXPECT_EQ(parse_rate("100/min")->per, milliseconds(60'000));
  EXPECT_EQ(parse_rate("5/s")->per, milliseconds(1'000));
  EXPECT_EQ(parse_rate("2000/h")->per, milliseconds(3'600'000));
  for (const char* bad : {"", "100", "100/", "/min", "0/s", "-1/s", "1.5/s", "5/ 2s", "5/fortnight",
                          "5/s/s", "99999999999/s"}) {
    EXPECT_FALSE(parse_rate(bad)) << bad;
  }
}

TEST(Quantities, PricesAreForOneRequest) {
  EXPECT_DOUBLE_EQ(*parse_price("0.005/1000"), 0.000005);
  EXPECT_DOUBLE_EQ(*parse_price("0.25"), 0.25);
  EXPECT_DOUBLE_EQ(*parse_price("0"), 0);
  for (const char* bad : {"", "/", "1/", "/1000", "1/0", "-1/2", "1/-2", "x", "1/2/3", "inf"}) {
    EXPECT_FALSE(parse_price(bad)) << bad;
  }
  EXPECT_EQ(format_price(0), "0.00");
  EXPECT_EQ(format_price(1.3), "1.30");
  EXPECT_EQ(format_price(0.0432), "0.043");
  EXPECT_EQ(format_price(0.0000051), "0.0000051");
}

TEST(Quantities, CharactersMayBeNamed) {
  EXPECT_EQ(*parse_character(";"), ';');
  EXPECT_EQ(*parse_character("\\t"), '\t');
  EXPECT_EQ(*parse_character("tab"), '\t');
  EXPECT_EQ(*parse_character("none"), '\0');
  EXPECT_FALSE(parse_character(";;"));
  EXPECT_FALSE(parse_character("ä"));
}

TEST(Quantities, FormatsForPeople) {
  EXPECT_EQ(format_bytes(812), "812 B");
  EXPECT_EQ(format_bytes(1'500'000'000), "1.40 GiB");
  EXPECT_EQ(format_bytes(52'428'800), "50.0 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_duration(milliseconds(3'900)), "3 s");
  EXPECT_EQ(format_duration(milliseconds(250'000)), "4 min 10 s");
  EXPECT_EQ(format_duration(milliseconds(7'500'000)), "2 h 5 min");
}

}  // namespace
}  // namespace leat::cli
