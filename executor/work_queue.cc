#include "executor/work_queue.h"

#include <algorithm>
#include <utility>

namespace leat::executor {

WorkQueue::WorkQueue(const Clock& clock, std::size_t pending_max, std::optional<std::string> folder)
    : clock_(clock), pending_max_(pending_max), common_folder_(std::move(folder)) {}

std::string WorkQueue::folder_of(const std::string& key) const {
  if (!common_folder_) return {};
  const std::size_t begin = std::min(common_folder_->size(), key.size());
  const std::size_t end = key.find('/', begin);
  return end == std::string::npos ? std::string() : key.substr(begin, end - begin);
}

bool WorkQueue::has_room(const std::string& folder) const {
  if (queued_ >= pending_max_) return false;
  if (!common_folder_) return true;
  const auto queue = queues_.find(folder);
  return queue == queues_.end() ||
         queue->second.size() < std::max<std::size_t>(pending_max_ / 4, 1);
}

void WorkQueue::flag_taken(std::span<const ObjectVersion> page, std::vector<bool>& taken) const {
  const std::lock_guard lock(mutex_);
  taken.assign(page.size(), false);
  if (taken_.empty()) return;
  for (std::size_t i = 0; i < page.size(); ++i) taken[i] = taken_.contains(page[i].key);
}

bool WorkQueue::push(SplitAssignment assignment, std::stop_token stop) {
  const std::string folder = folder_of(assignment.object->key);
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return has_room(folder); })) return false;
  const ObjectVersion& object = *assignment.object;
  taken_.insert_or_assign(
      object.key, Taken{.queued = true, .bytes = object.size, .modified_ms = object.modified_ms});
  queues_[folder].push_back(std::move(assignment));
  ++queued_;
  changed_.notify_all();
  return true;
}

void WorkQueue::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  taken_.insert_or_assign(key, Taken{});
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
    if (queued_ != 0) {
      auto turn = queues_.upper_bound(last_folder_);
      if (turn == queues_.end()) turn = queues_.begin();
      last_folder_ = turn->first;
      SplitAssignment assignment = std::move(turn->second.front());
      turn->second.pop_front();
      if (turn->second.empty()) queues_.erase(turn);
      --queued_;
      changed_.notify_all();
      return assignment;
    }
    if (delayed_.empty() || delayed_are_watched_) {
      changed_.wait(lock, stop, [this] {
        return queued_ != 0 || (!delayed_.empty() && !delayed_are_watched_);
      });
    } else {
      // One waits for time to pass, and sees what is queued later than the others do.
      delayed_are_watched_ = true;
      lock.unlock();
      clock_.wait(std::chrono::milliseconds(100), stop);
      lock.lock();
      delayed_are_watched_ = false;
      changed_.notify_all();
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
  return queued_ + delayed_.size();
}

WorkQueue::Unsettled WorkQueue::unsettled() const {
  const std::lock_guard lock(mutex_);
  Unsettled unsettled;
  for (const auto& [key, taken] : taken_) {
    if (!taken.queued) continue;
    ++unsettled.objects;
    unsettled.bytes += taken.bytes;
    if (taken.modified_ms == 0) continue;  // A store that tells no time.
    if (unsettled.oldest_modified_ms == 0 || taken.modified_ms < unsettled.oldest_modified_ms) {
      unsettled.oldest_modified_ms = taken.modified_ms;
    }
  }
  return unsettled;
}

}  // namespace leat::executor
