// Stands before an S3 server and lets things go wrong, as exactly as a test wants them.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/fault.h"
#include "tests/fault/http_message.h"

namespace leat::fault {

/// A request as the proxy saw it.
struct SeenRequest {
  Operation operation = Operation::kOther;
  std::string head;               ///< Start line and headers.
  std::size_t on_connection = 0;  ///< Requests before it on its connection.
  std::string target() const;     ///< Path and query.
};

/// Listens on loopback and carries each request, unchanged, to a server on loopback and its answer
/// back; a request that `choose` gives a fault meets that fault. The Host header stays as the
/// client sent it, so signatures hold. One thread for each connection. Thread-safe.
class FaultProxy {
 public:
  /// @return  The fault of this request; nullptr: none. Called on any thread, by one at a time, in
  ///          the order in which requests arrive. What it returns lives as long as the proxy.
  using Choose = std::function<const Fault*(const SeenRequest&)>;

  explicit FaultProxy(const std::string& server_url);
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;
  ~FaultProxy();

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  /// Forgets what it has seen.
  void set(Choose choose);
  std::vector<SeenRequest> seen() const;
  std::size_t seen(Operation operation) const;

  /// Nobody listens any more, as with a server that is down. What is connected goes.
  void refuse();
  /// Listens again, at the same port.
  void listen();

 private:
  struct Client {
    explicit Client(int socket) : connection(std::make_unique<Connection>(socket)) {}
    // Made and destroyed under the proxy's mutex.
    std::unique_ptr<Connection> connection;
    std::unique_ptr<Connection> server;
    std::thread thread;
  };

  void accept_all(int listener);
  void drop_clients(bool all);
  void serve(Client& client);
  bool answer(Client& client, const std::string& head, std::size_t on_connection);
  std::optional<HttpMessage> ask_server(Client& client, const std::string& request, bool has_body);
  const Fault* choose(SeenRequest seen);

  int server_port_ = 0;
  int port_ = 0;
  int listener_ = -1;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  Choose choose_;
  std::vector<SeenRequest> seen_;
  std::list<Client> clients_;
};

}  // namespace leat::fault
