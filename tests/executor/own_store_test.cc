// Stores of an embedding program's own that do what ObjectStore does not allow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "leat/sniff.h"
#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::MemoryStore;
using testing::TemporaryFolder;

enum class Fault {
  kNone,
  kThrows,
  kThrowsNoException,
  kNull,
  kTooMuch,
  kIgnored,
  kRepeats,
  kIsEmpty
};

/// Where the store is at fault, by the name of the call.
struct Faults {
  std::string call;
  Fault kind = Fault::kNone;

  bool at(std::string_view name) const {
    if (call != name) return false;
    if (kind == Fault::kThrows) throw std::bad_alloc();
    // NOLINTNEXTLINE(hicpp-exception-baseclass): what a guard has to expect.
    if (kind == Fault::kThrowsNoException) throw 7;
    return true;
  }
};

class FaultyReader final : public ObjectReader {
 public:
  FaultyReader(const Faults& faults, std::unique_ptr<ObjectReader> reader)
      : faults_(faults), reader_(std::move(reader)) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (faults_.at("read")) return out.size() + 1;
    return reader_->read(out);
  }
  bool reads_anywhere() const noexcept override { return reader_->reads_anywhere(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (faults_.at("read_at")) return out.size() + 1;
    return reader_->read_at(offset, out);
  }

 private:
  const Faults& faults_;
  std::unique_ptr<ObjectReader> reader_;
};

class FaultyLister final : public ObjectLister {
 public:
  FaultyLister(const Faults& faults, std::unique_ptr<ObjectLister> lister)
      : faults_(faults), lister_(std::move(lister)) {}
  Result<ListPage> next_page() override {
    if (!faults_.at("next_page")) return lister_->next_page();
    ListPage page;
    if (faults_.kind == Fault::kRepeats) {
      if (!first_) first_ = *lister_->next_page();
      page = *first_;
    }
    page.last = false;
    return page;
  }
  void reuse(std::vector<ObjectVersion> objects) override {
    (void)faults_.at("reuse");
    lister_->reuse(std::move(objects));
  }

 private:
  const Faults& faults_;
  std::unique_ptr<ObjectLister> lister_;
  std::optional<ListPage> first_;
};

class FaultyStore final : public ObjectStore {
 public:
  FaultyStore(std::shared_ptr<MemoryStore::Shared> shared, Faults faults)
      : store_(std::move(shared)), faults_(std::move(faults)) {}

  std::string uri() const override {
    (void)faults_.at("uri");
    return store_.uri();
  }
  std::string uri_of(std::string_view key) const override {
    (void)faults_.at("uri_of");
    return store_.uri_of(key);
  }
  bool lists_from_any_key() const noexcept override { return store_.lists_from_any_key(); }
  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after) const override {
    if (faults_.at("list")) return nullptr;
    if (faults_.at("start_after")) start_after = {};
    return std::make_unique<FaultyLister>(faults_, store_.list(prefix, start_after));
  }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override {
    if (faults_.at("open")) return std::unique_ptr<ObjectReader>();
    return std::unique_ptr<ObjectReader>(
        std::make_unique<FaultyReader>(faults_, *store_.open(object, offset)));
  }
  Result<void> remove(const ObjectVersion& /*object*/) override {
    (void)faults_.at("remove");
    return {};
  }
  StoreStats stats() const noexcept override { return store_.stats(); }

 private:
  const MemoryStore store_;
  const Faults faults_;
};

class OwnStore : public ::testing::Test {
 protected:
  OwnStore() {
    for (int i = 0; i < 5; ++i) shared_->put("/in/" + std::to_string(i), "id,name\n1,n\n");
  }

  SourceOptions options() {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.threads = 1;
    options.memory_bytes_max = 16u << 20;
    options.clock = &clock_;
    options.log = [this](SourceOptions::LogLevel, const std::string& message) {
      const std::lock_guard lock(log_mutex_);
      log_ += message + "\n";
    };
    return options;
  }

  /// Loads all of it; the error that it ends with.
  std::optional<Error> load(const SourceOptions& options, Faults faults) {
    std::filesystem::remove_all(options.state_dir);
    auto source = Source::open(options, std::make_unique<FaultyStore>(shared_, std::move(faults)));
    if (!source) return std::move(source).error();
    rows_ = 0;
    while (true) {
      Result<Polled> polled = (*source)->poll(10s);
      if (!polled) return std::move(polled).error();
      rows_ += polled->rows.rows;
      if (polled->kind == Polled::Kind::kEnd) break;
    }
    if (Result<void> done = (*source)->commit((*source)->checkpoint()); !done) return done.error();
    return std::nullopt;
  }

  TemporaryFolder folder_{"leat-own-store"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> shared_ = std::make_shared<MemoryStore::Shared>();
  std::int64_t rows_ = 0;
  std::mutex log_mutex_;
  std::string log_;
};

TEST_F(OwnStore, AnExceptionOutOfItIsAnErrorThatSaysOfWhichCall) {
  const std::pair<const char*, const char*> calls[] = {{"uri", "ObjectStore::uri"},
                                                       {"list", "ObjectStore::list"},
                                                       {"next_page", "ObjectLister::next_page"},
                                                       {"open", "ObjectStore::open"},
                                                       {"read", "ObjectReader::read"},
                                                       {"read_at", "ObjectReader::read_at"}};
  for (const auto& [call, name] : calls) {
    for (const Fault kind : {Fault::kThrows, Fault::kThrowsNoException}) {
      shared_->reads_anywhere = std::string_view(call) == "read_at";
      const std::optional<Error> error = load(options(), {call, kind});
      ASSERT_TRUE(error) << call;
      EXPECT_EQ(error->code, ErrorCode::kInternal) << call;
      EXPECT_FALSE(error->retryable);
      EXPECT_THAT(error->message, HasSubstr(std::string("came out of ") + name));
      EXPECT_THAT(error->message,
                  HasSubstr(kind == Fault::kThrows ? "bad_alloc" : "no std::exception"));
    }
  }
}

TEST_F(OwnStore, WhatOnlyNamesOrSavesSomethingMayThrow) {
  for (const char* call : {"uri_of", "reuse"}) {
    EXPECT_FALSE(load(options(), {call, Fault::kThrows})) << call;
    EXPECT_EQ(rows_, 5) << call;
  }
}

TEST_F(OwnStore, AnExceptionOutOfAnAfterActionIsTriedAgain) {
  SourceOptions removing = options();
  removing.after.kind = AfterAction::Kind::kDelete;
  EXPECT_FALSE(load(removing, {"remove", Fault::kThrows}));
  const std::lock_guard lock(log_mutex_);
  EXPECT_EQ(rows_, 5);
}

TEST_F(OwnStore, NoListerAndNoReaderAreErrors) {
  std::optional<Error> error = load(options(), {"list", Fault::kNull});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInternal);
  EXPECT_THAT(error->message, HasSubstr("the store returned no lister"));

  error = load(options(), {"open", Fault::kNull});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInternal);
  EXPECT_THAT(error->message, HasSubstr("the store returned no reader"));
}

TEST_F(OwnStore, AReaderThatReadMoreThanThereWasRoomForIsAnError) {
  shared_->put("/in/large", std::string(4u << 20, 'x'));
  for (const bool anywhere : {false, true}) {
    shared_->reads_anywhere = anywhere;
    const std::optional<Error> error =
        load(options(), {anywhere ? "read_at" : "read", Fault::kTooMuch});
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::kInternal) << error->to_string();
  }
}

TEST_F(OwnStore, AListingThatIgnoresWhereItIsToBeginIsRefused) {
  // Enough for the listing to be cut, at a key where the rest of it is asked for.
  for (int i = 1'000; i < 2'000; ++i) shared_->put("/in/" + std::to_string(i), "id,name\n");
  shared_->lists_from_any_key = true;
  ASSERT_FALSE(load(options(), {}));
  const std::optional<Error> error = load(options(), {"start_after", Fault::kIgnored});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(error->message, HasSubstr("was to begin behind \"/in/"));
}

TEST_F(OwnStore, AListingThatRepeatsAPageIsRefused) {
  const std::optional<Error> error = load(options(), {"next_page", Fault::kRepeats});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(error->message, HasSubstr("two pages in a row go from \"/in/0\" to \"/in/2\""));
}

TEST_F(OwnStore, AListingOfNothingButEmptyPagesIsRefused) {
  const std::optional<Error> error = load(options(), {"next_page", Fault::kIsEmpty});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(error->message, HasSubstr("10000 pages in a row are empty"));
}

TEST_F(OwnStore, SniffingIsGuardedToo) {
  SniffOptions options;
  options.from = "/in/**";
  for (const char* call : {"list", "next_page", "open", "read"}) {
    for (const Fault kind : {Fault::kThrows, Fault::kThrowsNoException}) {
      const Result<SniffReport> report = sniff(options, FaultyStore(shared_, {call, kind}));
      ASSERT_FALSE(report) << call;
      EXPECT_EQ(report.error().code, ErrorCode::kInternal) << call;
    }
  }
  EXPECT_FALSE(sniff(options, FaultyStore(shared_, {"list", Fault::kNull})));
  EXPECT_TRUE(sniff(options, FaultyStore(shared_, {})));
}

}  // namespace
}  // namespace leat
