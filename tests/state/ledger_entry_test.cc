// The bytes of a ledger entry.

#include "state/ledger_entry.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/state/ledger_epochs.h"

namespace leat::state {
namespace {

LedgerEntry finished_entry() {
  LedgerEntry entry;
  entry.progress = progress_of({.key = "in/a.csv", .version = "v1", .size = 300, .modified_ms = 1},
                               SplitState::kFinished, 5, 1);
  entry.progress.epoch = 7;
  entry.progress.updated_ms = -1;
  return entry;
}

LedgerEntry quarantined_entry() {
  LedgerEntry entry = finished_entry();
  entry.progress.state = SplitState::kQuarantined;
  entry.progress.position = {
      .offset = 20, .record = 6, .parser_state = "ps", .decoder_state = "ds"};
  entry.progress.error = Error{.code = ErrorCode::kBadValue, .message = "not a number"};
  entry.progress.offending = "x,y";
  entry.noted = NotedVersion{.version = "v2",
                             .size = std::numeric_limits<std::uint64_t>::max(),
                             .modified_ms = -4,
                             .epoch = 9,
                             .updated_ms = 5};
  return entry;
}

TEST(LedgerEntry, EncodesTheDocumentedBytesOfAFinishedSplit) {
  const std::string expected =
      std::string{1, 2, 0} +                 // format, state, flags
      std::string{2, 'v', '1', '\xac', 2} +  // version, size
      std::string{5, 1, 7, 1, 2};            // rows, rejected, epoch, updated, modified
  EXPECT_EQ(finished_entry().encode(), expected);
}

constexpr const char* kEtag = "\"00112233445566778899aabbccddeeff\"";
constexpr const char* kEtagOfParts = "\"00112233445566778899aabbccddeeff-300\"";

LedgerEntry entry_of_version(const std::string& version) {
  LedgerEntry entry = finished_entry();
  entry.progress.object.version = version;
  return entry;
}

TEST(LedgerEntry, EncodesTheDocumentedBytesOfAnEtagOfHexDigits) {
  std::string digest;
  for (int i = 0; i < 16; ++i) digest.push_back(static_cast<char>(i * 0x11));
  const std::string rest = std::string{'\xac', 2} + std::string{5, 1, 7, 1, 2};
  EXPECT_EQ(entry_of_version(kEtag).encode(),
            std::string({2, 2, 0}) + digest + std::string({0}) + rest);
  EXPECT_EQ(entry_of_version(kEtagOfParts).encode(),
            std::string({2, 2, 0}) + digest + std::string({'\xac', 2}) + rest);
}

TEST(LedgerEntry, KeepsEveryVersionByteForByte) {
  std::vector<std::string> versions{kEtag,
                                    kEtagOfParts,
                                    "\"00112233445566778899aabbccddeeff-18446744073709551615\"",
                                    "\"00112233445566778899aabbccddeeff-18446744073709551616\"",
                                    "\"00112233445566778899aabbccddeeff-0\"",
                                    "\"00112233445566778899aabbccddeeff-01\"",
                                    "\"00112233445566778899aabbccddeeff-\"",
                                    "\"00112233445566778899aabbccddeeff-1x\"",
                                    "\"00112233445566778899aabbccddeeff+1\"",
                                    "\"00112233445566778899AABBCCDDEEFF\"",
                                    "00112233445566778899aabbccddeeff",
                                    "\"00112233445566778899aabbccddeeff0\""};
  for (std::size_t length = 0; length < versions.front().size(); ++length) {
    versions.push_back(versions.front().substr(0, length));
  }
  for (const std::string& version : versions) {
    const std::string encoded = entry_of_version(version).encode();
    const auto decoded = LedgerEntry::decode("k", encoded);
    ASSERT_TRUE(decoded) << version;
    EXPECT_EQ(decoded->progress.object.version, version);
    const auto head = EntryHead::read("k", encoded);
    ASSERT_TRUE(head) << version;
    EXPECT_EQ(head->version.text(), version);
    for (const std::string& other : versions) {
      EXPECT_EQ(head->version.is(other), other == version) << version << ' ' << other;
    }
  }
}

TEST(LedgerEntry, RoundTrips) {
  for (const LedgerEntry& entry :
       {finished_entry(), quarantined_entry(), entry_of_version(kEtag)}) {
    const auto decoded = LedgerEntry::decode("in/a.csv", entry.encode());
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(decoded->progress.encode(), entry.progress.encode());
    ASSERT_EQ(decoded->noted.has_value(), entry.noted.has_value());
    if (!entry.noted) continue;
    EXPECT_EQ(decoded->noted->version, entry.noted->version);
    EXPECT_EQ(decoded->noted->size, entry.noted->size);
    EXPECT_EQ(decoded->noted->modified_ms, entry.noted->modified_ms);
    EXPECT_EQ(decoded->noted->epoch, entry.noted->epoch);
    EXPECT_EQ(decoded->noted->updated_ms, entry.noted->updated_ms);
  }
}

TEST(LedgerEntry, HeadHoldsWhatClassificationNeeds) {
  const std::string encoded = quarantined_entry().encode();
  const auto head = EntryHead::read("in/a.csv", encoded);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->state, SplitState::kQuarantined);
  EXPECT_EQ(head->version.text(), "v1");
  EXPECT_EQ(head->size, 300u);
  EXPECT_TRUE(head->delivered);
  EXPECT_TRUE(head->noted);
  EXPECT_EQ(head->noted_version, "v2");
}

TEST(LedgerEntry, RefusesCutAndDamagedBytes) {
  for (const LedgerEntry& entry :
       {finished_entry(), quarantined_entry(), entry_of_version(kEtagOfParts)}) {
    const std::string encoded = entry.encode();
    for (std::size_t length = 0; length < encoded.size(); ++length) {
      const auto cut = LedgerEntry::decode("in/a.csv", encoded.substr(0, length));
      ASSERT_FALSE(cut) << "cut to " << length;
      EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
      EXPECT_EQ(cut.error().at.object, "in/a.csv");
    }
    EXPECT_FALSE(LedgerEntry::decode("k", encoded + '\0'));
    for (std::size_t at = 0; at < encoded.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string mutated = encoded;
        mutated[at] = static_cast<char>(value);
        const auto decoded = LedgerEntry::decode("k", mutated);
        if (!decoded) {
          ASSERT_EQ(decoded.error().code, ErrorCode::kCorrupt);
        }
        const auto head = EntryHead::read("k", mutated);
        if (decoded) {
          ASSERT_TRUE(head);
        }
      }
    }
  }
}

}  // namespace
}  // namespace leat::state
