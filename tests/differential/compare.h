// One file, read in every way there is: all must make the same of it.
#pragma once

#include <optional>
#include <string>

#include "tests/differential/generate.h"
#include "tests/differential/outcome.h"

namespace leat::differential {

struct Disagreement {
  std::string reader;  ///< "simd_avx2, cut at 17 4100".
  std::string what;    ///< In what it differs from the scalar one, which had the file whole.
};

/// Reads the file with the scalar tokenizer as a whole: that is what the file means. Then cut at
/// random places with every tokenizer and each set of instructions; resumed by one at a position of
/// another; and in slices that are parsed apart, where the parser knows how to cut.
std::optional<Disagreement> find_disagreement(const Fixture& file, Random& random);

/// The smallest file made of `file` by leaving bytes out that is still read in two ways. `file`
/// itself must be.
Fixture shrink(Fixture file, Random random);

}  // namespace leat::differential
