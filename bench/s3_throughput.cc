// Reads objects of an S3 service, or of any HTTP server with ETags and ranges, and drops the bytes;
// writes the objects that are read. Endpoint and keys come from the environment, as for any AWS
// tool; without AWS_ACCESS_KEY_ID requests are not signed. See bench/compare-s3.
//
//   s3_throughput fill BUCKET LARGE_BYTES SMALL_COUNT SMALL_BYTES   "large", and "small/N" for each
//   N s3_throughput read BUCKET PREFIX THREADS                        all that is listed
//   s3_throughput get BUCKET THREADS [hedge]                        "size etag key" lines of stdin,
//                                                                   asking twice where one is late

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "connector/s3/s3_store.h"
#include "connector/s3/s3_upload.h"
#include "leat/object_store.h"

namespace {

using namespace leat;
using connector::s3::S3Client;

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << "\n";
  std::exit(1);
}

template <class T>
T value_of(Result<T> result) {
  if (!result) fail(result.error().to_string());
  return *std::move(result);
}

void check(const Result<void>& result) {
  if (!result) fail(result.error().to_string());
}

StoreOptions options(bool hedge_reads = false) {
  StoreOptions options;
  options.s3.hedge_reads = hedge_reads;
  options.s3.no_sign_request = std::getenv("AWS_ACCESS_KEY_ID") == nullptr;
  return options;
}

/// Calls `work` with 0 … count - 1, on `threads` threads.
void in_parallel(std::size_t threads, std::size_t count,
                 const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (std::size_t index; (index = next.fetch_add(1)) < count;) work(index);
    });
  }
}

std::string random_text(std::size_t length) {
  std::mt19937_64 generator(1);
  std::string text(length, ' ');
  for (char& c : text) c = static_cast<char>('!' + generator() % 90);
  return text;
}

/// Makes all objects readable without a signature, so that curl can read them, too.
void publish(S3Client& client) {
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
      R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::)" +
      client.bucket() + R"(/*"}]})";
  connector::s3::S3Request request;
  request.operation = connector::s3::RequestContext::Operation::kCreateBucket;
  request.method = "PUT";
  request.query = {{"policy", ""}};
  request.body = policy;
  value_of(client.requester().perform(request));
}

void fill(const std::string& bucket, std::uint64_t large_bytes, std::size_t small_count,
          std::size_t small_bytes) {
  const auto client = value_of(connector::s3::make_s3_client(bucket, options()));
  check(client->create_bucket());
  publish(*client);
  const std::string piece = random_text(std::size_t{8} << 20);
  connector::s3::ObjectUpload upload(client->requester(), "large");
  for (std::uint64_t left = large_bytes; left != 0;) {
    const std::size_t length = std::min<std::uint64_t>(left, piece.size());
    check(upload.write(std::string_view(piece).substr(0, length)));
    left -= length;
  }
  value_of(upload.finish());
  in_parallel(8, small_count, [&](std::size_t index) {
    value_of(client->put_object("small/" + std::to_string(index),
                                std::string_view(piece).substr(0, small_bytes)));
  });
}

/// Prints also how long an object took, in milliseconds: the median, 99 and 99.9 of 100.
void read(const ObjectStore& store, const std::vector<ObjectVersion>& objects,
          std::size_t threads) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::uint64_t> total{0};
  std::vector<Clock::duration> took(objects.size());
  in_parallel(threads, objects.size(), [&](std::size_t index) {
    const Clock::time_point begin = Clock::now();
    const auto reader = value_of(store.open(objects[index], 0));
    thread_local std::vector<std::byte> buffer(std::size_t{1} << 20);
    std::uint64_t bytes = 0;
    while (const std::size_t received = value_of(reader->read(buffer))) bytes += received;
    if (bytes != objects[index].size) fail(objects[index].key + " is cut off");
    total += bytes;
    took[index] = Clock::now() - begin;
  });
  std::sort(took.begin(), took.end());
  const auto after = [&took](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(took.size()));
    return took.empty() ? 0.0 : std::chrono::duration<double, std::milli>(took[index]).count();
  };
  std::cout << objects.size() << " objects, " << total << " bytes, " << store.stats().get_requests
            << " requests, " << store.stats().retries << " retries; ms for one: " << after(0.5)
            << ", 99 %: " << after(0.99) << ", 99.9 %: " << after(0.999) << "\n";
}

std::vector<ObjectVersion> list(const ObjectStore& store, const std::string& prefix) {
  std::vector<ObjectVersion> objects;
  const auto lister = store.list(prefix);
  for (bool last = false; !last;) {
    ListPage page = value_of(lister->next_page());
    objects.insert(objects.end(), page.objects.begin(), page.objects.end());
    last = page.last;
  }
  return objects;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&](std::size_t index) { return std::stoull(words.at(index)); };
  if (words.size() == 5 && words[0] == "fill") {
    fill(words[1], number(2), number(3), number(4));
    return 0;
  }
  const bool lists = words.size() == 4 && words[0] == "read";
  const bool hedges = words.size() == 4 && words[0] == "get" && words[3] == "hedge";
  if (!lists && !hedges && !(words.size() == 3 && words[0] == "get")) {
    fail(
        "usage: s3_throughput fill BUCKET LARGE_BYTES SMALL_COUNT SMALL_BYTES\n"
        "       s3_throughput read BUCKET PREFIX THREADS\n"
        "       s3_throughput get BUCKET THREADS [hedge] <LINES");
  }
  const auto store = value_of(open_store(
      {.scheme = SourceUri::Scheme::kS3, .bucket = words[1], .pattern = "**"}, options(hedges)));
  std::vector<ObjectVersion> objects;
  if (lists) {
    objects = list(*store, words[2]);
  } else {
    for (ObjectVersion object; std::cin >> object.size >> object.version >> object.key;) {
      objects.push_back(object);
    }
  }
  read(*store, objects, number(lists ? 3 : 2));
}
