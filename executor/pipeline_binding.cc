#include "executor/pipeline_binding.h"

#include <memory>
#include <utility>

#include "state/ledger.h"

namespace leat::executor {

std::string consumer_of(const LoaderOptions& options) {
  if (options.to == "-") return "standard output";
  return options.sink.table.empty() ? options.to : "table " + options.sink.table;
}

void settle_rejects(LoaderOptions& options) {
  const bool rejects = options.source.format.on_error != OnError::kFail;
  options.sink.keep_rejects = rejects && options.rejects_file.empty();
  options.sink.reject_refused = rejects;
}

Result<void> check_state_folder(const std::filesystem::path& dir) {
  Result<std::unique_ptr<state::Ledger>> there =
      state::Ledger::open({.dir = dir, .read_only = true});
  if (!there) return std::move(there).error();
  return {};
}

Result<void> check_bound(const std::filesystem::path& dir, std::string_view fact,
                         const std::optional<std::string>& kept, const std::string& wanted) {
  if (kept && (wanted.empty() || *kept == wanted)) return {};
  return Error{ErrorCode::kStateMismatch,
               "the state folder " + dir.string() +
                   (kept ? " belongs to the " + std::string(fact) + " \"" + *kept +
                               "\", not to \"" + wanted + "\"; give the flags of its load"
                         : " was never loaded with: there is nothing to look at or to repair")};
}

Error with_loader_advice(Error error) {
  if (error.code == ErrorCode::kAlreadyOpen) {
    error.message += " Stop the loader (it commits what it has), repeat this, and start it again.";
  }
  return error;
}

Result<std::optional<connector::RejectFile>> open_reject_file(const LoaderOptions& options,
                                                              const std::string& pipeline,
                                                              std::uint64_t epoch) {
  std::optional<connector::RejectFile> file;
  if (options.rejects_file.empty()) return file;
  Result<connector::RejectFile> opened =
      connector::RejectFile::open(options.rejects_file, pipeline, epoch);
  if (!opened) return std::move(opened).error();
  file.emplace(std::move(*opened));
  return file;
}

}  // namespace leat::executor
