#include "executor/epoch.h"

#include <random>
#include <utility>

namespace leat::executor {
namespace {

std::uint64_t random_token() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32) | random();
}

}  // namespace

Checkpoint next_epoch(const state::Ledger& ledger, std::vector<SplitProgress> splits,
                      const Clock& clock) {
  Checkpoint checkpoint{.epoch = ledger.epoch() + 1,
                        .splits = std::move(splits),
                        .token = random_token(),
                        .parent = ledger.epoch_token()};
  const std::int64_t now_ms = clock.wall_ms();
  for (SplitProgress& split : checkpoint.splits) {
    split.epoch = checkpoint.epoch;
    split.updated_ms = now_ms;
  }
  return checkpoint;
}

Result<void> commit_epoch(const Checkpoint& checkpoint, RowSink& sink,
                          const std::function<Result<void>()>& in_ledger,
                          const std::function<void(std::string_view)>& on_step) {
  const auto step = [&on_step](std::string_view name) {
    if (on_step) on_step(name);
  };
  if (Result<void> committed = sink.commit(checkpoint); !committed) return committed;
  step("ledger begins");
  if (Result<void> committed = in_ledger(); !committed) return committed;
  step("ledger written");
  return {};
}

}  // namespace leat::executor
