// leat_ledger_child commit DIR: commits epochs for ever, each reported on a line once it is
// durable. leat_ledger_child hold DIR:   opens the ledger, says so, and holds it until its input is
// closed.

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"

namespace {

int commit_for_ever(leat::state::Ledger& ledger) {
  for (;;) {
    const std::uint64_t epoch = ledger.epoch() + 1;
    if (auto done = ledger.commit(leat::state::checkpoint_of(epoch)); !done) {
      std::fprintf(stderr, "%s\n", done.error().to_string().c_str());
      return 1;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(epoch));
    std::fflush(stdout);
  }
}

int hold() {
  std::printf("open\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto ledger = leat::state::Ledger::open({.dir = argv[2]});
  if (!ledger) {
    std::fprintf(stderr, "%s\n", ledger.error().to_string().c_str());
    return 1;
  }
  return std::string_view(argv[1]) == "commit" ? commit_for_ever(**ledger) : hold();
}
