#include "connector/s3/http_client.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "connector/s3/curl_exchange.h"
#include "tests/connector/canned_server.h"

namespace leat::connector::s3 {
namespace {

using Kind = TransportFailure::Kind;

std::string ok(const std::string& body, const std::string& more_headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

struct Received {
  HttpExchange exchange;
  std::string body;
};

Received get(HttpTransport& client, const HttpRequest& request) {
  Received received;
  received.exchange =
      client.send(request, [&](const HttpResponse&, std::span<const std::byte> bytes) {
        received.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return true;
      });
  return received;
}

Received get(HttpTransport& client, const std::string& url) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  return get(client, request);
}

TEST(HttpClient, BringsStatusHeadersAndBody) {
  CannedServer server({{ok("hello", "ETag: \"e\"\r\nX-Empty:\r\n")}});
  HttpClient client({});
  const Received received = get(client, server.url("/a"));
  ASSERT_FALSE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.response.status, 200);
  EXPECT_EQ(received.body, "hello");
  EXPECT_EQ(*received.exchange.response.find("etag"), "\"e\"");
  EXPECT_EQ(*received.exchange.response.find("x-empty"), "");
  EXPECT_EQ(received.exchange.response.find("absent"), nullptr);
}

TEST(HttpClient, SendsTheUrlAsItIsAndNothingOfItsOwn) {
  CannedServer server({{ok(""), ok("")}});
  HttpClient client({});
  HttpRequest request;
  request.method = "PUT";
  request.url = server.url("/b//./../x%20y%2Bz?a=%2F&b=");
  request.headers = {{"Host", "other:1"}, {"X-Amz-Date", "now"}};
  request.body = "four";
  ASSERT_FALSE(get(client, request).exchange.failure.has_value());
  request.body = {};
  ASSERT_FALSE(get(client, request).exchange.failure.has_value());
  EXPECT_EQ(server.requests()[0],
            "PUT /b//./../x%20y%2Bz?a=%2F&b= HTTP/1.1\r\nHost: other:1\r\nUser-Agent: leat\r\n"
            "X-Amz-Date: now\r\nContent-Length: 4\r\n\r\nfour");
  EXPECT_TRUE(server.requests()[1].ends_with("Content-Length: 0\r\n\r\n"));
}

TEST(HttpClient, KeepsConnectionsAcrossRequestsAndErrors) {
  CannedServer server(
      {{ok("1"), "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", ok("3")}});
  HttpClient client({});
  EXPECT_EQ(get(client, server.url()).body, "1");
  const Received second = get(client, server.url());
  EXPECT_EQ(second.exchange.response.status, 403);
  EXPECT_EQ(second.body, "no");
  EXPECT_EQ(get(client, server.url()).body, "3");
  EXPECT_EQ(server.connections(), 1u);
}

// A gateway in the place of the service would be met again on it when the service is back.
TEST(HttpClient, GivesUpTheConnectionThatBroughtAnAnswerWhichMayBeAnothers) {
  for (const char* status : {"404 Not Found", "502 Bad Gateway", "503 Slow Down"}) {
    CannedServer server(
        {{"HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 2\r\n\r\nno"}, {ok("2")}});
    HttpClient client({});
    EXPECT_EQ(get(client, server.url()).body, "no");
    EXPECT_EQ(get(client, server.url()).body, "2");
    EXPECT_EQ(server.connections(), 2u);
  }
}

TEST(HttpClient, GivesUpTheConnectionAfterAFailure) {
  CannedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234"}, {ok("whole")}});
  HttpClient client({});
  const Received cut = get(client, server.url());
  ASSERT_TRUE(cut.exchange.failure.has_value());
  EXPECT_EQ(cut.exchange.failure->kind, Kind::kBroken);
  EXPECT_FALSE(cut.exchange.failure->connection_reused);
  EXPECT_EQ(cut.exchange.response.status, 200);
  EXPECT_EQ(cut.body, "1234");
  EXPECT_EQ(get(client, server.url()).body, "whole");
  EXPECT_EQ(server.connections(), 2u);
}

TEST(HttpClient, TellsThatAReusedConnectionBroke) {
  CannedServer server({{ok("1"), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1"}});
  HttpClient client({});
  EXPECT_EQ(get(client, server.url()).body, "1");
  const Received second = get(client, server.url());
  ASSERT_TRUE(second.exchange.failure.has_value());
  EXPECT_TRUE(second.exchange.failure->connection_reused);
}

TEST(HttpClient, FollowsNoRedirect) {
  CannedServer server(
      {{"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"}});
  HttpClient client({});
  EXPECT_EQ(get(client, server.url()).exchange.response.status, 301);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(HttpClient, TakesTheLastOfSeveralAnswersInARow) {
  CannedServer server({{"HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\n" + ok("body")}});
  HttpClient client({});
  const Received received = get(client, server.url());
  EXPECT_EQ(received.exchange.response.status, 200);
  EXPECT_EQ(received.exchange.response.find("x-first"), nullptr);
}

TEST(HttpClient, BoundsTheHeaders) {
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "X-Flood: " + std::string(1'000, 'x') + "\r\n";
  CannedServer server({{ok("", flood)}});
  HttpClient client({});
  const Received received = get(client, server.url());
  ASSERT_TRUE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.failure->kind, Kind::kProtocol);
}

TEST(HttpClient, EndsWhenTheSinkWantsNoMore) {
  CannedServer server({{ok(std::string(10'000'000, 'x'))}});
  HttpClient client({});
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  for (const bool throws : {false, true}) {
    const HttpExchange exchange =
        client.send(request, [&](const HttpResponse& head, std::span<const std::byte>) -> bool {
          EXPECT_EQ(head.status, 200);
          if (throws) throw std::runtime_error("must not pass through C");
          return false;
        });
    ASSERT_TRUE(exchange.failure.has_value());
    EXPECT_EQ(exchange.failure->kind, Kind::kSink);
  }
}

TEST(HttpClient, SaysWhyItCannotConnect) {
  std::string url;
  {
    const CannedServer server(std::vector<CannedServer::Connection>(1));
    url = server.url();
  }
  HttpClient client({});
  const Received refused = get(client, url);
  ASSERT_TRUE(refused.exchange.failure.has_value());
  EXPECT_EQ(refused.exchange.failure->kind, Kind::kConnect);
  EXPECT_FALSE(refused.exchange.failure->reason.empty());
}

TEST(HttpClient, RefusesWhatIsNotHttp) {
  CannedServer server({{"SSH-2.0-OpenSSH_9.2\r\n"}});
  HttpClient client({});
  const Received received = get(client, server.url());
  ASSERT_TRUE(received.exchange.failure.has_value());
  HttpRequest request;
  request.method = "GET";
  request.url = "file:///etc/hostname";
  EXPECT_TRUE(get(client, request).exchange.failure.has_value());
}

TEST(HttpClient, GivesUpOnAServerThatDoesNotAnswer) {
  CannedServer server({{std::string(CannedServer::kSilence)}});
  HttpClient client({});
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.first_byte_timeout = std::chrono::milliseconds(150);
  const Received received = get(client, request);
  ASSERT_TRUE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.failure->kind, Kind::kTimeout);
  EXPECT_EQ(received.exchange.failure->reason, "no answer within 0.150 s");
}

TEST(HttpClient, GivesUpOnAnAnswerThatStalls) {
  CannedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234" +
                        std::string(CannedServer::kSilence)}});
  HttpClient client({});
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.first_byte_timeout = std::chrono::hours(1);
  request.stall_timeout = std::chrono::milliseconds(300);
  const Received received = get(client, request);
  ASSERT_TRUE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.failure->kind, Kind::kTimeout);
  EXPECT_EQ(received.exchange.failure->reason, "less than 1 KiB/s for 0.300 s");
  EXPECT_EQ(received.body, "1234");
}

TEST(HttpClient, GivesUpAnAnswerThatHasALimitOnTheWhole) {
  CannedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234" +
                        std::string(CannedServer::kSilence)}});
  HttpClient client({});
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.total_timeout = std::chrono::milliseconds(200);
  const Received received = get(client, request);
  ASSERT_TRUE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.failure->kind, Kind::kTimeout);
  EXPECT_EQ(received.exchange.failure->reason, "no end of the answer within 0.200 s");
}

TEST(HttpClient, AStopEndsARequestUnderWay) {
  CannedServer server({{std::string(CannedServer::kSilence)}});
  HttpClient client({});
  std::stop_source stop;
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.stop = stop.get_token();
  std::thread stopper([&] {
    while (server.requests().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  const Received received = get(client, request);
  stopper.join();
  ASSERT_TRUE(received.exchange.failure.has_value());
  EXPECT_EQ(received.exchange.failure->kind, Kind::kStopped);
}

TEST(HttpClient, BulkTransfersDoNotHoldUpOthers) {
  CannedServer server({{std::string(CannedServer::kSilence)}, {ok("answer")}});
  HttpClientOptions options;
  options.transfers_max = 1;
  HttpClient client(options);
  struct Counting final : HttpReceiver {
    bool on_body(const HttpResponse&, std::span<const std::byte>) override { return true; }
    void on_end(HttpExchange exchange) override {
      ++ended;
      EXPECT_EQ(exchange.failure->kind, Kind::kStopped);
    }
    std::atomic<int> ended = 0;
  } receiver;
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.bulk = true;
  // One waits for the server, the other one in line.
  auto first = client.start(request, receiver);
  while (server.requests().empty()) std::this_thread::yield();
  auto second = client.start(request, receiver);
  EXPECT_EQ(get(client, server.url()).body, "answer");
  EXPECT_EQ(receiver.ended, 0);
  second.reset();
  EXPECT_EQ(receiver.ended, 1);
  first->cancel();
  first.reset();
  EXPECT_EQ(receiver.ended, 2);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST(HttpClient, ALineMovesOnWhenATransferEnds) {
  CannedServer server({CannedServer::Connection(100, ok("answer"))});
  HttpClientOptions options;
  options.transfers_max = 2;
  HttpClient client(options);
  std::atomic<int> whole = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { whole += get(client, server.url()).body == "answer"; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(whole, 8);
  EXPECT_LE(server.connections(), 2u);
}

/// Notes the threads that call it, and what came.
struct NotingReceiver final : HttpReceiver {
  bool on_body(const HttpResponse&, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    received += bytes.size();
    return true;
  }
  void on_pause() override {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  }
  void on_end(HttpExchange exchange) override {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    end = std::move(exchange);
    changed.notify_all();
  }
  template <class Ready>
  void wait(const Ready& ready) {
    std::unique_lock lock(mutex);
    changed.wait(lock, ready);
  }
  std::size_t received_so_far() {
    const std::lock_guard lock(mutex);
    return received;
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::thread::id> threads;
  std::size_t received = 0;
  std::size_t told = 0;
  std::optional<HttpExchange> end;
};

constexpr auto kForever = std::chrono::steady_clock::time_point::max();

HttpRequest bulk_request(const std::string& url) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.bulk = true;
  return request;
}

HttpRequest on_demand_request(const std::string& url, std::chrono::milliseconds stall_timeout) {
  HttpRequest request = bulk_request(url);
  request.on_demand = true;
  request.stall_timeout = stall_timeout;
  return request;
}

TEST(HttpClient, BytesThatNobodyWaitsForAreMovedByAThreadOfItsOwn) {
  const std::string body(3'000'000, 'x');
  CannedServer server({{ok(body)}});
  HttpClient client({});
  NotingReceiver receiver;
  const auto transfer = client.start(bulk_request(server.url()), receiver);
  receiver.wait([&] { return receiver.end.has_value(); });
  EXPECT_EQ(receiver.received, body.size());
  EXPECT_FALSE(receiver.threads.contains(std::this_thread::get_id()));
}

TEST(HttpClient, WhoWaitsMovesTheBytesAndIsBackAfterEachPiece) {
  constexpr std::size_t kPieceMax = CurlExchange::kPieceMax;
  const std::string body(10'000'000, 'x');
  CannedServer server({{ok(body)}});
  HttpClient client({});
  // A machine that holds this thread up lets the client's own step in: of some transfer it does
  // not.
  bool alone = false;
  for (int attempt = 0; attempt < 100 && !alone; ++attempt) {
    NotingReceiver receiver;
    const auto transfer = client.start(bulk_request(server.url()), receiver);
    std::size_t most = 0;
    std::size_t seen = 0;
    std::size_t told = 0;
    for (bool ended = false; !ended;) {
      if (!transfer->drive({}, kForever)) {
        receiver.wait([&] { return receiver.told != told || receiver.end; });
      }
      const std::lock_guard lock(receiver.mutex);
      most = std::max(most, receiver.received - seen);
      seen = receiver.received;
      told = receiver.told;
      ended = receiver.end.has_value();
    }
    // It is over as soon as the one who has told of the end is done: there is nothing to wait for.
    while (!transfer->drive({}, kForever)) std::this_thread::yield();
    EXPECT_FALSE(receiver.end->failure.has_value());
    EXPECT_EQ(receiver.received, body.size());
    alone = receiver.threads == std::set{std::this_thread::get_id()};
    if (alone) {
      EXPECT_LE(most, kPieceMax);
    }
  }
  EXPECT_TRUE(alone);
}

/// Waits for the end; how many bytes have come.
std::size_t receive_rest(HttpTransfer& transfer, NotingReceiver& receiver) {
  std::size_t told = 0;
  for (bool ended = false; !ended;) {
    if (!transfer.drive({}, kForever)) {
      receiver.wait([&] { return receiver.told != told || receiver.end; });
    }
    const std::lock_guard lock(receiver.mutex);
    told = receiver.told;
    ended = receiver.end.has_value();
  }
  EXPECT_FALSE(receiver.end->failure.has_value()) << receiver.end->failure->reason;
  return receiver.received;
}
std::size_t receive_all(HttpClient& client, const HttpRequest& request) {
  NotingReceiver receiver;
  const auto transfer = client.start(request, receiver);
  return receive_rest(*transfer, receiver);
}

TEST(HttpClient, WhereSeveralWaitEachGetsItsBytes) {
  const std::string body(20'000'000, 'x');
  CannedServer server({{ok(body)}});
  HttpClient client({});
  for (const bool on_demand : {false, true}) {
    HttpRequest request = bulk_request(server.url());
    request.on_demand = on_demand;
    std::vector<std::thread> threads;
    std::atomic<int> whole = 0;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { whole += receive_all(client, request) == body.size(); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(whole, 4);
  }
}

TEST(HttpClient, WhatComesOnDemandRestsWhileNobodyWaits) {
  const std::string body(10'000'000, 'x');
  CannedServer server({{ok(body)}});
  HttpClient client({});
  const HttpRequest request = on_demand_request(server.url(), std::chrono::milliseconds(1));
  NotingReceiver receiver;
  const auto transfer = client.start(request, receiver);
  receiver.wait([&] { return receiver.received >= CurlExchange::kPieceMin; });
  // Others on the same thread go on, for longer than the transfer that rests may stall.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (std::chrono::steady_clock::now() < end) {
    EXPECT_EQ(receive_all(client, bulk_request(server.url())), body.size());
  }
  EXPECT_LT(receiver.received_so_far(), CurlExchange::kPieceMax);
  EXPECT_EQ(receive_rest(*transfer, receiver), body.size());
}

TEST(HttpClient, TheTimeInWhichNobodyWaitedForWhatComesOnDemandIsNoStall) {
  const std::string part = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789";
  CannedServer server({{part + std::string(CannedServer::kSilence)}});
  HttpClient client({});
  const HttpRequest request = on_demand_request(server.url(), std::chrono::milliseconds(300));
  NotingReceiver receiver;
  const auto transfer = client.start(request, receiver);
  const auto drive_for = [&](std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) transfer->drive({}, until);
    const std::lock_guard lock(receiver.mutex);
    return receiver.end.has_value();
  };
  while (receiver.received_so_far() == 0) EXPECT_FALSE(drive_for(std::chrono::milliseconds(1)));
  const auto end = std::chrono::steady_clock::now() + 2 * request.stall_timeout;
  while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_FALSE(drive_for(request.stall_timeout / 6));
  while (!drive_for(std::chrono::milliseconds(50))) {
  }
  EXPECT_EQ(receiver.end->failure->kind, TransportFailure::Kind::kTimeout);
}

TEST(HttpClient, WhatComesOnDemandMayHaveNoLength) {
  const std::string body(5'000'000, 'x');
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) chunked += "f4240\r\n" + body.substr(0, 1'000'000) + "\r\n";
  CannedServer server({{chunked + "0\r\n\r\n"}});
  HttpClient client({});
  EXPECT_EQ(receive_all(client, on_demand_request(server.url(), std::chrono::seconds(10))),
            body.size());
}

TEST(HttpClient, AStopOrTheTimeLetsADriverGo) {
  CannedServer server({{std::string(CannedServer::kSilence)}});
  HttpClient client({});
  NotingReceiver receiver;
  const auto transfer = client.start(bulk_request(server.url()), receiver);
  while (server.requests().empty()) {
    transfer->drive({}, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
  }
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  while (!stop.stop_requested()) transfer->drive(stop.get_token(), kForever);
  stopper.join();
  EXPECT_FALSE(receiver.end.has_value());
  EXPECT_EQ(receiver.received, 0u);
}

TEST(HttpClient, WhatAnotherDriverBroughtIsNotWaitedForAgain) {
  const std::string part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789";
  CannedServer server({{ok("x")}, {part + std::string(CannedServer::kSilence)}});
  HttpClient client({});
  get(client, bulk_request(server.url()));  // Now its own thread waits before it steps in.
  NotingReceiver one;
  NotingReceiver other;
  const auto transfer_of_one = client.start(bulk_request(server.url()), one);
  const auto transfer_of_other = client.start(bulk_request(server.url()), other);
  const auto told = [&] {
    const std::lock_guard lock(one.mutex);
    return one.told != 0;
  };
  while (!told()) {
    transfer_of_other->drive({}, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
  }
  const auto begin = std::chrono::steady_clock::now();
  transfer_of_one->drive({}, begin + std::chrono::seconds(4));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(HttpClient, WhoDrivesGetsNoSigpipe) {
  // SIGPIPE would end this process.
  CannedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"}});
  HttpClient client({});
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(get(client, server.url()).exchange.failure.has_value());
  }
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST(HttpClient, OpensANewConnectionWhenToldTo) {
  CannedServer server({{ok("1"), ok("2")}, {ok("3")}});
  HttpClient client({});
  EXPECT_EQ(get(client, server.url()).body, "1");
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.fresh_connection = true;
  EXPECT_EQ(get(client, request).body, "3");
  EXPECT_EQ(server.connections(), 2u);
}

// The server closes after each answer, and the client cannot know it before it sends.
TEST(HttpClient, AConnectionClosedWhileIdleIsNoFailure) {
  CannedServer server({{ok("1")}, {ok("2")}});
  HttpClient client({});
  for (int i = 0; i < 20; ++i) {
    const Received received = get(client, server.url());
    ASSERT_FALSE(received.exchange.failure.has_value()) << received.exchange.failure->reason;
  }
}

TEST(HttpClient, CarriesManyRequestsAtOnce) {
  const std::string body(100'000, 'x');
  CannedServer server({CannedServer::Connection(1'000, ok(body))});
  HttpClient client({});
  std::atomic<int> whole = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) whole += get(client, server.url()).body == body;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(whole, 160);
  EXPECT_LE(server.connections(), 8u);
}

}  // namespace
}  // namespace leat::connector::s3
