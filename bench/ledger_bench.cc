// The ledger with ten million finished splits. Each step runs in a process of its own, so that the
// memory of one is not taken for another's; `bench/ledger-scale` runs them all in turn.
//
//   ledger_bench fill DIR COUNT      finishes COUNT splits, 10,000 in an epoch
//   ledger_bench restart DIR COUNT   opens, and classifies one page in the middle
//   ledger_bench list COUNT          makes the pages of a listing, and does nothing with them
//   ledger_bench sorted DIR COUNT    classifies a whole sorted listing, by merge-join
//   ledger_bench unsorted DIR COUNT  classifies 2 million keys, in random order, by look-up
//   ledger_bench poll DIR COUNT      a whole source lists all of it once, `leat load --once`: with
//                                    the judging of what is no longer there, and a later process
//                                    before it is time for that again
//   ledger_bench tail DIR COUNT      the same in tail mode, then 200 polls; prints what one costs
//   ledger_bench backlog DIR COUNT   loads COUNT small objects with a new ledger; drops the rows
//   ledger_bench set COUNT           an unordered_set<std::string> of keys and versions instead
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/object_generator.h"
#include "cli/malloc_arena.h"
#include "leat/clock.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace {

using leat::ObjectVersion;
using leat::bench::ObjectGenerator;
using leat::state::Ledger;
using leat::state::Match;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "ledger_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T taken(leat::Result<T> result) {
  if (!result) fail(result.error().to_string());
  return *std::move(result);
}
void taken(const leat::Result<void>& result) {
  if (!result) fail(result.error().to_string());
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Of this thread alone: RocksDB compacts on others meanwhile.
double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Time since it was made.
class Meter {
 public:
  double wall() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  double cpu() const { return cpu_seconds() - cpu_begin_; }
  double thread_cpu() const { return thread_cpu_seconds() - thread_cpu_begin_; }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double cpu_begin_ = cpu_seconds();
  double thread_cpu_begin_ = thread_cpu_seconds();
};

void print(std::string_view what, std::uint64_t items, double wall, double cpu) {
  std::printf("%-10.*s %9llu items  %8.3f s  %8.3f CPU s  %10.0f items/CPU s  peak %6.0f MiB\n",
              static_cast<int>(what.size()), what.data(), static_cast<unsigned long long>(items),
              wall, cpu, static_cast<double>(items) / cpu, peak_mib());
}

constexpr std::uint64_t kUnsortedKeys = 262'144;

std::unique_ptr<Ledger> open_ledger(const std::filesystem::path& dir) {
  return taken(Ledger::open({.dir = dir}));
}

std::uintmax_t bytes_of(const std::filesystem::path& dir) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) bytes += file.file_size();
  return bytes;
}

void fill(const std::filesystem::path& dir, const ObjectGenerator& objects) {
  const Meter meter;
  {
    const auto ledger = open_ledger(dir);
    leat::Checkpoint checkpoint;
    for (std::uint64_t number = 0; number < objects.count();) {
      checkpoint.epoch = ledger->epoch() + 1;
      checkpoint.token = leat::bench::mixed(checkpoint.epoch);
      checkpoint.splits.resize(std::min<std::uint64_t>(10'000, objects.count() - number));
      for (leat::SplitProgress& split : checkpoint.splits) {
        objects.object(number++, split.object);
        split.state = leat::SplitState::kFinished;
        split.rows = split.object.size / 100;
        split.epoch = checkpoint.epoch;
        split.updated_ms = split.object.modified_ms + 30'000;
      }
      taken(ledger->commit(checkpoint));
    }
  }
  print("fill", objects.count(), meter.wall(), meter.cpu());
  const auto bytes = static_cast<double>(bytes_of(dir));
  std::printf("           on disk: %.0f MB, %.1f bytes for each split\n", bytes / 1e6,
              bytes / static_cast<double>(objects.count()));
}

void restart(const std::filesystem::path& dir, const ObjectGenerator& objects) {
  std::vector<ObjectVersion> page(1'000);
  for (std::size_t i = 0; i < page.size(); ++i) {
    objects.object(objects.count() / 2 + i, page[i]);
  }
  const Meter meter;
  const auto ledger = open_ledger(dir);
  std::vector<Match> out;
  taken(ledger->classify(page, true, out));
  print("restart", page.size(), meter.wall(), meter.cpu());
  if (std::count(out.begin(), out.end(), Match::kFinished) != 1'000) fail("not all were finished");
}

void make_page(const ObjectGenerator& objects, std::uint64_t from,
               const std::function<std::uint64_t(std::uint64_t)>& order,
               std::vector<ObjectVersion>& page, std::uint64_t keys = 1'000) {
  page.resize(std::min<std::uint64_t>(keys, objects.count() - from));
  for (std::size_t i = 0; i < page.size(); ++i) objects.object(order(from + i), page[i]);
}

void list(const ObjectGenerator& objects) {
  const Meter meter;
  std::vector<ObjectVersion> page;
  for (std::uint64_t from = 0; from < objects.count(); from += 1'000) {
    make_page(
        objects, from, [](std::uint64_t i) { return i; }, page);
  }
  print("list", objects.count(), meter.wall(), meter.cpu());
}

void classify(std::string_view what, const std::filesystem::path& dir,
              const ObjectGenerator& objects, std::uint64_t keys, bool sorted) {
  const auto ledger = open_ledger(dir);
  // Every key once, in no order: a stride that shares no factor with the count.
  std::uint64_t stride = objects.count() * 618 / 1'000 | 1;
  while (std::gcd(stride, objects.count()) != 1) stride += 2;
  const auto order = [&](std::uint64_t i) { return sorted ? i : i * stride % objects.count(); };
  double wall = 0;
  double cpu = 0;
  std::uint64_t finished = 0;
  std::vector<ObjectVersion> page;
  std::vector<Match> out;
  for (std::uint64_t from = 0; from < keys; from += page.size()) {
    // As discovery does: pages in no order are taken together.
    make_page(objects, from, order, page,
              std::min<std::uint64_t>(keys - from, sorted ? 1'000 : kUnsortedKeys));
    const Meter meter;
    taken(ledger->classify(page, sorted, out));
    wall += meter.wall();
    cpu += meter.thread_cpu();
    finished += static_cast<std::uint64_t>(std::count(out.begin(), out.end(), Match::kFinished));
  }
  print(what, keys, wall, cpu);
  if (finished != keys) fail("only " + std::to_string(finished) + " were finished");
}

void poll(std::string_view what, const std::filesystem::path& dir, std::uint64_t count,
          std::chrono::milliseconds forget_after) {
  leat::SourceOptions options;
  options.forget_after = forget_after;
  options.from = "s3://bench/**";
  options.state_dir = dir;
  options.once = true;
  const Meter meter;
  const auto source =
      taken(leat::Source::open(options, std::make_unique<leat::bench::GeneratorStore>(count)));
  while (true) {
    const leat::Polled polled = taken(source->poll(std::chrono::seconds(1)));
    if (polled.kind == leat::Polled::Kind::kEnd) break;
    if (polled.kind != leat::Polled::Kind::kIdle) fail("something was taken for new");
  }
  taken(source->close());
  print(what, count, meter.wall(), meter.cpu());
}

void in_own_process(const std::function<void()>& run) {
  const pid_t child = ::fork();
  if (child < 0) fail("no process is to be had");
  if (child == 0) {
    run();
    std::exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) std::exit(1);
}

void polls(const std::filesystem::path& dir, std::uint64_t count) {
  // Without a grace time each listing judges.
  in_own_process([&] { poll("poll+judge", dir, count, std::chrono::milliseconds(0)); });
  in_own_process([&] { poll("poll", dir, count, leat::SourceOptions().forget_after); });
}

void tail(const std::filesystem::path& dir, std::uint64_t count) {
  constexpr std::uint64_t kPolls = 200;
  leat::SourceOptions options;
  options.from = "s3://bench/**";
  options.state_dir = dir;
  options.discovery = leat::SourceOptions::Discovery::kTail;
  options.poll_interval = options.poll_interval_max = std::chrono::milliseconds(10);
  auto owned = std::make_unique<leat::bench::GeneratorStore>(count);
  const leat::bench::GeneratorStore& store = *owned;
  const auto source = taken(leat::Source::open(options, std::move(owned)));
  const auto poll_until = [&](const auto& reached) {
    while (!reached()) {
      const leat::Polled polled = taken(source->poll(std::chrono::milliseconds(50)));
      if (polled.kind != leat::Polled::Kind::kIdle) fail("something was taken for new");
    }
  };
  // Not the one that an earlier step has left in the ledger.
  const std::int64_t opened_ms = leat::system_clock().wall_ms();
  const Meter whole;
  poll_until([&] { return source->stats().last_complete_listing_ms >= opened_ms; });
  print("tail: all", count, whole.wall(), whole.cpu());
  const Meter meter;
  const std::uint64_t begun = store.listings();
  const std::uint64_t pages = store.stats().list_requests;
  poll_until([&] { return store.listings() >= begun + kPolls; });
  const double cpu = meter.cpu();
  const auto polls = static_cast<double>(store.listings() - begun);
  std::printf(
      "tail: poll %9.0f polls  %8.3f CPU ms each, the caller's own included  %.2f requests each\n",
      polls, cpu * 1e3 / polls, static_cast<double>(store.stats().list_requests - pages) / polls);
  taken(source->close());
}

void backlog(const std::filesystem::path& dir, std::uint64_t count) {
  leat::SourceOptions options;
  options.from = "s3://bench/**";
  options.state_dir = dir;
  options.once = true;
  options.format.kind = leat::Format::kLines;
  options.schema = taken(leat::parse_schema("line text"));
  const Meter meter;
  const auto source = taken(leat::Source::open(
      options, std::make_unique<leat::bench::GeneratorStore>(count, "a line of a small object\n")));
  double first_row = 0;
  std::uint64_t rows = 0;
  std::uint64_t committed = 0;
  while (true) {
    const leat::Polled polled = taken(source->poll(std::chrono::seconds(1)));
    if (polled.kind == leat::Polled::Kind::kRows && polled.rows.rows > 0) {
      if (rows == 0) first_row = meter.wall();
      rows += static_cast<std::uint64_t>(polled.rows.rows);
    }
    const bool end = polled.kind == leat::Polled::Kind::kEnd;
    // As the loader does.
    if (end || rows - committed >= 10'000) {
      taken(source->commit(source->checkpoint()));
      committed = rows;
    }
    if (end) break;
  }
  taken(source->close());
  print("backlog", count, meter.wall(), meter.cpu());
  std::printf("           first row %.3f s after the start, the first page included\n", first_row);
  if (rows != count) fail("rows are missing");
}

void unordered_set(const ObjectGenerator& objects) {
  std::unordered_set<std::string> known;
  ObjectVersion object;
  {
    const Meter meter;
    for (std::uint64_t i = 0; i < objects.count(); ++i) {
      objects.object(i, object);
      known.insert(object.key + object.version);
    }
    print("set: fill", objects.count(), meter.wall(), meter.cpu());
  }
  double wall = 0;
  double cpu = 0;
  std::uint64_t found = 0;
  std::vector<ObjectVersion> page;
  for (std::uint64_t from = 0; from < objects.count(); from += 1'000) {
    make_page(
        objects, from, [](std::uint64_t i) { return i; }, page);
    const Meter meter;
    for (const ObjectVersion& listed : page) found += known.contains(listed.key + listed.version);
    wall += meter.wall();
    cpu += meter.thread_cpu();
  }
  print("set: look", objects.count(), wall, cpu);
  if (found != objects.count()) fail("not all were found");
}

}  // namespace

int main(int argc, char** argv) {
  leat::cli::use_one_malloc_arena();  // As the command does.
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string usage = "see the front of bench/ledger_bench.cc for its arguments";
  if (words.size() < 2) fail(usage);
  const ObjectGenerator objects(std::stoull(words.back()));
  if (words.size() == 2 && words[0] == "list") {
    list(objects);
  } else if (words.size() == 2 && words[0] == "set") {
    unordered_set(objects);
  } else if (words.size() != 3) {
    fail(usage);
  } else if (words[0] == "fill") {
    fill(words[1], objects);
  } else if (words[0] == "restart") {
    restart(words[1], objects);
  } else if (words[0] == "sorted") {
    classify("sorted", words[1], objects, objects.count(), true);
  } else if (words[0] == "unsorted") {
    classify("unsorted", words[1], objects, std::min<std::uint64_t>(objects.count(), 2'000'000),
             false);
  } else if (words[0] == "poll") {
    polls(words[1], objects.count());
  } else if (words[0] == "tail") {
    tail(words[1], objects.count());
  } else if (words[0] == "backlog") {
    backlog(words[1], objects.count());
  } else {
    fail(usage);
  }
  return 0;
}
