// Where requests go and what is made of answers, against the cases of botocore: all of them, but
// for those that are listed here with a reason.

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "connector/s3/credentials.h"
#include "connector/s3/endpoint.h"
#include "connector/s3/s3_error.h"
#include "connector/s3/uri_encoding.h"
#include "connector/s3/write_xml.h"
#include "leat/object_store.h"
#include "tests/connector/fake_transport.h"
#include "tests/connector/vectors.h"

namespace leat::connector::s3 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Why a case is none of leat's; empty: it is.
std::string out_of_scope(const json& test) {
  const json& params = test["params"];
  const std::string bucket = params.value("Bucket", std::string());
  const auto is_set = [&](const char* name) { return params.value(name, false); };
  if (bucket.starts_with("arn:")) return "access points are named by their alias: ARNs are refused";
  if (bucket.ends_with("--x-s3") || bucket.ends_with("--xa-s3") ||
      is_set("UseS3ExpressControlEndpoint")) {
    return "directory buckets are refused";
  }
  if (bucket.ends_with("--op-s3")) return "Outposts have an endpoint of their own: --endpoint-url";
  if (is_set("Accelerate")) return "transfer acceleration is for uploads from afar";
  if (is_set("UseGlobalEndpoint") || params.value("Region", std::string()) == "aws-global") {
    return "the global endpoint is of old; regions have their own";
  }
  if (is_set("UseObjectLambdaEndpoint")) return "it writes the answers of Object Lambda";
  if (!params.contains("Region")) return "leat takes us-east-1 then, and corrects it";
  return {};
}

/// The URL that an object's, or the service's, would begin with.
Result<std::string> url_of(const json& params) {
  std::map<std::string, std::string> variables = {{"AWS_ACCESS_KEY_ID", "A"},
                                                  {"AWS_SECRET_ACCESS_KEY", "S"}};
  if (params.value("UseFIPS", false)) variables["AWS_USE_FIPS_ENDPOINT"] = "true";
  if (params.value("UseDualStack", false)) variables["AWS_USE_DUALSTACK_ENDPOINT"] = "true";
  S3Options options;
  options.region = params["Region"];
  options.endpoint_url = params.value("Endpoint", std::string());
  const auto settings = resolve_settings(
      options, {.environment = [&](const char* name) -> std::optional<std::string> {
                  const auto found = variables.find(name);
                  if (found == variables.end()) return std::nullopt;
                  return found->second;
                },
                .transport = std::make_shared<FakeTransport>()});
  if (!settings) return settings.error();
  Result<Endpoint> endpoint = options.endpoint_url.empty()
                                  ? aws_endpoint("s3", settings->region, settings->aws)
                                  : parse_endpoint(options.endpoint_url);
  if (!endpoint) return endpoint.error();
  const std::string bucket = params.value("Bucket", std::string());
  if (bucket.empty()) return endpoint->origin() + endpoint->path_prefix;
  using Addressing = S3Options::Addressing;
  Addressing addressing = Addressing::kAuto;
  if (params.value("ForcePathStyle", false)) {
    addressing = Addressing::kPath;
  } else if (!options.endpoint_url.empty() && settings->region != "snow" &&
             is_virtual_hostable(bucket, !endpoint->tls) &&
             endpoint->authority.find_first_not_of("0123456789.:") != std::string::npos) {
    // Unlike botocore, leat addresses other services by path unless it is told otherwise.
    addressing = Addressing::kVirtualHost;
  }
  const ObjectAddress address = address_of(
      *endpoint, use_virtual_host(addressing, !options.endpoint_url.empty(), bucket), bucket, "");
  std::string url = (endpoint->tls ? "https://" : "http://") + address.authority +
                    percent_encode_path(address.path);
  while (url.ends_with('/')) url.pop_back();
  return url;
}

class EndpointVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = vectors_folder("endpoints");
    if (folder_.empty()) {
      GTEST_SKIP() << "the endpoint vectors are not here: set LEAT_VECTORS_DIR to their folder";
    }
  }
  json read_cases(const char* name) const {
    return json::parse(read_text(folder_ / name))["testCases"];
  }
  fs::path folder_;
};

TEST_F(EndpointVectors, AddressBucketsAsBotocoreDoes) {
  const std::map<std::string, std::size_t> left_out = {
      {"access points are named by their alias: ARNs are refused", 94},
      {"directory buckets are refused", 117},
      {"Outposts have an endpoint of their own: --endpoint-url", 11},
      {"transfer acceleration is for uploads from afar", 22},
      {"the global endpoint is of old; regions have their own", 67},
      {"it writes the answers of Object Lambda", 8},
      {"leat takes us-east-1 then, and corrects it", 1}};
  std::map<std::string, std::size_t> skipped;
  std::size_t run = 0;
  const json tests = read_cases("endpoint-tests-1.json");
  for (const json& test : tests) {
    SCOPED_TRACE(test["documentation"].get<std::string>() + test["params"].dump());
    if (const std::string reason = out_of_scope(test); !reason.empty()) {
      ++skipped[reason];
      continue;
    }
    ++run;
    const auto url = url_of(test["params"]);
    if (test["expect"].contains("error")) {
      EXPECT_FALSE(url.has_value()) << *url;
    } else {
      ASSERT_TRUE(url.has_value()) << url.error().to_string();
      EXPECT_EQ(*url, test["expect"]["endpoint"]["url"]);
    }
  }
  EXPECT_EQ(skipped, left_out);
  EXPECT_EQ(run, 73u);
  std::cout << "endpoints: " << run << " of " << tests.size() << " cases, " << tests.size() - run
            << " out of scope\n";
}

TEST_F(EndpointVectors, KnowWhichBucketsCanBeInAHost) {
  std::size_t run = 0;
  const json tests = read_cases("is-virtual-hostable-s3-bucket.json");
  for (const json& test : tests) {
    SCOPED_TRACE(test["documentation"].get<std::string>());
    const std::string bucket = test["params"]["BucketName"];
    const std::string url = test["expect"].contains("error")
                                ? ""
                                : test["expect"]["endpoint"]["url"].get<std::string>();
    EXPECT_EQ(is_virtual_hostable(bucket, /*dots_allowed=*/false), url.starts_with("https:"));
    EXPECT_EQ(is_virtual_hostable(bucket, /*dots_allowed=*/true), !url.empty());
    ++run;
  }
  std::cout << "virtual-hostable: " << run << " cases\n";
  EXPECT_EQ(run, 15u);
}

TEST_F(EndpointVectors, ParseUrls) {
  std::size_t run = 0;
  const json tests = read_cases("parse-url.json");
  for (const json& test : tests) {
    const std::string url = test["params"]["Endpoint"];
    SCOPED_TRACE(url);
    const auto endpoint = parse_endpoint(url);
    EXPECT_EQ(endpoint.has_value(), test["expect"].contains("endpoint"));
    if (endpoint) {
      // The port of the scheme itself is left out, as it is in the header that is signed.
      std::string plain = url;
      if (const std::size_t port = plain.find(":443"); port != plain.npos) plain.erase(port, 4);
      while (plain.ends_with('/')) plain.pop_back();
      EXPECT_EQ(endpoint->origin() + endpoint->path_prefix, plain);
    }
    ++run;
  }
  std::cout << "parse-url: " << run << " cases\n";
  EXPECT_EQ(run, 14u);
}

TEST(SourceUri, RefusesAccessPointsByTheirArn) {
  const auto uri =
      parse_source_uri("s3://arn:aws:s3:us-west-2:123456789012:accesspoint/mine/in/*.csv");
  ASSERT_FALSE(uri.has_value());
  EXPECT_NE(uri.error().message.find("-s3alias"), std::string::npos) << uri.error().message;
}

// Errors and open uploads are read as botocore reads them, and so is the listing (S3ListXml). The
// other answers leat does not ask for: none may pass for the answer to a write.
TEST(S3XmlVectors, AreReadOrAreNotAskedFor) {
  const fs::path folder = vectors_folder("s3-xml");
  if (folder.empty()) {
    GTEST_SKIP() << "the XML vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  std::size_t errors = 0;
  std::size_t answers = 0;
  for (const auto& entry : fs::directory_iterator(folder / "errors")) {
    if (entry.path().extension() != ".xml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const json expected = json::parse(read_text(fs::path(entry.path()).replace_extension(".json")));
    const S3ErrorBody body = parse_error_body(read_text(entry.path()));
    EXPECT_EQ(body.code, expected["Error"]["Code"]);
    EXPECT_EQ(body.message, expected["Error"]["Message"]);
    ++errors;
  }
  const RequestContext context{.operation = RequestContext::Operation::kCopy,
                               .bucket = "b",
                               .key = "k",
                               .endpoint = {},
                               .host = {},
                               .region = {}};
  for (const auto& entry : fs::directory_iterator(folder / "responses")) {
    if (entry.path().extension() != ".xml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const std::string text = read_text(entry.path());
    const S3Answer answer{.head = {.status = 200, .headers = {}}, .body = text};
    if (entry.path().filename().string().starts_with("s3-list-multipart-uploads")) {
      WriteAnswerReader reader("ListMultipartUploadsResult");
      EXPECT_FALSE(reader.check()(context, answer));
      const json expected =
          json::parse(read_text(fs::path(entry.path()).replace_extension(".json")));
      const json uploads = expected.value("Uploads", json::array());
      ASSERT_EQ(reader.answer().uploads.size(), uploads.size());
      for (std::size_t i = 0; i < uploads.size(); ++i) {
        EXPECT_EQ(reader.answer().uploads[i].key, uploads[i]["Key"]);
        EXPECT_EQ(reader.answer().uploads[i].upload_id, uploads[i]["UploadId"]);
      }
    }
    for (const char* root : {"CopyObjectResult", "CompleteMultipartUploadResult", "DeleteResult",
                             "InitiateMultipartUploadResult", "Tagging"}) {
      WriteAnswerReader reader(root);
      EXPECT_TRUE(reader.check()(context, answer));
    }
    ++answers;
  }
  std::cout << "s3-xml: " << errors << " errors, " << answers << " answers\n";
  EXPECT_EQ(errors, 2u);
  EXPECT_EQ(answers, 9u);
}

}  // namespace
}  // namespace leat::connector::s3
