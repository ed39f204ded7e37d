#include "cli/last_words.h"

#include <unistd.h>

#include <atomic>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "cli/exit_codes.h"

namespace leat::cli {
namespace {

/// Takes no memory, of which there may be none.
void say(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

constexpr std::string_view kGoesOn = " What is committed stays; run the same again to go on.\n";

}  // namespace

void end_with_message() noexcept {
  // Threads may run out of memory at the same time: the first one speaks for all.
  static std::atomic_flag spoken;
  if (spoken.test_and_set()) {
    while (true) ::pause();
  }
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
    say("leat: it cannot go on.");
  } catch (const std::bad_alloc&) {
    say("leat: there is no more memory to be had (a limit on it, or none is left): allow more, or "
        "set a smaller --memory and fewer --splits-in-flight.");
  } catch (const std::system_error& refused) {
    say("leat: ");
    say(refused.what());
    say(": a limit of the system is in the way (on processes, or on memory): allow more, or set "
        "fewer --threads and --splits-in-flight.");
  } catch (const std::exception& failed) {
    say("leat: ");
    say(failed.what());
    say(": it cannot go on. A limit on processes, or on memory, may be in the way.");
  } catch (...) {
    say("leat: it cannot go on.");
  }
  say(kGoesOn);
  ::_exit(kExitFailure);
}

}  // namespace leat::cli
