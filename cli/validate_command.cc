#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/pipeline_flags.h"
#include "cli/printable.h"
#include "cli/signals.h"
#include "connector/s3/access_check.h"
#include "connector/split_enumerator.h"

namespace leat::cli {
namespace {

constexpr const char* kValidateExamples = R"(Examples:
  leat validate s3://bucket/in/
  leat validate 's3://bucket/in/*.csv' --connection archive --write --json

Steps: settings, credentials, identity, external id, list, region, clock, read, write, delete.
Exit codes: 0 none failed, 1 one failed, 2 usage.)";

struct ValidateFlags {
  std::string uri;
  bool write = false;      ///< Also writes an object, and deletes it.
  bool json = false;       ///< One JSON document instead of lines.
  PipelineFlags pipeline;  ///< Of them the store's.
};

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

/// Tells step by step whether the objects of a source can be listed and read, and with which
/// credentials.
int run_validate(const ValidateFlags& flags) {
  Result<SourceUri> uri = parse_source_uri(flags.uri);
  if (!uri) return report_error(uri.error());
  Result<LoaderOptions> options = flags.pipeline.options();
  if (!options) return report_error(options.error());
  StoreOptions store = std::move(options->source.store);
  store.local.settle_ms = 0;
  StopOnSignal stop;
  store.stop = stop.token();

  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  const auto on_step = [&](const CheckStep& step) {
    if (!flags.json) return print_line(step);
    steps.push_back({{"step", step.name},
                     {"outcome", name_of(step.outcome)},
                     {"detail", step.detail},
                     {"ms", step.took.count()}});
  };
  bool passed = false;
  if (uri->scheme == SourceUri::Scheme::kLocal) {
    if (flags.write) {
      return report_error(
          {ErrorCode::kInvalidArgument, "--write is for S3: leat never writes to local sources"});
    }
    passed = check_local(*uri, store, on_step);
  } else {
    passed = connector::s3::check_access({.bucket = uri->bucket,
                                          .pattern = uri->pattern,
                                          .store = std::move(store),
                                          .write = flags.write},
                                         on_step);
  }
  if (flags.json) {
    const nlohmann::ordered_json report = {
        {"uri", flags.uri}, {"passed", passed}, {"steps", std::move(steps)}};
    std::cout << report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return flushed(passed ? kExitOk : kExitFailure);
}

}  // namespace

CommandRun define_validate(CLI::App& command) {
  auto flags = std::make_shared<ValidateFlags>();
  command.add_option("URI", flags->uri, "What is to be read: s3://bucket/prefix, a path")
      ->required();
  command.add_flag("--write", flags->write, "Also write an object there, and delete it");
  command.add_flag("--json", flags->json, "One JSON document");
  flags->pipeline.add_store_flags(command);
  command.footer(kValidateExamples);
  return [flags] { return run_validate(*flags); };
}

}  // namespace leat::cli
