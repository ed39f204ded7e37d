// Every tokenizer finds what the scalar one finds, wherever the input is cut.
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"
#include "tests/parser/engines.h"
#include "tests/parser/tokenizer_support.h"

namespace leat::fuzz {

void csv_tokenizer(std::string_view input) {
  Choices choices(input);
  const FormatOptions options = choices.csv_options();
  const bool keep_blank = choices.one_in(4);
  const std::string_view text = choices.rest();
  const std::vector<std::size_t> cuts = choices.cuts(text.size());
  const auto scalar = parser::make_scalar_tokenizer(options);
  const parser::Found expected = parser::run_tokenizer(*scalar, options, text, {}, keep_blank);
  for (const std::string& engine : parser::engines()) {
    const auto tokenizer = parser::make_engine(engine, options);
    for (const auto& at : {std::vector<std::size_t>(), cuts}) {
      const parser::Found found = parser::run_tokenizer(*tokenizer, options, text, at, keep_blank);
      require(found.records == expected.records && found.error == expected.error &&
                  found.consumed == expected.consumed,
              engine + " finds what the scalar tokenizer finds", text);
    }
  }
}

}  // namespace leat::fuzz
