#include "tests/differential/values.h"

namespace leat::differential {
namespace {

std::string two_digits(std::size_t number) { return std::to_string(100 + number).substr(1); }

std::string sign(Random& random) { return random.one_in(3) ? "-" : random.one_in(12) ? "+" : ""; }

/// `bits` of a signed integer: its extremes, and what is beside them.
std::string integer_edge(Random& random, std::size_t bits) {
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);
  const std::uint64_t magnitude = top - 2 + random.below(4);
  return (random.one_in(2) ? "-" : "") + std::string(random.below(3), '0') +
         std::to_string(magnitude);
}

std::string odd_integer(Random& random, std::size_t bits) {
  switch (random.below(4)) {
    case 0:
      return std::string(random.one_of({"+5", "-0", "007", "-", "+", "--1", "1-", "0x10", "1_000",
                                        " 1", "1 ", "1.0", "1e3", "9", "0"}));
    case 1:
      return sign(random) + random.digits(random.between(15, 22));
    case 2:
      return std::string(random.between(1, 40), '0') + random.digits(random.below(4));
    default:
      return integer_edge(random, bits);
  }
}

std::string usual_float(Random& random) {
  std::string text = sign(random) + random.digits(random.between(1, 9));
  if (!random.one_in(5)) text += "." + random.digits(random.between(1, 8));
  return text;
}

std::string odd_float(Random& random) {
  switch (random.below(4)) {
    case 0:
      return std::string(random.one_of({"NaN",
                                        "nan",
                                        "-nan",
                                        "inf",
                                        "-Infinity",
                                        "+INF",
                                        ".5",
                                        "5.",
                                        ".",
                                        "-.",
                                        "-0",
                                        "-0.0",
                                        "1e400",
                                        "-1e400",
                                        "1e-400",
                                        "1e",
                                        "1e+",
                                        "0x1p3",
                                        "1.2.3",
                                        "1,5",
                                        " 1.5",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "16777217",
                                        "16777217.0000000001",
                                        "4.9e-324",
                                        "2.4703282292062327e-324",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623159e308",
                                        "3.4028235e38",
                                        "3.4028236e38",
                                        "1e22",
                                        "1e23",
                                        "8.5",
                                        "0.000000059604644775390625",
                                        "340282346638528859811704183484516925440",
                                        "340282356779733661637539395458142568448"}));
    case 1:
      return sign(random) + random.digits(random.between(1, 20)) + "." +
             random.digits(random.between(1, 24));
    case 2:
      return sign(random) + random.digits(random.between(1, 4)) + "." + random.digits(2) +
             random.character_of("eE") + std::string(random.one_of({"", "+", "-"})) +
             random.digits(random.between(1, 3));
    default:
      // Halfway between two floats, or one digit beside it.
      return std::to_string((std::uint64_t{1} << random.between(24, 53)) + random.below(4)) +
             (random.one_in(2)   ? ""
              : random.one_in(2) ? ".5"
                                 : ".0000001");
  }
}

std::string usual_decimal(const DataType& type, Random& random) {
  const std::size_t whole = static_cast<std::size_t>(type.precision - type.scale);
  std::string text = sign(random) + random.digits(whole == 0 ? 1 : random.between(1, whole));
  if (whole == 0) text.back() = '0';
  if (type.scale != 0) text += "." + random.digits(random.between(1, type.scale));
  return text;
}

std::string odd_decimal(const DataType& type, Random& random) {
  switch (random.below(3)) {
    case 0:
      return std::string(random.one_of({"NaN", "1e3", "1E-3", "-0", ".5", "5.", "0.0000", "1e400",
                                        "1e-400", "0e999999999999", " 1", "Infinity", "1..2"}));
    case 1:
      return sign(random) + std::string(type.precision - type.scale + random.below(2), '9') + "." +
             std::string(type.scale + random.below(2), '9');
    default:
      return sign(random) + random.digits(random.between(1, 40)) + "." +
             random.digits(random.below(4)) + std::string(random.below(12), '0');
  }
}

std::string odd_date(Random& random) {
  if (random.one_in(3)) {
    return std::string(random.one_of({"0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
                                      "2024-2-29", "20240229", "2024/02/29", "2024-02-29 ",
                                      "-001-01-01", "infinity", "now", "2024-02-29BC"}));
  }
  // The 29th of a February, the 31st of any month: there or not.
  return std::to_string(10'000 + random.below(10'000)).substr(1) + "-" +
         two_digits(random.below(14)) + "-" + two_digits(28 + random.below(5));
}

std::string odd_time(Random& random) {
  return std::string(random.one_of(
      {"24:00", "24:00:00", "23:59:60", "23:59:60.5", "23:59:59.9999999", "00:00:60", "25:00",
       "10:60", "10:30:61", "9:30", "10:30:", "10:30:00.", "10:30:00.1234567890", "103000",
       "10:30:00,5", "10.30", "10:30:00.123456789", "10:30:00.0000005", "10:30:00.0000015"}));
}

std::string odd_timestamp(Random& random, bool zone) {
  std::string text = random.one_in(3) ? odd_date(random) : date_text(random, 1, 9999);
  if (!random.one_in(6)) {
    text += random.one_of({" ", "T", "t", "  ", "_"});
    text += random.one_in(2) ? odd_time(random) : time_text(random, 9);
  }
  if (zone || random.one_in(6)) {
    text += random.one_of({"", "Z", "z", "UTC", " UTC", "+00", "-00", "+15:59", "-1559", "+16",
                           "+1", "+02:", "+02:60", " +02", "CET", "+020", "+12:34:56"});
  }
  return text;
}

std::string text_of(Random& random, bool odd) {
  static constexpr std::string_view kPieces[] = {"a",
                                                 "bc",
                                                 "words and more of them",
                                                 " ",
                                                 "1",
                                                 "\xc3\xa9",
                                                 "\xe2\x82\xac",
                                                 "\xf0\x9d\x84\x9e",
                                                 "'",
                                                 "\\",
                                                 ".",
                                                 "-",
                                                 "NULL"};
  static constexpr std::string_view kOdd[] = {",",
                                              "\"",
                                              "\n",
                                              "\r\n",
                                              "\r",
                                              ";",
                                              "\t",
                                              "\"\"",
                                              "\\\"",
                                              "#",
                                              "\xff",
                                              "\xc3",
                                              "\xed\xa0\x80",
                                              "\xf4\x90\x80\x80",
                                              "\xc0\x80",
                                              std::string_view("\0", 1),
                                              "\\."};
  std::string text;
  if (random.one_in(24)) text.assign(random.below(200), 'x');
  for (std::size_t pieces = random.below(5); pieces != 0; --pieces) {
    text += odd && random.one_in(2) ? kOdd[random.below(std::size(kOdd))]
                                    : kPieces[random.below(std::size(kPieces))];
  }
  return text;
}

std::string hex(Random& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += random.character_of("0123456789abcdefABCDEF");
  return text;
}

std::string uuid(Random& random, bool odd) {
  std::string text = hex(random, 32);
  if (!random.one_in(4)) {
    for (const std::size_t at : {20, 16, 12, 8}) text.insert(at, "-");
  }
  if (random.one_in(4)) text = "{" + text + "}";
  if (odd) text[random.below(text.size())] = random.character_of("0g-{} ");
  return text;
}

}  // namespace

std::string date_text(Random& random, std::size_t first_year, std::size_t last_year) {
  return std::to_string(10'000 + random.between(first_year, last_year)).substr(1) + "-" +
         two_digits(random.between(1, 12)) + "-" + two_digits(random.between(1, 28));
}

std::string time_text(Random& random, std::size_t fraction_digits_max) {
  std::string text = two_digits(random.below(24)) + ":" + two_digits(random.below(60));
  if (random.one_in(8)) return text;
  text += ":" + two_digits(random.below(60));
  if (random.one_in(2)) text += "." + random.digits(random.between(1, fraction_digits_max));
  return text;
}

DataType type_of(Random& random) {
  // Each but kDecimal.
  static constexpr TypeId kPlain[] = {
      TypeId::kBool,        TypeId::kInt16, TypeId::kInt32, TypeId::kInt64, TypeId::kFloat32,
      TypeId::kFloat64,     TypeId::kDate,  TypeId::kTime,  TypeId::kText,  TypeId::kTimestamp,
      TypeId::kTimestampTz, TypeId::kText,  TypeId::kBytes, TypeId::kUuid,  TypeId::kJson};
  const std::size_t at = random.below(std::size(kPlain) + 1);
  if (at != std::size(kPlain)) return {kPlain[at], 0, 0};
  const std::size_t precision = random.between(1, 38);
  return {TypeId::kDecimal, static_cast<std::uint8_t>(precision),
          static_cast<std::uint8_t>(random.below(precision + 1))};
}

std::string usual_value(const DataType& type, Random& random) {
  switch (type.id) {
    case TypeId::kBool:
      return std::string(random.one_of({"t", "true", "YES", "on", "1", "f", "False", "no", "0"}));
    case TypeId::kInt16:
      return sign(random) + random.digits(random.between(1, 4));
    case TypeId::kInt32:
      return sign(random) + random.digits(random.between(1, 9));
    case TypeId::kInt64:
      return sign(random) + random.digits(random.between(1, 18));
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return usual_float(random);
    case TypeId::kDecimal:
      return usual_decimal(type, random);
    case TypeId::kDate:
      return date_text(random, 1, 9999);
    case TypeId::kTime:
      return time_text(random, 9);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: {
      std::string text =
          date_text(random, 2, 9998) + random.character_of(" T") + time_text(random, 6);
      if (type.id == TypeId::kTimestampTz) {
        text += random.one_of({"", "Z", "+02", "-0530", "+05:45", " UTC"});
      }
      return text;
    }
    case TypeId::kBytes:
      return random.one_in(2) ? "\\x" + hex(random, 2 * random.below(12)) : text_of(random, false);
    case TypeId::kUuid:
      return uuid(random, false);
    case TypeId::kJson:
      return std::string(random.one_of({"{\"a\": [1, null]}", "\"x\"", " 1 ", "true", "[]",
                                        "[\"\xc3\xa9\\n\"]", "-1.5e3", "{}"}));
    case TypeId::kText:
      break;
  }
  return text_of(random, false);
}

std::string odd_value(const DataType& type, Random& random) {
  // What may stand in a field of any column.
  if (random.one_in(3)) {
    return std::string(random.one_of(
        {"", "", "NULL", "NA", "\\N", "-", "x", "7", " ", "17", "\"", "\xef\xbb\xbf", "#", "\\"}));
  }
  switch (type.id) {
    case TypeId::kBool:
      return std::string(random.one_of({"2", "tr", "TRUE ", "y", "oN", "OFF", "n", "00"}));
    case TypeId::kInt16:
      return odd_integer(random, 16);
    case TypeId::kInt32:
      return odd_integer(random, 32);
    case TypeId::kInt64:
      return odd_integer(random, 64);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return odd_float(random);
    case TypeId::kDecimal:
      return odd_decimal(type, random);
    case TypeId::kDate:
      return odd_date(random);
    case TypeId::kTime:
      return odd_time(random);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return odd_timestamp(random, type.id == TypeId::kTimestampTz);
    case TypeId::kBytes:
      return random.one_in(2) ? "\\x" + hex(random, random.below(9)) : text_of(random, true);
    case TypeId::kUuid:
      return uuid(random, true);
    case TypeId::kJson:
      return std::string(random.one_of({"{a:1}", "[1,]", "\"\\ud800\"", "1e400", "nul", "\"\n\"",
                                        "[[[[]]]]", "\"\\u00e9\"", "01", "\"\xff\"", "1 2"}));
    case TypeId::kText:
      break;
  }
  return text_of(random, true);
}

}  // namespace leat::differential
