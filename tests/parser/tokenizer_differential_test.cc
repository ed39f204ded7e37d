// Both tokenizers against each other, over generated input, cut anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/parser/tokenizer_support.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kSeed = 20261120;
constexpr int kInputs = 20'000;

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

CsvOptions generate_options(Random& random) {
  CsvOptions options;
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

TEST(TokenizerDifferential, BothFindTheSameInAnyPiecesOfAnyInput) {
  Random random(kSeed);
  for (int i = 0; i < kInputs; ++i) {
    const std::string input = generate(random);
    const CsvOptions options = generate_options(random);
    const bool keep_blank = below(random, 4) == 0;
    const auto scalar = make_scalar_tokenizer(options);
    const auto libcsv = make_libcsv_tokenizer(options);
    const Found whole = run_tokenizer(*scalar, options, input, {}, keep_blank);
    const auto cuts = generate_cuts(random, input.size());
    const auto agrees = [&](CsvTokenizer& tokenizer, const std::vector<std::size_t>& at) {
      const Found found = run_tokenizer(tokenizer, options, input, at, keep_blank);
      return found.records == whole.records && found.error == whole.error &&
             found.consumed == whole.consumed;
    };
    ASSERT_TRUE(agrees(*libcsv, {}) && agrees(*scalar, cuts) && agrees(*libcsv, cuts))
        << "seed " << kSeed << ", input " << i << ": " << ::testing::PrintToString(input)
        << " cut at " << ::testing::PrintToString(cuts)
        << "\nscalar, whole: " << ::testing::PrintToString(whole.records) << whole.error
        << "\nlibcsv, whole: "
        << ::testing::PrintToString(run_tokenizer(*libcsv, options, input, {}, keep_blank).records)
        << "\nscalar, cut:   "
        << ::testing::PrintToString(
               run_tokenizer(*scalar, options, input, cuts, keep_blank).records)
        << "\nlibcsv, cut:   "
        << ::testing::PrintToString(
               run_tokenizer(*libcsv, options, input, cuts, keep_blank).records);
  }
}

TEST(TokenizerDifferential, BothLeaveTheSameUndecided) {
  Random random(kSeed + 1);
  for (int i = 0; i < kInputs; ++i) {
    const std::string input = generate(random);
    const CsvOptions options = generate_options(random);
    const std::size_t records_max = below(random, 2) == 0 ? 1 : SIZE_MAX;
    Found found[2];
    const std::unique_ptr<CsvTokenizer> tokenizers[] = {make_scalar_tokenizer(options),
                                                        make_libcsv_tokenizer(options)};
    for (int t = 0; t < 2; ++t) {
      TokenizedBlock block;
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
