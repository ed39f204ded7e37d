#include "connector/split_enumerator.h"

#include <utility>

namespace leat::connector {

Result<SplitEnumerator> SplitEnumerator::create(const ObjectStore& store,
                                                std::string_view pattern) {
  Result<Glob> glob = Glob::compile(pattern);
  if (!glob) return std::move(glob).error();
  return SplitEnumerator(store, *std::move(glob));
}

void SplitEnumerator::begin_sweep() {
  lister_ = store_->list(glob_.literal_prefix());
  last_key_.clear();
  first_key_ = true;
}

Result<EnumeratedPage> SplitEnumerator::next_page() {
  if (lister_ == nullptr) begin_sweep();
  Result<ListPage> listed = lister_->next_page();
  if (!listed) {
    lister_.reset();
    return std::move(listed).error();
  }

  EnumeratedPage page;
  page.last = listed->last;
  page.unsettled = listed->unsettled;
  page.unsettled_keys = std::move(listed->unsettled_keys);
  page.unreadable = std::move(listed->unreadable);
  page.listed = listed->objects.size();
  for (ObjectVersion& object : listed->objects) {
    // All keys count, so that a store without order is recognised by those left out as well.
    if (!std::exchange(first_key_, false) && object.key <= last_key_) page.sorted = false;
    last_key_ = object.key;
    if (covers(object.key)) page.objects.push_back(std::move(object));
  }
  if (page.last) lister_.reset();
  return page;
}

}  // namespace leat::connector
