// Key patterns: which objects of a store belong to a pipeline.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"

namespace leat::connector {

/// A compiled key pattern. Immutable: any thread may match.
///
///   *        any bytes except '/', none too
///   **       any bytes, '/' too; as a whole segment also no segment at all: a/**/b matches a/b
///   ?        one character: an ASCII byte except '/', or one UTF-8 sequence
///   [a-z_]   one ASCII character of the set; [!…] or [^…]: one character not in it; never '/'
///   {a,b}    either; alternatives may be empty, nested, and hold wildcards or '/'
///   \x       x itself
///
/// A leading dot is a byte like any other. Matching is on bytes. It takes one look into a table for
/// each byte of the key; for patterns whose table would be large, time proportional to key ×
/// pattern whatever the pattern.
class Glob {
 public:
  /// Bytes: four times the longest key of S3, and the longest path of Linux.
  static constexpr std::size_t kPatternBytesMax = 4096;
  /// 64 KiB of table. Usual patterns have some thirty states.
  static constexpr std::size_t kTableStatesMax = 128;

  ///   kInvalidArgument  Unbalanced or empty brackets, a lone backslash at the end, too long or too
  ///                     deeply nested; the message holds pattern and position.
  ///
  /// @param table_states_max  Up to so many states a table is made; 0: none, for tests.
  static Result<Glob> compile(std::string_view pattern,
                              std::size_t table_states_max = kTableStatesMax);

  /// Whether the whole of `key` matches.
  bool matches(std::string_view key) const;

  /// Whether a key that begins with `prefix` can match. Never false by mistake.
  bool can_match_below(std::string_view prefix) const;
  /// Whether a key with two folders "name=…/" can match: only if it cannot, the first such folder
  /// of a key says what the name's value is. Names are compared as those of partitions: without
  /// regard to the case of ASCII letters, percent-decoded. Never false by mistake.
  bool can_repeat_folder(std::string_view name) const;

  /// Bytes that every matching key begins with, as long as the pattern tells.
  const std::string& literal_prefix() const noexcept { return literal_prefix_; }
  /// True when the pattern matches literal_prefix() and nothing else.
  bool literal() const noexcept { return literal_; }

 private:
  friend class GlobCompiler;

  // A non-deterministic automaton; edges lead to indices of program_. Simulated with the set of
  // all states that are reachable, so that no pattern can make it back up.
  struct Instruction {
    enum class Op : std::uint8_t { kByte, kSet, kFork, kMatch } op = Op::kMatch;
    std::uint8_t byte = 0;
    std::uint32_t next = 0;
    std::uint32_t other = 0;  // kFork: second edge; kSet: index into sets_.
  };
  using ByteSet = std::bitset<256>;

  /// A set of the automaton's states as one. One that every byte leads back to is settled.
  struct TableState {
    bool matches = false;
    bool settled = true;
  };

  Glob() = default;
  bool follow(std::string_view rest) const;
  bool simulate(std::string_view key) const;
  std::vector<std::uint32_t> states_after(std::string_view key) const;
  bool takes(const Instruction& instruction, unsigned byte) const;

  std::vector<Instruction> program_;
  std::vector<ByteSet> sets_;
  std::uint32_t after_prefix_ = 0;  // State once literal_prefix_ has been seen.
  std::string literal_prefix_;
  bool literal_ = false;
  // From after_prefix_ on; the next state for each state and byte. Empty: there is no table.
  std::vector<std::uint16_t> table_;
  std::vector<TableState> table_states_;
};

/// `text` as a pattern that matches exactly it.
std::string escape_glob(std::string_view text);

}  // namespace leat::connector
