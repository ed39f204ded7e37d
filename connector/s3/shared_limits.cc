#include "connector/s3/shared_limits.h"

#include <map>
#include <mutex>

namespace leat::connector::s3 {
namespace {

/// Things that are kept by those who use them. Thread-safe.
template <class Shared>
class Registry {
 public:
  using Name = std::pair<std::string, const Clock*>;

  template <class Make>
  std::shared_ptr<Shared> get(const Name& name, Make make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Shared>& known = known_[name];
    std::shared_ptr<Shared> shared = known.lock();
    if (shared == nullptr) known = shared = make();
    return shared;
  }

 private:
  std::mutex mutex_;
  std::map<Name, std::weak_ptr<Shared>> known_;
};

}  // namespace

std::shared_ptr<SharedLimits> shared_limits(const std::string& endpoint, const std::string& bucket,
                                            const Clock& clock) {
  // Never destroyed: a store in a static variable of the program may outlive them.
  static auto& rates = *new Registry<SendRate>();
  static auto& budgets = *new Registry<RetryBudget>();
  return std::make_shared<SharedLimits>(
      rates.get({endpoint, &clock}, [&] { return std::make_shared<SendRate>(clock); }),
      budgets.get({endpoint + "/" + bucket, &clock},
                  [] { return std::make_shared<RetryBudget>(); }));
}

}  // namespace leat::connector::s3
