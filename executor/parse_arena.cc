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
      : parallelism(tbb::global_control::max_allowed_parallelism,
                    std::max<std::size_t>(tbb::global_control::active_value(
                                              tbb::global_control::max_allowed_parallelism),
                                          threads + 1)),
        arena(static_cast<int>(threads), 0) {}

  tbb::global_control parallelism;
  tbb::task_arena arena;
};

namespace {

struct HandOver {
  std::function<void()> task;
  std::atomic<bool> done = false;
};

/// An exception ends the program: oneTBB would keep it, and who waits for the task would wait on.
void run(HandOver* handed_over) noexcept {
  const std::unique_ptr<HandOver> owned(handed_over);
  if (owned->done.load(std::memory_order_acquire)) owned->task();
}

}  // namespace

ParseArena::ParseArena(std::uint32_t threads) : threads_(threads) {}

ParseArena::~ParseArena() = default;

void ParseArena::submit(std::function<void()> task) {
  // Half a millisecond, which a load that parses where it reads need not take.
  std::call_once(first_task_,
                 [this] { implementation_ = std::make_unique<Implementation>(threads_); });
  auto hand_over = std::make_unique<HandOver>();
  hand_over->task = std::move(task);
  // oneTBB orders this anyway, but out of ThreadSanitizer's sight.
  hand_over->done.store(true, std::memory_order_release);
  // A plain pointer, because that alone is what oneTBB hands over: see cmake/tsan.supp.
  implementation_->arena.enqueue([task_of = hand_over.release()] { run(task_of); });
}

}  // namespace leat::executor
