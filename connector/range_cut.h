// Where to cut what is left of a listing, so that two go on with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::connector {

/// Distances between keys are in units of the distance from `origin` to `at`, see guess_cut().
struct RangeCut {
  /// After `at`, before `until`; printable ASCII behind the bytes that `origin` and `at` share.
  std::string key;
  double way = 0;   ///< The distance from `origin` to `key`; 1 or more.
  double left = 0;  ///< The distance from `at` to the end of the range, but at most 1: a guess.
};

/// Guesses where to cut from how far a listing of keys in byte order has come.
///
/// The bytes behind the prefix that `origin` and `at` share are read as the digits of a number, so
/// that keys have distances. What is left is taken to be as long as what was listed: the cut is as
/// far ahead of `at` as `origin` is behind it. Where the end shares the prefix, the cut is no
/// further than halfway to the end.
///
/// A guess beyond the last key there is costs one request. It then becomes the `until` of the range
/// that it was cut off, so that the next guess is nearer to where the listing stands.
///
/// @param origin  A key that was listed.
/// @param at      The last key that was listed, after `origin`.
/// @param until   Before this one the listing ends; empty: there is no end.
/// @return  nullopt: no key can be guessed.
std::optional<RangeCut> guess_cut(std::string_view origin, std::string_view at,
                                  std::string_view until);

}  // namespace leat::connector
