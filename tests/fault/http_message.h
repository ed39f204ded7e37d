// HTTP/1.1 messages as they come off a socket, whole and unchanged.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace leat::fault {

/// A connected TCP socket. Closes it at the end of its life. Used by one thread, except shut_down.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// To 127.0.0.1. -1: nobody answers.
  static int connect(int port);

  /// @return  False: the other side has closed, or the connection was shut down.
  bool send(std::string_view bytes);
  /// Everything up to and with `end`; nullopt: the connection ended, or 1 MiB came without it.
  std::optional<std::string> receive_until(std::string_view end);
  /// At most `length` bytes: fewer when the connection ended before.
  std::string receive(std::size_t length);
  std::string receive_all();
  /// Waits for the other side to close.
  void wait_for_close();
  /// For `milliseconds`, unless the other side closes.
  /// @return  False: it did.
  bool stays_open(int milliseconds);

  /// Makes the close at the end a reset: what is under way is lost.
  void reset_at_close();
  /// Ends all waiting. From any thread, during the connection's life.
  void shut_down();

 private:
  bool receive_more();

  const int socket_;
  std::string buffered_;
};

struct HttpMessage {
  std::string head;  ///< Start line and headers, with the empty line.
  std::string body;  ///< Without the framing of chunks.

  std::string start_line() const { return head.substr(0, head.find("\r\n")); }
  /// In any case; nullopt: there is none.
  std::optional<std::string> header(std::string_view name) const;
  /// Replaces it, or adds it; an empty value takes it away.
  void set_header(std::string_view name, std::string_view value);
};

/// nullopt: the connection ended first.
std::optional<HttpMessage> receive_answer(Connection& connection, bool has_body);

}  // namespace leat::fault
