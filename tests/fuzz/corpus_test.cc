// Each fuzz target over its corpus, and over the inputs near it: what fuzzing once found stays
// found, with every compiler.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/differential/random.h"
#include "tests/fuzz/targets.h"
#include "tests/parser/load_support.h"
#include "tests/support/source_dir.h"

namespace leat::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path& corpus() {
  static const fs::path folder = test_source_dir() / "tests/fuzz/corpus";
  return folder;
}

class FuzzTarget : public ::testing::TestWithParam<Target> {};

INSTANTIATE_TEST_SUITE_P(Corpus, FuzzTarget, ::testing::ValuesIn(targets()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(FuzzTarget, KeepsItsPromisesOverItsCorpus) {
  const Target& target = GetParam();
  target.run("");
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(corpus() / target.name)) {
    SCOPED_TRACE(entry.path());
    const std::string input = parser::read_file(entry.path().string());
    target.run(input);
    ++files;
    differential::Random random(input.size());
    for (int i = 0; i < 40 && !input.empty(); ++i) {
      std::string near = input;
      near[random.below(near.size())] = static_cast<char>(random.next());
      if (random.one_in(2)) near.erase(random.below(near.size()), random.below(4));
      if (random.one_in(2)) near.insert(random.below(near.size() + 1), near, 0, random.below(9));
      target.run(near);
    }
  }
  EXPECT_GE(files, 3u);
}

TEST(FuzzCorpus, HoldsNothingThatNoTargetReads) {
  std::set<std::string> names;
  for (const Target& target : targets()) names.emplace(target.name);
  for (const auto& entry : fs::directory_iterator(corpus())) {
    EXPECT_TRUE(names.contains(entry.path().filename())) << entry.path();
  }
}

}  // namespace
}  // namespace leat::fuzz
