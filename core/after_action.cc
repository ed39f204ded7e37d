#include "leat/after_action.h"

namespace leat {

Result<AfterAction> parse_after_action(std::string_view text) {
  using Kind = AfterAction::Kind;
  if (text == "keep") return AfterAction{};
  if (text == "delete") return AfterAction{.kind = Kind::kDelete};
  const std::size_t colon = text.find(':');
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (text.starts_with("move:") && !rest.empty()) {
    return AfterAction{.kind = Kind::kMove, .name = std::string(rest)};
  }
  const std::size_t equals = rest.find('=');
  if (text.starts_with("tag:") && equals != std::string_view::npos && equals > 0) {
    return AfterAction{.kind = Kind::kTag,
                       .name = std::string(rest.substr(0, equals)),
                       .value = std::string(rest.substr(equals + 1))};
  }
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) +
                   "\" is no after-action: write keep, delete, move:PREFIX, or tag:NAME=VALUE"};
}

}  // namespace leat
