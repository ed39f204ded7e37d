#include "tests/fault/fault.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "tests/support/source_dir.h"

namespace leat::fault {
namespace {

constexpr std::array<std::pair<std::string_view, Operation>, 13> kOperations = {{
    {"list", Operation::kList},
    {"read", Operation::kRead},
    {"put", Operation::kPut},
    {"head", Operation::kHead},
    {"delete", Operation::kDelete},
    {"delete-many", Operation::kDeleteMany},
    {"copy", Operation::kCopy},
    {"start-upload", Operation::kStartUpload},
    {"part", Operation::kPart},
    {"copy-part", Operation::kCopyPart},
    {"complete", Operation::kComplete},
    {"abort", Operation::kAbort},
    {"other", Operation::kOther},
}};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Takes the first word away.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::string_view word = text.substr(0, text.find(' '));
  text = trim(text.substr(word.size()));
  return word;
}

std::size_t number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) {
    throw std::runtime_error("'" + std::string(text) + "' is no number");
  }
  return std::stoul(std::string(text));
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'r' || text[i + 1] == 'n')) {
      plain += text[++i] == 'r' ? '\r' : '\n';
    } else {
      plain += text[i];
    }
  }
  return plain;
}

Place parse_place(std::string_view text) {
  if (text.ends_with('%')) {
    return {Place::From::kBodyPercent, number(text.substr(0, text.size() - 1))};
  }
  if (text.starts_with("body+")) return {Place::From::kBody, number(text.substr(5))};
  if (text == "end") return {Place::From::kEnd, 0};
  if (text.starts_with("end-")) return {Place::From::kEnd, number(text.substr(4))};
  return {Place::From::kStart, number(text)};
}

/// Lines of an answer: its head with the line ends of HTTP, its body with none of its own.
std::vector<Piece> parse_answer(std::istream& lines, bool raw) {
  std::vector<Piece> pieces(1);
  bool in_head = !raw;
  for (std::string line; std::getline(lines, line);) {
    std::string_view rest = line;
    const bool repeated = rest.starts_with("@repeat ");
    std::size_t count = 1;
    if (repeated) {
      take_word(rest);
      count = number(take_word(rest));
    }
    std::string text = unescape(rest);
    if (in_head) {
      text += "\r\n";
      if (line.empty()) in_head = false;
    }
    if (repeated) {
      pieces.push_back({std::move(text), count});
      pieces.emplace_back();
    } else {
      pieces.back().text += text;
    }
  }
  if (in_head) pieces.back().text += "\r\n";
  return pieces;
}

Fault::Expectation parse_expectation(std::string_view text) {
  Fault::Expectation expected;
  const std::string_view operation = take_word(text);
  const auto found = std::find_if(kOperations.begin(), kOperations.end(),
                                  [&](const auto& known) { return known.first == operation; });
  if (found == kOperations.end()) {
    throw std::runtime_error("'" + std::string(operation) + "' is no operation");
  }
  expected.operation = found->second;
  expected.outcome = take_word(text);
  expected.requests = number(take_word(text));
  expected.says = text;
  return expected;
}

void parse_line(Fault& fault, std::string_view line) {
  using End = Fault::End;
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  if (word == "times") {
    fault.times = rest == "all" ? SIZE_MAX : number(rest);
  } else if (word == "only" && rest == "reused") {
    fault.reused_only = true;
  } else if (word == "refused") {
    fault.refused = true;
  } else if (word == "clock") {
    fault.clock = std::chrono::seconds(std::stol(std::string(rest)));
  } else if (word == "cut" && rest.starts_with("request ")) {
    fault.cut_request = number(rest.substr(8));
  } else if (word == "cut" && rest.starts_with("body ")) {
    fault.body_end = parse_place(rest.substr(5));
  } else if (word == "status") {
    fault.status = rest;
  } else if (word == "header") {
    const std::size_t colon = std::min(rest.find(':'), rest.size() - 1);
    fault.headers.emplace_back(rest.substr(0, colon), trim(rest.substr(colon + 1)));
  } else if (word == "replace") {
    const std::size_t arrow = rest.find(" => ");
    if (arrow == rest.npos) throw std::runtime_error("'replace' needs ' => '");
    fault.replacements.push_back(
        {std::string(rest.substr(0, arrow)), std::string(rest.substr(arrow + 4))});
  } else if (word == "reversed") {
    fault.reversed = true;
  } else if (word == "prelude") {
    fault.prelude = unescape(rest);
  } else if (word == "append") {
    fault.appended = rest;
  } else if (word == "chunked") {
    fault.chunked = true;
  } else if (word == "last-chunk") {
    fault.last_chunk = unescape(rest);
  } else if (word == "length") {
    fault.length_error = std::stol(std::string(rest));
  } else if (word == "close" || word == "reset" || word == "stall" || word == "drip") {
    fault.end = word == "close"   ? End::kClose
                : word == "reset" ? End::kReset
                : word == "stall" ? End::kStall
                                  : End::kDrip;
    fault.end_at = parse_place(rest);
  } else if (word == "expect") {
    fault.expectations.push_back(parse_expectation(rest));
  } else {
    throw std::runtime_error("it is not known");
  }
}

}  // namespace

Operation operation_of(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::string_view method = line.substr(0, line.find(' '));
  const std::string_view target =
      line.substr(std::min(method.size() + 1, line.size()), line.rfind(' ') - method.size() - 1);
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  const std::string query = "&" + std::string(target.substr(std::min(mark + 1, target.size())));
  const auto asks = [&](std::string_view name) { return query.find(name) != query.npos; };
  const bool has_key = path.find('/', 1) != path.npos && !path.ends_with('/');
  if (method == "GET") return asks("&list-type=") ? Operation::kList : Operation::kRead;
  if (method == "HEAD") return Operation::kHead;
  if (method == "POST" && asks("&uploads")) return Operation::kStartUpload;
  if (method == "POST" && asks("&uploadId=")) return Operation::kComplete;
  if (method == "POST" && asks("&delete")) return Operation::kDeleteMany;
  if (method == "DELETE") return asks("&uploadId=") ? Operation::kAbort : Operation::kDelete;
  if (method != "PUT" || !has_key || asks("&tagging")) return Operation::kOther;
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool copies = lower.find("\r\nx-amz-copy-source:") != lower.npos;
  if (asks("&partNumber=")) return copies ? Operation::kCopyPart : Operation::kPart;
  return copies ? Operation::kCopy : Operation::kPut;
}

std::size_t Place::in(std::size_t head_bytes, std::size_t body_bytes) const {
  const std::size_t all = head_bytes + body_bytes;
  switch (from) {
    case From::kStart:
      return std::min(number, all);
    case From::kBody:
      return std::min(head_bytes + number, all);
    case From::kEnd:
      return all - std::min(number, all);
    case From::kBodyPercent:
      return head_bytes + body_bytes * number / 100;
  }
  return all;
}

const Fault::Expectation* Fault::expected(Operation operation) const {
  const auto found = std::find_if(
      expectations.begin(), expectations.end(),
      [&](const Expectation& expectation) { return expectation.operation == operation; });
  return found == expectations.end() ? nullptr : &*found;
}

Fault parse_fault(const std::string& name, std::string_view text) {
  Fault fault;
  fault.name = name;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line == "answer" || line == "raw") {
      fault.raw = line == "raw";
      fault.answer = parse_answer(lines, fault.raw);
      break;
    }
    try {
      parse_line(fault, line);
    } catch (const std::exception& problem) {
      throw std::runtime_error("the fault '" + name + "', line '" + line + "': " + problem.what());
    }
  }
  return fault;
}

std::vector<Fault> load_faults() {
  std::vector<Fault> faults;
  for (const auto& entry :
       std::filesystem::directory_iterator(test_source_dir() / "tests/fault/faults")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    faults.push_back(parse_fault(entry.path().stem().string(), text));
  }
  std::sort(faults.begin(), faults.end(),
            [](const Fault& a, const Fault& b) { return a.name < b.name; });
  return faults;
}

}  // namespace leat::fault
