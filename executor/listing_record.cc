#include "executor/listing_record.h"

#include "core/wire.h"

namespace leat::executor {
namespace {

// 1 has no judged_ms.
constexpr std::uint8_t kVersion = 2;

}  // namespace

std::string ListingRecord::encode() const {
  std::string bytes(1, static_cast<char>(kVersion));
  bytes.push_back(interrupted ? 1 : 0);
  core::append_bytes(listed, bytes);
  core::append_signed(complete_ms, bytes);
  core::append_signed(judged_ms, bytes);
  core::append_varint(remaining.size(), bytes);
  for (const connector::KeyRange& range : remaining) {
    core::append_bytes(range.after, bytes);
    core::append_bytes(range.until, bytes);
  }
  return bytes;
}

std::optional<ListingRecord> ListingRecord::decode(std::string_view bytes) {
  core::WireReader reader(bytes);
  const std::uint8_t version = reader.byte();
  if (version != 1 && version != kVersion) return std::nullopt;
  ListingRecord record;
  const std::uint8_t interrupted = reader.byte();
  if (interrupted > 1) reader.fail();
  record.interrupted = interrupted == 1;
  record.listed = reader.bytes();
  record.complete_ms = reader.signed_varint();
  if (version != 1) record.judged_ms = reader.signed_varint();
  for (std::uint64_t count = reader.varint(); count > 0 && reader.ok(); --count) {
    connector::KeyRange range;
    range.after = reader.bytes();
    range.until = reader.bytes();
    record.remaining.push_back(std::move(range));
  }
  if (!reader.complete()) return std::nullopt;
  return record;
}

}  // namespace leat::executor
