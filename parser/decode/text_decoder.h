// Text of another encoding than UTF-8, turned into UTF-8 in front of the parser.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "parser/decode/decoder.h"

namespace leat::parser {

/// Bytes of the plain text's front by which choose_text_encoding judges.
inline constexpr std::size_t kByteOrderMarkBytes = 4;

/// A text encoding that leat knows, as iconv calls it; "auto", "utf-16" and "utf-32" stand for
/// themselves. In any case; "latin-1" and "cp1252" are known, too. Nothing: it is unknown.
std::optional<std::string> text_encoding(std::string_view name);

/// What the text is to be decoded from; empty: it is UTF-8 already. A byte order mark in `front`
/// outranks `name`, which text_encoding knows.
std::string choose_text_encoding(std::string_view name, std::string_view front);

/// A decoder from `encoding` (of choose_text_encoding) to UTF-8, behind `inner`, which takes a
/// compression off; null: there is none. `front`: bytes that `inner` has given out already.
///
/// Bytes that the encoding does not have become one byte 0xFF, which is no UTF-8: the parser
/// refuses text that holds it, with its place. Restart points need no state but the place itself.
std::unique_ptr<Decoder> make_text_decoder(std::string encoding, std::unique_ptr<Decoder> inner,
                                           std::string front);

/// Whether `state` was made by such a decoder.
bool is_text_state(std::string_view state) noexcept;

/// resume_decoder for such states.
Result<OpenedDecoder> resume_text_decoder(std::string_view state, const DecoderLimits& limits);

}  // namespace leat::parser
