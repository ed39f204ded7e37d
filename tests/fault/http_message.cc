#include "tests/fault/http_message.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <utility>

namespace leat::fault {
namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{1} << 20;

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

/// Where the line of this header begins in `head`; npos: nowhere.
std::size_t find_header(std::string_view head, std::string_view name) {
  for (std::size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n", line)) {
    line += 2;
    const std::size_t colon = head.find(':', line);
    if (colon == head.npos) break;
    if (same_name(head.substr(line, colon - line), name)) return line;
  }
  return head.npos;
}

}  // namespace

Connection::~Connection() { ::close(socket_); }

int Connection::connect(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(socket);
    return -1;
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::receive_more() {
  std::array<char, 65'536> piece;
  const ssize_t received = ::recv(socket_, piece.data(), piece.size(), 0);
  if (received <= 0) return false;
  buffered_.append(piece.data(), static_cast<std::size_t>(received));
  return true;
}

std::optional<std::string> Connection::receive_until(std::string_view end) {
  std::size_t at = 0;
  while ((at = buffered_.find(end)) == buffered_.npos) {
    if (buffered_.size() > kHeadBytesMax || !receive_more()) return std::nullopt;
  }
  std::string text = buffered_.substr(0, at + end.size());
  buffered_.erase(0, text.size());
  return text;
}

std::string Connection::receive(std::size_t length) {
  while (buffered_.size() < length && receive_more()) {
  }
  std::string text = buffered_.substr(0, length);
  buffered_.erase(0, text.size());
  return text;
}

std::string Connection::receive_all() {
  while (receive_more()) {
  }
  return std::exchange(buffered_, {});
}

void Connection::wait_for_close() {
  while (receive_more()) buffered_.clear();
}

bool Connection::stays_open(int milliseconds) {
  pollfd closed{.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&closed, 1, milliseconds) == 0;
}

void Connection::reset_at_close() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void Connection::shut_down() { ::shutdown(socket_, SHUT_RDWR); }

std::optional<std::string> HttpMessage::header(std::string_view name) const {
  const std::size_t line = find_header(head, name);
  if (line == head.npos) return std::nullopt;
  std::size_t begin = head.find(':', line) + 1;
  while (head[begin] == ' ') ++begin;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

void HttpMessage::set_header(std::string_view name, std::string_view value) {
  if (const std::size_t line = find_header(head, name); line != head.npos) {
    head.erase(line, head.find("\r\n", line) + 2 - line);
  }
  if (value.empty()) return;
  head.insert(head.size() - 2, std::string(name) + ": " + std::string(value) + "\r\n");
}

std::optional<HttpMessage> receive_answer(Connection& connection, bool has_body) {
  std::optional<std::string> head = connection.receive_until("\r\n\r\n");
  if (!head) return std::nullopt;
  HttpMessage message{.head = *std::move(head), .body = {}};
  const std::string status = message.start_line().substr(9, 3);
  if (!has_body || status == "204" || status == "304") return message;
  if (message.header("Transfer-Encoding") == "chunked") {
    while (true) {
      const auto line = connection.receive_until("\r\n");
      if (!line) return std::nullopt;
      const std::size_t length = std::stoul(*line, nullptr, 16);
      message.body += connection.receive(length);
      if (connection.receive(2) != "\r\n") return std::nullopt;
      if (length == 0) return message;
    }
  }
  if (const auto length = message.header("Content-Length")) {
    message.body = connection.receive(std::stoul(*length));
    if (message.body.size() != std::stoul(*length)) return std::nullopt;
  } else {
    message.body = connection.receive_all();
  }
  return message;
}

}  // namespace leat::fault
