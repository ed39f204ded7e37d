// Which URI opens which sink, and what a wrong one is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "leat/sink.h"

namespace leat {
namespace {

using testing::HasSubstr;
using testing::Not;

Error refused(const std::string& uri, const SinkOptions& options = {}) {
  auto sink = open_sink(uri, options);
  EXPECT_FALSE(sink) << uri;
  if (sink) return {};
  EXPECT_EQ(sink.error().code, ErrorCode::kInvalidArgument);
  return sink.error();
}

TEST(SinkUri, OpensWhatItNames) {
  EXPECT_FALSE((*open_sink("-", {}))->transactional());
  EXPECT_FALSE((*open_sink("null:", {}))->transactional());
  EXPECT_TRUE((*open_sink("sqlite:rows.db", {.table = "t"}))->transactional());
}

TEST(SinkUri, AsksForATable) {
  EXPECT_THAT(refused("sqlite:rows.db").message, HasSubstr("--table"));
}

TEST(SinkUri, AsksForAFile) {
  EXPECT_THAT(refused("sqlite:", {.table = "t"}).message, HasSubstr("sqlite:rows.db"));
}

TEST(SinkUri, OpensPostgresWithoutConnecting) {
  for (const char* uri : {"postgresql:", "postgresql://", "postgres://me@host/db?sslmode=require",
                          "postgresql:///db?host=/run/postgresql&port=6000",
                          "postgresql://me:p%40ss%2f@[::1]:5433,other:5432/db"}) {
    auto sink = open_sink(uri, {.table = "public.\"My Table\""});
    ASSERT_TRUE(sink) << uri << ": " << sink.error().message;
    EXPECT_TRUE((*sink)->transactional());
  }
  EXPECT_THAT(refused("postgresql://host/db").message, HasSubstr("--table"));
}

TEST(SinkUri, ShowsNothingOfAPasswordThatIsNotEncoded) {
  for (const char* uri :
       {"postgresql://me:se@cret@host/db", "postgresql://me:se/cret@host/db",
        "postgresql://me:se?cret@host/db", "postgresql://me:se#cret@host/db",
        "postgresql://me:secret%zz@host/db", "postgresql:me:secret@host",
        "postgresql://me:secret@host/db?nonsense=cret", "postgresql://me:secret@[host/db"}) {
    const Error error = refused(uri, {.table = "t"});
    EXPECT_THAT(error.message, HasSubstr("percent-encoded"));
    EXPECT_THAT(error.message, Not(HasSubstr("cret"))) << uri;
  }
}

TEST(SinkUri, RefusesNamesThatAreNoTable) {
  for (const char* name : {"a.b.c", "\"open", ".t", "t.", "\"a\"b"}) {
    EXPECT_THAT(refused("postgresql:", {.table = name}).message, HasSubstr("table"));
  }
}

TEST(SinkUri, HelpsWithOthers) {
  EXPECT_THAT(refused("rows.db").message, HasSubstr("sqlite:rows.db"));
  EXPECT_THAT(refused("").message, HasSubstr("Known sinks"));
  const Error error = refused("mysql://me:secret@host/db");
  EXPECT_THAT(error.message, HasSubstr("\"mysql:\""));
  EXPECT_THAT(error.message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace leat
