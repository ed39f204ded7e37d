// What all encodings have in common: offsets, restart points, the bomb limit, and errors that come
// after the bytes before them.
//
// An encoding brings one function, advance(), which calls its library once. A *unit* is what the
// encoding can concatenate: gzip's member, zstd's and lz4's frame, bzip2's and xz's stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "parser/decode/decoder.h"
#include "parser/decode/restart_state.h"

namespace leat::parser {

class StreamDecoder : public Decoder {
 public:
  /// Begins at `state`, or at the object's front where its offsets are zero.
  StreamDecoder(const RestartState& state, const DecoderLimits& limits);

  Result<Progress> decode(std::span<const std::byte> in, bool in_ends,
                          std::span<std::byte> out) final;
  std::string state_before(std::uint64_t offset) final;

 protected:
  struct Fault {
    ErrorCode code;
    std::string what;  ///< And what to do; the place is added to it.
  };
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool unit_ended = false;          ///< With the bytes consumed: the object may end here.
    std::optional<Fault> fault = {};  ///< Behind the bytes produced. Nothing is asked after it.
  };
  /// Decodes some of `in` into `out`, which is not empty. After a step that filled its `out` comes
  /// one with an empty `in`, for what found no room. The offsets below are those of the fronts of
  /// `in` and `out`. A step makes progress unless `in` is empty.
  virtual Step advance(std::span<const std::byte> in, std::span<std::byte> out) = 0;

  std::uint64_t encoded_offset() const noexcept { return encoded_offset_; }
  std::uint64_t decoded_offset() const noexcept { return decoded_offset_; }
  const DecoderLimits& limits() const noexcept { return limits_; }

  /// Whether a restart point would be kept. At a unit's end it is made without being asked for.
  bool restart_point_is_due() const noexcept;
  void add_restart_point(const RestartState& state);
  /// None was found here: the next one is due after as many bytes as if it had been.
  void postpone_restart_point() noexcept { last_point_ = decoded_offset_; }

  /// Broken data: `what` says how, for people.
  Fault corrupt(std::string_view what) const;
  /// Bytes that begin no unit: those behind the last one, or the object is none of this encoding.
  Fault not_a_unit() const;
  static Fault out_of_memory();

 private:
  std::string unit() const;
  std::optional<Fault> bomb() const;
  Error error(const Fault& fault) const;

  struct RestartPoint {
    std::uint64_t decoded_offset;
    std::string state;
  };

  const Encoding encoding_;
  const DecoderLimits limits_;
  std::uint64_t encoded_offset_;
  std::uint64_t decoded_offset_;
  std::uint64_t unit_offset_;  ///< Encoded, of the unit's first byte.
  bool between_;               ///< At a unit's end.
  bool filled_ = false;        ///< The last step left no room in `out`.
  std::optional<Error> fault_;
  std::deque<RestartPoint> points_;    ///< In order; as many as state_before may still want.
  std::uint64_t restart_every_bytes_;  ///< More than in limits_ while nobody asks.
  std::uint64_t last_point_;
};

/// One for each encoding, at `state` or at the object's front. Null when `state` is none of its.
std::unique_ptr<StreamDecoder> make_gzip_decoder(const RestartState& state,
                                                 const DecoderLimits& limits);
std::unique_ptr<StreamDecoder> make_zstd_decoder(const RestartState& state,
                                                 const DecoderLimits& limits);
std::unique_ptr<StreamDecoder> make_bzip2_decoder(const RestartState& state,
                                                  const DecoderLimits& limits);
std::unique_ptr<StreamDecoder> make_xz_decoder(const RestartState& state,
                                               const DecoderLimits& limits);
std::unique_ptr<StreamDecoder> make_lz4_decoder(const RestartState& state,
                                                const DecoderLimits& limits);

}  // namespace leat::parser
