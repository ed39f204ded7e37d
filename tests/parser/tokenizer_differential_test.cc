// Each tokenizer against the scalar one, over generated input, cut anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/parser/engines.h"
#include "tests/parser/tokenizer_support.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kSeed = 20261120;
constexpr int kInputs = 5'000;
constexpr int kTables = 1'000;

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

/// Records that are mostly regular, with the bytes that matter thrown in.
std::string generate(Random& random) {
  static constexpr std::string_view kPieces[] = {
      "a",          "bc",         "1234567890", " ",     ",",    ",",       ",",
      "\n",         "\n",         "\r\n",       "\"x\"", "\"\"", "\"a,b\"", "\"p\nq\"",
      "\"p\r\nq\"", "\"d\"\"q\"", ",\"",        "\",",   "\"\n", "\""};
  static constexpr std::string_view kRare[] = {
      "\r", "\"", "\\", "#", std::string_view("\0", 1), "\xff", "\n\n", "\r\r", "\"\"\"", "\r\""};
  const std::size_t pieces = below(random, 40);
  const std::size_t rare_in = 2 + below(random, 40);
  // One in four speaks CR only.
  const bool cr_only = below(random, 4) == 0;
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    std::string_view piece = below(random, rare_in) == 0
                                 ? kRare[below(random, std::size(kRare))]
                                 : kPieces[below(random, std::size(kPieces))];
    if (cr_only && (piece == "\n" || piece == "\r\n")) piece = "\r";
    text += piece;
  }
  // A flipped byte now and then.
  if (!text.empty() && below(random, 8) == 0) {
    text[below(random, text.size())] = static_cast<char>(random());
  }
  return text;
}

FormatOptions generate_options(Random& random) {
  FormatOptions options;
  if (below(random, 8) == 0) options.delimiter = ' ';
  if (below(random, 16) == 0) options.escape = '\\';
  if (below(random, 16) == 0) options.comment = '#';
  if (below(random, 16) == 0) options.quote = '\0';
  if (below(random, 16) == 0) options.null_strings = {"a"};
  if (below(random, 4) == 0) {
    options.record_bytes_max = static_cast<std::uint32_t>(1 + below(random, 24));
  }
  if (below(random, 8) == 0) options.fields_max = static_cast<std::uint32_t>(1 + below(random, 5));
  return options;
}

std::vector<std::size_t> generate_cuts(Random& random, std::size_t size) {
  std::vector<std::size_t> cuts(below(random, 5));
  for (std::size_t& cut : cuts) cut = below(random, size + 1);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

/// A table of several kilobytes, regular but for a few bytes thrown in.
std::string generate_table(Random& random, char delimiter) {
  static constexpr std::string_view kValues[] = {"",
                                                 "1",
                                                 "-17.5",
                                                 "Manhattan",
                                                 "2026-11-20 10:30:00",
                                                 "\"\"",
                                                 "\"x\"",
                                                 "\"a,b\"",
                                                 "\"p\nq\"",
                                                 "\"d\"\"q\"",
                                                 "\"\"\"\"",
                                                 "a text of more than some words"};
  static constexpr std::string_view kFaults[] = {"\"",  "\r",  "\n",   "\r\n", ",",    "\"\"",
                                                 "\"x", "x\"", "\xff", "\n\n", "\r\r", " "};
  const std::size_t fields = 1 + below(random, 8);
  const std::size_t kinds = below(random, 2) == 0 ? 5 : std::size(kValues);
  const std::string_view line_end = below(random, 3) == 0 ? "\r\n" : "\n";
  std::string text;
  for (std::size_t rows = below(random, 80); rows != 0; --rows) {
    for (std::size_t i = 0; i < fields; ++i) {
      if (i != 0) text += delimiter;
      text += kValues[below(random, kinds)];
    }
    text += line_end;
  }
  if (!text.empty() && below(random, 4) == 0) text.resize(below(random, text.size()));
  for (std::size_t faults = below(random, 4); faults != 0; --faults) {
    const std::size_t at = below(random, text.size() + 1);
    const std::size_t over = std::min(below(random, 2), text.size() - at);
    text.replace(at, over, kFaults[below(random, std::size(kFaults))]);
  }
  return text;
}

std::string shown(const Found& found) {
  return ::testing::PrintToString(found.records) + " " + found.error + " consumed " +
         std::to_string(found.consumed);
}

void expect_same_found(const Found& found, const Found& expected, const std::string& engine,
                       const std::string& input, const std::vector<std::size_t>& cuts) {
  ASSERT_TRUE(found.records == expected.records && found.error == expected.error &&
              found.consumed == expected.consumed)
      << engine << " on " << ::testing::PrintToString(input) << " cut at "
      << ::testing::PrintToString(cuts) << "\nfinds    " << shown(found) << "\ninstead of "
      << shown(expected);
}

class TokenizerDifferential : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, TokenizerDifferential, ::testing::ValuesIn(engines()),
                         [](const auto& instance) { return instance.param; });

TEST_P(TokenizerDifferential, FindsWhatTheScalarOneFindsInAnyPiecesOfAnyInput) {
  Random random(kSeed);
  for (int i = 0; i < kInputs; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", input " + std::to_string(i));
    const std::string input = generate(random);
    const FormatOptions options = generate_options(random);
    const bool keep_blank = below(random, 4) == 0;
    const auto cuts = generate_cuts(random, input.size());
    const auto scalar = make_scalar_tokenizer(options);
    const auto other = make_engine(GetParam(), options);
    const Found whole = run_tokenizer(*scalar, options, input, {}, keep_blank);
    for (const auto& at : {std::vector<std::size_t>(), cuts}) {
      expect_same_found(run_tokenizer(*other, options, input, at, keep_blank), whole, GetParam(),
                        input, at);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(TokenizerDifferential, FindsWhatTheScalarOneFindsInMutatedTables) {
  Random random(kSeed + 2);
  for (int i = 0; i < kTables; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 2) + ", table " + std::to_string(i));
    FormatOptions options;
    if (below(random, 8) == 0) options.delimiter = ';';
    if (below(random, 16) == 0) options.quote = '\0';
    if (below(random, 8) == 0) {
      options.record_bytes_max = static_cast<std::uint32_t>(20 + below(random, 200));
    }
    if (below(random, 8) == 0)
      options.fields_max = static_cast<std::uint32_t>(1 + below(random, 9));
    const bool keep_blank = below(random, 4) == 0;
    const std::string input = generate_table(random, options.delimiter);
    const auto cuts = generate_cuts(random, input.size());
    const auto scalar = make_scalar_tokenizer(options);
    const auto other = make_engine(GetParam(), options);
    const Found whole = run_tokenizer(*scalar, options, input, {}, keep_blank);
    for (const auto& at : {std::vector<std::size_t>(), cuts}) {
      expect_same_found(run_tokenizer(*other, options, input, at, keep_blank), whole, GetParam(),
                        input, at);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(TokenizerDifferential, LeavesTheSameUndecided) {
  Random random(kSeed + 1);
  for (int i = 0; i < kInputs; ++i) {
    const std::string input = generate(random);
    const FormatOptions options = generate_options(random);
    const std::size_t records_max = below(random, 2) == 0 ? 1 : SIZE_MAX;
    const LineEnd line_end = below(random, 2) == 0 ? LineEnd::kLf : LineEnd::kUnknown;
    Found found[2];
    const std::unique_ptr<Tokenizer> tokenizers[] = {make_scalar_tokenizer(options),
                                                     make_engine(GetParam(), options)};
    for (int t = 0; t < 2; ++t) {
      TokenizedBlock block;
      found[t].line_end = line_end;
      const Result<void> done =
          tokenizers[t]->tokenize(input, false, false, records_max, found[t].line_end, block);
      append_block(block, options, 0, true, found[t].records);
      found[t].consumed = block.consumed;
      if (!done) found[t].error = error_code_name(done.error().code);
    }
    ASSERT_EQ(found[0], found[1]) << "seed " << kSeed + 1 << ", input " << i << ": "
                                  << ::testing::PrintToString(input);
  }
}

}  // namespace
}  // namespace leat::parser
