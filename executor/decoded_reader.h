// The plain bytes of one split: what its reader brings, through its decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "connector/split_reader.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"
#include "parser/decode/decoder.h"

namespace leat::executor {

/// Used by one thread. Borrows store and clock.
class DecodedReader {
 public:
  /// Begins at `from`, decoded; sends nothing yet. `encoding`: FormatOptions::encoding. `end`: the
  /// split ends there already; of plain bytes only.
  DecodedReader(const ObjectStore& store, const Clock& clock, const ObjectVersion& object,
                const Position& from, std::optional<std::uint64_t> end,
                connector::SplitReaderOptions options, std::string encoding,
                const parser::DecoderLimits& limits, std::stop_token stop);

  /// Fills `out`, unless the split ends or fails first. 0: the split is over. All bytes in front of
  /// an error are given out before it.
  ///   kBadEncoding  The decoder's error, whatever it calls it: the object is at fault.
  ///   Errors of SplitReader::read.
  Result<std::size_t> read(std::span<std::byte> out);

  /// For reads of other parts of the split, side by side with read(), which are not tried again.
  /// Null: its bytes are decoded, nothing was read yet, or read() has to be asked what comes next.
  std::shared_ptr<const ObjectReader> anywhere() const;
  /// read() goes on at `offset`, of bytes that are not decoded.
  void seek(std::uint64_t offset);

  /// What was read was turned into UTF-8 from another encoding.
  bool is_transcoded() const noexcept { return transcoded_; }

  /// What Position::decoder_state has to hold for decoded byte `offset`: at most what was read, and
  /// not below what an earlier call asked for. Empty for plain bytes.
  std::string state_before(std::uint64_t offset);

 private:
  Result<void> open();
  Result<void> open_front();
  Result<std::size_t> copy(std::span<std::byte> out);
  Result<std::size_t> decode(std::span<std::byte> out);
  Result<void> refill();

  const ObjectStore& store_;
  const Clock& clock_;
  const ObjectVersion& object_;
  const connector::SplitReaderOptions options_;
  const std::string encoding_;
  const parser::DecoderLimits limits_;
  const std::stop_token stop_;
  std::string state_;     ///< Of the position to begin at.
  std::uint64_t offset_;  ///< Decoded; of the next byte.
  const std::optional<std::uint64_t> end_;

  std::optional<connector::SplitReader> reader_;
  std::unique_ptr<parser::Decoder> decoder_;  ///< Null: the bytes are plain.
  Buffer encoded_;                            ///< Not yet decoded from encoded_used_ on.
  std::size_t encoded_used_ = 0;
  bool encoded_ends_ = false;
  bool transcoded_ = false;
  std::string front_;  ///< Decoded to judge the text by, and not given out yet.
  std::optional<Error> failure_;
};

}  // namespace leat::executor
