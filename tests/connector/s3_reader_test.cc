// How objects are read: bytes before a range is complete, memory, requests asked twice.
#include "connector/s3/s3_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "connector/s3/http_client.h"
#include "tests/connector/canned_server.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
const std::string kEtag = "\"0123abc\"";

/// Opens once, for whoever waits at it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  /// @return  False: a stop was requested first.
  bool wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return opened_.wait(lock, stop, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any opened_;
  bool open_ = false;
};

HttpExchange stopped() {
  return {.response = {},
          .failure = TransportFailure{.kind = TransportFailure::Kind::kStopped, .reason = {}}};
}

/// Answers with the range that was asked for. Sends its first `before` bytes at once, and the rest
/// when the gate opens.
FakeTransport::Step range_answer(const std::string& content, std::size_t before = SIZE_MAX,
                                 Gate* gate = nullptr) {
  return [=, &content](const HttpRequest& request, const BodySink& sink) {
    const Range asked = asked_range(request);
    HttpExchange exchange{
        .response = {.status = 206,
                     .headers = {{"content-range", "bytes " + std::to_string(asked.begin) + "-" +
                                                       std::to_string(asked.end - 1) + "/" +
                                                       std::to_string(content.size())},
                                 {"etag", kEtag}}},
        .failure = std::nullopt};
    const auto body = std::as_bytes(std::span(content)).subspan(asked.begin, asked.length());
    const std::size_t first = std::min<std::size_t>(before, body.size());
    if (first != 0 && !sink(exchange.response, body.first(first))) return stopped();
    if (first == body.size()) return exchange;
    if (gate != nullptr && !gate->wait(request.stop)) return stopped();
    if (!sink(exchange.response, body.subspan(first))) {
      exchange.failure = TransportFailure{.kind = TransportFailure::Kind::kSink, .reason = {}};
    }
    return exchange;
  };
}

std::string some_content(std::size_t length) {
  std::string content(length, '\0');
  for (std::size_t i = 0; i < length; ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  return content;
}

class S3ReaderTest : public ::testing::Test {
 protected:
  FakeTransport& transport() {
    client();
    return *transport_;
  }
  S3Client& client() {
    if (client_ == nullptr) {
      S3ClientOptions options;
      options.bucket = "bucket";
      options.endpoint = Endpoint{.tls = false, .authority = "host:9000", .path_prefix = {}};
      options.clock = &clock_;
      options.random = [] { return 1.0; };
      auto transport = std::make_unique<FakeTransport>();
      transport_ = transport.get();
      client_ = std::make_unique<S3Client>(std::move(options), std::move(transport));
    }
    return *client_;
  }
  static ObjectVersion object_of(const std::string& content) {
    return {.key = "k", .version = kEtag, .size = content.size()};
  }
  /// Reads until `length` bytes came, the end, or an error.
  static std::string read(S3Reader& reader, std::size_t length) {
    std::string text;
    std::vector<std::byte> buffer(100'000);
    while (text.size() < length) {
      const auto received =
          reader.read(std::span(buffer).first(std::min(buffer.size(), length - text.size())));
      EXPECT_TRUE(received.has_value()) << received.error().to_string();
      if (!received || *received == 0) break;
      text.append(reinterpret_cast<const char*>(buffer.data()), *received);
    }
    return text;
  }

  testing::ManualClock clock_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Client> client_;
};

TEST_F(S3ReaderTest, HandsOutBytesBeforeTheirRangeIsComplete) {
  const std::string content = some_content(kMiB);
  Gate gate;
  transport().then(range_answer(content, 1'000, &gate));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  EXPECT_EQ(read(reader, 1'000), content.substr(0, 1'000));
  gate.open();
  EXPECT_EQ(read(reader, content.size()), content.substr(1'000));
}

TEST_F(S3ReaderTest, AsksAheadOnlyWhenTheVersionIsProved) {
  const std::string content = some_content(30 * kMiB);
  Gate first;
  Gate second;
  transport()
      .then(range_answer(content, 0, &first))
      .otherwise(range_answer(content, 1'000, &second));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  std::jthread opener([&] {
    while (transport().seen().empty()) std::this_thread::yield();
    EXPECT_EQ(transport().seen().size(), 1u);
    first.open();
  });
  EXPECT_EQ(read(reader, 1), content.substr(0, 1));
  opener.join();
  EXPECT_EQ(transport().seen().size(), 2u);
  EXPECT_EQ(budget.held(), RangeRead::kOnDemandBytes + 2 * kMiB);
  second.open();
  EXPECT_EQ(read(reader, content.size()), content.substr(1));
  EXPECT_GE(transport().seen().size(), 4u);  // 16 and 11 MiB, or 4, 8, 8 and 7.
  EXPECT_LE(transport().seen().size(), 6u);
  EXPECT_EQ(budget.held(), 0u);
}

TEST_F(S3ReaderTest, WhatComesAheadIsNotHandedOutBeforeItsTurn) {
  const std::string content = some_content(2 * kMiB);
  Gate gate;
  transport().then(range_answer(content, 10, &gate)).otherwise(range_answer(content));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  EXPECT_EQ(read(reader, 10), content.substr(0, 10));
  while (client().stats().bytes_read < kMiB + 10) std::this_thread::yield();
  gate.open();
  EXPECT_EQ(read(reader, content.size()), content.substr(10));
}

/// Reads the whole of `range`, at most `step` bytes in a call.
std::string text_of(RangeRead& range, std::size_t step = SIZE_MAX) {
  std::string text;
  while (range.left() != 0) {
    std::vector<std::byte> out(std::min<std::uint64_t>(range.left(), step));
    const auto received = range.read(out);
    EXPECT_TRUE(received.has_value()) << received.error().to_string();
    if (!received) break;
    EXPECT_GT(*received, 0u);
    text.append(reinterpret_cast<const char*>(out.data()), *received);
  }
  return text;
}

TEST_F(S3ReaderTest, LentMemoryAndTheRangesOwnTogetherHoldAllBytes) {
  const std::string content = some_content(100'000);
  const ObjectVersion object = object_of(content);
  for (const std::size_t memory : {std::size_t{0}, std::size_t{5'000}, content.size()}) {
    for (std::size_t before = 0; before < 3'000; before += 97) {
      Gate gate;
      transport().then(range_answer(content, before, &gate));
      ReadCounters counters;
      RangeRead range(client().requester(), counters, nullptr, object, {0, content.size()},
                      Buffer(memory), {});
      range.start();
      std::jthread opener([&] { gate.open(); });
      EXPECT_TRUE(text_of(range, 1'000) == content)
          << "the first " << before << " bytes came alone";
      EXPECT_EQ(counters.bytes, content.size());
      EXPECT_EQ(range.came()->bytes, content.size());
    }
  }
}

TEST(RangeWindowTest, ASlowServiceIsAskedOverSeveralConnections) {
  RangeWindow window;
  EXPECT_EQ(window.ranges(), RangeWindow::kRangesAtFirst);
  for (int i = 0; i < 10; ++i) {
    window.asked(/*on_demand=*/false);
    window.received({8 * kMiB, 30ms, 100ms});  // 84 MB/s.
  }
  EXPECT_EQ(window.ranges(), RangeWindow::kRangesMax);
  EXPECT_EQ(window.range_bytes(false), RangeWindow::kRangeBytesMax);
  window.received({8 * kMiB, 30ms, 40ms});  // 210 MB/s.
  EXPECT_EQ(window.ranges(), 3u);
}

TEST(RangeWindowTest, AFastServiceIsAskedForOneLongRange) {
  RangeWindow window;
  for (int i = 0; i < 10; ++i) {
    window.received({8 * kMiB, 1ms, 8ms});  // 1 GB/s.
    window.asked(/*on_demand=*/false);
  }
  EXPECT_EQ(window.ranges(), 1u);
  EXPECT_EQ(window.range_bytes(false), RangeWindow::kRangeOfFewBytesMax);
  window.received({32 * kMiB, 1ms, 1s});
  EXPECT_EQ(window.ranges(), RangeWindow::kRangesMax);
  EXPECT_EQ(window.range_bytes(false), RangeWindow::kRangeBytesMax);
}

TEST(RangeWindowTest, TheNextRangeIsAskedForAsEarlyAsTheServiceNeedsToBegin) {
  RangeWindow window;
  window.received({8 * kMiB, 0ms, 8ms});
  EXPECT_EQ(window.ask_before_end(), RangeWindow::kAskBeforeEndMin);
  RangeWindow later;
  later.received({8 * kMiB, 2ms, 8ms});
  EXPECT_EQ(later.ask_before_end(), 2 * kMiB);
  later.received({8 * kMiB, 2s, 8ms});  // A late answer says little.
  EXPECT_LT(later.ask_before_end(), 2 * kMiB + kMiB / 8);
  RangeWindow far;
  far.received({8 * kMiB, 80ms, 8ms});
  EXPECT_EQ(far.ask_before_end(), RangeWindow::kAskBeforeEndMax);
}

TEST(RangeWindowTest, RangesWithoutMeasurableTimeOrBytesAreFast) {
  for (const std::uint64_t bytes : {0, 1}) {
    RangeWindow window;
    window.received({bytes, 0ms, 0ms});
    EXPECT_EQ(window.ranges(), 1u);
    EXPECT_EQ(window.ask_before_end(), RangeWindow::kAskBeforeEndMin);
  }
}

TEST_F(S3ReaderTest, ReadersShareTheBudgetAndEachGetsALittle) {
  const std::string content = some_content(10 * kMiB);
  transport().otherwise(range_answer(content));
  ReadBudget budget(kMiB);
  S3Reader greedy(client(), budget, object_of(content), 0, {});
  EXPECT_EQ(read(greedy, 1), content.substr(0, 1));
  EXPECT_EQ(budget.held(), RangeRead::kOnDemandBytes + kMiB / 2);
  std::vector<std::unique_ptr<S3Reader>> others;
  for (int i = 0; i < 7; ++i) {
    others.push_back(
        std::make_unique<S3Reader>(client(), budget, object_of(content), 0, std::stop_token()));
    EXPECT_EQ(read(*others.back(), 1), content.substr(0, 1));
    EXPECT_LE(budget.held(), kMiB + others.size() * ReadBudget::kLittleBytes);
  }
  // None of them waits for another one.
  for (auto& reader : others) EXPECT_TRUE(read(*reader, content.size()) == content.substr(1));
  EXPECT_TRUE(read(greedy, content.size()) == content.substr(1));
}

TEST_F(S3ReaderTest, AStopEndsAReadThatWaits) {
  const std::string content = some_content(kMiB);
  Gate never;
  transport().otherwise(range_answer(content, 0, &never));
  std::stop_source stop;
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, stop.get_token());
  std::jthread stopper([&] {
    while (transport().seen().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  std::vector<std::byte> buffer(10);
  EXPECT_EQ(reader.read(buffer).error().code, ErrorCode::kCancelled);
}

TEST_F(S3ReaderTest, ANewAttemptGoesToAFreshConnectionWithMorePatience) {
  const std::string content = some_content(1'000);
  transport()
      .then(transport_failure(TransportFailure::Kind::kBroken, /*reused=*/true))
      .then(transport_failure(TransportFailure::Kind::kTimeout))
      .then(range_answer(content));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  EXPECT_EQ(read(reader, content.size()), content);
  EXPECT_EQ(clock_.waits().size(), 1u);  // The closed connection was tried again at once.
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 3u);
  const std::vector<bool> fresh = {false, true, true};
  const std::vector<int> patience = {5, 10, 20};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(seen[i].request.bulk);
    EXPECT_EQ(seen[i].request.fresh_connection, fresh[i]);
    EXPECT_EQ(seen[i].request.first_byte_timeout, std::chrono::seconds(patience[i]));
  }
}

TEST_F(S3ReaderTest, ARangeOfSeveralAttemptsSaysNothingOfTheServicesSpeed) {
  const std::string content = some_content(10'000);
  transport()
      .then([&](const HttpRequest& request, const BodySink& sink) {
        Gate open;
        open.open();
        HttpExchange exchange = range_answer(content, 1'000, &open)(
            request, [&](const HttpResponse& head, std::span<const std::byte> bytes) {
              return bytes.size() == 1'000 && sink(head, bytes);
            });
        exchange.failure->kind = TransportFailure::Kind::kBroken;
        return exchange;
      })
      .otherwise(range_answer(content));
  const ObjectVersion object = object_of(content);
  ReadCounters counters;
  RangeRead range(client().requester(), counters, nullptr, object, {0, content.size()}, Buffer(),
                  {});
  range.start();
  EXPECT_TRUE(text_of(range) == content);
  EXPECT_EQ(transport().seen().size(), 2u);
  // From the second request to the first byte it would be less than nothing.
  EXPECT_FALSE(range.came());
}

TEST_F(S3ReaderTest, ARangeThatGoesOnEachTimeMayBreakManyTimes) {
  const std::string content = some_content(30 * kMiB);
  transport().otherwise([&](const HttpRequest& request, const BodySink& sink) {
    std::size_t left = kMiB;
    HttpExchange exchange = range_answer(content)(
        request, [&](const HttpResponse& head, std::span<const std::byte> bytes) {
          const std::span<const std::byte> part = bytes.first(std::min(left, bytes.size()));
          left -= part.size();
          return sink(head, part) && part.size() == bytes.size();
        });
    if (exchange.failure) exchange.failure->kind = TransportFailure::Kind::kBroken;
    return exchange;
  });
  const ObjectVersion object = object_of(content);
  ReadCounters counters;
  RangeRead range(client().requester(), counters, nullptr, object, {0, content.size()}, Buffer(),
                  {});
  range.start();
  EXPECT_TRUE(text_of(range) == content);
  EXPECT_EQ(transport().seen().size(), 30u);
}

TEST_F(S3ReaderTest, NothingComesOnDemandWhileThereAreOtherReaders) {
  const std::string content = some_content(40 * kMiB);
  transport().otherwise(range_answer(content));
  ReadBudget budget(64 * kMiB);
  S3Reader other(client(), budget, object_of(content), 0, {});
  S3Reader reader(client(), budget, object_of(content), 0, {});
  EXPECT_TRUE(read(reader, content.size()) == content);
  for (const auto& seen : transport().seen()) EXPECT_FALSE(seen.request.on_demand);
}

TEST_F(S3ReaderTest, WhatComesOnDemandNeedsLittleMemory) {
  const std::string content = some_content(200 * kMiB);
  transport().otherwise(range_answer(content));
  bool on_demand = false;
  // A machine that holds a thread up makes the service look slow: of some attempts it does not.
  for (int attempt = 0; attempt < 20 && !on_demand; ++attempt) {
    ReadBudget budget(64 * kMiB);
    S3Reader reader(client(), budget, object_of(content), 0, {});
    std::vector<std::byte> buffer(100'000);
    std::size_t length = 0;
    while (const auto received = *reader.read(buffer)) {
      ASSERT_EQ(std::memcmp(buffer.data(), content.data() + length, received), 0);
      length += received;
      if (!transport().seen().back().request.on_demand) continue;
      on_demand = true;
    }
    EXPECT_EQ(length, content.size());
    EXPECT_EQ(budget.held(), 0u);
  }
  EXPECT_TRUE(on_demand);
}

TEST_F(S3ReaderTest, ARangeAheadThatFailedIsAskedForAgainBeforeItsTurn) {
  const std::string content = some_content(3 * kMiB);
  Gate gate;
  transport()
      .then(range_answer(content, kMiB / 2, &gate))
      .then(transport_failure(TransportFailure::Kind::kBroken))
      .otherwise(range_answer(content));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  std::string text;
  // The whole object in two ranges, and one of them again; the first one has not ended.
  while (text.size() < kMiB / 2 && transport().seen().size() < 3) {
    text += read(reader, 1);
    clock_.advance(std::chrono::milliseconds(50));
  }
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[2].header("Range"), seen[1].header("Range"));
  EXPECT_TRUE(seen[2].request.fresh_connection);
  EXPECT_TRUE(clock_.waits().empty());  // Nobody waited for the pause.
  gate.open();
  EXPECT_TRUE(text + read(reader, content.size()) == content);
  EXPECT_EQ(client().stats().retries, 1u);
}

TEST_F(S3ReaderTest, ARangeAheadThatFailsForGoodIsReportedInItsTurn) {
  const std::string content = some_content(2 * kMiB);
  Gate gate;
  transport()
      .then(range_answer(content, kMiB / 2, &gate))
      .then(error_answer(412, "PreconditionFailed"));
  ReadBudget budget(64 * kMiB);
  S3Reader reader(client(), budget, object_of(content), 0, {});
  EXPECT_EQ(read(reader, kMiB / 2), content.substr(0, kMiB / 2));
  gate.open();
  EXPECT_EQ(read(reader, kMiB / 2), content.substr(kMiB / 2, kMiB / 2));
  std::vector<std::byte> buffer(10);
  EXPECT_EQ(reader.read(buffer).error().code, ErrorCode::kObjectChanged);
  EXPECT_EQ(transport().seen().size(), 2u);
}

/// What GET of the whole object brings, with these answers in turn.
class RangeAnswerTest : public S3ReaderTest {
 protected:
  Result<std::string> read_all(const ObjectVersion& object, FakeTransport::Step step) {
    client_.reset();
    transport().then(std::move(step));
    std::string out(object.size, '\0');
    const auto done =
        client().read_range(object, {0, object.size}, std::as_writable_bytes(std::span(out)));
    if (!done) return done.error();
    return out;
  }
};

TEST_F(RangeAnswerTest, TheWholeObjectUnderStatus200IsFineWhenAllWasAskedFor) {
  const ObjectVersion object{.key = "k", .version = "\"e\"", .size = 5};
  EXPECT_EQ(*read_all(object, answer(200, "12345", {{"content-length", "5"}, {"etag", "e"}})),
            "12345");
  EXPECT_EQ(*read_all(object, answer(200, "12345", {{"etag", "e"}})), "12345");  // Chunked.
  for (const auto& [step, code] : std::vector<std::pair<FakeTransport::Step, ErrorCode>>{
           {answer(200, "123456", {{"Content-Length", "6"}, {"etag", "e"}}),
            ErrorCode::kObjectChanged},
           {answer(200, "12345", {{"ETag", "\"other\""}}), ErrorCode::kObjectChanged},
           {answer(200, "123456", {{"etag", "e"}}), ErrorCode::kCorrupt},
           {answer(200, "", {{"Content-Length", "0"}, {"etag", "e"}}), ErrorCode::kObjectChanged},
           // Without an ETag it may be a page of a gateway.
           {answer(200, "12345", {{"Content-Length", "5"}}), ErrorCode::kCorrupt},
           {answer(200, "123"), ErrorCode::kCorrupt}}) {
    const auto text = read_all(object, step);
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().code, code) << text.error().to_string();
    EXPECT_FALSE(text.error().retryable);
  }
}

TEST_F(RangeAnswerTest, EtagsAreComparedWithoutQuotesAndMarks) {
  const auto answer_of = [](const char* etag) {
    return answer(206, "12345", {{"content-range", "bytes 0-4/5"}, {"etag", etag}});
  };
  for (const char* listed : {"e", "\"e\"", "W/\"e\""}) {
    for (const char* sent : {"e", "\"e\"", "W/\"e\""}) {
      EXPECT_EQ(*read_all({.key = "k", .version = listed, .size = 5}, answer_of(sent)), "12345");
    }
  }
  static_cast<void>(read_all({.key = "k", .version = "e", .size = 5}, answer_of("e")));
  EXPECT_EQ(transport().seen()[0].header("if-match"), "\"e\"");
  static_cast<void>(read_all({.key = "k", .version = "W/\"e\"", .size = 5}, answer_of("e")));
  EXPECT_EQ(transport().seen()[0].header("if-match"), "W/\"e\"");
}

TEST_F(RangeAnswerTest, AContentRangeIsTakenExactly) {
  const ObjectVersion object{.key = "k", .version = "e", .size = 5};
  for (const char* range : {"bytes 0-4/6", "bytes 0-4/4"}) {
    EXPECT_EQ(read_all(object, answer(206, "12345", {{"Content-Range", range}})).error().code,
              ErrorCode::kObjectChanged);
  }
  for (const char* range :
       {"", "bytes", "bytes 0-3/5", "bytes 1-4/5", "bytes 0-5/5", "bytes 0-4/*", "bytes */5",
        "bytes 0-4", "bytes=0-4/5", "0-4/5", "bytes -0-4/5", "bytes 0-4/5x", "bytes 0- 4/5",
        "bytes 0-18446744073709551615/5", "bytes 0/5-4", "bytes 99999999999999999999-4/5"}) {
    const auto text = read_all(object, answer(206, "12345", {{"Content-Range", range}}));
    ASSERT_FALSE(text.has_value()) << range;
    EXPECT_EQ(text.error().code, ErrorCode::kCorrupt) << range;
  }
}

class HedgeTest : public S3ReaderTest {
 protected:
  /// All reads so far had their first byte within a millisecond.
  void know_the_server() {
    for (std::size_t i = 0; i < Hedge::kSamplesMin; ++i) hedge_.note(std::chrono::milliseconds(1));
  }
  std::string read_range(const std::string& content) {
    const ObjectVersion object = object_of(content);
    RangeRead range(client().requester(), counters_, &hedge_, object, {0, content.size()},
                    Buffer(content.size()), {});
    range.start();
    return text_of(range);
  }

  ReadCounters counters_;
  Hedge hedge_;
};

TEST_F(HedgeTest, TheAnswerThatComesFirstWins) {
  const std::string content = some_content(100'000);
  know_the_server();
  Gate never;
  transport().then(range_answer(content, 0, &never)).then(range_answer(content));
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_EQ(hedge_.taken(), 1u);
  EXPECT_EQ(counters_.bytes, content.size());
}

TEST_F(HedgeTest, TheSlowOneMayStillWinAndTheOtherIsDropped) {
  const std::string content = some_content(100'000);
  know_the_server();
  Gate gate;
  Gate never;
  transport()
      .then(range_answer(content, 0, &gate))
      .then([&](const HttpRequest& request, const BodySink&) {
        gate.open();
        never.wait(request.stop);
        return stopped();
      });
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_EQ(counters_.bytes, content.size());
}

TEST_F(HedgeTest, WhenBothFailTheRangeIsTriedAgain) {
  const std::string content = some_content(100'000);
  know_the_server();
  Gate gate;
  transport()
      .then([&](const HttpRequest& request, const BodySink&) {
        gate.wait(request.stop);
        return HttpExchange{.response = {.status = 500, .headers = {}}, .failure = std::nullopt};
      })
      .then([&](const HttpRequest&, const BodySink&) {
        gate.open();
        return HttpExchange{.response = {.status = 500, .headers = {}}, .failure = std::nullopt};
      })
      .otherwise(range_answer(content));
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_GE(transport().seen().size(), 3u);
}

TEST_F(HedgeTest, WhoMayNotAskTwiceAsksNoMoreAndWaits) {
  const std::string content = some_content(100'000);
  know_the_server();
  while (hedge_.take()) {
  }
  const std::uint64_t refused = hedge_.refused();
  transport().then([&](const HttpRequest& request, const BodySink& sink) {
    while (hedge_.refused() == refused) std::this_thread::yield();
    // A reader that does not wait is told of at once; one that does costs this test its patience.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    while (hedge_.refused() == refused + 1 && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return range_answer(content)(request, sink);
  });
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_EQ(hedge_.refused(), refused + 1);
  EXPECT_EQ(transport().seen().size(), 1u);
}

TEST_F(HedgeTest, ARefusalHoldsForOneAttemptOnly) {
  const std::string content = some_content(100'000);
  know_the_server();
  while (hedge_.take()) {
  }
  const std::uint64_t taken = hedge_.taken();
  const std::uint64_t refused = hedge_.refused();
  Gate never;
  transport()
      .then([&](const HttpRequest&, const BodySink&) {
        while (hedge_.refused() == refused) std::this_thread::yield();
        know_the_server();
        return HttpExchange{.response = {.status = 500, .headers = {}}, .failure = std::nullopt};
      })
      .then(range_answer(content, 0, &never))
      .then(range_answer(content));
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_EQ(hedge_.taken(), taken + 1);
}

TEST_F(HedgeTest, NeedsToKnowTheServerFirst) {
  EXPECT_FALSE(hedge_.patience());
  for (int i = 1; i <= 1'000; ++i) hedge_.note(std::chrono::milliseconds(i));
  // Of the last 512, known up to the last 31 of them.
  EXPECT_GT(hedge_.patience()->count(), 960'000);
  EXPECT_LT(hedge_.patience()->count(), 996'000);
}

TEST_F(HedgeTest, AsksTwiceForAFewOnly) {
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    hedge_.note(std::chrono::milliseconds(1));
    taken += hedge_.take();
  }
  EXPECT_LE(taken, 51);
  EXPECT_GE(taken, 49);
}

/// Over HTTP, where the reader that waits moves the bytes.
class DrivenReadTest : public HedgeTest {
 protected:
  static std::string answer(const std::string& content) {
    return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(content.size()) +
           "\r\nContent-Range: bytes 0-" + std::to_string(content.size() - 1) + "/" +
           std::to_string(content.size()) + "\r\nETag: " + kEtag + "\r\n\r\n" + content;
  }
  S3Client& client_of(const CannedServer& server) {
    S3ClientOptions options;
    options.bucket = "bucket";
    options.endpoint =
        Endpoint{.tls = false, .authority = server.url("").substr(7), .path_prefix = {}};
    client_ = std::make_unique<S3Client>(std::move(options),
                                         std::make_unique<HttpClient>(HttpClientOptions{}));
    return *client_;
  }
};

TEST_F(DrivenReadTest, TheSecondRequestWinsWhileTheFirstIsSilent) {
  const std::string content = some_content(100'000);
  CannedServer server({{std::string(CannedServer::kSilence)}, {answer(content)}});
  client_of(server);
  know_the_server();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(read_range(content) == content);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_EQ(hedge_.taken(), 1u);
}

TEST_F(DrivenReadTest, RangesOnDemandOfSeveralReadersComeWhole) {
  const std::string content = some_content(8 * kMiB);
  CannedServer server({{answer(content)}});
  client_of(server);
  const ObjectVersion object = object_of(content);
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        RangeRead range(client_->requester(), counters_, nullptr, object, {0, content.size()},
                        Buffer(), {});
        range.start();
        EXPECT_TRUE(text_of(range, 100'000) == content);
        EXPECT_LE(range.take_memory().capacity(), 2 * RangeRead::kOnDemandBytes);
      }
    });
  }
}

TEST_F(DrivenReadTest, AConnectionIsUsedForOneRangeAfterAnother) {
  const std::string content = some_content(kMiB);
  constexpr std::size_t kRanges = 20;
  CannedServer server({std::vector<std::string>(kRanges, answer(content))});
  client_of(server);
  for (std::size_t i = 0; i < kRanges; ++i) EXPECT_TRUE(read_range(content) == content);
  EXPECT_EQ(server.connections(), 1u);
}

}  // namespace
}  // namespace leat::connector::s3
