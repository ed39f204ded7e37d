// The command as a user meets it: a process, its output, its exit code.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/cli/command_test.h"

namespace leat::cli {
namespace {

namespace fs = std::filesystem;
TEST_F(CommandTest, VersionAndHelpGoToStandardOutput) {
  const Outcome version = leat("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("leat 0.")) << version.out;
  for (const char* command : {"--help", "load --help", "cat --help", "ls --help"}) {
    const Outcome help = leat(command);
    EXPECT_EQ(help.status, 0) << command;
    EXPECT_NE(help.out.find("Usage: leat"), std::string::npos) << help.out;
  }
  EXPECT_NE(leat("load --help").out.find("Examples:"), std::string::npos);
}

TEST_F(CommandTest, CatPrintsRows) {
  put("in/a.csv", "id,name\n1,one\n2,\"two, \"\"too\"\"\"\n3,\n4,\"\"\n");
  const Outcome csv = leat("cat in/a.csv");
  EXPECT_EQ(csv.status, 0) << csv.err;
  EXPECT_EQ(csv.out, "id,name\n1,one\n2,\"two, \"\"too\"\"\"\n3,\n4,\"\"\n");
  const Outcome jsonl = leat("cat 'in/*.csv' --format jsonl --schema 'id bigint, name text'");
  EXPECT_EQ(jsonl.status, 0) << jsonl.err;
  EXPECT_EQ(jsonl.out,
            "{\"id\":1,\"name\":\"one\"}\n{\"id\":2,\"name\":\"two, \\\"too\\\"\"}\n"
            "{\"id\":3,\"name\":null}\n{\"id\":4,\"name\":\"\"}\n");
}

TEST_F(CommandTest, TheBacklogAndWhatListingCostsAreShown) {
  put("in/a.csv", "id,name\n1,one\n2,two\n");
  put("in/b.csv", "id,name\nx,bad\n");
  EXPECT_EQ(
      leat("load --once --settle 0 --from 'in/*.csv' --to sqlite:rows.db --table t --state st "
           "--schema 'id bigint, name text' --list-price 5/1000 --report report.json")
          .status,
      3);
  const auto report = nlohmann::json::parse(content("report.json"));
  EXPECT_EQ(report.at("objects_pending"), 0);
  EXPECT_EQ(report.at("bytes_pending"), 0);
  EXPECT_EQ(report.at("oldest_pending_modified_ms"), 0);
  EXPECT_GT(report.at("last_complete_listing_ms"), 1'700'000'000'000);
  EXPECT_EQ(report.at("list_requests"), 1);
  EXPECT_DOUBLE_EQ(report.at("list_requests_per_minute"), 1);
  EXPECT_DOUBLE_EQ(report.at("list_cost"), 0.005);
  EXPECT_DOUBLE_EQ(report.at("list_cost_per_day"), 7.2);

  const Outcome text = leat("ls --state st --summary --list-price 5/1000");
  EXPECT_EQ(text.status, 0) << text.err;
  for (const char* line :
       {"finished: 1 objects, 20 B, 2 rows, 0 rejects\n", "quarantined: 1 objects, 14 B, 0 rows",
        "backlog: nothing; noted ",
        "last complete listing: ", "listing: 1.0 requests a minute, about 7.20 a day\n"}) {
    EXPECT_NE(text.out.find(line), std::string::npos) << line << "\n" << text.out;
  }
  const auto json = nlohmann::json::parse(leat("ls --state st --summary --json").out);
  EXPECT_EQ(json.at("finished").at("rows"), 2);
  EXPECT_EQ(json.at("quarantined").at("objects"), 1);
  EXPECT_EQ(json.at("backlog").at("objects"), 0);
  EXPECT_EQ(json.at("backlog").at("complete"), true);
  EXPECT_EQ(json.at("list_requests"), 1);
  EXPECT_FALSE(json.contains("list_cost_per_day")) << "no price is known";
  const Outcome bad = leat("ls --state st --summary --list-price much");
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.err.find("--list-price"), std::string::npos) << bad.err;
}

TEST_F(CommandTest, LoadWritesRowsOnceAndAReport) {
  put("in/a.csv", "id,name\n1,one\n2,two\n");
  const std::string load =
      "load --once --settle 0 --from 'in/*.csv' --to sqlite:rows.db --table t --state st "
      "--report report.json";
  const Outcome first = leat(load);
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, "");
  const auto report = nlohmann::json::parse(content("report.json"));
  EXPECT_EQ(report.at("rows"), 2);
  EXPECT_EQ(report.at("objects_finished"), 1);
  EXPECT_EQ(report.at("objects_quarantined"), 0);
  EXPECT_EQ(report.at("rows_rejected"), 0);
  EXPECT_EQ(report.at("bytes"), 20);
  EXPECT_EQ(report.at("epoch"), 1);
  for (const char* key : {"seconds", "list_requests", "get_requests", "retries"}) {
    EXPECT_TRUE(report.contains(key)) << key;
  }
  EXPECT_EQ(leat(load).status, 0);
  EXPECT_EQ(nlohmann::json::parse(content("report.json")).at("rows"), 0);
}

TEST_F(CommandTest, LsShowsEachObjectWithItsState) {
  put("in/a.csv", "id\n1\n2\n");
  put("in/b.csv", "id\n1\nx\n");
  const Outcome load =
      leat("load --once --settle 0 --from 'in/*.csv' --schema 'id bigint' --to null: --state st");
  EXPECT_EQ(load.status, 3) << load.err;
  EXPECT_NE(load.err.find("b.csv"), std::string::npos) << load.err;
  const Outcome all = leat("ls --state st");
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_NE(all.out.find("finished"), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("quarantined"), std::string::npos) << all.out;
  const Outcome bad = leat("ls --state st --only quarantined --json");
  const auto entry = nlohmann::json::parse(bad.out);
  EXPECT_EQ(entry.at("key"), path("in/b.csv").string());
  EXPECT_EQ(entry.at("rows"), 1);
  EXPECT_EQ(entry.at("error").at("code"), "bad_value");
  EXPECT_EQ(entry.at("error").at("record"), 2);
  EXPECT_EQ(entry.at("error").at("byte_offset"), 5);
  EXPECT_EQ(entry.at("error").at("column"), "id");
}

TEST_F(CommandTest, ConfigurationFileHoldsFlagsAndFlagsOutrankIt) {
  put("in/a.csv", "id;name\n1;NA\n");
  put("leat.toml",
      "from = \"in/*.csv\"\nto = \"-\"\nstate = \"st\"\nonce = true\nsettle = 0\n"
      "delimiter = \";\"\nnull = [\"\", \"NA\"]\nformat = \"jsonl\"\n");
  const Outcome implicit = leat("load");
  EXPECT_EQ(implicit.status, 0) << implicit.err;
  EXPECT_EQ(implicit.out, "{\"id\":1,\"name\":null}\n");
  const Outcome overridden = leat("load --config leat.toml --state st2 --format csv");
  EXPECT_EQ(overridden.status, 0) << overridden.err;
  EXPECT_EQ(overridden.out, "id,name\n1,\n");
  put("bad.toml", "from = [\n");
  const Outcome bad = leat("load --config bad.toml");
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.err.find("bad.toml:"), std::string::npos) << bad.err;
  put("unknown.toml", "once = true\nform = \"in/*.csv\"\n");
  const Outcome unknown = leat("load --config unknown.toml");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("unknown.toml:2: there is no flag --form"), std::string::npos)
      << unknown.err;
  put("table.toml", "[load]\nonce = true\n");
  EXPECT_NE(leat("load --config table.toml").err.find("table.toml:1"), std::string::npos);
}

TEST_F(CommandTest, DiscoveryIsConfiguredByFlagsOrFile) {
  for (int i = 100; i < 120; ++i) put("in/" + std::to_string(i) + ".csv", "id\n1\n");
  put("leat.toml",
      "from = \"in/*.csv\"\nto = \"null:\"\nstate = \"st\"\nonce = true\nsettle = \"0s\"\n"
      "discovery = \"tail\"\nlate-window = 5\nreconcile-interval = \"2h\"\n"
      "poll-interval-max = \"5min\"\nlist-budget = \"1000/s\"\nlist-parallel = 2\n");
  const Outcome loaded = leat("load --report report.json");
  ASSERT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_NE(content("report.json").find("\"rows\": 20"), std::string::npos)
      << content("report.json");
  const Outcome bad = leat("load --list-budget plenty");
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.err.find("--list-budget: \"plenty\""), std::string::npos) << bad.err;
  const Outcome short_max = leat("load --poll-interval 1min --poll-interval-max 10s");
  EXPECT_EQ(short_max.status, 2);
  EXPECT_NE(short_max.err.find("poll interval"), std::string::npos) << short_max.err;
}

TEST_F(CommandTest, UsageErrorsSayWhatToDoAndExitWith2) {
  struct Case {
    const char* arguments;
    const char* says;
  };
  for (const Case& wrong :
       {Case{"", "subcommand"}, Case{"laod", "laod"},
        Case{"load --from x --to null: --state st --skip-lines -1", "--skip-lines"},
        Case{"load", "--from"}, Case{"load --from x --to null:", "--state"},
        Case{"load --from x --state st", "no sink"},
        Case{"load --from x --to nowhere:y --state st", "nowhere"},
        Case{"load --from x --to sqlite:y --state st", "--table"},
        Case{"load --from x --to null: --state st --schema 'id int8, id text'", "--schema"},
        Case{"load --from x --to null: --state st --schema 'id biggint'", "biggint"},
        Case{"load --from x --to null: --state st --memory lots", "--memory"},
        Case{"load --from x --to null: --state st --delimiter ab --dialect redshift",
             "--delimiter"},
        Case{"load --from x --to null: --state st --on-error ignore", "--on-error"},
        Case{"load --from x --to null: --state st --no-header --types text", "schema"},
        Case{"load --from x --to null: --state st --no-such-flag", "--no-such-flag"},
        Case{"load --from 'in/[a' --to null: --state st", "[a"}}) {
    const Outcome outcome = leat(wrong.arguments);
    EXPECT_EQ(outcome.status, 2) << wrong.arguments << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(wrong.says), std::string::npos) << wrong.arguments << "\n"
                                                               << outcome.err;
    EXPECT_EQ(outcome.out, "") << wrong.arguments;
    EXPECT_FALSE(fs::exists(path("st"))) << wrong.arguments;
  }
}

TEST_F(CommandTest, MissingThingsAreNamed) {
  const Outcome no_folder = leat("load --once --from nowhere/x.csv --to null: --state st");
  EXPECT_EQ(no_folder.status, 1);
  EXPECT_NE(no_folder.err.find("nowhere"), std::string::npos) << no_folder.err;
  const Outcome no_object = leat("cat in/nothing.csv");
  EXPECT_EQ(no_object.status, 1);
  EXPECT_NE(no_object.err.find("in/nothing.csv"), std::string::npos) << no_object.err;
  const Outcome no_match = leat("load --once --from 'in/*.cvs' --to null: --state st-match");
  EXPECT_EQ(no_match.status, 0);
  EXPECT_NE(no_match.err.find("nothing matches"), std::string::npos) << no_match.err;
  const Outcome no_state = leat("ls --state nothing");
  EXPECT_EQ(no_state.status, 1);
  EXPECT_NE(no_state.err.find("nothing"), std::string::npos) << no_state.err;
  put("file", "x");
  const Outcome file_as_state = leat("load --once --from 'in/*' --to null: --state file");
  EXPECT_NE(file_as_state.status, 0);
  EXPECT_NE(file_as_state.err.find("file"), std::string::npos) << file_as_state.err;
}

TEST_F(CommandTest, UnreachableEndpointIsOneClearMessage) {
  const Outcome outcome = leat(
      "load --once --from 's3://bucket/*' --endpoint-url http://127.0.0.1:1 --no-sign-request "
      "--to null: --state st");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("127.0.0.1:1"), std::string::npos) << outcome.err;
}

TEST_F(CommandTest, NamesOfObjectsDoNotSteerTheTerminal) {
  put("in/a\x1b[31m\nforged.csv", "id\nx\n");
  const Outcome load =
      leat("load --once --settle 0 --from 'in/*.csv' --schema 'id bigint' --to null: --state st");
  EXPECT_EQ(load.status, 3);
  EXPECT_EQ(load.err.find('\x1b'), std::string::npos) << load.err;
  EXPECT_NE(load.err.find("a\\x1b[31m\\x0aforged.csv"), std::string::npos) << load.err;
  EXPECT_NE(leat("ls --state st").out.find("a\\x1b[31m\\x0aforged.csv"), std::string::npos);
}

TEST_F(CommandTest, RejectsGoToTheFile) {
  put("in/a.csv", "id,name\n1,one\nx,two\n3\n");
  const Outcome outcome = leat(
      "load --once --settle 0 --from 'in/*.csv' --schema 'id bigint, name text' --to null: "
      "--state st --on-error reject --rejects rejects.jsonl --report report.json");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(content("report.json")).at("rows_rejected"), 2);
  std::istringstream lines(content("rejects.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first.at("object"), path("in/a.csv").string());
  EXPECT_EQ(first.at("record"), 2);
  EXPECT_EQ(first.at("byte_offset"), 14);
  EXPECT_EQ(first.at("column"), "id");
  EXPECT_EQ(first.at("text"), "x");
  EXPECT_EQ(first.at("raw"), "x,two");
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line).at("code"), "field_count");
}

}  // namespace
}  // namespace leat::cli
