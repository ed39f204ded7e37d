#include "tests/fault/fault_lottery.h"

#include "connector/s3/uri_encoding.h"
#include "tests/fault/http_message.h"

namespace leat::fault {

Draw& Draw::add(std::string_view text) {
  for (const char c : text) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  state_ = (state_ ^ 0xff) * 0x100000001b3;
  return *this;
}

std::size_t Draw::below(std::size_t end) {
  // SplitMix64.
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::size_t>((mixed ^ (mixed >> 31)) % end);
}

FaultLottery::FaultLottery(const std::vector<Fault>& faults, std::uint64_t seed,
                           std::size_t percent, const std::map<std::string, std::size_t>& sizes)
    : seed_(seed), percent_(percent), sizes_(sizes) {
  for (const Operation operation : {Operation::kList, Operation::kRead}) {
    for (const Fault& fault : faults) {
      const Fault::Expectation* expected = fault.expected(operation);
      // The order of a listing does not matter for who loads it.
      const bool survived = (expected != nullptr && expected->outcome == "ok") ||
                            (operation == Operation::kList && fault.name == "listing-unsorted");
      const bool of_a_request = !fault.refused && fault.times != 0;
      if (survived && of_a_request) survived_[operation].push_back(&fault);
    }
  }
}

const Fault* FaultLottery::draw(const SeenRequest& seen) {
  const Fault* fault = draw_for(seen);
  if (fault != nullptr) {
    happened_.push_back({seen.head.substr(0, seen.head.find("\r\n")), fault});
  }
  return fault;
}

const Fault* FaultLottery::draw_for(const SeenRequest& seen) {
  const auto survived = survived_.find(seen.operation);
  if (survived == survived_.end()) return nullptr;
  const std::string target = seen.target();
  const std::string range = HttpMessage{.head = seen.head, .body = {}}.header("Range").value_or("");
  const std::string request =
      std::to_string(static_cast<int>(seen.operation)) + " " + target + " " + range;
  Draw draw(seed_);
  draw.add(request).add(std::to_string(occurrences_[request]++));
  if (draw.below(100) >= percent_) return nullptr;
  const Fault* fault = survived->second[draw.below(survived->second.size())];
  // Those take a time that no clock can hurry.
  const bool slow = fault->end == Fault::End::kStall || fault->end == Fault::End::kDrip;
  if (slow && draw.below(8) != 0) return nullptr;
  if (fault->reused_only && seen.on_connection == 0) return nullptr;
  if (fault->name.starts_with("range-ignored") && !is_whole_object(target, range)) return nullptr;
  // Those that would be another fault if they came again: a circle.
  const bool went_there = seen.head.find("/eu-west-1/s3/") != seen.head.npos ||
                          target.find("continuation-token") != target.npos;
  if (went_there && (fault->name.starts_with("redirect") || fault->name == "listing-empty-page")) {
    return nullptr;
  }
  return fault;
}

bool FaultLottery::is_whole_object(const std::string& target, const std::string& range) const {
  const auto path = connector::s3::percent_decode(target, /*plus_is_space=*/false);
  const auto found = path ? sizes_.find(*path) : sizes_.end();
  return found != sizes_.end() && range == "bytes=0-" + std::to_string(found->second - 1);
}

}  // namespace leat::fault
