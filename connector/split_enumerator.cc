#include "connector/split_enumerator.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "connector/range_cut.h"

namespace leat::connector {
namespace {

// Page ends that are kept of one range. Beyond that every second one is dropped, so that
// remaining() moves the front on in larger steps. Odd: of one more, the last one is kept.
constexpr std::size_t kPageEndsMax = 1'023;

// Pages between two cuts: a shorter listing is never cut, and few requests go to wrong guesses.
constexpr std::size_t kPagesPerCut = 8;
// A range is not worth a request for a cut when fewer pages of it than this are likely left.
constexpr double kPagesWorthACut = 2;

std::size_t common_bytes(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

}  // namespace

Result<SplitEnumerator> SplitEnumerator::create(const ObjectStore& store,
                                                std::string_view pattern) {
  Result<Glob> glob = Glob::compile(pattern);
  if (!glob) return std::move(glob).error();
  return SplitEnumerator(store, *std::move(glob));
}

void SplitEnumerator::begin(std::vector<KeyRange> ranges, std::size_t parallel) {
  end();
  listings_.clear();
  for (const KeyRange& range : ranges) listings_.push_back({.range = range});
  ranges_ = std::move(ranges);
  parallel_ = parallel;
  begun_ = 0;
  pages_since_cut_ = 0;
  ordered_ = true;
  under_way_ = true;
}

void SplitEnumerator::divide(std::vector<KeyRange> ranges, std::size_t parallel) {
  if (!under_way_ || listings_.size() != 1 || !ordered_ || !listings_.front().last_key) return;
  const std::string last_key = *listings_.front().last_key;
  const KeyRange whole =
      std::exchange(listings_.front().range, {listings_.front().range.after, last_key + '\0'});
  listings_.front().ended = true;
  // A page of the only range is not asked for before it is wanted: none is lost.
  end();
  under_way_ = true;
  for (KeyRange& range : ranges) {
    range.after = std::max(range.after, last_key);
    if (!whole.until.empty() && (range.until.empty() || whole.until < range.until)) {
      range.until = whole.until;
    }
    if (range.until.empty() || range.after < range.until) {
      listings_.push_back({.range = std::move(range)});
    }
  }
  parallel_ = parallel;
  ranges_ = {{ranges_.front().after, last_key + '\0'}};
  for (std::size_t i = 1; i < listings_.size(); ++i) ranges_.push_back(listings_[i].range);
}

bool SplitEnumerator::covers(std::string_view key) const {
  const auto behind = std::partition_point(
      ranges_.begin(), ranges_.end(), [&](const KeyRange& range) { return range.after < key; });
  return behind != ranges_.begin() && std::prev(behind)->contains(key) && matches(key);
}

void SplitEnumerator::end() {
  under_way_ = false;
  in_turn_.clear();
  for (RangeListing& listing : listings_) {
    listing.page = {};
    listing.lister.reset();
  }
}

void SplitEnumerator::reuse(std::vector<ObjectVersion> objects) {
  if (reusable_.size() < parallel_) reusable_.push_back(std::move(objects));
}

void SplitEnumerator::ask_for_page(RangeListing& listing) {
  if (!reusable_.empty()) {
    listing.lister->reuse(std::move(reusable_.back()));
    reusable_.pop_back();
  }
  const auto ask = [ask = ask_, lister = listing.lister.get()]() -> Result<ListPage> {
    if (ask) {
      if (Result<void> may = ask(); !may) return std::move(may).error();
    }
    return lister->next_page();
  };
  if (parallel_ > 1 && listings_.size() > 1) {
    try {
      listing.page = std::async(std::launch::async, ask);
      return;
    } catch (const std::system_error&) {
      // No thread is to be had: it goes without.
    }
  }
  listing.page = std::async(std::launch::deferred, ask);
}

/// As many listings as may be under way at a time.
void SplitEnumerator::begin_listings() {
  for (; in_turn_.size() < parallel_ && begun_ < listings_.size(); ++begun_) {
    RangeListing& listing = listings_[begun_];
    listing.lister = store_->list(glob_.literal_prefix(), listing.range.after);
    ask_for_page(listing);
    in_turn_.push_back(begun_);
  }
}

Result<EnumeratedPage> SplitEnumerator::next_page() {
  if (!under_way_) begin_sweep();
  begin_listings();
  EnumeratedPage page;
  if (in_turn_.empty()) {  // There are no ranges at all.
    page.last = true;
    end();
    return page;
  }

  const std::size_t turn = in_turn_.front();
  in_turn_.pop_front();
  RangeListing& listing = listings_[turn];
  Result<ListPage> listed = listing.page.get();
  if (!listed) {
    end();
    return std::move(listed).error();
  }
  page = take_page(listing, *std::move(listed));
  ordered_ = ordered_ && page.sorted;
  if (page.listed > 0) {
    note_page_end(listing);
    note_way(listing);
  }
  ++pages_since_cut_;
  if (listing.ended) {
    listing.lister.reset();
  } else {
    ask_for_page(listing);
    in_turn_.push_back(turn);
  }
  cut_longest();
  page.last = in_turn_.empty() && begun_ == listings_.size();
  if (page.last) end();
  return page;
}

/// What of a page is in the range, and matches.
EnumeratedPage SplitEnumerator::take_page(RangeListing& listing, ListPage listed) const {
  EnumeratedPage page;
  page.unreadable = std::move(listed.unreadable);
  page.objects = std::move(listed.objects);
  const std::string& until = listing.range.until;
  listing.ended = listed.last;
  const std::string* before = listing.last_key ? &*listing.last_key : nullptr;
  for (const ObjectVersion& object : page.objects) {
    if (!until.empty() && object.key >= until) {
      listing.ended = true;
      break;
    }
    ++page.listed;
    // All keys count, so that a store without order is recognised by those left out as well.
    if (before != nullptr && object.key <= *before) page.sorted = false;
    before = &object.key;
  }
  listing.keys += page.listed;
  if (page.listed > 0) listing.last_key = *before;
  page.objects.resize(page.listed);
  std::erase_if(page.objects, [this](const ObjectVersion& object) { return !matches(object.key); });
  for (std::string& key : listed.unsettled_keys) {
    if (!until.empty() && key >= until) continue;
    if (!listing.first_unsettled) listing.first_unsettled = key;
    page.unsettled_keys.push_back(std::move(key));
  }
  page.unsettled = until.empty() ? listed.unsettled : page.unsettled_keys.size();
  return page;
}

/// Where the page ended; of a long listing only of every second page, every fourth, ….
void SplitEnumerator::note_page_end(RangeListing& listing) {
  std::deque<PageEnd>& ends = listing.page_ends;
  ends.push_back({.key = *listing.last_key, .keys = listing.keys});
  if (ends.size() <= kPageEndsMax) return;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ends.size(); i += 2) ends[kept++] = std::move(ends[i]);
  ends.resize(kept);
}

/// Moves the origin of guesses on, where the listing has come into another folder.
void SplitEnumerator::note_way(RangeListing& listing) {
  const std::string& at = *listing.last_key;
  if (listing.mark.empty()) listing.mark = at;
  if (listing.origin.empty()) {
    listing.origin = at;
    return;
  }
  ++listing.pages_since_origin;
  if (++listing.pages_since_mark < kPagesPerCut) return;
  // The mark and this key are in a folder that the origin is not in: keys before that folder tell
  // nothing about how long it is.
  const std::size_t alike = common_bytes(listing.mark, at);
  const std::size_t slash = at.rfind('/', alike == 0 ? 0 : alike - 1);
  if (slash != std::string::npos && slash < alike && slash >= common_bytes(listing.origin, at)) {
    listing.origin = std::move(listing.mark);
    listing.pages_since_origin = static_cast<double>(listing.pages_since_mark);
  }
  listing.mark = at;
  listing.pages_since_mark = 0;
}

/// Has two listings go on where one would, if more could be under way.
void SplitEnumerator::cut_longest() {
  if (!store_->lists_from_any_key() || !ordered_ || pages_since_cut_ < kPagesPerCut ||
      begun_ < listings_.size() || in_turn_.size() >= parallel_) {
    return;
  }
  std::optional<RangeCut> best;
  std::size_t longest = 0;
  double most_left = kPagesWorthACut;
  for (const std::size_t turn : in_turn_) {
    const RangeListing& listing = listings_[turn];
    if (listing.origin.empty()) continue;
    std::optional<RangeCut> cut = guess_cut(listing.origin, *listing.last_key, listing.range.until);
    if (!cut || listing.pages_since_origin * cut->left < most_left) continue;
    most_left = listing.pages_since_origin * cut->left;
    longest = turn;
    best = std::move(cut);
  }
  if (!best) return;
  pages_since_cut_ = 0;
  RangeListing& front = listings_[longest];
  RangeListing back{.range = {.after = best->key, .until = std::move(front.range.until)}};
  back.origin = front.origin;
  back.pages_since_origin = front.pages_since_origin * best->way;
  // The key itself may be that of an object: it is the front's.
  front.range.until = best->key + '\0';
  for (std::size_t& turn : in_turn_) turn += turn > longest ? 1 : 0;
  const std::size_t turn = longest + 1;
  const auto at =
      listings_.insert(listings_.begin() + static_cast<std::ptrdiff_t>(turn), std::move(back));
  ++begun_;
  at->lister = store_->list(glob_.literal_prefix(), at->range.after);
  ask_for_page(*at);
  in_turn_.push_back(turn);
}

std::vector<KeyRange> SplitEnumerator::remaining(const LowestOpen& lowest_open,
                                                 std::uint64_t late_keys) {
  if (!ordered_) return ranges_;
  std::vector<KeyRange> left;
  std::uint64_t higher_keys = 0;  // Listed in the ranges behind.
  for (auto listing = listings_.rbegin(); listing != listings_.rend(); ++listing) {
    KeyRange& range = listing->range;
    std::optional<std::string> lowest = lowest_open(range);
    if (listing->first_unsettled && (!lowest || *listing->first_unsettled < *lowest)) {
      lowest = listing->first_unsettled;
    }
    std::deque<PageEnd>& ends = listing->page_ends;
    while (!ends.empty() && (!lowest || ends.front().key < *lowest) &&
           higher_keys + listing->keys - ends.front().keys >= late_keys) {
      range.after = std::move(ends.front().key);
      ends.pop_front();
    }
    const bool done = listing->ended && !lowest && higher_keys >= late_keys && !range.until.empty();
    higher_keys += listing->keys;
    if (done) continue;
    if (!left.empty() && left.back().after == range.until && !range.until.empty()) {
      left.back().after = range.after;
    } else {
      left.push_back(range);
    }
  }
  std::reverse(left.begin(), left.end());
  return left;
}

}  // namespace leat::connector
