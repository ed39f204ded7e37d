// Listings of S3: any bytes, in any pieces, give the same answer, or an error of the same kind
// (which of several faults it names depends on what was seen first).
#include "connector/s3/list_xml.h"

#include <string>

#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

std::string read(std::string_view text, const std::vector<std::size_t>& cuts) {
  connector::s3::ListXmlReader reader;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : text.size();
    const Result<void> fed = reader.feed(std::as_bytes(std::span(text.data() + from, to - from)));
    from = to;
    if (!fed) return std::string(error_code_name(fed.error().code));
  }
  Result<connector::s3::ListAnswer> answer = reader.finish();
  if (!answer) return std::string(error_code_name(answer.error().code));
  std::string all = answer->next_token + (answer->truncated ? "+" : "");
  if (answer->error) all += answer->error->code + answer->error->message;
  for (const ObjectVersion& object : answer->objects) {
    all += "\n" + object.key + " " + object.version + " " + std::to_string(object.size) + " " +
           std::to_string(object.modified_ms);
  }
  return all;
}

}  // namespace

void list_xml(std::string_view input) {
  Choices choices(input);
  // The cuts follow from the text's own first bytes.
  const std::string_view text = choices.rest();
  const std::string whole = read(text, {});
  const std::string cut = read(text, choices.cuts(text.size()));
  require(whole == cut, "cuts do not matter: " + whole + "\nand cut: " + cut, text);
  static_cast<void>(connector::s3::parse_iso_time(text));
}

}  // namespace leat::fuzz
