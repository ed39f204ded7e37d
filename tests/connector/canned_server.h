// An HTTP server on loopback that sends what a test wrote down, byte for byte.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace leat::connector::s3 {

/// Connection n answers its requests with the strings of script[n], then closes; connections beyond
/// the script behave as the last one.
class CannedServer {
 public:
  using Connection = std::vector<std::string>;
  /// At the end of an answer: after it nothing more is sent, and the connection is kept open until
  /// the server ends.
  static constexpr std::string_view kSilence = "silence";

  explicit CannedServer(std::vector<Connection> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;
  ~CannedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void accept_all() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::lock_guard lock(mutex_);
      const std::size_t index = std::min(connections_++, script_.size() - 1);
      open_.push_back(socket);
      threads_.emplace_back([this, socket, index] { serve(socket, script_[index]); });
    }
  }

  void serve(int socket, const Connection& answers) {
    std::string buffered;
    for (const std::string& answer : answers) {
      if (!read_request(socket, buffered)) break;
      std::string_view rest = answer;
      const bool silence = rest.ends_with(kSilence);
      if (silence) rest.remove_suffix(kSilence.size());
      while (!rest.empty()) {
        const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(sent));
      }
      if (silence) {
        char byte = 0;
        while (::recv(socket, &byte, 1, 0) > 0) {
        }
        break;
      }
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, socket);
    ::close(socket);
  }

  bool read_request(int socket, std::string& buffered) {
    std::size_t end = 0;
    while ((end = request_length(buffered)) == 0) {
      char piece[4096];
      const ssize_t received = ::recv(socket, piece, sizeof(piece), 0);
      if (received <= 0) return false;
      buffered.append(piece, static_cast<std::size_t>(received));
    }
    const std::lock_guard lock(mutex_);
    requests_.push_back(buffered.substr(0, end));
    buffered.erase(0, end);
    return true;
  }

  static std::size_t request_length(const std::string& text) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head == text.npos) return 0;
    std::size_t body = 0;
    if (const std::size_t at = text.find("Content-Length: "); at < head) {
      body = std::stoul(text.substr(at + 16));
    }
    return text.size() >= head + 4 + body ? head + 4 + body : 0;
  }

  const std::vector<Connection> script_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::size_t connections_ = 0;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace leat::connector::s3
