#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/printable.h"
#include "cli/signals.h"
#include "connector/s3/access_check.h"
#include "connector/split_enumerator.h"

namespace leat::cli {
namespace {

using connector::s3::CheckStep;

const char* name_of(CheckStep::Outcome outcome) {
  switch (outcome) {
    case CheckStep::Outcome::kOk:
      return "ok";
    case CheckStep::Outcome::kWarning:
      return "warning";
    case CheckStep::Outcome::kSkipped:
      return "skipped";
    case CheckStep::Outcome::kFailed:
      return "failed";
  }
  return "";
}

void print_line(const CheckStep& step) {
  const auto padded = [](std::string text, std::size_t width) {
    return text.append(width - std::min(width, text.size()), ' ');
  };
  std::cout << padded(name_of(step.outcome), 9) << padded(step.name, 13)
            << padded(std::to_string(step.took.count()) + " ms", 10) << printable(step.detail)
            << std::endl;  // Seen at once: the next step may take its time.
}

/// Lists and opens what is on this machine.
bool check_local(const SourceUri& uri, const StoreOptions& options,
                 const std::function<void(const CheckStep&)>& on_step) {
  const Clock& clock = system_clock();
  auto began = clock.monotonic();
  const auto step = [&](const char* name, CheckStep::Outcome outcome, std::string detail) {
    const auto now = clock.monotonic();
    on_step({.name = name, .outcome = outcome, .detail = std::move(detail), .took = now - began});
    began = now;
    return outcome != CheckStep::Outcome::kFailed;
  };
  using enum CheckStep::Outcome;
  auto store = open_store(uri, options);
  if (!store) return step("list", kFailed, store.error().message);
  auto enumerator = connector::SplitEnumerator::create(**store, uri.pattern);
  if (!enumerator) return step("list", kFailed, enumerator.error().message);
  std::optional<ObjectVersion> object;
  std::size_t matching = 0;
  for (bool last = false; !last;) {
    auto page = enumerator->next_page();
    if (!page) return step("list", kFailed, page.error().message);
    matching += page->objects.size();
    for (const ObjectVersion& found : page->objects) {
      if (!object && found.size > 0) object = found;
    }
    last = page->last;
  }
  step("list", kOk, std::to_string(matching) + " files match");
  if (!object) return step("read", kSkipped, "there is no file that matches and holds a byte");
  auto reader = (*store)->open(*object, 0);
  std::byte byte{};
  auto read = reader ? (*reader)->read({&byte, 1}) : Result<std::size_t>(reader.error());
  if (!read) return step("read", kFailed, read.error().message);
  return step("read", kOk, "the first byte of " + (*store)->uri_of(object->key));
}

}  // namespace

int run_validate(const PipelineFlags& flags, const ValidateFlags& validate) {
  Result<SourceUri> uri = parse_source_uri(validate.uri);
  if (!uri) return report_error(uri.error());
  Result<LoaderOptions> options = flags.options();
  if (!options) return report_error(options.error());
  StoreOptions store = std::move(options->source.store);
  store.local.settle_ms = 0;
  StopOnSignal stop;
  store.stop = stop.token();

  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  const auto on_step = [&](const CheckStep& step) {
    if (!validate.json) return print_line(step);
    steps.push_back({{"step", step.name},
                     {"outcome", name_of(step.outcome)},
                     {"detail", step.detail},
                     {"ms", step.took.count()}});
  };
  bool passed = false;
  if (uri->scheme == SourceUri::Scheme::kLocal) {
    if (validate.write) {
      return report_error(
          {ErrorCode::kInvalidArgument, "--write is for S3: leat never writes to local sources"});
    }
    passed = check_local(*uri, store, on_step);
  } else {
    passed = connector::s3::check_access({.bucket = uri->bucket,
                                          .pattern = uri->pattern,
                                          .store = std::move(store),
                                          .write = validate.write},
                                         on_step);
  }
  if (validate.json) {
    const nlohmann::ordered_json report = {
        {"uri", validate.uri}, {"passed", passed}, {"steps", std::move(steps)}};
    std::cout << report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  std::cout.flush();
  if (!std::cout) {
    return report_error({ErrorCode::kIo, "standard output cannot be written to"});
  }
  return passed ? kExitOk : kExitFailure;
}

}  // namespace leat::cli
