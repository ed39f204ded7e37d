// The end of a command that an exception has come out of, on whatever thread.
#pragma once

namespace leat::cli {

/// Says on standard error what the exception at hand is and what to do about it, and ends the
/// process with kExitFailure where it stands: nothing is committed that was not, and the next run
/// goes on from there. For std::set_terminate, too: an exception in a thread of a library ends
/// there.
[[noreturn]] void end_with_message() noexcept;

}  // namespace leat::cli
