#include "state/outbox.h"

#include "core/wire.h"

namespace leat::state {
namespace {

constexpr std::uint8_t kEntryVersion = 1;

}  // namespace

std::string OutboxEntry::encode() const {
  std::string out;
  out.push_back(static_cast<char>(kEntryVersion));
  out.push_back(static_cast<char>(action.kind));
  core::append_bytes(action.name, out);
  core::append_bytes(action.value, out);
  core::append_bytes(object.version, out);
  core::append_varint(object.size, out);
  core::append_signed(object.modified_ms, out);
  core::append_varint(attempts, out);
  core::append_signed(updated_ms, out);
  core::append_bytes(error, out);
  return out;
}

Result<OutboxEntry> OutboxEntry::decode(std::string_view key, std::string_view value) {
  core::WireReader reader(value);
  if (reader.byte() != kEntryVersion) reader.fail();
  OutboxEntry entry;
  const std::uint8_t kind = reader.byte();
  if (kind < static_cast<std::uint8_t>(AfterAction::Kind::kDelete) ||
      kind > static_cast<std::uint8_t>(AfterAction::Kind::kTag)) {
    reader.fail();
  }
  entry.object.key = key;
  entry.action.kind = static_cast<AfterAction::Kind>(kind);
  entry.action.name = reader.bytes();
  entry.action.value = reader.bytes();
  entry.object.version = reader.bytes();
  entry.object.size = reader.varint();
  entry.object.modified_ms = reader.signed_varint();
  entry.attempts = reader.varint();
  entry.updated_ms = reader.signed_varint();
  entry.error = reader.bytes();
  if (reader.complete()) return entry;
  return Error{.code = ErrorCode::kCorrupt,
               .message = "An after-action in the state folder is cut or damaged.",
               .at = {.object = std::string(key), .record = {}, .byte_offset = {}, .column = {}}};
}

}  // namespace leat::state
