// Whether an object has only grown: by what its bytes were up to where it was read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "connector/split_reader.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/split.h"

namespace leat::executor {

/// A fingerprint is over the first and the last 64 KiB of the bytes it covers: all of them up to
/// 128 KiB. So an object costs one small request when it is loaded, and at most three when it has
/// grown, however large it is. A writer that changes bytes in between and keeps both ends is not
/// found out; one that writes anew, rotates or truncates is.
inline constexpr std::uint64_t kFingerprintWindowBytes = 64u << 10;

/// How objects are read. Everything is borrowed.
struct FingerprintSource {
  const ObjectStore& store;
  const Clock& clock;
  connector::SplitReaderOptions reading;
  std::stop_token stop;
};

/// The fingerprint of the whole lines at the front of this version: it covers all of it up to and
/// with its last LF. A last line that is longer than `record_bytes_max` is covered, too.
///
/// @param encoding  FormatOptions::encoding.
/// @return  nullopt: the object is compressed, or not in UTF-8. Where its bytes end says nothing of
///          its text then, nor can it be gone on with at a byte of it.
///   Errors of SplitReader::read
Result<std::optional<Fingerprint>> fingerprint_of(const FingerprintSource& source,
                                                  const ObjectVersion& object,
                                                  std::string_view encoding,
                                                  std::uint64_t record_bytes_max);

/// Whether `object` begins with the bytes that `former` covers, as far as it tells.
///   Errors of SplitReader::read
Result<bool> begins_with(const FingerprintSource& source, const ObjectVersion& object,
                         const Fingerprint& former);

}  // namespace leat::executor
