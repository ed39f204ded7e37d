// The commands that look at and mend what a pipeline has done, as an operator meets them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/command_test.h"
#include "tests/support/sqlite_session.h"

namespace leat::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RepairTest : public CommandTest {
 protected:
  const std::string pipeline_ =
      " --from 'in/*.csv' --to sqlite:rows.db --table t --state st --schema 'id bigint, name text' "
      "--lineage --settle 0 ";
  const std::string load_ = "load --once --log-level error" + pipeline_;

  std::vector<std::string> rows(const std::string& sql) const {
    return testing::SqliteSession(path("rows.db")).rows(sql);
  }
  std::vector<std::string> ids() const { return rows("SELECT id FROM t ORDER BY id"); }

  /// Another file takes the place of `name`.
  void replace(const std::string& name, const std::string& text) {
    put("next", text);
    fs::rename(path("next"), path(name));
  }
  void expect_status(const Outcome& outcome, int status) {
    EXPECT_EQ(outcome.status, status) << outcome.out << outcome.err;
  }
  static json last_line(const std::string& text) {
    const std::size_t begin = text.rfind('\n', text.size() - 2);
    return json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1));
  }
};

TEST_F(RepairTest, AuditFindsNoDifferenceAfterALoad) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  const Outcome audit = leat("audit" + pipeline_);
  expect_status(audit, 0);
  EXPECT_THAT(audit.out, HasSubstr("2 objects listed, 2 known, 2 finished; 3 rows"));
  EXPECT_THAT(audit.out, HasSubstr("no difference"));
  const json report = last_line(leat("audit --json" + pipeline_).out);
  EXPECT_EQ(report["rows_counted"], 3);
  EXPECT_EQ(report["differences"], 0);
}

// Its rows are of two versions, and are one object's all the same.
TEST_F(RepairTest, AnObjectThatHasGrownIsAuditedReplayedAndRewoundAsOne) {
  const std::string load = load_ + "--on-error reject --on-change append";
  put("in/a.csv", "id,name\n1,a\nx,bad\n2,b\n3,");
  expect_status(leat(load), 0);
  put("in/a.csv", "id,name\n1,a\nx,bad\n2,b\n3,c\ny,bad\n4,d\n5");
  expect_status(leat(load), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(rows("SELECT count(DISTINCT _version) FROM t"), ElementsAre("2"));
  EXPECT_THAT(rows("SELECT record FROM leat_reject ORDER BY record"), ElementsAre("2", "5"));
  const Outcome audit = leat("audit" + pipeline_);
  expect_status(audit, 0);
  EXPECT_THAT(audit.out, HasSubstr("no difference"));

  expect_status(leat("replay --key in/a.csv --on-error reject" + pipeline_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(rows("SELECT record FROM leat_reject ORDER BY record"), ElementsAre("2", "5"));
  expect_status(leat("audit" + pipeline_), 0);
  put("in/a.csv", "id,name\n1,a\nx,bad\n2,b\n3,c\ny,bad\n4,d\n5,e\n");
  expect_status(leat(load), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4", "5"));

  expect_status(leat("rewind --all" + pipeline_), 0);
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_THAT(rows("SELECT record FROM leat_reject"), IsEmpty());
  expect_status(leat(load), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(RepairTest, AuditNamesEachKindOfDifference) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    put(std::string("in/") + name + ".csv", "id,name\n1,x\n2,y\n");
  }
  put("in/q.csv", "id,name\n7,x\nnot a number,y\n");
  expect_status(leat(load_), 3);
  put("in/late.csv", "id,name\n9,z\n");
  replace("in/b.csv", "id,name\n1,x\n2,y\n3,z\n");
  fs::remove(path("in/c.csv"));
  rows("DELETE FROM t WHERE _object LIKE '%/a.csv' AND id = 1");
  rows("INSERT INTO t SELECT * FROM t WHERE _object LIKE '%/d.csv' AND id = 2");
  rows(
      "INSERT INTO t SELECT id, name, _object, 'other', _offset, _record FROM t WHERE _object LIKE "
      "'%/e.csv' AND id = 2");
  const Outcome audit = leat("audit --json" + pipeline_);
  expect_status(audit, 1);
  std::vector<std::string> findings;
  std::istringstream lines(audit.out);
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    if (!one.contains("finding")) continue;
    findings.push_back(one["finding"].get<std::string>() + " " +
                       fs::path(one["key"].get<std::string>()).filename().string());
  }
  EXPECT_THAT(findings, ElementsAre("rows_missing a.csv", "changed b.csv", "unlisted c.csv",
                                    "rows_doubled d.csv", "rows_unknown e.csv", "missing late.csv",
                                    "quarantined q.csv"));
  EXPECT_EQ(last_line(audit.out)["differences"], 6);
}

TEST_F(RepairTest, AuditSeesALedgerAndATableThatDisagree) {
  put("in/a.csv", "id,name\n1,a\n");
  put("in/b.csv", "id,name\n2,b\n");
  expect_status(leat(load_), 0);
  rows("DELETE FROM leat_split WHERE CAST(key AS TEXT) LIKE '%/a.csv'");
  const Outcome audit = leat("audit" + pipeline_);
  expect_status(audit, 1);
  EXPECT_THAT(audit.out, HasSubstr("record_differs"));
  EXPECT_THAT(audit.out, HasSubstr("the sink has no record of it"));
}

TEST_F(RepairTest, RewindByKeyTakesRowsOutAndTheNextLoadBringsThemBack) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  const Outcome dry = leat("rewind --dry-run --key 'in/a.csv'" + pipeline_);
  expect_status(dry, 0);
  EXPECT_THAT(dry.out, HasSubstr("would forget"));
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
  const Outcome rewind = leat("rewind --key 'in/a.csv'" + pipeline_);
  expect_status(rewind, 0);
  EXPECT_THAT(rewind.out, HasSubstr("1 object forgotten, 2 rows taken out of the table"));
  EXPECT_THAT(ids(), ElementsAre("3"));
  EXPECT_THAT(leat("ls --state st").out, Not(HasSubstr("a.csv")));
  EXPECT_THAT(leat("audit" + pipeline_).out, HasSubstr("1 missing"));
  expect_status(leat(load_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
  expect_status(leat("audit" + pipeline_), 0);
}

TEST_F(RepairTest, RewindToAnEpochForgetsWhatCameAfterIt) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  put("in/b.csv", "id,name\n2,b\n");
  expect_status(leat(load_), 0);
  const Outcome rewind = leat("rewind --json --to-epoch 1" + pipeline_);
  expect_status(rewind, 0);
  EXPECT_EQ(last_line(rewind.out)["objects"], 1);
  EXPECT_EQ(last_line(rewind.out)["rows_removed"], 1);
  EXPECT_THAT(ids(), ElementsAre("1"));
  expect_status(leat("rewind --since 1h" + pipeline_), 0);
  EXPECT_THAT(ids(), IsEmpty());
  expect_status(leat(load_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
}

TEST_F(RepairTest, RewindSurvivesALostStateFolder) {
  put("in/a.csv", "id,name\n1,a\n");
  put("in/b.csv", "id,name\n2,b\n");
  expect_status(leat(load_), 0);
  expect_status(leat("rewind --key in/a.csv" + pipeline_), 0);
  fs::remove_all(path("st"));
  expect_status(leat(load_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
}

TEST_F(RepairTest, RewindWithoutLineageIsRefusedUnlessRowsAreKept) {
  const std::string bare =
      " --from 'in/*.csv' --to sqlite:rows.db --table t --state st --schema 'id bigint, name text' "
      "--settle 0 ";
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat("load --once" + bare), 0);
  const Outcome refused = leat("rewind --all" + bare);
  expect_status(refused, 1);
  EXPECT_THAT(refused.err, HasSubstr("--rows keep"));
  EXPECT_THAT(leat("ls --state st").out, HasSubstr("a.csv"));
  rows("DELETE FROM t");
  expect_status(leat("rewind --all --rows keep" + bare), 0);
  expect_status(leat("load --once" + bare), 0);
  EXPECT_THAT(ids(), ElementsAre("1"));
}

TEST_F(RepairTest, RetryLetsTheNextLoadTakeQuarantinedObjectsUp) {
  put("in/a.csv", "id,name\n1,a\nx,b\n3,c\n");
  expect_status(leat(load_), 3);
  EXPECT_THAT(ids(), ElementsAre("1"));
  EXPECT_THAT(leat("retry --dry-run" + pipeline_).out, HasSubstr("would retry"));
  EXPECT_THAT(leat("ls --state st --only quarantined").out, HasSubstr("a.csv"));
  expect_status(leat("retry" + pipeline_), 0);
  EXPECT_THAT(leat("ls --state st --only reading").out, HasSubstr("a.csv"));
  expect_status(leat(load_ + "--on-error reject"), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "3"));
  EXPECT_THAT(leat("retry" + pipeline_).out, HasSubstr("nothing fits"));
}

TEST_F(RepairTest, ReplayReplacesTheRowsOfAnObject) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  rows("UPDATE t SET name = 'broken'");
  const Outcome replay = leat("replay --key in/a.csv" + pipeline_);
  expect_status(replay, 0);
  EXPECT_THAT(replay.out, HasSubstr("1 object replayed: 2 rows written, 2 taken out first"));
  EXPECT_THAT(rows("SELECT id, name FROM t ORDER BY id"), ElementsAre("1|a", "2|b", "3|broken"));
  rows("DELETE FROM t WHERE id = 2");
  expect_status(leat("replay --key in/a.csv --bytes 12-16" + pipeline_), 0);
  EXPECT_THAT(rows("SELECT id, name FROM t ORDER BY id"), ElementsAre("1|a", "2|b", "3|broken"));
  expect_status(leat("replay --all" + pipeline_), 0);
  expect_status(leat("audit" + pipeline_), 0);
  expect_status(leat(load_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
}

TEST_F(RepairTest, ReplayGoesIntoAnotherSink) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  expect_status(leat(load_), 0);
  const Outcome printed = leat("replay --all --into -" + pipeline_ + "--format csv");
  expect_status(printed, 0);
  EXPECT_THAT(printed.out, HasSubstr("1,a,"));
  const std::string copy = "replay --all --into sqlite:copy.db --into-table t2" + pipeline_;
  expect_status(leat(copy), 0);
  expect_status(leat(copy), 0);
  fs::rename(path("copy.db"), path("rows.db"));
  EXPECT_THAT(rows("SELECT id FROM t2"), ElementsAre("1", "2"));
}

TEST_F(RepairTest, ReplayLeavesTheRowsOfAnObjectThatIsGone) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  fs::remove(path("in/a.csv"));
  const Outcome replay = leat("replay --all" + pipeline_);
  expect_status(replay, 3);
  EXPECT_THAT(replay.err, HasSubstr("a.csv"));
  EXPECT_THAT(ids(), ElementsAre("1"));
}

TEST_F(RepairTest, RedriveTurnsMendedRejectsIntoRows) {
  put("in/a.csv", "name,id\na,1\nb,x\nc,3\nd,y\n");
  expect_status(leat(load_ + "--on-error reject"), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "3"));
  const std::string redrive = pipeline_ + "--on-error reject";
  EXPECT_THAT(leat("redrive" + redrive).out, HasSubstr("0 of 2 rejects became rows"));
  rows("UPDATE leat_reject SET raw = CAST('b,2' AS BLOB) WHERE record = 2");
  EXPECT_THAT(leat("redrive --dry-run" + redrive).out, HasSubstr("1 of 2 rejects would become"));
  const Outcome driven = leat("redrive" + redrive);
  expect_status(driven, 0);
  EXPECT_THAT(driven.out, HasSubstr("1 of 2 rejects became rows"));
  EXPECT_THAT(rows("SELECT id, name, _record, _offset FROM t ORDER BY id"),
              ElementsAre("1|a|1|8", "2|b|2|12", "3|c|3|16"));
  EXPECT_THAT(rows("SELECT record FROM leat_reject"), ElementsAre("4"));
  expect_status(leat("audit" + pipeline_), 0);
  EXPECT_THAT(leat("redrive" + redrive).out, HasSubstr("0 of 1 reject became rows"));
}

TEST_F(RepairTest, RedriveTakesMendedLinesOutOfTheRejectFile) {
  put("in/a.csv", "name,id\na,1\nb,x\nc,3\nd,y\n");
  put("in/b.csv", "name,id\ne,z\n");
  const std::string with = pipeline_ + "--on-error reject --rejects r.jsonl ";
  expect_status(leat("load --once --log-level error" + with), 0);
  EXPECT_THAT(leat("redrive" + with).out, HasSubstr("0 of 3 rejects became rows"));
  std::string text = content("r.jsonl");
  text.replace(text.find("b,x"), 3, "b,2");
  text.replace(text.find("e,z"), 3, "e,5");
  put("r.jsonl", text +
                     "{\"pipeline\":\"of somebody else\",\"object\":\"o\",\"version\":\"v\","
                     "\"record\":1,\"byte_offset\":0,\"raw\":\"q,7\"}\n");
  const std::string before = content("r.jsonl");
  EXPECT_THAT(leat("redrive --dry-run" + with).out, HasSubstr("2 of 3 rejects would become"));
  EXPECT_EQ(content("r.jsonl"), before);
  expect_status(leat("redrive" + with), 0);
  EXPECT_THAT(rows("SELECT id, name, _record, _offset FROM t ORDER BY id"),
              ElementsAre("1|a|1|8", "2|b|2|12", "3|c|3|16", "5|e|1|8"));
  EXPECT_THAT(content("r.jsonl"), HasSubstr("d,y"));
  EXPECT_THAT(content("r.jsonl"), HasSubstr("of somebody else"));
  EXPECT_THAT(content("r.jsonl"), Not(HasSubstr("b,2")));
  for (const std::string& again : {before, before + before}) {  // Also where each stands twice.
    put("r.jsonl", again);
    expect_status(leat("redrive" + with), 0);
    EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "5"));
  }
  expect_status(leat("audit" + with), 0);
}

TEST_F(RepairTest, RepairCutsLinesOffThatWereNotCommitted) {
  put("in/a.csv", "id,name\n1,a\nx,b\n");
  put("in/b.csv", "id,name\n2,c\n");
  const std::string with = pipeline_ + "--on-error reject --rejects r.jsonl ";
  expect_status(leat("load --once --log-level error" + with), 0);
  const std::string kept = content("r.jsonl");
  // What a loader leaves that is killed between the file and the sink.
  std::string lost = kept;
  lost.replace(lost.find("\"epoch\":1"), 9, "\"epoch\":2");
  put("r.jsonl", kept + lost);
  expect_status(leat("rewind --key in/b.csv" + with), 0);
  EXPECT_EQ(content("r.jsonl"), kept);
}

TEST_F(RepairTest, StateGoesOutAndInExactly) {
  put("in/a.csv", "id,name\n1,a\n");
  put("in/q.csv", "id,name\nx,y\n");
  expect_status(leat(load_), 3);
  const Outcome out = leat("state export --state st");
  expect_status(out, 0);
  put("st.jsonl", out.out);
  expect_status(leat("state import --state st2 < st.jsonl"), 0);
  EXPECT_EQ(leat("state export --state st2").out, out.out);
  EXPECT_EQ(leat("ls --state st2 --json").out, leat("ls --state st --json").out);
  fs::remove_all(path("st"));
  fs::rename(path("st2"), path("st"));
  put("in/b.csv", "id,name\n2,b\n");
  expect_status(leat(load_), 0);
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
}

TEST_F(RepairTest, StateImportTakesAllLinesOrNone) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  const std::string lines = leat("state export --state st").out;
  put("cut.jsonl", lines.substr(0, lines.rfind("{\"entries\"")));
  const Outcome cut = leat("state import --state st2 < cut.jsonl");
  expect_status(cut, 2);
  EXPECT_THAT(cut.err, HasSubstr("cut off"));
  EXPECT_FALSE(fs::exists(path("st2")));
  put("all.jsonl", lines);
  expect_status(leat("state import --state st2 < all.jsonl"), 0);
  const Outcome again = leat("state import --state st2 < all.jsonl");
  expect_status(again, 2);
  EXPECT_THAT(again.err, HasSubstr("never over another"));
}

TEST_F(RepairTest, OnChangeReplacePutsTheNewRowsInPlaceOfTheOld) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  replace("in/a.csv", "id,name\n2,B\n4,d\n5,e\n");
  const Outcome ignored = leat(load_);
  expect_status(ignored, 3);
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
  expect_status(leat(load_ + "--on-change replace --report r.json"), 0);
  EXPECT_THAT(rows("SELECT id, name FROM t ORDER BY id"), ElementsAre("2|B", "3|c", "4|d", "5|e"));
  EXPECT_EQ(json::parse(content("r.json"))["objects_replaced"], 1);
  expect_status(leat("audit" + pipeline_), 0);
  expect_status(leat(load_), 0);
}

TEST_F(RepairTest, OnChangeReplaceKeepsTheOldRowsWhenTheNewOnesCannotBeRead) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  replace("in/a.csv", "id,name\n2,b\nx,y\n");
  const Outcome load = leat(load_ + "--on-change replace");
  expect_status(load, 3);
  EXPECT_THAT(load.err, IsEmpty());
  EXPECT_THAT(ids(), ElementsAre("1"));
  EXPECT_THAT(leat("ls --state st --only changed").out, HasSubstr("a.csv"));
  replace("in/a.csv", "id,name\n2,b\n");
  expect_status(leat(load_ + "--on-change replace"), 0);
  EXPECT_THAT(ids(), ElementsAre("2"));
}

TEST_F(RepairTest, OnChangeReplaceKeepsTheOldRowsWhenTooManyOfTheNewOnesAreRejected) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  expect_status(leat(load_), 0);
  replace("in/a.csv", "id,name\nx,a\ny,b\n3,c\n");
  const Outcome load = leat(load_ + "--on-change replace --on-error reject --max-rejects 1");
  expect_status(load, 1);
  EXPECT_THAT(load.err, HasSubstr("2 of 3 records were rejected"));
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
  expect_status(leat(load_ + "--on-change replace --on-error reject --max-rejects 2"), 0);
  EXPECT_THAT(ids(), ElementsAre("3"));
}

TEST_F(RepairTest, OnChangeReplaceHoldsAShareOfRejectsAgainstAllRecords) {
  std::string many = "id,name\n";
  for (int i = 10; i < 2'000; ++i) many += std::to_string(i) + ",x\n";
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  put("in/many.csv", many);
  replace("in/a.csv", "id,name\n1,a\nx,b\n2,c\n");
  expect_status(leat(load_ + "--on-change replace --on-error reject --max-rejects 1%"), 0);
  EXPECT_THAT(rows("SELECT count(*) FROM t"), ElementsAre("1992"));
}

TEST_F(RepairTest, ReplayAddsItsRejectsToTheFile) {
  const std::string with = " --on-error reject --rejects rejects.jsonl";
  put("in/a.csv", "id,name\n1,a\n2,b,more\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_ + "--long-records ignore" + with), 0);
  std::ifstream before(path("rejects.jsonl"));
  EXPECT_EQ(before.peek(), std::ifstream::traits_type::eof());
  fs::remove(path("in/b.csv"));
  // What was no fault at the load is one now.
  const Outcome replay = leat("replay --all" + with + pipeline_);
  expect_status(replay, 3);
  EXPECT_THAT(ids(), ElementsAre("1", "3"));
  std::ifstream after(path("rejects.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(after, line));
  EXPECT_THAT(line, HasSubstr("\"record\":2"));
  EXPECT_FALSE(std::getline(after, line));
}

TEST_F(RepairTest, OnChangeFailStopsTheLoadAgainAndAgain) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  replace("in/a.csv", "id,name\n1,a\n2,b\n");
  for (int i = 0; i < 2; ++i) {
    const Outcome load = leat(load_ + "--on-change fail");
    expect_status(load, 1);
    EXPECT_THAT(load.err, HasSubstr("--on-change fail asks to stop"));
    EXPECT_THAT(load.err, HasSubstr("a.csv"));
  }
  EXPECT_THAT(ids(), ElementsAre("1"));
}

TEST_F(RepairTest, OnChangeReplaceWithoutLineageIsRefused) {
  const Outcome load = leat(
      "load --once --from 'in/*.csv' --to sqlite:rows.db --table t --state st --on-change replace");
  expect_status(load, 2);
  EXPECT_THAT(load.err, HasSubstr("needs --lineage"));
}

TEST_F(RepairTest, AfterActionsRemoveOrMoveWhatIsFinishedAndNothingElse) {
  put("in/a.csv", "id,name\n1,a\n");
  put("in/q.csv", "id,name\nx,y\n");
  expect_status(leat(load_ + "--after move:done"), 3);
  EXPECT_FALSE(fs::exists(path("in/a.csv")));
  EXPECT_EQ(content("done/a.csv"), "id,name\n1,a\n");
  EXPECT_TRUE(fs::exists(path("in/q.csv")));
  put("in/b.csv", "id,name\n2,b\n");
  expect_status(leat(load_ + "--after delete --report r.json"), 0);
  EXPECT_FALSE(fs::exists(path("in/b.csv")));
  EXPECT_TRUE(fs::exists(path("in/q.csv")));
  EXPECT_EQ(json::parse(content("r.json"))["after_actions_done"], 1);
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
  EXPECT_THAT(leat("ls --state st --only after").out, IsEmpty());
}

TEST_F(RepairTest, AfterActionThatFailsStaysVisibleAndIsDoneByALaterRun) {
  put("in/a.csv", "id,name\n1,a\n");
  put("done", "a file is in the way");
  const Outcome load = leat(load_ + "--after move:done");
  expect_status(load, 0);
  EXPECT_THAT(ids(), ElementsAre("1"));
  EXPECT_TRUE(fs::exists(path("in/a.csv")));
  const Outcome due = leat("ls --state st --only after --json");
  EXPECT_EQ(last_line(due.out)["after"], "move");
  EXPECT_GE(last_line(due.out)["attempts"], 1);
  EXPECT_THAT(last_line(due.out)["error"].get<std::string>(), HasSubstr("done"));
  fs::remove(path("done"));
  expect_status(leat(load_), 0);
  EXPECT_FALSE(fs::exists(path("in/a.csv")));
  EXPECT_EQ(content("done/a.csv"), "id,name\n1,a\n");
}

TEST_F(RepairTest, RepairKeepsTheAfterActionsOfALoadThatWasCutShort) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  for (const std::string repair : {"retry", "replay --key none"}) {
    SCOPED_TRACE(repair);
    put("in/b.csv", "id,name\n2,b\n");
    fs::remove_all(path("before"));
    fs::copy(path("st"), path("before"));
    expect_status(leat(load_), 0);
    // As if it had been killed between the table's commit and the ledger's.
    fs::remove_all(path("st"));
    fs::rename(path("before"), path("st"));
    expect_status(leat(repair + pipeline_ + "--after delete"), 0);
    EXPECT_THAT(leat("ls --state st --only after").out, HasSubstr("b.csv"));
    expect_status(leat(load_ + "--after delete"), 0);
    EXPECT_FALSE(fs::exists(path("in/b.csv")));
    EXPECT_TRUE(fs::exists(path("in/a.csv")));
    expect_status(leat("rewind --key '**/b.csv'" + pipeline_), 0);
  }
}

TEST_F(RepairTest, ANewStateFolderActsOnNothingThatWasLoadedLongAgo) {
  for (const char* name : {"a", "b"}) {
    put(std::string("in/") + name + ".csv", "id,name\n1,a\n");
    expect_status(leat(load_), 0);
  }
  // A load with a new state folder gets no further than to name it, as the table cannot be had.
  fs::remove_all(path("st"));
  fs::rename(path("rows.db"), path("kept.db"));
  fs::create_directory(path("rows.db"));
  EXPECT_NE(leat(load_ + "--after delete").status, 0);
  fs::remove(path("rows.db"));
  fs::rename(path("kept.db"), path("rows.db"));
  expect_status(leat("retry" + pipeline_ + "--after delete"), 0);
  EXPECT_THAT(leat("ls --state st --only after").out, IsEmpty());
  expect_status(leat(load_ + "--after delete"), 0);
  EXPECT_TRUE(fs::exists(path("in/a.csv")));
  EXPECT_TRUE(fs::exists(path("in/b.csv")));
}

TEST_F(RepairTest, AfterMoveIntoTheSourceItselfIsRefused) {
  put("in/a.csv", "id,name\n1,a\n");
  const Outcome load = leat(load_ + "--after move:in");
  expect_status(load, 2);
  EXPECT_THAT(load.err, HasSubstr("found and loaded again"));
  EXPECT_TRUE(fs::exists(path("in/a.csv")));
  EXPECT_THAT(leat("load --once --after burn" + pipeline_).err, HasSubstr("no after-action"));
  EXPECT_THAT(leat("load --once --after tag:a=b" + pipeline_).err, HasSubstr("have no tags"));
}

TEST_F(RepairTest, WrongUseIsToldWhatToDo) {
  put("in/a.csv", "id,name\n1,a\n");
  expect_status(leat(load_), 0);
  const Outcome nothing = leat("rewind" + pipeline_);
  expect_status(nothing, 2);
  EXPECT_THAT(nothing.err, HasSubstr("say what to rewind"));
  const Outcome other =
      leat("retry --from 'in/*.csv' --to sqlite:rows.db --table other --state st");
  expect_status(other, 1);
  EXPECT_THAT(other.err, HasSubstr("belongs to the consumer \"table t\""));
  const Outcome absent =
      leat("rewind --all --from 'in/*.csv' --to sqlite:rows.db --table t --state nowhere");
  expect_status(absent, 1);
  EXPECT_THAT(absent.err, HasSubstr("There is no state folder"));
  EXPECT_FALSE(fs::exists(path("nowhere")));
  EXPECT_THAT(leat("retry --state st").err, HasSubstr("--to and --table"));
  EXPECT_THAT(leat("rewind --since yesterday" + pipeline_).err, HasSubstr("is no time"));
}

}  // namespace
}  // namespace leat::cli
