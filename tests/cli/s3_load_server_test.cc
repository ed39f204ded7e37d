// The main job against a real S3 service: a bucket's objects become rows, each once.

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/command_test.h"
#include "tests/support/sqlite_session.h"
#include "tests/support/test_bucket.h"

namespace leat::cli {
namespace {

class S3LoadTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    bucket_ = testing::make_s3_bucket("load");
    if (bucket_ == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set: no S3 server here";
  }

  /// One row for each object; its id tells the object.
  void put_object(const std::string& key, int id) {
    bucket_->put(key, "id,key\n" + std::to_string(id) + ",\"" + key + "\"\n");
  }

  nlohmann::json load(const std::string& flags = "", const std::string& pattern = "in/**/*.csv") {
    std::string command =
        "load --once --to sqlite:rows.db --table t --state st --lineage "
        "--schema 'id bigint, key text' --report report.json " +
        flags;
    for (std::string flag : bucket_->flags()) {
      if (flag.starts_with("--from=")) flag.replace(flag.find("in/**"), std::string::npos, pattern);
      command += " '" + flag + "'";
    }
    const Outcome outcome = leat(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(content("report.json"));
  }

  std::string query(const std::string& sql) {
    return testing::SqliteSession(path("rows.db")).one(sql);
  }

  std::unique_ptr<testing::TestBucket> bucket_;
};

TEST_F(S3LoadTest, LoadsFiveHundredOddlyNamedObjectsOnceAndThenOnlyWhatIsNew) {
  const std::vector<std::string> folders{"plain/",
                                         "with space/",
                                         "plus+plus/",
                                         "per%cent/",
                                         "per%20cent/",
                                         "uml\xc3\xa4ut/",
                                         "\xe6\x97\xa5\xe6\x9c\xac/",
                                         "double//slash/",
                                         "a&b=c?d#e/",
                                         "quote'and*star~/"};
  for (int i = 0; i < 500; ++i) {
    put_object("in/" + folders[static_cast<std::size_t>(i) % folders.size()] + "part +" +
                   std::to_string(i) + "%.csv",
               i);
  }
  bucket_->put("in/plain/", "");
  bucket_->put("in/plain/not-this.txt", "not a csv");
  EXPECT_EQ(load().at("rows"), 500);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "500");
  EXPECT_EQ(query("SELECT count(DISTINCT id) FROM t"), "500");
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE key = _object"), "500");

  EXPECT_EQ(load().at("rows"), 0);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "500");

  put_object("in/double//slash/a new one.csv", 500);
  put_object("in/000 first.csv", 501);
  put_object("in/zzz/last+.csv", 502);
  EXPECT_EQ(load().at("rows"), 3);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "503");
  EXPECT_EQ(query("SELECT sum(id) FROM t"), std::to_string(503 * 502 / 2));
}

TEST_F(S3LoadTest, AConditionListsOnlyTheFoldersThatFulfilIt) {
  int id = 0;
  for (int day = 11; day < 21; ++day) {
    const std::string folder = "in/dt=2026-11-" + std::to_string(day) + "/";
    put_object(folder + "a.csv", id++);
    put_object(folder + "a.csv/b.csv", 1'000);  // A prefix that is an object too.
    put_object(folder + std::string(1'024 - folder.size() - 4, 'k') + ".csv", id++);
    put_object(folder + "\xe6\x97\xa5 +%25&.csv", id++);
  }
  const std::string partitions = "--partitions 'dt date' ";
  const nlohmann::json some = load(partitions + "--where 'dt >= 2026-11-16'", "in/dt=*/*.csv");
  EXPECT_EQ(some.at("rows"), 15);
  EXPECT_EQ(some.at("list_requests"), 2);  // The folders, and the keys from the first one on.
  EXPECT_EQ(load(partitions + "--where 'dt < 2026-11-13'", "in/dt=*/*.csv").at("rows"), 6);
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE dt BETWEEN '2026-11-13' AND '2026-11-15'"), "0");
  EXPECT_EQ(load(partitions, "in/dt=*/*.csv").at("rows"), 9);
  EXPECT_EQ(query("SELECT count(DISTINCT id) FROM t"), "30");
  EXPECT_EQ(load(partitions + "--discovery tail", "in/dt=*/*.csv").at("rows"), 0);
  put_object("in/dt=2026-11-20/late.csv", 2'000);
  EXPECT_EQ(load(partitions + "--discovery tail", "in/dt=*/*.csv").at("rows"), 1);
}

TEST_F(S3LoadTest, MissingBucketAndWrongKeyAreOneClearMessage) {
  std::string flags;
  for (const std::string& flag : bucket_->flags()) {
    if (flag.starts_with("--endpoint-url")) flags += " " + flag;
  }
  const Outcome missing =
      leat("load --once --from 's3://no-such-bucket-here/*' --to null: --state st" + flags);
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("no-such-bucket-here"), std::string::npos) << missing.err;
  ::setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret", 1);
  const Outcome wrong_key =
      leat("load --once --from 's3://any-bucket/*' --to null: --state st2" + flags);
  EXPECT_EQ(wrong_key.status, 1);
  EXPECT_NE(wrong_key.err.find("secret"), std::string::npos) << wrong_key.err;
  EXPECT_EQ(wrong_key.err.find("a-wrong-secret"), std::string::npos) << wrong_key.err;
}

}  // namespace
}  // namespace leat::cli
