// Walks folders in the byte order of the full paths of their files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "connector/local/local_store.h"
#include "leat/object_store.h"

namespace leat::connector {

/// Holds the names of one folder per level of depth, never more. See LocalStore for what is listed.
/// A folder that goes away meanwhile is empty. Borrows clock and counters.
class LocalLister final : public ObjectLister {
 public:
  static constexpr std::size_t kPageObjectsMax = 1'000;

  /// @param one_level  Folders are listed, not entered: see ObjectStore::list_level.
  LocalLister(std::string_view prefix, std::string_view start_after, std::uint32_t settle_ms,
              const Clock& clock, LocalStore::Counters& counters, bool one_level = false);

  /// After an error, the next call begins the listing anew.
  Result<ListPage> next_page() override;

 private:
  struct Folder {
    std::string path;                // With '/' at its end.
    std::vector<std::string> names;  // In order; folders with '/' at their end.
    std::size_t next = 0;
  };

  Result<ListPage> read_page();
  Result<void> enter(std::string path, bool is_root);
  /// Whether a file of this path, or one below this folder ('/' at its end), can be part.
  bool can_match(std::string_view path) const;

  const std::string prefix_;
  const std::string start_after_;
  const std::uint32_t settle_ms_;
  const bool one_level_;
  const Clock& clock_;
  LocalStore::Counters& counters_;
  bool started_ = false;
  std::vector<Folder> folders_;  // From the root to where the walk is.
};

}  // namespace leat::connector
