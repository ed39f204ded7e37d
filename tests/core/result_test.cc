#include "leat/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>

namespace leat {
namespace {

TEST(Result, HoldsAValueThatOnlyMoves) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 7);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, HoldsAnError) {
  Result<int> result = Error{ErrorCode::kNotFound, "no such bucket"};
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  const Error taken = std::move(result).error();
  EXPECT_EQ(taken.message, "no such bucket");
}

struct Base {
  Base() = default;
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
  virtual ~Base() = default;
};
struct Derived : Base {};

TEST(Result, TakesWhatBecomesItsValue) {
  const auto made = []() -> Result<std::unique_ptr<Base>> { return std::make_unique<Derived>(); };
  EXPECT_NE(dynamic_cast<Derived*>(made()->get()), nullptr);
  const auto local = []() -> Result<std::unique_ptr<Base>> {
    auto derived = std::make_unique<Derived>();
    return derived;
  };
  EXPECT_TRUE(local());
  const Result<std::string> text = "text";
  EXPECT_EQ(*text, "text");
  const Result<std::optional<int>> some = 7;
  EXPECT_EQ(**some, 7);
  const Result<std::optional<Error>> error = Error{};
  EXPECT_FALSE(error);
  // Nor of what does not.
  static_assert(!std::is_constructible_v<Result<std::string>, Result<std::string_view>>);
  static_assert(!std::is_convertible_v<std::unique_ptr<Base>, Result<std::unique_ptr<Derived>>>);
  static_assert(!std::is_convertible_v<std::string, Result<int>>);
}

TEST(Result, OfVoidIsSuccessUnlessGivenAnError) {
  EXPECT_TRUE(Result<void>());
  const Result<void> failed = Error{ErrorCode::kIo, "read-only file system"};
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
}

TEST(Error, SaysWhereAndWithWhichCode) {
  Error error{ErrorCode::kBadValue, "\"x\" is not an integer"};
  EXPECT_EQ(error.to_string(), "\"x\" is not an integer [bad_value]");
  error.at.record = 3;
  EXPECT_EQ(error.to_string(), "\"x\" is not an integer (record 3) [bad_value]");
  error.at = {"s3://bucket/a.csv", 3, 0, "id"};
  EXPECT_EQ(error.to_string(),
            "\"x\" is not an integer (object s3://bucket/a.csv, record 3, byte 0, column id) "
            "[bad_value]");
}

TEST(ErrorCode, HasANameOfItsOwn) {
  // Persisted: these numbers and names stay as they are.
  constexpr int kLast = 23;
  std::set<std::string_view> names;
  for (int code = 1; code <= kLast; ++code) {
    const std::string_view name = error_code_name(static_cast<ErrorCode>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(error_code_name(ErrorCode::kInvalidArgument), "invalid_argument");
  EXPECT_EQ(error_code_name(static_cast<ErrorCode>(4)), "object_changed");
  EXPECT_EQ(error_code_name(ErrorCode::kStateMismatch), "state_mismatch");
  EXPECT_EQ(error_code_name(ErrorCode::kBadEncoding), "bad_encoding");
  EXPECT_EQ(error_code_name(ErrorCode::kRowRefused), "row_refused");
  EXPECT_EQ(error_code_name(static_cast<ErrorCode>(9999)), "unknown");
}

}  // namespace
}  // namespace leat
