#include "executor/change_policy.h"

namespace leat::executor {
namespace {

using OnChange = SourceOptions::OnChange;
using Seen = Change::Seen;

ChangeStep step_for_listed(OnChange policy, const Change& change) noexcept {
  switch (policy) {
    case OnChange::kIgnore:
      return change.noted ? ChangeStep::kLeave : ChangeStep::kNote;
    case OnChange::kAppend:
      return change.noted ? ChangeStep::kLeave : ChangeStep::kGoOn;
    case OnChange::kFail:
      return ChangeStep::kFail;
    case OnChange::kReplace:
      return change.irreplaceable ? ChangeStep::kLeave : ChangeStep::kReplace;
  }
  return ChangeStep::kLeave;
}

ChangeStep step_while_reading(OnChange policy, const Change& change) noexcept {
  const bool holds = policy == OnChange::kAppend && change.grows;
  if (!change.durable && !(holds && change.got_on)) return ChangeStep::kStartOver;
  if (holds) return ChangeStep::kWaitForNext;
  if (policy == OnChange::kFail) return ChangeStep::kFail;
  return policy == OnChange::kReplace ? ChangeStep::kReplace : ChangeStep::kKeepRows;
}

}  // namespace

ChangeStep step_for(OnChange policy, const Change& change) noexcept {
  switch (change.seen) {
    case Seen::kListed:
      return step_for_listed(policy, change);
    case Seen::kWhileReading:
      return step_while_reading(policy, change);
    case Seen::kReplaceMissed:
      return ChangeStep::kWaitForNext;
    case Seen::kNotGrown:
    case Seen::kReplaceFailed:
      break;
  }
  return ChangeStep::kNote;
}

bool reads_for_going_on(OnChange policy) noexcept { return policy == OnChange::kAppend; }

}  // namespace leat::executor
