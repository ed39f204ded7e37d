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

TEST(SinkUri, SaysThatPostgresIsNotInThisVersionAndKeepsItsPasswordToItself) {
  for (const char* uri : {"postgresql://me:secret@host/db", "postgres://me:secret@host/db"}) {
    const Error error = refused(uri, {.table = "t"});
    EXPECT_THAT(error.message, HasSubstr("not a sink of this version"));
    EXPECT_THAT(error.message, Not(HasSubstr("secret")));
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
