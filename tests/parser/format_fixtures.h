// Small objects of every format but CSV, with what is easily cut wrongly.
#pragma once

#include <vector>

#include "tests/parser/load_support.h"

namespace leat::parser {

std::vector<Fixture> format_fixtures();

}  // namespace leat::parser
