// Texts for the fields of a generated file.
#pragma once

#include <string>

#include "leat/schema.h"
#include "tests/differential/random.h"

namespace leat::differential {

/// Any type, numerics with any precision and scale.
DataType type_of(Random& random);

/// Mostly a value of the type in its usual form.
std::string usual_value(const DataType& type, Random& random);

/// A value at the edge of its type, in an unusual form, or just beyond: a number that does not fit,
/// a day that is not in the calendar, bytes that are no UTF-8.
std::string odd_value(const DataType& type, Random& random);

/// A date of the years `first_year` to `last_year`, as YYYY-MM-DD; up to the 28th of a month.
std::string date_text(Random& random, std::size_t first_year, std::size_t last_year);
/// HH:MM[:SS[.digits]], before 24:00.
std::string time_text(Random& random, std::size_t fraction_digits_max);

}  // namespace leat::differential
