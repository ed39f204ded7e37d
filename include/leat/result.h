// Errors as values: what a call of leat gives back when it can fail.
//
// The library throws nothing of its own. Every fallible call returns Result<T>; its names are those
// of std::expected, which C++20 lacks. Both types are plain values: no shared state, any thread.
#pragma once

#include <cassert>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace leat {

/// What went wrong. The numbers are persisted in ledgers and reject files: never renumber.
enum class ErrorCode : std::uint16_t {
  kInvalidArgument = 1,     ///< An option, URI, glob or schema that cannot be used.
  kNotFound = 2,            ///< No such bucket, object, folder or table.
  kPermissionDenied = 3,    ///< The store, the file system or the sink refused access.
  kObjectChanged = 4,       ///< The object is no longer the version that was asked for (412).
  kThrottled = 5,           ///< SlowDown, 429, 503 after the retries were spent.
  kUnavailable = 6,         ///< Transport errors and 5xx after the retries were spent.
  kTimeout = 7,             ///< A deadline passed.
  kCorrupt = 8,             ///< A stored or received structure breaks its format.
  kUnsupported = 9,         ///< Valid, but not something this build can do.
  kAlreadyOpen = 10,        ///< Another process holds the state folder or the pipeline.
  kIo = 11,                 ///< The operating system reported an error on a file.
  kDiskFull = 12,           ///< No space left, or a quota is used up.
  kFenced = 13,             ///< Another loader took this pipeline over.
  kMalformedRecord = 14,    ///< Bytes that are no record of the dialect.
  kRecordTooLarge = 15,     ///< A record above the configured maximum.
  kUnterminatedQuote = 16,  ///< A quoted field still open at the end of the object.
  kNotText = 17,            ///< Binary or compressed content where text was expected.
  kBadValue = 18,           ///< A field that is no value of its column's type.
  kFieldCount = 19,         ///< More or fewer fields than columns.
  kSchemaMismatch = 20,     ///< Header, schema and table do not fit together.
  kCancelled = 21,          ///< The caller asked to stop.
  kInternal = 22,           ///< A broken invariant of leat itself, please report it; or an
                            ///< exception out of the caller's code, which the message tells.
  kStateMismatch = 23,      ///< State folder and sink disagree about what was committed.
  kBadEncoding = 24,        ///< Compressed content that is broken, cut off, or above the limits.
  kRowRefused = 25,         ///< A row that the table's own rules refuse, as a reject: its `raw` is
                            ///< not the record but the row, as a JSON object of texts.
};

/// The code's stable lower-case name, e.g. "object_changed".
std::string_view error_code_name(ErrorCode code) noexcept;
/// The code of such a name; nullopt: this leat knows none.
std::optional<ErrorCode> error_code_of(std::string_view name) noexcept;

/// Where an error happened; unknown parts stay empty.
struct ErrorPlace {
  std::string object = {};                        ///< URI, key or path.
  std::optional<std::uint64_t> record = {};       ///< Data record in the object, counted from 1.
  std::optional<std::uint64_t> byte_offset = {};  ///< In the decoded bytes of the object, from 0.
  std::string column = {};                        ///< Column name.
};

/// What happened, where, and whether trying the same again can help.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  ///< One sentence for people, with what to do. Never holds a secret.
  ErrorPlace at = {};
  bool retryable = false;

  /// "message (object X, record N, byte M, column C) [code]".
  std::string to_string() const;
};

/// A T, or the Error that kept it from being made.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  /// From what becomes a T by itself, such as a unique_ptr of a derived class. Not for numbers: of
  /// one that does not fit, the compiler is to warn where it is given.
  template <class U>
  requires(!std::is_arithmetic_v<T> && std::convertible_to<U, T> &&
           !std::convertible_to<U, Error> && !std::same_as<std::remove_cvref_t<U>, T> &&
           !std::same_as<std::remove_cvref_t<U>, Result>) Result(U&& value)  // NOLINT: implicit
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Undefined when !has_value() (asserted in debug builds).
  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Undefined when has_value() (asserted in debug builds).
  Error& error() & { return assert(!has_value()), *std::get_if<1>(&state_); }
  const Error& error() const& { return assert(!has_value()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!has_value()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or the Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  Error& error() & { return assert(error_), *error_; }
  const Error& error() const& { return assert(error_), *error_; }
  Error&& error() && { return assert(error_), std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace leat
