// What goes wrong between leat and the server: one file for each thing, in tests/fault/faults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::fault {

/// What a request asks for, as far as faults care.
enum class Operation {
  kList,
  kRead,
  kPut,
  kHead,
  kDelete,
  kDeleteMany,
  kCopy,
  kStartUpload,
  kPart,
  kCopyPart,
  kComplete,
  kAbort,
  kOther,
};

/// By method, path and headers of a request.
Operation operation_of(std::string_view head);

/// A place in an answer.
struct Place {
  enum class From {
    kStart,        ///< Bytes from its first one.
    kBody,         ///< Bytes from its body's first one.
    kEnd,          ///< Bytes before its end.
    kBodyPercent,  ///< Of its body.
  } from = From::kStart;
  std::size_t number = 0;

  std::size_t in(std::size_t head_bytes, std::size_t body_bytes) const;
};

/// Text that is sent `count` times: hostile answers can be longer than memory.
struct Piece {
  std::string text;
  std::size_t count = 1;
};

/// See docs/testing.md for the lines of a file.
struct Fault {
  enum class End {
    kNone,   ///< The connection stays.
    kClose,  ///< Closed after a whole answer that does not say where it ends, or in its middle.
    kReset,  ///< As a crash or a firewall does it.
    kStall,  ///< Nothing more comes.
    kDrip,   ///< A byte every 20 ms.
  };
  struct Replacement {
    std::string what;
    std::string with;
  };
  /// How the client is to come out of it.
  struct Expectation {
    Operation operation = Operation::kList;
    std::string outcome;       ///< "ok", or the name of an error code.
    std::size_t requests = 0;  ///< Of this operation, seen by the proxy.
    std::string says;          ///< Part of the error's message.
  };

  std::string name;
  std::size_t times = 1;          ///< How many requests in a row it befalls.
  bool reused_only = false;       ///< Only requests that are not the first on their connection.
  bool refused = false;           ///< Nobody listens until the client has paused.
  std::chrono::seconds clock{0};  ///< The client's clock is wrong by so much.

  std::optional<std::size_t> cut_request;  ///< Reset after so many bytes of the request's body.
  /// Sent in place of the server's answer, which is not asked. The first piece begins with the
  /// head. Empty: the server's answer, with what follows.
  std::vector<Piece> answer;
  bool raw = false;  ///< `answer` is sent as it is: no Content-Length is added.
  std::string status;
  std::vector<std::pair<std::string, std::string>> headers;  ///< An empty value takes one away.
  std::vector<Replacement> replacements;                     ///< In the body; all occurrences.
  bool reversed = false;                                     ///< The objects of a listing.
  std::string prelude;                                       ///< Sent before the answer.
  std::string appended;                                      ///< To the body.
  std::optional<Place> body_end;  ///< The body is cut there, and says so in its length.
  bool chunked = false;
  std::string last_chunk = "0\r\n\r\n";
  /// Instead of the body's true length.
  std::optional<std::int64_t> length_error;
  End end = End::kNone;
  Place end_at{Place::From::kEnd, 0};

  std::vector<Expectation> expectations;

  const Expectation* expected(Operation operation) const;
};

/// Reads one file. Throws std::runtime_error, with the line, at what it does not know.
Fault parse_fault(const std::string& name, std::string_view text);

/// All files, by name.
std::vector<Fault> load_faults();

}  // namespace leat::fault
