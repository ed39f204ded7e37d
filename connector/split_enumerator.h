// Finds the objects of a pipeline: lists a store, page by page, and keeps what its pattern matches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/glob.h"
#include "leat/object_store.h"

namespace leat::connector {

/// A page of candidates for splits.
struct EnumeratedPage {
  std::vector<ObjectVersion> objects;  ///< Match the pattern; in the order of the listing.
  bool sorted = true;  ///< Keys ascend strictly, within the page and since the page before.
  bool last = false;   ///< The sweep is complete: it showed every object.
  std::uint64_t unsettled = 0;                   ///< See ListPage.
  std::vector<std::string> unsettled_keys = {};  ///< See ListPage.
  std::vector<std::string> unreadable = {};      ///< See ListPage.
  std::uint64_t listed = 0;                      ///< Objects the store listed, matching or not.
};

/// Sweeps over a store as often as it is asked to; when to do so is its caller's matter. Used by
/// one thread. Borrows the store.
///
/// Keys that end in '/' are folder markers of other tools, never data. Empty objects are data.
class SplitEnumerator {
 public:
  ///   kInvalidArgument  The pattern; see Glob.
  static Result<SplitEnumerator> create(const ObjectStore& store, std::string_view pattern);

  /// Bytes that every matching key begins with.
  const std::string& literal_prefix() const noexcept { return glob_.literal_prefix(); }
  /// True when the pattern is the name of one object.
  bool names_one_object() const noexcept { return glob_.literal(); }

  /// Whether a complete listing shows an object of this key, if there is one.
  bool covers(std::string_view key) const { return !key.ends_with('/') && glob_.matches(key); }

  /// The next page is the first one of a new, complete listing.
  void begin_sweep();

  /// The next page of the sweep; after the last one, the first of another sweep. An empty page is
  /// not the end. After an error the sweep is over and incomplete: the next call begins another.
  ///   Errors of ObjectLister::next_page.
  Result<EnumeratedPage> next_page();

 private:
  SplitEnumerator(const ObjectStore& store, Glob glob) : store_(&store), glob_(std::move(glob)) {}

  const ObjectStore* store_;
  Glob glob_;
  std::unique_ptr<ObjectLister> lister_;
  std::string last_key_;
  bool first_key_ = true;
};

}  // namespace leat::connector
