#include "tests/differential/compare.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "tests/parser/engines.h"

namespace leat::differential {
namespace {

/// Anywhere, close together, or beside bytes that matter.
std::vector<std::size_t> generate_cuts(std::string_view bytes, Random& random) {
  std::vector<std::size_t> cuts(random.below(6));
  const std::size_t size = bytes.size();
  const std::size_t reach = random.one_in(3) ? std::min<std::size_t>(size, 24) : size;
  const std::size_t first = random.below(size - reach + 1);
  const bool beside_marks = random.one_in(2);
  for (std::size_t& cut : cuts) {
    cut = first + random.below(reach + 1);
    if (!beside_marks) continue;
    const std::size_t mark = bytes.find_first_of("\"\r\n,\\", cut);
    if (mark != bytes.npos) cut = mark + random.below(2);
  }
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

std::string to_text(const std::vector<std::size_t>& cuts) {
  if (cuts.empty()) return ", whole";
  std::string text = ", cut at";
  for (const std::size_t cut : cuts) text += " " + std::to_string(cut);
  return text;
}

/// The file by one tokenizer from the front to a random cut, by another one from there on.
Outcome read_with_resume(const Fixture& file, const std::vector<std::size_t>& cuts,
                         const std::string& first, const std::string& second, Random& random) {
  Outcome outcome;
  feed(*make_engine_parser(file.options, file.schema, first), file.bytes, cuts, outcome, nullptr,
       random.below(cuts.size() + 1));
  if (!outcome.error.empty() || !outcome.inconsistency.empty()) return outcome;
  // Through its encoded form, as a state folder keeps it.
  Result<Position> position = Position::decode(outcome.end.encode());
  if (!position) {
    outcome.inconsistency = "its position cannot be decoded: " + position.error().to_string();
    return outcome;
  }
  outcome.end = *std::move(position);
  feed(*make_engine_parser(file.options, file.schema, second), file.bytes,
       generate_cuts(file.bytes, random), outcome);
  return outcome;
}

/// The file's front by one parser, its rest in slices by others. Where no boundary is known, or
/// guessed, the rest is one slice. Behind a slice whose end was guessed wrong the next one begins
/// where it was no longer used up. At most `looked_at` bytes are shown to who guesses.
Outcome read_in_slices(const Fixture& file, const std::vector<std::size_t>& cuts,
                       const std::string& engine, const RecordEndGuess* guess,
                       std::size_t looked_at, Random& random) {
  Outcome outcome;
  const auto front = make_engine_parser(file.options, file.schema, engine);
  feed(*front, file.bytes, cuts, outcome, nullptr, random.below(cuts.size() + 1));
  if (!outcome.error.empty() || !outcome.inconsistency.empty()) return outcome;
  const std::string_view bytes = file.bytes;
  const std::string parser_state = outcome.end.parser_state;
  auto begin = static_cast<std::size_t>(outcome.end.offset);
  for (std::size_t window = random.between(1, 400); outcome.error.empty();) {
    const bool last = begin + window >= bytes.size();
    const std::string_view some = bytes.substr(begin, window);
    std::size_t slice = 0;
    if (!parser_state.empty()) {  // Else there is no position yet to cut from.
      const std::size_t hidden =
          guess != nullptr ? some.size() - std::min(some.size(), looked_at) : 0;
      slice = guess != nullptr ? front->likely_whole_records(some.substr(hidden), *guess)
                               : front->whole_records(some);
      if (slice != 0) slice += hidden;
    }
    if (slice == 0 || slice > window) {
      if (slice > window) outcome.inconsistency = "a slice exceeds what it was cut from";
      if (!last) {
        window *= 2;
        continue;
      }
      slice = bytes.size() - begin;
    }
    const std::size_t end = begin + slice;
    const auto parser = make_engine_parser(file.options, file.schema, engine);
    if (begin != 0) outcome.end.parser_state = parser_state;
    if (end == bytes.size()) {
      feed(*parser, bytes, {}, outcome);
      break;
    }
    feed(*parser, bytes, {end}, outcome, nullptr, 1);
    if (!outcome.inconsistency.empty()) break;
    begin = static_cast<std::size_t>(outcome.end.offset);
    if (outcome.error.empty() && begin != end) {
      if (guess == nullptr) outcome.inconsistency = "a slice of whole records is not used up";
      guess = nullptr;
    }
    window = random.between(1, 400);
  }
  return outcome;
}

}  // namespace

std::optional<Disagreement> find_disagreement(const Fixture& file, Random& random) {
  const std::vector<std::size_t> cuts = generate_cuts(file.bytes, random);
  Outcome expected;
  feed(*make_engine_parser(file.options, file.schema, "scalar"), file.bytes, {}, expected);
  if (!expected.inconsistency.empty()) return Disagreement{"scalar", expected.inconsistency};

  std::vector<Position> expected_ends;
  const std::vector<std::string> engines = parser::engines();
  for (const std::string& engine : engines) {
    Outcome found;
    std::vector<Position> ends;
    feed(*make_engine_parser(file.options, file.schema, engine), file.bytes, cuts, found, &ends);
    if (engine == engines.front()) expected_ends = ends;
    std::string what = difference(found, expected);
    if (what.empty() && ends != expected_ends) what = "chunks end at other positions";
    if (!what.empty()) return Disagreement{engine + to_text(cuts), std::move(what)};
  }
  {
    const std::string& engine = engines[random.below(engines.size())];
    const auto parser = make_engine_parser(file.options, file.schema, engine);
    const std::size_t bytes_max = random.between(1, 200);
    parser->limit_rows(bytes_max);
    Outcome found;
    feed(*parser, file.bytes, cuts, found);
    std::string what = difference(found, expected);
    if (!what.empty()) {
      return Disagreement{
          engine + ", rows of " + std::to_string(bytes_max) + " bytes at a time" + to_text(cuts),
          std::move(what)};
    }
  }
  const std::string& first = engines[random.below(engines.size())];
  const std::string& second = engines[random.below(engines.size())];
  std::string what = difference(read_with_resume(file, cuts, first, second, random), expected);
  if (!what.empty()) return Disagreement{first + " and then " + second, std::move(what)};
  constexpr RecordEndGuess kNearby = RecordEndGuess::kNearby;
  constexpr RecordEndGuess kEvenQuotes = RecordEndGuess::kEvenQuotes;
  constexpr std::size_t kAll = SIZE_MAX;
  const std::initializer_list<std::pair<const RecordEndGuess*, std::size_t>> guesses = {
      {nullptr, kAll}, {&kNearby, kAll}, {&kNearby, random.between(1, 100)}, {&kEvenQuotes, kAll}};
  for (const auto& [guess, looked_at] : guesses) {
    what = difference(read_in_slices(file, cuts, second, guess, looked_at, random), expected);
    if (!what.empty()) {
      return Disagreement{second + (guess != nullptr ? ", in guessed slices" : ", in slices"),
                          std::move(what)};
    }
  }
  return std::nullopt;
}

Fixture shrink(Fixture file, Random random) {
  const auto disagrees = [&](const std::string& bytes) {
    // Whether a fault shows depends on the cuts, too.
    for (int attempt = 0; attempt < 8; ++attempt) {
      const Fixture smaller{file.name, bytes, file.options, file.schema};
      if (find_disagreement(smaller, random)) return true;
    }
    return false;
  };
  for (std::size_t length = file.bytes.size() / 2; length != 0; length /= 2) {
    for (std::size_t at = 0; at < file.bytes.size();) {
      std::string bytes = file.bytes;
      bytes.erase(at, length);
      if (disagrees(bytes)) {
        file.bytes = std::move(bytes);
      } else {
        at += length;
      }
    }
  }
  return file;
}

}  // namespace leat::differential
