// Which request meets which fault, drawn at random and yet the same each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/fault.h"
#include "tests/fault/fault_proxy.h"

namespace leat::fault {

/// Numbers that follow from what they are drawn for alone, not from the order of the draws.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) { add(std::to_string(seed)); }
  Draw& add(std::string_view text);
  /// In [0, end); each call is another draw.
  std::size_t below(std::size_t end);

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

/// Draws from those faults of list and read that leat has to survive. Used by one thread at a time,
/// which FaultProxy sees to.
class FaultLottery {
 public:
  /// @param faults   Borrowed.
  /// @param percent  Of the requests.
  /// @param sizes    Of the objects, by "/bucket/key": some faults are survived only by requests of
  ///                 a whole object. Borrowed.
  FaultLottery(const std::vector<Fault>& faults, std::uint64_t seed, std::size_t percent,
               const std::map<std::string, std::size_t>& sizes);

  /// By operation, path, range, and how often the same was asked before. nullptr: none.
  const Fault* draw(const SeenRequest& seen);

  struct Happened {
    std::string request;
    const Fault* fault = nullptr;
  };
  const std::vector<Happened>& happened() const { return happened_; }

 private:
  const Fault* draw_for(const SeenRequest& seen);
  bool is_whole_object(const std::string& target, const std::string& range) const;

  const std::uint64_t seed_;
  const std::size_t percent_;
  const std::map<std::string, std::size_t>& sizes_;
  std::map<Operation, std::vector<const Fault*>> survived_;
  std::map<std::string, int> occurrences_;
  std::vector<Happened> happened_;
};

}  // namespace leat::fault
