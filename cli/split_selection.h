// The flags that choose splits: by key, by state, by when they were changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "executor/split_filter.h"
#include "leat/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace leat::cli {

/// A moment: "2026-11-20T08:00:00Z", "2026-11-20", Unix time in ms, or how long ago: "90min", "2h".
/// @return  Unix time in ms.
///   kInvalidArgument
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_ms);

class SelectionFlags {
 public:
  /// --key
  void add_key(CLI::App& app);
  /// --to-epoch, --since
  void add_history(CLI::App& app);
  /// --only
  void add_state(CLI::App& app);

  /// `state_dir` tells which store the keys are of: paths of local files may be relative.
  ///   kInvalidArgument; as LedgerReader::open
  Result<executor::SplitFilter> filter(const std::filesystem::path& state_dir) const;

 private:
  std::string key_;
  std::string since_;
  std::string only_;
  std::uint64_t to_epoch_ = 0;
  CLI::Option* epoch_given_ = nullptr;
};

}  // namespace leat::cli
