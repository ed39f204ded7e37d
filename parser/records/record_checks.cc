#include "parser/records/record_checks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

/// Where the first byte stands that belongs to no well-formed sequence.
std::size_t find_non_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (length < 4 && !valid_utf8(text.substr(at, length))) ++length;
    if (length == 4 && !valid_utf8(text.substr(at, length))) return at;
    at += std::min(length, text.size() - at);
  }
  return text.npos;
}

std::size_t find_nul(std::string_view text) { return text.find('\0'); }

/// What the good records span.
std::string_view good_records(std::string_view input, const TokenizedBlock& block) {
  if (block.record_begin.empty()) return {};
  return input.substr(block.record_begin.front(),
                      block.record_end.back() - block.record_begin.front());
}

}  // namespace

void refuse_records(std::string_view input, std::size_t (*find)(std::string_view record),
                    std::string_view reason, TokenizedBlock& block) {
  std::vector<BadRecord> bad;
  std::size_t was_bad = 0;  // Of block.bad: looked at.
  std::size_t kept = 0;     // Good records.
  std::size_t kept_fields = 0;
  for (std::size_t record = 0; record < block.record_begin.size(); ++record) {
    for (; was_bad < block.bad.size() && block.bad[was_bad].index == record + was_bad; ++was_bad) {
      bad.push_back(std::move(block.bad[was_bad]));
    }
    const std::uint32_t begin = block.record_begin[record];
    const std::uint32_t end = block.record_end[record];
    const std::size_t first = block.first_field[record];
    const std::size_t last = block.first_field[record + 1];
    if (const std::size_t at = find(input.substr(begin, end - begin)); at != input.npos) {
      bad.push_back({record + was_bad, begin, end, ErrorCode::kMalformedRecord,
                     static_cast<std::uint32_t>(begin + at), std::string(reason)});
      continue;
    }
    // Fields only move forward, and so do the bounds: what is read next is not yet overwritten.
    std::move(block.fields.begin() + static_cast<std::ptrdiff_t>(first),
              block.fields.begin() + static_cast<std::ptrdiff_t>(last),
              block.fields.begin() + static_cast<std::ptrdiff_t>(kept_fields));
    kept_fields += last - first;
    block.record_begin[kept] = begin;
    block.record_end[kept] = end;
    block.first_field[++kept] = kept_fields;
  }
  bad.insert(bad.end(),
             std::make_move_iterator(block.bad.begin() + static_cast<std::ptrdiff_t>(was_bad)),
             std::make_move_iterator(block.bad.end()));
  block.bad = std::move(bad);
  block.fields.resize(kept_fields);
  block.first_field.resize(kept + 1);
  block.record_begin.resize(kept);
  block.record_end.resize(kept);
}

void refuse_non_utf8(std::string_view input, CheckUtf8 check, TokenizedBlock& block) {
  if (!check(good_records(input, block))) {
    refuse_records(input, find_non_utf8, "bytes that are not UTF-8", block);
  }
  block.known_utf8 = true;
}

void refuse_nul(std::string_view input, std::string_view reason, TokenizedBlock& block) {
  if (find_nul(good_records(input, block)) == input.npos) return;
  refuse_records(input, find_nul, reason, block);
}

}  // namespace leat::parser
