// What binds the parts of a pipeline together, for everything that opens them: its state folder,
// its sink, and the file of its rejects.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "connector/reject_file/reject_file.h"
#include "leat/loader.h"
#include "leat/result.h"

namespace leat::executor {

/// What keeps the rows, as it is named to people and kept in the state folder. Not where a table's
/// file lies: it may be moved.
std::string consumer_of(const LoaderOptions& options);

/// Tells the sink what becomes of rejects, as the other options say it.
void settle_rejects(LoaderOptions& options);

/// Whether there is a state folder, for what must not make one. Takes no lock.
///   Errors of Ledger::open
Result<void> check_state_folder(const std::filesystem::path& dir);

/// Whether the state folder `dir`, in which `kept` is known of `fact`, belongs to `wanted`; empty:
/// to any.
///   kStateMismatch
Result<void> check_bound(const std::filesystem::path& dir, std::string_view fact,
                         const std::optional<std::string>& kept, const std::string& wanted);

/// Adds what to do where a loader holds the state folder.
Error with_loader_advice(Error error);

/// The options' reject file, if there is one, without lines of epochs after `epoch`: they are cut
/// off before another epoch gets such a number.
///   Errors of RejectFile::open
Result<std::optional<connector::RejectFile>> open_reject_file(const LoaderOptions& options,
                                                              const std::string& pipeline,
                                                              std::uint64_t epoch);

}  // namespace leat::executor
