// The bytes of a split between reading and parsing, and where they are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "executor/decoded_reader.h"
#include "leat/object_store.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::executor {

/// Holds what is carried over from read to read, then what the last one brought. Where the last
/// whole record ends in it is guessed, from guess to guess more carefully; in the end it is not
/// guessed any more.
class SliceCutter {
 public:
  /// @param offset  Of the first byte that will be read.
  explicit SliceCutter(std::uint64_t offset) : offset_(offset) {}

  /// Adds up to `bytes_max` bytes; what is there until then is carried over. The reader's place is
  /// set to where they are.
  /// @return  How many; 0: the split is over. Errors of DecodedReader::read.
  Result<std::size_t> read(DecodedReader& reader, std::size_t bytes_max);

  /// All bytes that are there, from this one of them on.
  ByteChunk chunk(std::size_t from = 0) const noexcept;
  bool empty() const noexcept { return buffer_.size() == 0; }
  /// In front of those of the last read.
  std::size_t carried() const noexcept { return carried_; }

  struct Cut {
    std::uint64_t offset = 0;
    Buffer bytes;
  };
  /// Cuts whole records off the front, as far as that can be told; the rest is carried over.
  /// @param bytes_max  Of them, more or less what one read adds to a part of a record.
  /// @return  Nothing: no record seems to end here.
  std::optional<Cut> cut(const ByteStreamParser& parser, std::size_t bytes_max);

  /// Whole records that are still to be read.
  struct UnreadCut {
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    std::shared_ptr<const ObjectReader> source;
  };
  /// Cuts whole records off without reading more of them than where the last one may end. What was
  /// carried over is among them, and is dropped.
  /// @param size  Of the object; its last bytes are not cut off.
  /// @return  Nothing: this reader, or this split, has to be read in order for now.
  std::optional<UnreadCut> cut_unread(const DecodedReader& reader, const ByteStreamParser& parser,
                                      std::size_t bytes_max, std::uint64_t size);

  /// Bytes in front of this one are done with. All that is left is carried over.
  void drop(std::size_t bytes);

  /// What was cut off since comes again: puts it back, in order, in front of what is there.
  /// @param offset  Of its first byte, with which a record begins.
  void put_back(std::uint64_t offset, const std::vector<std::span<const std::byte>>& pieces);
  /// The same for what is still to be read, or can be read again.
  void go_back(std::uint64_t offset);
  /// A guess was wrong: the next ones are made more carefully.
  void note_wrong_guess();

 private:
  Buffer buffer_;
  Buffer end_bytes_;         ///< Looked at by cut_unread().
  std::size_t carried_ = 0;  ///< Of buffer_.
  std::uint64_t offset_;     ///< Of buffer_[0].
  std::optional<RecordEndGuess> guess_ = RecordEndGuess::kNearby;
};

}  // namespace leat::executor
