// Where to cut what is left of a listing, so that two go on with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::connector {

struct RangeCut {
  /// Behind where the listing stands, before its end; ASCII behind what is known.
  std::string key;
  double way = 0;   ///< From the origin to the key, …
  double left = 0;  ///< … and of what is likely left: both in parts of the way that was made.
};

/// Guesses from how far a listing of keys in byte order has come: bytes behind what two keys have
/// in common are taken for digits of a number. As much as was listed may be left, so the cut is as
/// far ahead as the origin is behind; but no further than half of the way to the end, where that
/// has the same front.
///
/// A guess beyond the last key costs one request and is the end for the next one: ever nearer to
/// where the listing stands.
///
/// @param origin  A key that was listed.
/// @param at      The last key that was listed, after `origin`.
/// @param until   Before this one the listing ends; empty: there is no end.
/// @return  None: no such key can be told.
std::optional<RangeCut> guess_cut(std::string_view origin, std::string_view at,
                                  std::string_view until);

}  // namespace leat::connector
