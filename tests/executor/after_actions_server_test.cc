// What becomes of loaded objects, in a real S3 service, with PostgreSQL as the sink.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "leat/loader.h"
#include "state/ledger.h"
#include "tests/connector/postgres_server.h"
#include "tests/fault/hurried_clock.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_bucket.h"

namespace leat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AfterActionsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
    bucket_ = testing::make_s3_bucket("after");
    if (bucket_ == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set";
    database_.emplace("after");
    session_.emplace(database_->connection());
    bucket_->put("in/a.csv", "id,name\n1,a\n");
    bucket_->put("in/sub/b c.csv", "id,name\n2,b\n");
    bucket_->put("in/q.csv", "id,name\n3,c\nno number,d\n");
  }

  LoaderOptions options(AfterAction::Kind kind, const std::string& name = "",
                        const std::string& value = "") {
    LoaderOptions options;
    for (const std::string& flag : bucket_->flags()) {
      const std::string text = flag.substr(flag.find('=') + 1);
      (flag.starts_with("--from") ? options.source.from : options.source.store.s3.endpoint_url) =
          text;
    }
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint, name text");
    options.source.once = true;
    options.source.after = {.kind = kind, .name = name, .value = value};
    options.to = database_->uri();
    options.sink.table = "t";
    options.checkpoint_interval = std::chrono::minutes(10);
    return options;
  }
  static void load(const LoaderOptions& options) {
    Result<std::unique_ptr<Loader>> loader = Loader::create(options);
    ASSERT_TRUE(loader) << loader.error().to_string();
    const Result<LoadReport> report = (*loader)->run({}, {});
    ASSERT_TRUE(report) << report.error().to_string();
  }
  std::string ids() { return session_->one("SELECT string_agg(id::text, ',' ORDER BY id) FROM t"); }
  std::vector<state::OutboxEntry> outbox() const {
    auto ledger = state::Ledger::open({.dir = folder_.path() / "state", .read_only = true});
    EXPECT_TRUE(ledger) << ledger.error().to_string();
    return (*ledger)->outbox("", 100).value();
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<testing::TestBucket> bucket_;
  std::optional<test::PostgresDatabase> database_;
  std::optional<test::PostgresSession> session_;
};

TEST_F(AfterActionsServerTest, DeletingComesAfterTheCommitAndNotToWhatIsQuarantined) {
  LoaderOptions with = options(AfterAction::Kind::kDelete);
  std::mutex mutex;
  std::vector<std::string> seen;  // How many objects were there at each step.
  bool lost = false;
  with.sink.on_step = [&](std::string_view step) {
    const std::lock_guard lock(mutex);
    if (step == "ledger written") return;
    seen.push_back(std::string(step) + " " + std::to_string(bucket_->keys().size()));
    // The first commit is lost on its way.
    if (step == "commit begins" && !lost) {
      lost = true;
      test::PostgresSession(database_->connection())
          .run(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
              "current_database() AND application_name LIKE 'leat %'");
    }
  };
  load(with);
  EXPECT_TRUE(lost);
  const auto first = std::find(seen.begin(), seen.end(), "after-action begins 3");
  ASSERT_NE(first, seen.end());
  EXPECT_NE(std::find(seen.begin(), first, "ledger begins 3"), first);
  for (auto step = seen.begin(); step != first; ++step) {
    EXPECT_TRUE(step->ends_with(" 3")) << *step;
    EXPECT_FALSE(step->starts_with("after-action")) << *step;
  }
  EXPECT_EQ(ids(), "1,2,3");
  EXPECT_THAT(bucket_->keys(), ElementsAre("in/q.csv"));
  EXPECT_THAT(outbox(), IsEmpty());
}

TEST_F(AfterActionsServerTest, MovesAndTagsWhatIsFinished) {
  load(options(AfterAction::Kind::kTag, "loaded", "yes"));
  EXPECT_THAT(bucket_->tags("in/a.csv"), ElementsAre("loaded=yes"));
  EXPECT_THAT(bucket_->tags("in/q.csv"), IsEmpty());
  EXPECT_EQ(bucket_->keys().size(), 3u);
  bucket_->put("in/c.csv", "id,name\n4,d\n");
  load(options(AfterAction::Kind::kMove, "done/"));
  // What was finished before has had its action.
  EXPECT_THAT(bucket_->keys(), ElementsAre("done/c.csv", "in/a.csv", "in/q.csv", "in/sub/b c.csv"));
  EXPECT_EQ(ids(), "1,2,3,4");
}

TEST_F(AfterActionsServerTest, WhatIsRefusedIsKeptInMindAndDoneByALaterRun) {
  const char* const reader = std::getenv("LEAT_TEST_S3_READER_ROLE");
  if (reader == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_READER_ROLE is not set";
  LoaderOptions with = options(AfterAction::Kind::kDelete);
  with.source.store.s3.role = S3Role{.arn = reader};
  const fault::HurriedClock clock;
  with.source.clock = &clock;
  load(with);
  EXPECT_EQ(ids(), "1,2,3");
  EXPECT_EQ(bucket_->keys().size(), 3u);
  const std::vector<state::OutboxEntry> due = outbox();
  ASSERT_EQ(due.size(), 2u);
  for (const state::OutboxEntry& entry : due) {
    EXPECT_GE(entry.attempts, 3u);
    EXPECT_THAT(entry.error, HasSubstr("permission_denied"));
  }
  load(options(AfterAction::Kind::kKeep));
  EXPECT_THAT(bucket_->keys(), ElementsAre("in/q.csv"));
  EXPECT_THAT(outbox(), IsEmpty());
}

TEST_F(AfterActionsServerTest, AnObjectThatWasReplacedSinceIsLeftAlone) {
  LoaderOptions with = options(AfterAction::Kind::kDelete);
  with.sink.on_step = [this](std::string_view step) {
    if (step == "ledger begins") bucket_->put("in/a.csv", "id,name\n1,another\n");
  };
  load(with);
  EXPECT_THAT(bucket_->keys(), ElementsAre("in/a.csv", "in/q.csv"));
  EXPECT_THAT(outbox(), IsEmpty());
}

}  // namespace
}  // namespace leat
