// One heap for all threads of a program, so that its memory does not grow with the work it does.
#pragma once

namespace leat::cli {

/// glibc has a heap for each of up to eight threads a core, and what one thread has freed is of no
/// use to another's allocations. Objects pass from thread to thread here, and a few megabytes in
/// use were spread over a hundred. Before the first thread; MALLOC_ARENA_MAX outranks it. The
/// matter of a program: a library leaves malloc as it is. Nothing where the C library is another.
void use_one_malloc_arena() noexcept;

}  // namespace leat::cli
