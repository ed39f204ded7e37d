#include "cli/malloc_arena.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace leat::cli {

void use_one_malloc_arena() noexcept {
#ifdef __GLIBC__
  if (std::getenv("MALLOC_ARENA_MAX") == nullptr) mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace leat::cli
