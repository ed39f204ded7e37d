// The oldest objects of a listing, in order, in bounded memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "leat/split.h"

namespace leat::executor {

/// Of all objects that are offered, keeps those that were modified first, at most `objects_max`;
/// where times are equal, keys decide. Used by one thread.
class OldestObjects {
 public:
  explicit OldestObjects(std::size_t objects_max) : objects_max_(objects_max) {}

  void offer(std::shared_ptr<const ObjectVersion> object) {
    objects_.push_back(std::move(object));
    std::push_heap(objects_.begin(), objects_.end(), before);
    if (objects_.size() <= objects_max_) return;
    std::pop_heap(objects_.begin(), objects_.end(), before);
    objects_.pop_back();
    left_out_ = true;
  }

  struct Taken {
    std::vector<std::shared_ptr<const ObjectVersion>> objects;  ///< The oldest first.
    bool left_out = false;  ///< Later ones were offered, too: another listing shows them.
  };
  /// Empties it.
  Taken take() {
    std::sort_heap(objects_.begin(), objects_.end(), before);
    return {std::exchange(objects_, {}), std::exchange(left_out_, false)};
  }

 private:
  static bool before(const std::shared_ptr<const ObjectVersion>& a,
                     const std::shared_ptr<const ObjectVersion>& b) {
    return std::tie(a->modified_ms, a->key) < std::tie(b->modified_ms, b->key);
  }

  const std::size_t objects_max_;
  std::vector<std::shared_ptr<const ObjectVersion>> objects_;  ///< A heap, the youngest in front.
  bool left_out_ = false;
};

}  // namespace leat::executor
