// Looking into an SQLite sink, and taking rows out of it again.

#include <filesystem>

#include "connector/sqlite/sqlite_sink.h"
#include "tests/connector/sink_repair_cases.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

class Sqlite {
 public:
  static bool available() { return true; }
  std::unique_ptr<RowSink> make_sink() const {
    return std::make_unique<SqliteSink>(SqliteSinkOptions{
        .path = path().string(), .table = "t", .keep_rejects = true, .busy_timeout_ms = 0});
  }
  std::string last_key() const { return "\xff"; }
  std::filesystem::path path() const { return folder_.path() / "rows.db"; }

 private:
  testing::TemporaryFolder folder_{"leat-repair"};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, SinkRepairTest, Sqlite);

TEST(SqliteReaderTest, MakesNoFile) {
  const Sqlite sqlite;
  EXPECT_FALSE(sqlite.make_sink()->read("p"));
  EXPECT_FALSE(std::filesystem::exists(sqlite.path()));
}

}  // namespace
}  // namespace leat::connector
