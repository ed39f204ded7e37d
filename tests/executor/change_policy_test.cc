// The whole table of what becomes of an object that changed.

#include "executor/change_policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace leat::executor {
namespace {

using OnChange = SourceOptions::OnChange;
using Seen = Change::Seen;

constexpr OnChange kPolicies[] = {OnChange::kIgnore, OnChange::kReplace, OnChange::kFail,
                                  OnChange::kAppend};

/// Every combination of flags with which such a change may be met.
std::vector<Change> all(Seen seen) {
  std::vector<Change> changes;
  for (unsigned bits = 0; bits < 32; ++bits) {
    const Change change{.seen = seen,
                        .noted = (bits & 1) != 0,
                        .irreplaceable = (bits & 2) != 0,
                        .grows = (bits & 4) != 0,
                        .durable = (bits & 8) != 0,
                        .got_on = (bits & 16) != 0};
    changes.push_back(change);
  }
  return changes;
}

TEST(ChangePolicy, IgnoredAndGrowingObjectsAreDealtWithOnceForEachVersion) {
  for (const Change& listed : all(Seen::kListed)) {
    EXPECT_EQ(step_for(OnChange::kIgnore, listed),
              listed.noted ? ChangeStep::kLeave : ChangeStep::kNote);
    EXPECT_EQ(step_for(OnChange::kAppend, listed),
              listed.noted ? ChangeStep::kLeave : ChangeStep::kGoOn);
  }
}

TEST(ChangePolicy, AListedChangeFailsTheLoadAgainAndAgain) {
  for (const Change& listed : all(Seen::kListed)) {
    EXPECT_EQ(step_for(OnChange::kFail, listed), ChangeStep::kFail);
  }
}

TEST(ChangePolicy, AListedChangeIsReplacedUnlessThisRunFoundThatItCannotBe) {
  for (const Change& listed : all(Seen::kListed)) {
    EXPECT_EQ(step_for(OnChange::kReplace, listed),
              listed.irreplaceable ? ChangeStep::kLeave : ChangeStep::kReplace);
  }
}

TEST(ChangePolicy, WhatDidNotMerelyGrowIsNoted) {
  for (const Change& change : all(Seen::kNotGrown)) {
    EXPECT_EQ(step_for(OnChange::kAppend, change), ChangeStep::kNote);
  }
}

TEST(ChangePolicy, ReadingStartsOverWhereNothingIsDurable) {
  for (const OnChange policy : kPolicies) {
    for (const Change& change : all(Seen::kWhileReading)) {
      if (change.durable) continue;
      const bool gets_on = policy == OnChange::kAppend && change.grows && change.got_on;
      EXPECT_EQ(step_for(policy, change),
                gets_on ? ChangeStep::kWaitForNext : ChangeStep::kStartOver);
    }
  }
}

TEST(ChangePolicy, DurableRowsOfAVersionThatIsGoneAreKeptReplacedOrFailTheLoad) {
  for (const Change& change : all(Seen::kWhileReading)) {
    if (!change.durable) continue;
    EXPECT_EQ(step_for(OnChange::kIgnore, change), ChangeStep::kKeepRows);
    EXPECT_EQ(step_for(OnChange::kFail, change), ChangeStep::kFail);
    EXPECT_EQ(step_for(OnChange::kReplace, change), ChangeStep::kReplace);
    EXPECT_EQ(step_for(OnChange::kAppend, change),
              change.grows ? ChangeStep::kWaitForNext : ChangeStep::kKeepRows);
  }
}

TEST(ChangePolicy, AReplacementThatChangedOnceMoreWaitsForTheNextListing) {
  for (const Change& change : all(Seen::kReplaceMissed)) {
    EXPECT_EQ(step_for(OnChange::kReplace, change), ChangeStep::kWaitForNext);
  }
}

TEST(ChangePolicy, AReplacementThatCannotBeReadIsNoted) {
  for (const Change& change : all(Seen::kReplaceFailed)) {
    EXPECT_EQ(step_for(OnChange::kReplace, change), ChangeStep::kNote);
  }
}

TEST(ChangePolicy, OnlyObjectsThatMayGrowAreReadSoThatTheyCanBeGoneOnWith) {
  for (const OnChange policy : kPolicies) {
    EXPECT_EQ(reads_for_going_on(policy), policy == OnChange::kAppend);
  }
}

}  // namespace
}  // namespace leat::executor
