#include "connector/s3/access_check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <utility>

#include "connector/glob.h"
#include "connector/hidden_text.h"
#include "connector/s3/credentials.h"
#include "connector/s3/credentials/sts.h"
#include "connector/s3/list_xml.h"
#include "connector/s3/s3_client.h"
#include "connector/s3/s3_store.h"
#include "connector/s3/s3_writer.h"

namespace leat::connector::s3 {
namespace {

using Outcome = CheckStep::Outcome;
using Operation = RequestContext::Operation;

constexpr std::uint32_t kAttemptsMax = 3;
/// The header Date has seconds; the way there takes its time.
constexpr std::int64_t kClockToleranceMs = 5'000;

/// What tells keys from one another without giving them away.
std::string end_of(const std::string& access_key_id) {
  if (access_key_id.size() < 8) return "of a few characters";
  return "ending in " + access_key_id.substr(access_key_id.size() - 4);
}

class AccessCheck {
 public:
  AccessCheck(const AccessCheckInput& input, const std::function<void(const CheckStep&)>& on_step)
      : input_(input),
        on_step_(on_step),
        clock_(input.store.clock != nullptr ? *input.store.clock : system_clock()) {
    began_ = clock_.monotonic();
  }

  bool run() {
    if (!resolve() || !credentials()) return false;
    identity();
    external_id();
    const bool listed = list();
    if (head_) {
      region();
      clock();
    }
    if (listed) read();
    if (input_.write) write();
    return !failed_;
  }

 private:
  bool step(const std::string& name, Outcome outcome, std::string detail) {
    const Clock::Duration now = clock_.monotonic();
    if (outcome == Outcome::kFailed) failed_ = true;
    on_step_({.name = name,
              .outcome = outcome,
              .detail = std::move(detail),
              .took = now - std::exchange(began_, now)});
    return outcome != Outcome::kFailed;
  }
  bool fail(const std::string& name, const Error& error) {
    return step(name, Outcome::kFailed, error.message);
  }

  Result<S3Settings> settings_of(bool without_external_id) const {
    return resolve_settings(input_.store.s3, {.clock = input_.store.clock,
                                              .stop = input_.store.stop,
                                              .transport = input_.credentials_transport,
                                              .without_external_id = without_external_id});
  }

  bool resolve() {
    auto settings = settings_of(/*without_external_id=*/false);
    if (!settings) return fail("settings", settings.error());
    settings_ = *std::move(settings);
    StoreOptions store = input_.store;
    store.s3.attempts_max = std::min(store.s3.attempts_max, kAttemptsMax);
    auto client = make_s3_client(input_.bucket, store, settings_);
    if (!client) return fail("settings", client.error());
    client_ = *std::move(client);
    return step(
        "settings", Outcome::kOk,
        "bucket " + input_.bucket + " at " +
            (settings_.endpoint_url.empty() ? "AWS" : without_url_secrets(settings_.endpoint_url)) +
            ", region " + settings_.region);
  }

  bool credentials() {
    if (settings_.credentials == nullptr) {
      return step("credentials", Outcome::kSkipped, "requests are not signed");
    }
    const std::string from = settings_.credentials->description();
    auto current = settings_.credentials->current();
    if (!current) {
      const Error& error = current.error();
      return step("credentials", Outcome::kFailed, from + ": " + error.message);
    }
    credentials_ = *std::move(current);
    std::string detail = from + "; access key " + end_of(credentials_->access_key_id);
    if (const auto expires_ms = settings_.credentials->expires_ms()) {
      const std::int64_t minutes = (*expires_ms - clock_.wall_ms()) / 60'000;
      detail += ", for another " + std::to_string(minutes) + " min";
    } else if (!credentials_->session_token.empty()) {
      detail += ", with a session token whose end is not known";
    }
    return step("credentials", Outcome::kOk, std::move(detail));
  }

  void identity() {
    if (credentials_ == nullptr) return;
    auto identity = get_caller_identity(settings_.context, *credentials_);
    if (identity) {
      step("identity", Outcome::kOk, identity->arn + ", account " + identity->account);
      return;
    }
    // A private network may reach S3 alone; other makers' services mostly do not tell.
    const bool refused = is_aws_host(settings_.context.sts.authority) &&
                         identity.error().code == ErrorCode::kPermissionDenied;
    step("identity", refused ? Outcome::kFailed : Outcome::kSkipped, identity.error().message);
  }

  void external_id() {
    if (!settings_.has_external_id) return;
    auto settings = settings_of(/*without_external_id=*/true);
    if (!settings) {
      fail("external id", settings.error());
      return;
    }
    auto current = settings->credentials->current();
    if (current) {
      step("external id", Outcome::kFailed,
           "the role can be assumed without the external id, too: so its trust policy does not "
           "ask for it, and others who may assume roles in your name could use it; add the "
           "condition sts:ExternalId to the policy");
    } else if (current.error().code == ErrorCode::kPermissionDenied) {
      step("external id", Outcome::kOk, "the role cannot be assumed without it");
    } else {
      fail("external id", current.error());
    }
  }

  bool list() {
    const auto glob = Glob::compile(input_.pattern);
    if (!glob) return fail("list", glob.error());
    const std::string& prefix = glob->literal_prefix();
    S3Requester& requester = client_->requester();
    S3Request request{.operation = Operation::kList,
                      .query = {{"list-type", "2"}, {"encoding-type", "url"}}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    ListAnswer page;
    const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
      const RequestContext where = requester.context(request.operation, {});
      ListXmlReader reader;
      Result<void> fed;
      auto result = requester.send(where, request, number, input_.store.stop,
                                   [&](const HttpResponse&, std::span<const std::byte> bytes) {
                                     fed = reader.feed(bytes);
                                     return fed.has_value();
                                   });
      if (result.response.status != 0) {
        head_ = result.response;
        head_at_ms_ = clock_.wall_ms();
      }
      if (result.failure) return std::move(result.failure);
      auto read = fed ? reader.finish() : Result<ListAnswer>(fed.error());
      if (!read) {
        return make_failure(where, read.error().code, read.error().message, read.error().retryable);
      }
      if (read->error) return failure_from_answer(where, result.response, *read->error);
      page = *std::move(read);
      return std::nullopt;
    };
    if (auto done = requester.with_retries(attempt, input_.store.stop); !done) {
      return fail("list", done.error());
    }
    std::size_t matching = 0;
    for (const ObjectVersion& object : page.objects) {
      // A name without wildcards means all below it.
      if (!glob->literal() && !glob->matches(object.key)) continue;
      ++matching;
      if (!object_ && object.size > 0) object_ = object;
    }
    return step("list", Outcome::kOk,
                std::to_string(page.objects.size()) + " objects below '" + prefix + "'" +
                    (page.truncated ? " on the first page" : "") + ", " + std::to_string(matching) +
                    " of them match");
  }

  void region() {
    const std::string used = client_->requester().region();
    const std::string* told = head_->find("x-amz-bucket-region");
    const std::string actual = told != nullptr ? *told : used;
    if (actual != settings_.region) {
      step("region", Outcome::kWarning,
           "the bucket is in " + actual + ", not in " + settings_.region +
               ": each start costs a redirect; set the region");
      return;
    }
    step("region", Outcome::kOk, actual + (told == nullptr ? " (the service does not say)" : ""));
  }

  void clock() {
    const std::string* date = head_->find("date");
    const auto server_ms = date == nullptr ? std::nullopt : parse_http_date(*date);
    if (!server_ms) {
      step("clock", Outcome::kSkipped, "the service does not say what time it is");
      return;
    }
    const std::int64_t off_ms = head_at_ms_ - *server_ms;
    const std::string seconds = std::to_string(std::abs(off_ms) / 1'000) + " s";
    if (std::abs(off_ms) <= kClockToleranceMs) {
      step("clock", Outcome::kOk,
           "off by less than " + std::to_string(kClockToleranceMs / 1'000) + " s");
      return;
    }
    step("clock", Outcome::kWarning,
         "this machine's clock is " + seconds + (off_ms > 0 ? " ahead" : " behind") +
             "; requests to S3 are corrected for that, those for credentials are not: set it");
  }

  void read() {
    if (!object_) {
      step("read", Outcome::kSkipped, "there is no object that matches and holds a byte");
      return;
    }
    // Not one byte alone: there are services that take "bytes=0-0" for no end at all.
    std::array<std::byte, 1'024> front{};
    const std::uint64_t length = std::min<std::uint64_t>(front.size(), object_->size);
    if (auto done = client_->read_range(*object_, {0, length}, front, input_.store.stop); !done) {
      fail("read", done.error());
      return;
    }
    step("read", Outcome::kOk, "the first bytes of " + object_->key);
  }

  void write() {
    const auto glob = Glob::compile(input_.pattern);
    if (!glob) return;  // The listing has said so.
    const std::string& prefix = glob->literal_prefix();
    std::string folder = prefix.substr(0, prefix.rfind('/') + 1);
    if (glob->literal() && !prefix.ends_with('/')) folder = prefix + "/";
    const std::string key = folder + ".leat-validate-" + write_mark().value;
    const S3Writer writer(client_->requester());
    if (auto put = writer.put(key, "leat validate\n", /*only_if_absent=*/false, input_.store.stop);
        !put) {
      fail("write", put.error());
      return;
    }
    step("write", Outcome::kOk, "an object of 14 bytes, " + key);
    // Whatever happens meanwhile: it goes.
    if (auto removed = writer.remove(key); !removed) {
      step("delete", Outcome::kFailed,
           removed.error().message + "; the object " + key + " is left behind");
      return;
    }
    step("delete", Outcome::kOk, "it is gone again");
  }

  const AccessCheckInput& input_;
  const std::function<void(const CheckStep&)>& on_step_;
  const Clock& clock_;
  Clock::Duration began_{0};
  bool failed_ = false;
  S3Settings settings_;
  std::unique_ptr<S3Client> client_;
  std::shared_ptr<const S3Credentials> credentials_;
  std::optional<HttpResponse> head_;  // Of the last answer to the listing, whatever its status.
  std::int64_t head_at_ms_ = 0;
  std::optional<ObjectVersion> object_;
};

}  // namespace

bool check_access(const AccessCheckInput& input,
                  const std::function<void(const CheckStep&)>& on_step) {
  return AccessCheck(input, on_step).run();
}

}  // namespace leat::connector::s3
