#include "executor/parse_arena.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace leat::executor {

/// An arena of its own, without a place for the calling thread: the embedding program's TBB threads
/// are left alone, and its limit on threads does not starve this.
class ParseArena::Implementation {
 public:
  explicit Implementation(std::uint32_t threads)
      : parallelism_(tbb::global_control::max_allowed_parallelism,
                     std::max<std::size_t>(tbb::global_control::active_value(
                                               tbb::global_control::max_allowed_parallelism),
                                           threads + 1)),
        arena_(static_cast<int>(threads), 0) {
    arena_.initialize();
  }

  tbb::global_control parallelism_;
  tbb::task_arena arena_;
};

ParseArena::ParseArena(std::uint32_t threads)
    : implementation_(std::make_unique<Implementation>(threads)) {}

ParseArena::~ParseArena() = default;

void ParseArena::submit(std::function<void()> task) {
  struct HandOver {
    std::function<void()> task;
    std::atomic<bool> done = false;
  };
  auto hand_over = std::make_shared<HandOver>();
  hand_over->task = std::move(task);
  // oneTBB orders this anyway, but out of ThreadSanitizer's sight.
  hand_over->done.store(true, std::memory_order_release);
  implementation_->arena_.enqueue([hand_over = std::move(hand_over)] {
    if (hand_over->done.load(std::memory_order_acquire)) hand_over->task();
  });
}

}  // namespace leat::executor
