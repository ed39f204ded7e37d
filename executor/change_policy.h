// What becomes of an object that is met in another version than the one that is loaded, wholly or
// partly: the one place that decides by SourceOptions::on_change.
//
// seen                 | kIgnore    | kAppend      | kFail      | kReplace
// kListed              | kNote      | kGoOn        | kFail      | kReplace
//   noted              | kLeave     | kLeave       | kFail      | kReplace
//   irreplaceable      |            |              |            | kLeave
// kNotGrown            |            | kNote        |            |
// kWhileReading        | kStartOver | kStartOver   | kStartOver | kStartOver
//   durable            | kKeepRows  | kKeepRows    | kFail      | kReplace
//   durable and grows  |            | kWaitForNext |            |
//   got on and grows   |            | kWaitForNext |            |
// kReplaceMissed       |            |              |            | kWaitForNext
// kReplaceFailed       |            |              |            | kNote
// An indented line is for a flag of Change, and outranks those above it where it says anything.
//
//  - Nothing is doubled: rows of two versions are never side by side, but for those of an object
//    that grew. So all depends on whether rows are, or may be, in the sink.
//  - Of a version that is noted a user was told: under kIgnore and kAppend once is enough. kFail
//    fails again with each run, until somebody decides; kReplace may have failed in an earlier run
//    for a reason that is gone.
//  - Within a run, a version that could not be read in place of the former one cannot be later.
//  - What was not committed is taken back at no loss: reading starts over with the next version. An
//    object that grows faster than it is read would never come to its end that way: once it was
//    started over and got on, its rows are kept, since the next version begins with them.
#pragma once

#include <cstdint>

#include "leat/source.h"

namespace leat::executor {

/// How the change was met, and what is known of the object then.
struct Change {
  enum class Seen : std::uint8_t {
    kListed,         ///< Another version is listed than was loaded.
    kNotGrown,       ///< kGoOn was tried: the version listed does not go on where the former ended.
    kWhileReading,   ///< The version that is being read is no longer there.
    kReplaceMissed,  ///< kReplace was tried: the new version changed once more, or is gone.
    kReplaceFailed,  ///< kReplace was tried: the new version cannot be read.
  };
  Seen seen = Seen::kListed;
  bool noted = false;          ///< kListed: this version was noted in an earlier epoch.
  bool irreplaceable = false;  ///< kListed: this version has been through kReplaceFailed.
  bool grows = false;          ///< kWhileReading: what was read has a fingerprint.
  bool durable = false;        ///< kWhileReading: rows of it are, or may be, in the sink.
  bool got_on = false;         ///< kWhileReading: rows came, after it had been started over.
};

/// What is to be done.
enum class ChangeStep : std::uint8_t {
  kLeave,        ///< Nothing.
  kNote,         ///< Report it, and note the listed version: its rows are not loaded.
  kGoOn,         ///< Read on behind what is loaded, if the version listed begins with that.
  kReplace,      ///< The new version's rows take the place of the former ones; of a split that is
                 ///< being read, once it is stopped and the new version is listed.
  kFail,         ///< End the load; a split that is being read is stopped as with kKeepRows.
  kStartOver,    ///< Take back what was delivered; the version listed next is read from its start.
  kKeepRows,     ///< Report it, and stop the split: its rows stay, and no others are loaded.
  kWaitForNext,  ///< Leave it as it stands, for the version listed next to go on with.
};

ChangeStep step_for(SourceOptions::OnChange policy, const Change& change) noexcept;

/// Whether objects are read so that a later version can be gone on with: whole lines, of which a
/// fingerprint is kept.
bool reads_for_going_on(SourceOptions::OnChange policy) noexcept;

}  // namespace leat::executor
