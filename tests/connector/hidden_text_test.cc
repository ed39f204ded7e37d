#include "connector/hidden_text.h"

#include <gtest/gtest.h>

#include <string>

#include "connector/s3/endpoint.h"
#include "leat/object_store.h"

namespace leat::connector {
namespace {

TEST(HiddenText, TakesSignaturesOutOfUrls) {
  EXPECT_EQ(
      without_url_secrets("see 'https://h/k?X-Amz-Credential=AKID%2F1&X-Amz-Signature=0af' and "
                          "https://h/k?AWSAccessKeyId=AKID&Signature=a/b%3D&Expires=1"),
      "see 'https://h/k?X-Amz-Credential=[hidden]&X-Amz-Signature=[hidden]' and "
      "https://h/k?AWSAccessKeyId=[hidden]&Signature=[hidden]&Expires=1");
  EXPECT_EQ(without_url_secrets("X-Amz-Security-Token=tok"), "X-Amz-Security-Token=[hidden]");
  EXPECT_EQ(without_url_secrets("Credential=AKID/20261120/r/s3, Signature=0af"),
            "Credential=[hidden], Signature=[hidden]");
}

TEST(HiddenText, TakesUsersOutOfUrls) {
  EXPECT_EQ(without_url_secrets("http://me:p@ss@host:1/a@b"), "http://[hidden]@host:1/a@b");
  EXPECT_EQ(without_url_secrets("http://host/a@b, s3://key:secret@bucket"),
            "http://host/a@b, s3://[hidden]@bucket");
  EXPECT_EQ(without_url_secrets("nothing: to/hide@here?x=1"), "nothing: to/hide@here?x=1");
}

TEST(HiddenText, TakesAKnownSecretOutWhereverItIs) {
  std::string text = "s3cret and s3crets3cret";
  hide("s3cret", text);
  EXPECT_EQ(text, "[hidden] and [hidden][hidden]");
  hide("", text);
  EXPECT_EQ(text, "[hidden] and [hidden][hidden]");
}

TEST(HiddenText, SourcesAndEndpointsThatAreRefusedShowNone) {
  for (const char* uri : {"https://b.example/k?X-Amz-Signature=hunter2", "https://me:hunter2@b/k",
                          "s3://me:hunter2@bucket/k", "ftp://me:hunter2@host/k"}) {
    const auto source = parse_source_uri(uri);
    ASSERT_FALSE(source.has_value()) << uri;
    EXPECT_EQ(source.error().message.find("hunter2"), std::string::npos) << source.error().message;
  }
  for (const char* url : {"https://h/?X-Amz-Signature=hunter2", "ftp://h/?Signature=hunter2",
                          "https://me:hunter2@h", "me:hunter2@h"}) {
    const auto endpoint = s3::parse_endpoint(url);
    ASSERT_FALSE(endpoint.has_value()) << url;
    EXPECT_EQ(endpoint.error().message.find("hunter2"), std::string::npos)
        << endpoint.error().message;
  }
}

}  // namespace
}  // namespace leat::connector
