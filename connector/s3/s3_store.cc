#include "connector/s3/s3_store.h"

#include <random>
#include <utility>

#include "connector/s3/http_client.h"
#include "connector/s3/s3_lister.h"
#include "connector/s3/s3_reader.h"
#include "connector/s3/s3_writer.h"
#include "leat/version.h"

namespace leat::connector::s3 {
namespace {

double random_fraction() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

Result<void> S3Store::remove(const ObjectVersion& object) {
  return S3Writer(client_->requester()).remove(object, stop_);
}

Result<void> S3Store::move(const ObjectVersion& object, std::string_view new_key) {
  return S3Writer(client_->requester()).move(object, new_key, stop_);
}

Result<void> S3Store::tag(const ObjectVersion& object, std::string_view name,
                          std::string_view value) {
  return S3Writer(client_->requester()).tag(object, name, value, stop_);
}

Result<std::unique_ptr<S3Client>> make_s3_client(const std::string& bucket,
                                                 const StoreOptions& options) {
  auto settings = resolve_settings(options.s3, {.clock = options.clock, .stop = options.stop});
  if (!settings) return std::move(settings).error();
  return make_s3_client(bucket, options, *settings);
}

Result<std::unique_ptr<S3Client>> make_s3_client(const std::string& bucket,
                                                 const StoreOptions& options,
                                                 const S3Settings& settings) {
  if (settings.endpoint_url.empty() && bucket.ends_with("--x-s3")) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "'" + bucket +
                            "' is a directory bucket of S3 Express One Zone, which "
                            "leat does not read; copy the objects to a "
                            "general-purpose bucket"};
  }
  S3ClientOptions client_options;
  client_options.bucket = bucket;
  if (!settings.endpoint_url.empty()) {
    auto endpoint = parse_endpoint(settings.endpoint_url);
    if (!endpoint) return std::move(endpoint).error();
    client_options.endpoint = *std::move(endpoint);
  }
  client_options.region = settings.region;
  client_options.aws = settings.aws;
  client_options.addressing = options.s3.addressing;
  client_options.credentials = settings.credentials;
  client_options.retry.attempts_max = options.s3.attempts_max;
  client_options.retry.operation_timeout_ms = options.s3.operation_timeout_ms;
  client_options.stall_timeout_max = std::chrono::milliseconds(options.s3.stall_timeout_ms);
  client_options.clock = options.clock;
  client_options.random = random_fraction;
  const Endpoint endpoint = client_options.endpoint
                                ? *client_options.endpoint
                                : aws_endpoint("s3", settings.region, settings.aws);
  client_options.limits = shared_limits(endpoint.origin(), bucket,
                                        options.clock != nullptr ? *options.clock : system_clock());
  client_options.hedge_reads = options.s3.hedge_reads;
  HttpClientOptions http_options;
  http_options.ca_bundle = settings.ca_bundle;
  http_options.user_agent = "leat/" + std::string(version());
  return std::make_unique<S3Client>(std::move(client_options),
                                    std::make_unique<HttpClient>(std::move(http_options)));
}

Result<std::unique_ptr<ObjectStore>> S3Store::open(const std::string& bucket,
                                                   const StoreOptions& options) {
  auto client = make_s3_client(bucket, options);
  if (!client) return std::move(client).error();
  return std::unique_ptr<ObjectStore>(
      std::make_unique<S3Store>(*std::move(client), options.read_memory_bytes_max, options.stop));
}

S3Store::S3Store(std::unique_ptr<S3Client> client, std::uint64_t read_memory_bytes_max,
                 std::stop_token stop)
    : client_(std::move(client)), read_budget_(read_memory_bytes_max), stop_(std::move(stop)) {}

std::string S3Store::uri_of(std::string_view key) const { return uri() + "/" + std::string(key); }

std::unique_ptr<ObjectLister> S3Store::list(std::string_view prefix,
                                            std::string_view start_after) const {
  return std::make_unique<S3Lister>(*client_, prefix, start_after, stop_);
}

std::unique_ptr<ObjectLister> S3Store::list_level(std::string_view prefix) const {
  return std::make_unique<S3Lister>(*client_, prefix, "", stop_, "/");
}

Result<std::unique_ptr<ObjectReader>> S3Store::open(const ObjectVersion& object,
                                                    std::uint64_t offset) const {
  if (offset > object.size) {
    Error error{.code = ErrorCode::kInvalidArgument,
                .message = "offset " + std::to_string(offset) + " is beyond the end of " +
                           uri_of(object.key) + " at " + std::to_string(object.size)};
    error.at.object = uri_of(object.key);
    return error;
  }
  return std::unique_ptr<ObjectReader>(
      std::make_unique<S3Reader>(*client_, read_budget_, object, offset, stop_));
}

}  // namespace leat::connector::s3
