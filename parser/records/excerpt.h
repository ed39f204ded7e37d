// A piece of data as it stands in messages.
#pragma once

#include <string>
#include <string_view>

namespace leat::parser {

/// `text` in double quotes, cut to some 60 bytes, what does not print as \xNN.
std::string excerpt(std::string_view text);

/// The front of `text`, at most `bytes` long, cut between UTF-8 sequences.
std::string_view front_of(std::string_view text, std::size_t bytes) noexcept;

}  // namespace leat::parser
