// The ways in which CSV can be read on this machine. All of them give the same rows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "parser/csv/tokenizers.h"

namespace leat::parser {

/// "scalar", "libcsv", and "simd_" with each target: names that a test may bear.
inline std::vector<std::string> engines() {
  std::vector<std::string> names = {"scalar", "libcsv"};
  for (const SimdTarget target : available_simd_targets()) {
    names.push_back("simd_" + std::string(simd_target_name(target)));
  }
  return names;
}

inline void use_engine(std::string_view engine, FormatOptions& options) {
  options.tokenizer = engine.substr(0, engine.find('_'));
  if (options.tokenizer == "simd") options.simd = engine.substr(options.tokenizer.size() + 1);
}

inline std::unique_ptr<Tokenizer> make_engine(std::string_view engine, FormatOptions options) {
  use_engine(engine, options);
  if (options.tokenizer == "scalar") return make_scalar_tokenizer(options);
  if (options.tokenizer == "libcsv") return make_libcsv_tokenizer(options);
  return make_simd_tokenizer(options, *choose_simd_target(options.simd));
}

}  // namespace leat::parser
