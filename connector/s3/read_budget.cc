#include "connector/s3/read_budget.h"

#include <algorithm>

namespace leat::connector::s3 {

ReadBudget::Part::Part(ReadBudget& budget) : budget_(budget) {
  const std::lock_guard lock(budget_.mutex_);
  ++budget_.readers_;
}

ReadBudget::Part::~Part() {
  const std::lock_guard lock(budget_.mutex_);
  --budget_.readers_;
  budget_.held_ -= held_;
}

std::uint64_t ReadBudget::Part::take(std::uint64_t wanted) {
  const std::lock_guard lock(budget_.mutex_);
  const std::uint64_t max = budget_.bytes_max_;
  const std::uint64_t share = max / budget_.readers_;
  const std::uint64_t share_left = share > held_ ? share - held_ : 0;
  const std::uint64_t total_left = max > budget_.held_ ? max - budget_.held_ : 0;
  // Half a share at most: while one half is handed out, the other one is on its way.
  std::uint64_t granted = std::min(wanted, std::max(share / 2, kLittleBytes));
  const bool fits = granted <= share_left && granted <= total_left;
  if (!fits && held_ != 0) return 0;
  if (!fits) granted = std::min(granted, kLittleBytes);
  held_ += granted;
  budget_.held_ += granted;
  return granted;
}

void ReadBudget::Part::give(std::uint64_t bytes) {
  const std::lock_guard lock(budget_.mutex_);
  held_ -= bytes;
  budget_.held_ -= bytes;
}

bool ReadBudget::Part::is_alone() const {
  const std::lock_guard lock(budget_.mutex_);
  return budget_.readers_ == 1;
}

std::uint64_t ReadBudget::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

}  // namespace leat::connector::s3
