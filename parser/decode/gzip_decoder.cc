// gzip by ISA-L's inflate, which gives back its whole state in a public structure.
//
// ISA-L does not stop where a deflate block begins, but a call that runs out of input inside a
// block's header leaves the state as it was before that header. So restart points are looked for by
// feeding few bytes at a time now and then. A stream that is one block throughout (igzip -0, fixed
// codes) has no such place: there the code in force is compared with that of the member's first
// block, whose header has been kept. If they are equal, any place inside the block will do.
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include "parser/decode/stream_decoder.h"

namespace leat::parser {
namespace {

constexpr std::size_t kTrailerBytes = 8;
constexpr std::size_t kCallBytesMax = 1u << 30;  // ISA-L counts in 32 bits.

/// Shorter than the header of any block with a code of its own, but for trifling ones.
constexpr std::size_t kSearchPieceBytes = 32;
/// Feeding few bytes at a time is slow. Usual compressors begin a block each 10 to 100 KiB.
constexpr std::size_t kSearchBytesMax = 256u << 10;
/// The longest header of a deflate block has fewer bytes than this.
constexpr std::size_t kBlockHeaderBytesMax = 330;

// ISA-L takes pointers to mutable bytes, and only reads from them.
std::uint8_t* input_of(std::span<const std::byte> bytes) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
}
std::uint8_t* input_of(std::string_view bytes) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::uint32_t little_endian(const std::uint8_t* bytes) noexcept {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

std::unique_ptr<inflate_state> new_inflate_state() {
  auto state = std::make_unique<inflate_state>();  // Zeroed: codes are compared byte by byte.
  isal_inflate_init(state.get());
  return state;
}

/// Feeds bytes whose output does not matter.
int feed(inflate_state& state, std::string_view bytes) {
  std::uint8_t nowhere = 0;
  state.next_in = input_of(bytes);
  state.avail_in = static_cast<std::uint32_t>(bytes.size());
  state.next_out = &nowhere;
  state.avail_out = 0;
  return isal_inflate(&state);
}

bool same_code(const inflate_state& a, const inflate_state& b) noexcept {
  return std::memcmp(&a.lit_huff_code, &b.lit_huff_code, sizeof(a.lit_huff_code)) == 0 &&
         std::memcmp(&a.dist_huff_code, &b.dist_huff_code, sizeof(a.dist_huff_code)) == 0;
}

/// Whether `header`, a block's header and maybe more, gives the code in force in `state`. Cuts it
/// down to the header then.
bool gives_same_code(std::string& header, const inflate_state& state) {
  const auto probe = new_inflate_state();
  std::size_t size = 0;
  do {
    if (size == header.size() || feed(*probe, std::string_view(header).substr(size, 1)) < 0) {
      return false;
    }
    ++size;
  } while (probe->block_state == ISAL_BLOCK_HDR);
  if (probe->block_state != ISAL_BLOCK_CODED) return false;
  if (!same_code(*probe, state)) {
    // The header of ISA-L's own compressor has tables made beforehand, which are used when enough
    // input is there. Whatever the zeros behind it do, they bring no code.
    const auto other = new_inflate_state();
    feed(*other, header.substr(0, size) + std::string(kBlockHeaderBytesMax, '\0'));
    if (!same_code(*other, state)) return false;
  }
  header.resize(size);
  return true;
}

/// isal_inflate, with faults at the right place.
///
/// ISA-L's fast loop, when it meets a fault, does not say how much of its output is good. So the
/// state is copied now and then, and what has been read since is decoded once more from there, byte
/// by byte: the slow loop, which the last bytes of an input go through, is exact.
class Inflater {
 public:
  inflate_state& state() noexcept { return *state_; }

  /// After the state has been changed by others.
  void changed() noexcept { copy_is_old_ = true; }

  struct Progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool failed = false;  ///< take_rest() has what is to come before the fault.
  };
  Progress run(std::span<const std::byte> in, std::span<std::byte> out) {
    if (copy_is_old_) {
      // All that is in use: the window comes last.
      std::memcpy(copy_.get(), state_.get(),
                  offsetof(inflate_state, tmp_out_buffer) +
                      static_cast<std::size_t>(state_->tmp_out_valid));
      read_since_.clear();
      produced_since_ = 0;
      copy_is_old_ = false;
    }
    state_->next_in = input_of(in);
    state_->avail_in = static_cast<std::uint32_t>(in.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_->avail_out = static_cast<std::uint32_t>(out.size());
    if (isal_inflate(state_.get()) < 0) return {.consumed = find_fault(in), .failed = true};
    const Progress progress{in.size() - state_->avail_in, out.size() - state_->avail_out};
    produced_since_ += progress.produced;
    copy_is_old_ = produced_since_ + read_since_.size() + progress.consumed >= kBytesPerCopy;
    if (!copy_is_old_) {
      read_since_.append(reinterpret_cast<const char*>(in.data()), progress.consumed);
    }
    return progress;
  }

  int fault() const noexcept { return fault_; }
  std::size_t take_rest(std::span<std::byte> out) {
    const std::size_t size = std::min(out.size(), rest_.size() - rest_taken_);
    if (size > 0) std::memcpy(out.data(), rest_.data() + rest_taken_, size);
    rest_taken_ += size;
    return size;
  }
  bool rest_is_taken() const noexcept { return rest_taken_ == rest_.size(); }

 private:
  /// Enough that the copies do not show beside decoding, little enough to be decoded slowly.
  static constexpr std::size_t kBytesPerCopy = 256u << 10;

  /// How many bytes of `in` were good. The fault may lie in what was read before: then its output
  /// had no room.
  std::size_t find_fault(std::span<const std::byte> in) {
    std::size_t good = 0;
    for (const char byte : read_since_) {
      fault_ = replay(static_cast<std::uint8_t>(byte));
      if (fault_ < 0) break;
    }
    while (fault_ >= 0 && good < in.size()) {
      fault_ = replay(std::to_integer<std::uint8_t>(in[good]));
      if (fault_ >= 0) ++good;
    }
    rest_taken_ = std::min(produced_since_, rest_.size());
    return good;
  }

  int replay(std::uint8_t byte) {
    std::array<std::uint8_t, 4096> out;
    copy_->next_in = &byte;
    copy_->avail_in = 1;
    int result = 0;
    do {
      copy_->next_out = out.data();
      copy_->avail_out = out.size();
      result = isal_inflate(copy_.get());
      rest_.append(reinterpret_cast<const char*>(out.data()), out.size() - copy_->avail_out);
    } while (result >= 0 && copy_->avail_out == 0);
    return result;
  }

  std::unique_ptr<inflate_state> state_ = new_inflate_state();
  std::unique_ptr<inflate_state> copy_ = new_inflate_state();
  bool copy_is_old_ = true;
  std::string read_since_;  ///< Since the copy was made.
  std::size_t produced_since_ = 0;
  std::string rest_;  ///< All that was decoded since, when there is a fault.
  std::size_t rest_taken_ = 0;
  int fault_ = 0;
};

class GzipDecoder final : public StreamDecoder {
 public:
  GzipDecoder(const RestartState& start, const DecoderLimits& limits)
      : StreamDecoder(start, limits), at_front_(start.encoded_offset == 0) {}

  /// Goes on inside a member. False when there is no such place.
  bool resume(const RestartState& start) {
    const DeflatePlace& place = *start.deflate;
    const bool inside_block = !place.block_header.empty();
    if (inside_block) {
      if (feed(state_, place.block_header) < 0 || state_.block_state != ISAL_BLOCK_CODED) {
        return false;
      }
      isal_inflate_reset(&state_);  // All but the code.
    }
    if (isal_inflate_set_dict(&state_, input_of(place.window),
                              static_cast<std::uint32_t>(place.window.size())) != COMP_OK) {
      return false;
    }
    if (inside_block) {
      state_.block_state = ISAL_BLOCK_CODED;
      state_.bfinal = place.final_block ? 1 : 0;
    }
    begin_body(place.crc);
    bits_used_ = place.bits_used;
    member_encoded_offset_ = place.member_encoded_offset;
    member_bytes_ = start.decoded_offset - place.member_decoded_offset;
    first_header_ = place.block_header;
    first_header_kept_ = true;
    return true;
  }

 private:
  enum class Stage { kHeader, kBody, kFailed, kTrailer };

  Step advance(std::span<const std::byte> in, std::span<std::byte> out) override {
    switch (stage_) {
      case Stage::kHeader:
        return read_header(in);
      case Stage::kBody:
        return read_body(in, out);
      case Stage::kFailed:
        return give_out_rest(out);
      case Stage::kTrailer:
        return read_trailer(in);
    }
    return {};
  }

  Step read_header(std::span<const std::byte> in) {
    if (in.empty()) return {};
    if (!in_header_) {
      if (!at_front_ && in[0] == std::byte{0}) {
        const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
        const auto end = std::find_if_not(in.begin(), in.end(), is_zero);
        return {.consumed = static_cast<std::size_t>(end - in.begin()), .unit_ended = true};
      }
      if (in[0] != std::byte{0x1f}) return {.fault = not_a_unit()};
      begin_member();
    }
    in = in.first(std::min(in.size(), kCallBytesMax));
    state_.next_in = input_of(in);
    state_.avail_in = static_cast<std::uint32_t>(in.size());
    const int result = isal_read_gzip_header(&state_, &header_);
    Step step{.consumed = in.size() - state_.avail_in};
    switch (result) {
      case ISAL_DECOMP_OK:
        in_header_ = false;
        at_front_ = false;
        begin_body(0);
        break;
      case ISAL_END_INPUT:
        break;
      case ISAL_INVALID_WRAPPER:
        step.fault = not_a_unit();
        break;
      case ISAL_UNSUPPORTED_METHOD:
        step.fault = corrupt("its compression method is not deflate");
        break;
      default:
        step.fault = corrupt("its header does not match its checksum");
    }
    return step;
  }

  void begin_member() {
    in_header_ = true;
    member_encoded_offset_ = encoded_offset();
    member_bytes_ = 0;
    isal_gzip_header_init(&header_);
    isal_inflate_reset(&state_);
    std::memset(&state_.lit_huff_code, 0, sizeof(state_.lit_huff_code));
    std::memset(&state_.dist_huff_code, 0, sizeof(state_.dist_huff_code));
    first_header_.clear();
    first_header_kept_ = false;
    trailer_bytes_ = 0;
  }

  void begin_body(std::uint32_t crc) {
    stage_ = Stage::kBody;
    state_.crc_flag = ISAL_GZIP_NO_HDR;  // Reckons the CRC, and leaves the trailer alone.
    state_.crc = crc;
    inflater_.changed();
  }

  Step read_body(std::span<const std::byte> in, std::span<std::byte> out) {
    const bool searching = restart_point_is_due();
    const auto piece = in.first(std::min(in.size(), searching ? search_piece() : kCallBytesMax));
    keep_first_header(piece);
    const std::size_t begun = begin_inside_byte(piece);
    const Inflater::Progress progress =
        inflater_.run(piece.subspan(begun), out.first(std::min(out.size(), kCallBytesMax)));
    Step step{.consumed = begun + progress.consumed, .produced = progress.produced};
    member_bytes_ += progress.produced;
    if (progress.failed) {
      stage_ = Stage::kFailed;
      Step rest = give_out_rest(out);
      step.produced = rest.produced;
      step.fault = std::move(rest.fault);
    } else if (state_.block_state == ISAL_BLOCK_FINISH) {
      stage_ = Stage::kTrailer;
      take_bit_buffer();
      Step trailer = read_trailer(in.subspan(step.consumed));
      step.consumed += trailer.consumed;
      step.unit_ended = trailer.unit_ended;
      step.fault = std::move(trailer.fault);
    } else if (searching) {
      search(step);
    } else {
      end_search();
    }
    return step;
  }

  /// After a restart inside a byte: its upper bits go where ISA-L keeps bits. How many bytes that
  /// took.
  std::size_t begin_inside_byte(std::span<const std::byte> in) {
    if (bits_used_ == 0 || in.empty()) return 0;
    state_.read_in = std::to_integer<std::uint64_t>(in[0]) >> bits_used_;
    state_.read_in_length = 8 - bits_used_;
    bits_used_ = 0;
    inflater_.changed();
    return 1;
  }

  Step give_out_rest(std::span<std::byte> out) {
    Step step{.produced = inflater_.take_rest(out)};
    if (inflater_.rest_is_taken()) {
      const int fault = inflater_.fault();
      step.fault = corrupt(fault == ISAL_INVALID_LOOKBACK ? "a match reaches back too far"
                           : fault == ISAL_INVALID_SYMBOL ? "an invalid symbol"
                                                          : "an invalid block");
    }
    return step;
  }

  /// ISA-L reads ahead by up to eight bytes, maybe of an input that is gone.
  void take_bit_buffer() {
    std::uint64_t bits = state_.read_in >> (state_.read_in_length % 8);
    for (int left = state_.read_in_length; left >= 8; left -= 8, bits >>= 8) {
      trailer_[trailer_bytes_++] = static_cast<std::uint8_t>(bits);
    }
  }

  Step read_trailer(std::span<const std::byte> in) {
    Step step{.consumed = std::min(in.size(), kTrailerBytes - trailer_bytes_)};
    if (step.consumed > 0) std::memcpy(trailer_.data() + trailer_bytes_, in.data(), step.consumed);
    trailer_bytes_ += step.consumed;
    if (trailer_bytes_ < kTrailerBytes) return step;
    if (little_endian(trailer_.data()) != state_.crc) {
      step.fault = corrupt("its bytes do not match its checksum (CRC-32)");
    } else if (little_endian(trailer_.data() + 4) != static_cast<std::uint32_t>(member_bytes_)) {
      step.fault = corrupt("its length is not the one that it states");
    } else {
      step.unit_ended = true;
      stage_ = Stage::kHeader;
    }
    return step;
  }

  void keep_first_header(std::span<const std::byte> in) {
    if (first_header_kept_) return;
    const std::size_t wanted = kBlockHeaderBytesMax - first_header_.size();
    const auto bytes = in.first(std::min(in.size(), wanted));
    first_header_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    first_header_kept_ = first_header_.size() == kBlockHeaderBytesMax;
  }

  /// Few bytes, so as to run out of input inside a block's header; a stored block's is too short
  /// for that, but where such a block ends is known.
  std::size_t search_piece() const noexcept {
    if (state_.block_state != ISAL_BLOCK_TYPE0) return kSearchPieceBytes;
    const int left = state_.type0_block_len - state_.read_in_length / 8;
    return static_cast<std::size_t>(std::max(left, 1));
  }

  /// Takes what the last call has come to for a restart point, if it can be one.
  void search(const Step& step) {
    searched_bytes_ += step.consumed;
    if (state_.tmp_out_processed == state_.tmp_out_valid) {
      if (state_.block_state == ISAL_BLOCK_NEW_HDR || state_.block_state == ISAL_BLOCK_HDR) {
        return add_place(step, {});
      }
      if (state_.block_state == ISAL_BLOCK_CODED && !code_compared_) {
        code_compared_ = true;
        if (code_is_first_blocks()) return add_place(step, first_header_);
      }
    }
    if (searched_bytes_ > kSearchBytesMax) {
      postpone_restart_point();
      end_search();
    }
  }

  void end_search() {
    searched_bytes_ = 0;
    code_compared_ = false;
  }

  void add_place(const Step& step, std::string block_header) {
    // Bytes of an incomplete block header were taken in, but count as not yet read.
    const std::uint64_t unread_bits = static_cast<std::uint64_t>(state_.tmp_in_size) * 8 +
                                      static_cast<std::uint64_t>(state_.read_in_length);
    const std::uint64_t position = (encoded_offset() + step.consumed) * 8 - unread_bits;
    const std::uint64_t decoded = decoded_offset() + step.produced;
    const auto window = std::min<std::size_t>(state_.tmp_out_valid, kDeflateWindowBytes);
    const auto* window_end =
        reinterpret_cast<const char*>(state_.tmp_out_buffer) + state_.tmp_out_valid;
    add_restart_point({Encoding::kGzip, position / 8, decoded,
                       DeflatePlace{.member_encoded_offset = member_encoded_offset_,
                                    .member_decoded_offset = decoded - member_bytes_,
                                    .crc = state_.crc,
                                    .bits_used = static_cast<std::uint8_t>(position % 8),
                                    .final_block = state_.bfinal != 0,
                                    .block_header = std::move(block_header),
                                    .window = std::string(window_end - window, window)}});
    end_search();
  }

  /// Whether the code in force is that of the member's first block. Then first_header_ is its
  /// header.
  bool code_is_first_blocks() {
    if (first_header_.empty()) return false;
    // The tables are other ones in a final block that ends soon.
    first_header_[0] = static_cast<char>(first_header_[0] & ~1);
    if (!gives_same_code(first_header_, state_)) return false;
    first_header_kept_ = true;
    return true;
  }

  Stage stage_ = Stage::kHeader;
  bool at_front_ = true;    ///< No member began yet.
  bool in_header_ = false;  ///< kHeader: its first byte was read.
  Inflater inflater_;
  inflate_state& state_ = inflater_.state();
  isal_gzip_header header_ = {};
  std::uint8_t bits_used_ = 0;  ///< Of the next byte, before the first call.
  std::uint64_t member_encoded_offset_ = 0;
  std::uint64_t member_bytes_ = 0;  ///< Decoded.
  std::array<std::uint8_t, kTrailerBytes> trailer_ = {};
  std::size_t trailer_bytes_ = 0;
  std::string first_header_;  ///< The first bytes of the member's first block.
  bool first_header_kept_ = false;
  std::size_t searched_bytes_ = 0;
  bool code_compared_ = false;  ///< In this search.
};

}  // namespace

std::unique_ptr<StreamDecoder> make_gzip_decoder(const RestartState& state,
                                                 const DecoderLimits& limits) {
  auto decoder = std::make_unique<GzipDecoder>(state, limits);
  if (state.deflate && !decoder->resume(state)) return nullptr;
  return decoder;
}

}  // namespace leat::parser
