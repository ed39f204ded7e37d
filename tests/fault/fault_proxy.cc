#include "tests/fault/fault_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace leat::fault {
namespace {

/// One that is bound to a port, but does not listen, holds the port and refuses connections.
int bound_socket(int& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("the proxy cannot have a port on loopback");
  }
  port = ntohs(address.sin_port);
  return socket;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::string date_header() {
  const std::time_t now = std::time(nullptr);
  std::tm time = {};
  ::gmtime_r(&now, &time);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  return text.data();
}

void reverse_objects(std::string& listing) {
  const std::string end = "</Contents>";
  const std::size_t first = listing.find("<Contents>");
  const std::size_t last = listing.rfind(end);
  if (first == listing.npos || last == listing.npos) return;
  std::string reversed;
  for (std::size_t at = first; at < last + end.size();) {
    const std::size_t next = listing.find(end, at) + end.size();
    reversed.insert(0, listing.substr(at, next - at));
    at = next;
  }
  listing.replace(first, last + end.size() - first, reversed);
}

std::string as_chunks(std::string_view body, std::string_view last_chunk) {
  std::string text;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, 1'000);
    body.remove_prefix(piece.size());
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    text.append(size.data()).append(piece).append("\r\n");
  }
  return text.append(last_chunk);
}

/// The server's answer as the fault leaves it.
HttpMessage changed(HttpMessage message, const Fault& fault) {
  if (!fault.status.empty()) {
    message.head.replace(9, message.start_line().size() - 9, fault.status);
  }
  for (const Fault::Replacement& replacement : fault.replacements) {
    replace_all(message.body, replacement.what, replacement.with);
  }
  if (fault.reversed) reverse_objects(message.body);
  message.body += fault.appended;
  if (fault.body_end) message.body.resize(fault.body_end->in(0, message.body.size()));
  message.set_header("Transfer-Encoding", "");
  const auto length =
      static_cast<std::int64_t>(message.body.size()) + fault.length_error.value_or(0);
  message.set_header("Content-Length", std::to_string(length));
  if (fault.chunked) {
    message.set_header("Content-Length", "");
    message.set_header("Transfer-Encoding", "chunked");
    message.body = as_chunks(message.body, fault.last_chunk);
  }
  for (const auto& [name, value] : fault.headers) message.set_header(name, value);
  message.head.insert(0, fault.prelude);
  return message;
}

/// @return  Whether the connection may carry another request.
bool send_canned(Connection& client, const Fault& fault, std::size_t number) {
  std::vector<Piece> pieces = fault.answer;
  for (Piece& piece : pieces) {
    replace_all(piece.text, "{date}", date_header());
    replace_all(piece.text, "{number}", std::to_string(number));
  }
  const std::size_t head_end = pieces.front().text.find("\r\n\r\n");
  const bool complete = pieces.size() == 1 && !fault.raw && head_end != std::string::npos;
  if (complete) {
    HttpMessage message{.head = pieces.front().text.substr(0, head_end + 4),
                        .body = pieces.front().text.substr(head_end + 4)};
    message.set_header("Content-Length", std::to_string(message.body.size()));
    return client.send(message.head + message.body);
  }
  for (const Piece& piece : pieces) {
    // Many small ones at a time.
    std::string block;
    for (std::size_t i = 0; i < piece.count; ++i) {
      block += piece.text;
      if (block.size() < 65'536 && i + 1 < piece.count) continue;
      if (!client.send(block)) return false;
      block.clear();
    }
  }
  return false;
}

/// @return  Whether the connection may carry another request.
bool send_with_end(Connection& client, const HttpMessage& message, const Fault& fault) {
  const std::string text = message.head + message.body;
  const std::size_t end = fault.end_at.in(message.head.size(), message.body.size());
  if (!client.send(std::string_view(text).substr(0, end))) return false;
  switch (fault.end) {
    case Fault::End::kNone:
      return client.send(std::string_view(text).substr(end));
    case Fault::End::kClose:
      return false;
    case Fault::End::kReset:
      client.reset_at_close();
      return false;
    case Fault::End::kStall:
      client.wait_for_close();
      return false;
    case Fault::End::kDrip:
      for (const char byte : std::string_view(text).substr(end)) {
        if (!client.send({&byte, 1}) || !client.stays_open(20)) break;
      }
      return false;
  }
  return false;
}

}  // namespace

std::string SeenRequest::target() const {
  const std::size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

FaultProxy::FaultProxy(const std::string& server_url)
    : server_port_(std::stoi(server_url.substr(server_url.rfind(':') + 1))) {
  listener_ = bound_socket(port_);
  listen();
}

FaultProxy::~FaultProxy() {
  refuse();
  ::close(listener_);
}

void FaultProxy::listen() {
  if (::listen(listener_, 256) != 0) throw std::runtime_error("the proxy cannot listen");
  acceptor_ = std::thread([this, listener = listener_] { accept_all(listener); });
}

void FaultProxy::refuse() {
  if (acceptor_.joinable()) {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    // A socket that has listened cannot stop doing so: another one takes its port.
    ::close(std::exchange(listener_, bound_socket(port_)));
  }
  drop_clients(/*all=*/true);
}

void FaultProxy::set(Choose choose) {
  const std::lock_guard lock(mutex_);
  choose_ = std::move(choose);
  seen_.clear();
}

std::vector<SeenRequest> FaultProxy::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::size_t FaultProxy::seen(Operation operation) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(seen_.begin(), seen_.end(),
                    [&](const SeenRequest& seen) { return seen.operation == operation; }));
}

const Fault* FaultProxy::choose(SeenRequest seen) {
  const std::lock_guard lock(mutex_);
  seen_.push_back(seen);
  return choose_ ? choose_(seen) : nullptr;
}

void FaultProxy::accept_all(int listener) {
  while (true) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    drop_clients(/*all=*/false);
    const std::lock_guard lock(mutex_);
    Client& client = clients_.emplace_back(socket);
    client.thread = std::thread([this, &client] { serve(client); });
  }
}

void FaultProxy::drop_clients(bool all) {
  std::list<Client> dropped;
  {
    const std::lock_guard lock(mutex_);
    for (auto client = clients_.begin(); client != clients_.end();) {
      const auto next = std::next(client);
      if (all || client->connection == nullptr) {
        if (client->connection) client->connection->shut_down();
        if (client->server) client->server->shut_down();
        dropped.splice(dropped.end(), clients_, client);
      }
      client = next;
    }
  }
  for (Client& client : dropped) client.thread.join();
}

void FaultProxy::serve(Client& client) {
  for (std::size_t on_connection = 0;; ++on_connection) {
    const auto head = client.connection->receive_until("\r\n\r\n");
    if (!head || !answer(client, *head, on_connection)) break;
  }
  const std::lock_guard lock(mutex_);
  client.connection.reset();
  client.server.reset();
}

bool FaultProxy::answer(Client& client, const std::string& head, std::size_t on_connection) {
  const HttpMessage request{.head = head, .body = {}};
  const Operation operation = operation_of(head);
  const Fault* fault = choose({operation, head, on_connection});
  const std::size_t length = std::stoul(request.header("Content-Length").value_or("0"));
  if (fault != nullptr && fault->cut_request) {
    static_cast<void>(client.connection->receive(std::min(*fault->cut_request, length)));
    client.connection->reset_at_close();
    return false;
  }
  const std::string body = client.connection->receive(length);
  if (body.size() != length) return false;
  if (fault != nullptr && !fault->answer.empty()) {
    return send_canned(*client.connection, *fault, seen(operation));
  }
  std::optional<HttpMessage> message =
      ask_server(client, head + body, /*has_body=*/operation != Operation::kHead);
  if (!message) return false;
  if (fault == nullptr) {
    // Its chunks are one piece now.
    if (message->header("Transfer-Encoding")) {
      message->set_header("Transfer-Encoding", "");
      message->set_header("Content-Length", std::to_string(message->body.size()));
    }
    return client.connection->send(message->head + message->body);
  }
  return send_with_end(*client.connection, changed(*std::move(message), *fault), *fault);
}

std::optional<HttpMessage> FaultProxy::ask_server(Client& client, const std::string& request,
                                                  bool has_body) {
  // The server may have closed a connection that it kept: once more, on a new one.
  while (true) {
    const bool kept = client.server != nullptr;
    if (!kept) {
      const int socket = Connection::connect(server_port_);
      if (socket < 0) return std::nullopt;
      const std::lock_guard lock(mutex_);
      client.server = std::make_unique<Connection>(socket);
    }
    if (client.server->send(request)) {
      if (auto message = receive_answer(*client.server, has_body)) return message;
    }
    if (!kept) return std::nullopt;
    const std::lock_guard lock(mutex_);
    client.server.reset();
  }
}

}  // namespace leat::fault
