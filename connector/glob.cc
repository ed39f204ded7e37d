#include "connector/glob.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "core/ascii_case.h"

namespace leat::connector {
namespace {

constexpr std::string_view kSpecial = "*?[]{}\\";
constexpr int kNestingMax = 32;
// The table is made of at most this many instructions: it takes time for each, state and byte.
constexpr std::size_t kTabledProgramMax = 512;

bool is_continuation(unsigned byte) { return (byte & 0xC0u) == 0x80u; }

}  // namespace

/// Recursive descent over the pattern, straight into instructions (Thompson's construction).
class GlobCompiler {
 public:
  GlobCompiler(std::string_view pattern, std::size_t table_states_max)
      : pattern_(pattern), table_states_max_(table_states_max) {}

  Result<Glob> compile() {
    if (pattern_.size() > Glob::kPatternBytesMax) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "the pattern has " + std::to_string(pattern_.size()) +
                              " bytes; at most " + std::to_string(Glob::kPatternBytesMax) +
                              " can be used"};
    }
    parse_sequence(/*depth=*/0, /*segment_start=*/true);
    if (error_) return *std::move(error_);
    emit({.op = Op::kMatch});
    find_prefix();
    if (!glob_.literal_ && glob_.program_.size() <= kTabledProgramMax) make_table();
    return std::move(glob_);
  }

 private:
  using Op = Glob::Instruction::Op;
  using States = std::vector<std::uint32_t>;

  bool at_end() const { return position_ >= pattern_.size(); }
  char peek() const { return pattern_[position_]; }
  std::uint32_t here() const { return static_cast<std::uint32_t>(glob_.program_.size()); }

  std::uint32_t emit(Glob::Instruction instruction) {
    // Straight on unless patched later.
    if (instruction.op != Op::kMatch && instruction.next == 0) instruction.next = here() + 1;
    glob_.program_.push_back(instruction);
    return here() - 1;
  }

  void emit_byte(char c) { emit({.op = Op::kByte, .byte = static_cast<std::uint8_t>(c)}); }

  void emit_set(const Glob::ByteSet& set) {
    const auto known = std::find(glob_.sets_.begin(), glob_.sets_.end(), set);
    const auto index = static_cast<std::uint32_t>(known - glob_.sets_.begin());
    if (known == glob_.sets_.end()) glob_.sets_.push_back(set);
    emit({.op = Op::kSet, .other = index});
  }

  // fork → set → back to the fork; the fork's other edge leaves the loop.
  void emit_any_number_of(const Glob::ByteSet& set) {
    const std::uint32_t fork = emit({.op = Op::kFork});
    emit_set(set);
    glob_.program_.back().next = fork;
    glob_.program_[fork].other = here();
  }

  // One character: its first byte is of `first`, continuation bytes belong to it.
  void emit_character(const Glob::ByteSet& first) {
    emit_set(first);
    Glob::ByteSet continuation;
    for (unsigned byte = 0x80; byte < 0xC0; ++byte) continuation.set(byte);
    if ((first & non_ascii()).any()) emit_any_number_of(continuation);
  }

  static Glob::ByteSet non_ascii() {
    Glob::ByteSet set;
    for (unsigned byte = 0x80; byte < 0x100; ++byte) set.set(byte);
    return set;
  }

  static Glob::ByteSet any_first_byte() {
    Glob::ByteSet set;
    for (unsigned byte = 0; byte < 0x100; ++byte) set.set(byte, !is_continuation(byte));
    set.reset('/');
    return set;
  }

  void fail(std::size_t position, const std::string& what) {
    if (error_) return;
    error_ = Error{.code = ErrorCode::kInvalidArgument,
                   .message = "pattern '" + std::string(pattern_) + "', position " +
                              std::to_string(position + 1) + ": " + what};
  }

  // Returns whether what was parsed ends at the start of a segment. Stops at the end, and inside
  // braces (depth > 0) before ',' and '}'.
  bool parse_sequence(int depth, bool segment_start) {
    while (!error_ && !at_end()) {
      const char c = peek();
      if (depth > 0 && (c == ',' || c == '}')) break;
      switch (c) {
        case '*':
          segment_start = parse_star(segment_start);
          break;
        case '?':
          ++position_;
          emit_character(any_first_byte());
          segment_start = false;
          break;
        case '[':
          parse_set();
          segment_start = false;
          break;
        case '{':
          segment_start = parse_alternatives(depth, segment_start);
          break;
        case ']':
        case '}':
          fail(position_, std::string("'") + c + "' closes nothing; write '\\" + c +
                              "' for the character itself");
          break;
        case '\\':
          if (position_ + 1 >= pattern_.size()) {
            fail(position_, "nothing follows '\\'; write '\\\\' for the character itself");
            break;
          }
          emit_byte(pattern_[position_ + 1]);
          segment_start = pattern_[position_ + 1] == '/';
          position_ += 2;
          break;
        default:
          ++position_;
          emit_byte(c);
          segment_start = c == '/';
      }
    }
    return segment_start;
  }

  bool parse_star(bool segment_start) {
    std::size_t stars = 0;
    for (; !at_end() && peek() == '*'; ++position_) ++stars;
    Glob::ByteSet any;
    any.set();
    if (stars == 1) {
      any.reset('/');
      emit_any_number_of(any);
      return false;
    }
    if (segment_start && !at_end() && peek() == '/') {
      // "**/": nothing, or anything that ends in '/'.
      ++position_;
      const std::uint32_t skip = emit({.op = Op::kFork});
      emit_any_number_of(any);
      emit_byte('/');
      glob_.program_[skip].other = here();
      return true;
    }
    emit_any_number_of(any);
    return false;
  }

  void parse_set() {
    const std::size_t start = position_++;
    const auto unclosed = [&] {
      fail(start, "'[' is never closed; write '\\[' for the character itself");
    };
    bool negated = false;
    if (!at_end() && (peek() == '!' || peek() == '^')) {
      negated = true;
      ++position_;
    }
    Glob::ByteSet set;
    for (bool first = true;; first = false) {
      if (at_end()) return unclosed();
      if (peek() == ']' && !first) break;
      const std::optional<unsigned> low = parse_set_member();
      if (!low) return at_end() && !error_ ? unclosed() : void();
      unsigned high = *low;
      if (position_ + 1 < pattern_.size() && peek() == '-' && pattern_[position_ + 1] != ']') {
        ++position_;
        const std::optional<unsigned> end = parse_set_member();
        if (!end) return at_end() && !error_ ? unclosed() : void();
        high = *end;
      }
      if (high < *low) {
        return fail(position_ - 1, "the range ends before it begins; swap its ends");
      }
      for (unsigned byte = *low; byte <= high; ++byte) set.set(byte);
    }
    ++position_;
    set.reset('/');
    emit_character(negated ? any_first_byte() & ~set : set);
  }

  std::optional<unsigned> parse_set_member() {
    if (peek() == '\\') ++position_;
    if (at_end()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(peek());
    if (byte >= 0x80) {
      fail(position_, "only ASCII characters can stand in [...]; write {ä,ö} for others");
      return std::nullopt;
    }
    ++position_;
    return byte;
  }

  bool parse_alternatives(int depth, bool segment_start) {
    const std::size_t start = position_++;
    if (depth >= kNestingMax) {
      fail(start, "braces are nested more than " + std::to_string(kNestingMax) + " deep");
      return false;
    }
    bool ends_at_segment_start = true;
    std::vector<std::uint32_t> exits;
    while (!error_) {
      const std::uint32_t fork = emit({.op = Op::kFork});
      ends_at_segment_start &= parse_sequence(depth + 1, segment_start);
      if (error_) break;
      if (at_end()) {
        fail(start, "'{' is never closed; write '\\{' for the character itself");
        break;
      }
      exits.push_back(emit({.op = Op::kFork}));
      const bool last = peek() == '}';
      ++position_;
      glob_.program_[fork].other = last ? fork + 1 : here();
      if (last) break;
    }
    for (const std::uint32_t exit : exits) {
      glob_.program_[exit].next = glob_.program_[exit].other = here();
    }
    return ends_at_segment_start;
  }

  void find_prefix() {
    std::uint32_t state = 0;
    while (glob_.program_[state].op == Op::kByte) {
      glob_.literal_prefix_ += static_cast<char>(glob_.program_[state].byte);
      state = glob_.program_[state].next;
    }
    glob_.after_prefix_ = state;
    glob_.literal_ = glob_.program_[state].op == Op::kMatch;
  }

  // The subset construction: each set of states that can be reached together becomes one.
  void make_table() {
    std::map<States, std::uint16_t> numbers;
    std::vector<const States*> in_order;
    const auto number_of = [&](States states) {
      const auto [it, added] =
          numbers.try_emplace(std::move(states), static_cast<std::uint16_t>(numbers.size()));
      if (added) in_order.push_back(&it->first);
      return it->second;
    };
    number_of(closure({glob_.after_prefix_}));
    for (std::size_t at = 0; at < in_order.size(); ++at) {
      // Too many: without a table then.
      if (in_order.size() > table_states_max_) {
        glob_.table_.clear();
        glob_.table_states_.clear();
        return;
      }
      const States& states = *in_order[at];
      // The match is the program's last instruction.
      Glob::TableState made{.matches =
                                !states.empty() && glob_.program_[states.back()].op == Op::kMatch};
      for (unsigned byte = 0; byte < 256; ++byte) {
        States following;
        for (const std::uint32_t state : states) {
          const Glob::Instruction& instruction = glob_.program_[state];
          if (glob_.takes(instruction, byte)) following.push_back(instruction.next);
        }
        const std::uint16_t next = number_of(closure(std::move(following)));
        made.settled = made.settled && next == at;
        glob_.table_.push_back(next);
      }
      glob_.table_states_.push_back(made);
    }
  }

  // The states without forks that can be reached without a byte, in ascending order.
  States closure(States pending) const {
    States states;
    std::vector<bool> entered(glob_.program_.size());
    while (!pending.empty()) {
      const std::uint32_t state = pending.back();
      pending.pop_back();
      if (entered[state]) continue;
      entered[state] = true;
      if (glob_.program_[state].op == Op::kFork) {
        pending.push_back(glob_.program_[state].other);
        pending.push_back(glob_.program_[state].next);
      } else {
        states.push_back(state);
      }
    }
    std::sort(states.begin(), states.end());
    return states;
  }

  std::string_view pattern_;
  const std::size_t table_states_max_;
  std::size_t position_ = 0;
  Glob glob_;
  std::optional<Error> error_;
};

Result<Glob> Glob::compile(std::string_view pattern, std::size_t table_states_max) {
  return GlobCompiler(pattern, table_states_max).compile();
}

bool Glob::matches(std::string_view key) const {
  if (!key.starts_with(literal_prefix_)) return false;
  key.remove_prefix(literal_prefix_.size());
  if (literal_) return key.empty();
  return table_.empty() ? simulate(key) : follow(key);
}

bool Glob::follow(std::string_view rest) const {
  std::size_t state = 0;
  for (const char c : rest) {
    if (table_states_[state].settled) break;
    state = table_[state * 256 + static_cast<unsigned char>(c)];
  }
  return table_states_[state].matches;
}

bool Glob::takes(const Instruction& instruction, unsigned byte) const {
  return instruction.op == Instruction::Op::kByte  ? instruction.byte == byte
         : instruction.op == Instruction::Op::kSet ? sets_[instruction.other].test(byte)
                                                   : false;
}

bool Glob::simulate(std::string_view key) const {
  const std::vector<std::uint32_t> reached = states_after(key);
  return std::any_of(reached.begin(), reached.end(), [&](std::uint32_t state) {
    return program_[state].op == Instruction::Op::kMatch;
  });
}

bool Glob::can_match_below(std::string_view prefix) const {
  if (prefix.size() <= literal_prefix_.size()) return literal_prefix_.starts_with(prefix);
  return prefix.starts_with(literal_prefix_) &&
         !states_after(prefix.substr(literal_prefix_.size())).empty();
}

/// All that the pattern and a reader of folders can come to together, for keys of any bytes.
bool Glob::can_repeat_folder(std::string_view name) const {
  // Where the reader stands in a segment: so many bytes of the name are read, or one of these.
  const std::size_t in_folder = name.size() + 1;  // "name=" was read, or something like it.
  const std::size_t in_other = name.size() + 2;
  struct Place {
    std::uint32_t state;
    std::size_t at;
    unsigned folders;
  };
  std::vector<bool> entered(program_.size() * (name.size() + 3) * 2);
  std::vector<Place> pending;
  const auto enter = [&](const Place& place) {
    const std::size_t number = (place.state * (name.size() + 3) + place.at) * 2 + place.folders;
    if (entered[number]) return;
    entered[number] = true;
    pending.push_back(place);
  };
  enter({0, 0, 0});
  while (!pending.empty()) {
    const Place place = pending.back();
    pending.pop_back();
    const Instruction& instruction = program_[place.state];
    if (instruction.op == Instruction::Op::kFork) {
      enter({instruction.next, place.at, place.folders});
      enter({instruction.other, place.at, place.folders});
      continue;
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (!takes(instruction, byte)) continue;
      const char c = static_cast<char>(byte);
      Place next{instruction.next, place.at, place.folders};
      if (c == '/') {
        if (place.at == in_folder && ++next.folders == 2) return true;
        next.at = 0;
      } else if (place.at < in_folder) {
        // An escape may stand for any byte of the name, so it counts as the whole of it.
        next.at = c == '%'                  ? in_folder
                  : place.at == name.size() ? (c == '=' ? in_folder : in_other)
                  : core::to_lower(c) == core::to_lower(name[place.at]) ? place.at + 1
                                                                        : in_other;
      }
      enter(next);
    }
  }
  return false;
}

std::vector<std::uint32_t> Glob::states_after(std::string_view key) const {
  std::vector<std::uint32_t> current;
  std::vector<std::uint32_t> following;
  std::vector<std::uint32_t> pending;
  // entered[s]: the last step in which state s was entered, so that each is entered once a step.
  std::vector<std::size_t> entered(program_.size(), std::numeric_limits<std::size_t>::max());
  const auto enter = [&](std::uint32_t state, std::size_t step, std::vector<std::uint32_t>& into) {
    pending.push_back(state);
    while (!pending.empty()) {
      state = pending.back();
      pending.pop_back();
      if (std::exchange(entered[state], step) == step) continue;
      if (program_[state].op == Instruction::Op::kFork) {
        pending.push_back(program_[state].other);
        pending.push_back(program_[state].next);
      } else {
        into.push_back(state);
      }
    }
  };

  enter(after_prefix_, 0, current);
  for (std::size_t i = 0; i < key.size() && !current.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(key[i]);
    following.clear();
    for (const std::uint32_t state : current) {
      const Instruction& instruction = program_[state];
      if (takes(instruction, byte)) enter(instruction.next, i + 1, following);
    }
    current.swap(following);
  }
  return current;
}

std::string escape_glob(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace leat::connector
