// Finds the objects of a pipeline: lists a store, page by page, and keeps what its pattern matches.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/folder_walk.h"
#include "connector/glob.h"
#include "connector/key_range.h"
#include "leat/object_store.h"

namespace leat::connector {

/// A page of candidates for splits.
struct EnumeratedPage {
  std::vector<ObjectVersion> objects;  ///< Match the pattern; in the order of the listing.
  bool sorted = true;  ///< Keys ascend strictly, within the page and since its range's page before.
  bool last = false;   ///< The listing is complete: it showed every object of its ranges.
  std::uint64_t unsettled = 0;                   ///< See ListPage.
  std::vector<std::string> unsettled_keys = {};  ///< See ListPage.
  std::vector<std::string> unreadable = {};      ///< See ListPage.
  std::uint64_t listed = 0;                      ///< Objects the store listed, matching or not.
};

/// Lists a store as often as it is asked to; when to do so, and which keys, is its caller's matter.
/// Used by one thread. Borrows the store.
///
/// Keys that end in '/' are folder markers of other tools, never data. Empty objects are data.
///
/// Several ranges can be listed at a time. Their pages come in turn, one of each, whatever the
/// order in which the store answers: no range waits for another to end, and one page of each is
/// held. When there are fewer left than could be listed at a time, the one of which most is likely
/// left is cut in two (range_cut.h), if the store lists from any key: at most once in eight pages,
/// which bounds what wrong guesses cost.
class SplitEnumerator {
 public:
  ///   kInvalidArgument  The pattern; see Glob.
  static Result<SplitEnumerator> create(const ObjectStore& store, std::string_view pattern);

  /// Bytes that every matching key begins with.
  const std::string& literal_prefix() const noexcept { return glob_.literal_prefix(); }
  /// True when the pattern is the name of one object.
  bool names_one_object() const noexcept { return glob_.literal(); }

  /// Whether the listing that was begun last, when complete, shows an object of this key, if there
  /// is one.
  bool covers(std::string_view key) const;

  /// Asked before each request for a page, on the thread that makes it; an error ends the listing.
  void ask_before_requests(std::function<Result<void>()> ask) { ask_ = std::move(ask); }

  /// The next page is the first one of a new listing of these ranges: in ascending order, apart.
  /// One that is not the whole needs a store that lists in byte order.
  ///
  /// @param parallel  So many ranges are listed at a time, each by a thread of its own.
  void begin(std::vector<KeyRange> ranges, std::size_t parallel = 1);
  void begin_sweep() { begin({KeyRange()}); }

  /// The next page of the listing; after the last one, the first of a sweep. An empty page is not
  /// the end. After an error the listing is over and incomplete: the next call begins a sweep.
  ///   Errors of ObjectLister::next_page.
  Result<EnumeratedPage> next_page();
  /// See ObjectLister::reuse.
  void reuse(std::vector<ObjectVersion> objects);

  /// What is left of the only range under way becomes ranges of their own: those parts of `ranges`
  /// (in ascending order, apart) that were not listed yet. Does nothing where there are several.
  void divide(std::vector<KeyRange> ranges, std::size_t parallel);

  /// See walk_folders(): of this store, from literal_prefix() on.
  Result<FolderWalk> walk(const std::function<FolderVerdict(std::string_view folder)>& verdict,
                          std::size_t pages_max) const {
    return walk_folders(*store_, literal_prefix(), verdict, pages_max, ask_);
  }
  const Glob& glob() const noexcept { return glob_; }

  /// Ranges of which a page is under way.
  std::size_t under_way() const noexcept { return in_turn_.size(); }

  /// Ends the listing, and waits for the requests under way.
  void end();

  /// The lowest key of a range that was handed out and is not settled; none: all of them are.
  using LowestOpen = std::function<std::optional<std::string>(const KeyRange& range)>;

  /// What a listing that is to go on where this one stands has to list: a range's keys up to the
  /// last page whose keys are settled are left out. Files that were still being written are not
  /// settled. The listing may be under way, over, or have failed.
  ///
  /// @param late_keys  So many of the highest keys that were listed are listed again: others may
  ///                   have come to stand between them.
  std::vector<KeyRange> remaining(const LowestOpen& lowest_open, std::uint64_t late_keys = 0);

 private:
  struct PageEnd {
    std::string key;
    std::uint64_t keys = 0;  ///< Of the range, up to here.
  };
  struct RangeListing {
    KeyRange range;  ///< Its front moves on with remaining().
    std::unique_ptr<ObjectLister> lister = {};
    std::future<Result<ListPage>> page = {};  ///< Uses the lister, so it goes first.
    bool ended = false;
    std::optional<std::string> last_key = {};
    std::uint64_t keys = 0;
    std::deque<PageEnd> page_ends = {};
    std::optional<std::string> first_unsettled = {};
    /// Where guess_cut() measures from: the key since which all keys are of one folder, as far as
    /// is known. Empty: none was listed yet.
    std::string origin = {};
    /// Of a range that was cut off another one, those before its first page are estimated.
    double pages_since_origin = 0;
    /// A key within the last kPagesPerCut pages: the next origin, if the folder changes.
    std::string mark = {};
    std::size_t pages_since_mark = 0;
  };

  SplitEnumerator(const ObjectStore& store, Glob glob) : store_(&store), glob_(std::move(glob)) {}
  bool matches(std::string_view key) const { return !key.ends_with('/') && glob_.matches(key); }
  void begin_listings();
  void ask_for_page(RangeListing& listing);
  EnumeratedPage take_page(RangeListing& listing, ListPage listed) const;
  static void note_page_end(RangeListing& listing);
  static void note_way(RangeListing& listing);
  void cut_longest();

  const ObjectStore* store_;
  Glob glob_;
  std::function<Result<void>()> ask_;
  std::vector<KeyRange> ranges_{{}};  ///< As asked for.
  std::vector<RangeListing> listings_;
  std::vector<std::vector<ObjectVersion>> reusable_;
  std::size_t parallel_ = 1;
  std::size_t begun_ = 0;            ///< So many of listings_, from the front.
  std::deque<std::size_t> in_turn_;  ///< Those under way; the next page is the first one's.
  std::size_t pages_since_cut_ = 0;
  bool under_way_ = false;
  bool ordered_ = true;
};

}  // namespace leat::connector
