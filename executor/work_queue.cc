#include "executor/work_queue.h"

#include <algorithm>
#include <utility>

namespace leat::executor {

WorkQueue::WorkQueue(const Clock& clock, std::size_t pending_max)
    : clock_(clock), pending_max_(pending_max) {}

void WorkQueue::flag_taken(std::span<const ObjectVersion> page, std::vector<bool>& taken) const {
  const std::lock_guard lock(mutex_);
  taken.assign(page.size(), false);
  if (taken_.empty()) return;
  for (std::size_t i = 0; i < page.size(); ++i) taken[i] = taken_.contains(page[i].key);
}

bool WorkQueue::push(SplitAssignment assignment, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return queue_.size() < pending_max_; })) return false;
  taken_.insert_or_assign(assignment.object->key, assignment.object->modified_ms);
  queue_.push_back(std::move(assignment));
  changed_.notify_all();
  return true;
}

void WorkQueue::take(const ObjectVersion& object) {
  const std::lock_guard lock(mutex_);
  taken_.insert_or_assign(object.key, object.modified_ms);
}

void WorkQueue::hold(const std::string& key) {
  const std::lock_guard lock(mutex_);
  taken_.insert_or_assign(key, 0);
}

void WorkQueue::push_again(SplitAssignment assignment) {
  const std::lock_guard lock(mutex_);
  delayed_.push_back(std::move(assignment));
  changed_.notify_all();
}

std::optional<SplitAssignment> WorkQueue::pop(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Delayed splits are few (each one failed), so a scan is the simplest queue that does.
    const auto now = clock_.monotonic();
    const auto due = std::find_if(delayed_.begin(), delayed_.end(), [now](const auto& assignment) {
      return assignment.not_before <= now;
    });
    if (due != delayed_.end()) {
      SplitAssignment assignment = std::move(*due);
      delayed_.erase(due);
      return assignment;
    }
    if (!queue_.empty()) {
      SplitAssignment assignment = std::move(queue_.front());
      queue_.pop_front();
      changed_.notify_all();
      return assignment;
    }
    if (delayed_.empty()) {
      changed_.wait(lock, stop, [this] { return !queue_.empty() || !delayed_.empty(); });
    } else {
      lock.unlock();
      clock_.wait(std::chrono::milliseconds(100), stop);
      lock.lock();
    }
  }
  return std::nullopt;
}

void WorkQueue::release(const std::string& key) {
  const std::lock_guard lock(mutex_);
  taken_.erase(key);
}

void WorkQueue::release_to_list_again(const std::string& key) {
  const std::lock_guard lock(mutex_);
  taken_.erase(key);
  to_list_again_.insert(key);
}

std::optional<std::string> WorkQueue::lowest_open(std::string_view after,
                                                  std::string_view until) const {
  const std::lock_guard lock(mutex_);
  const std::string* lowest = nullptr;
  const auto consider = [&](const std::string& key) {
    if (key <= after || (!until.empty() && key >= until)) return;
    if (lowest == nullptr || key < *lowest) lowest = &key;
  };
  for (const auto& [key, modified] : taken_) consider(key);
  for (const std::string& key : to_list_again_) consider(key);
  return lowest != nullptr ? std::optional(*lowest) : std::nullopt;
}

std::set<std::string> WorkQueue::take_to_list_again() {
  const std::lock_guard lock(mutex_);
  return std::exchange(to_list_again_, {});
}

std::size_t WorkQueue::pending() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + delayed_.size();
}

std::int64_t WorkQueue::oldest_taken_modified_ms() const {
  const std::lock_guard lock(mutex_);
  std::int64_t oldest = 0;
  for (const auto& [key, modified] : taken_) {
    if (modified != 0 && (oldest == 0 || modified < oldest)) oldest = modified;
  }
  return oldest;
}

}  // namespace leat::executor
