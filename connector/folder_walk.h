// Looks at folders before a listing: which of them need not be listed, and where it can be cut.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/key_range.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector {

enum class FolderVerdict {
  kSkip,        ///< Nothing in it is wanted.
  kKeep,        ///< It is listed.
  kLookInside,  ///< Some of the folders in it may be of another kind.
};

/// What a walk saw.
struct FolderWalk {
  /// An object, or a folder that stands for all that is in it.
  struct Item {
    std::string key;
    bool skipped = false;
  };
  std::vector<Item> items;           ///< In byte order; of objects in a row the outer ones.
  std::vector<std::string> folders;  ///< Those that are not skipped, in byte order.

  /// The parts of `range` that hold what is not skipped, apart and in order. Between folders that
  /// are skipped one after the other nothing was seen, so there is no part.
  std::vector<KeyRange> kept(const KeyRange& range) const;
};

/// Walks from `prefix` on, level by level.
///
/// @param pages_max  So many requests at most. What was not seen by then is kept: the result is
///                   never wrong, only larger. A level that is made of objects is left at once.
/// @param ask        Asked before each request; an error ends the walk. May be empty.
///   Errors of ObjectLister::next_page. Folders that are gone or may not be read are kept.
Result<FolderWalk> walk_folders(
    const ObjectStore& store, const std::string& prefix,
    const std::function<FolderVerdict(std::string_view folder)>& verdict, std::size_t pages_max,
    const std::function<Result<void>()>& ask);

/// Cuts ranges at folders into about `parts` parts of as many folders each.
std::vector<KeyRange> cut_at_folders(const std::vector<KeyRange>& ranges, const FolderWalk& walk,
                                     std::size_t parts);

}  // namespace leat::connector
