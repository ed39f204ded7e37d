// Credentials of IAM Identity Center, with the token that `aws sso login` left.
#pragma once

#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"

namespace leat::connector::s3 {

struct SsoOptions {
  std::string session;  ///< Empty in profiles of the older form.
  std::string start_url;
  std::string region;
  std::string account_id;
  std::string role_name;
  std::string endpoint_url;  ///< Empty: AWS, by region.
};

/// Reads the token's file anew each time. An expired token is not renewed: that is `aws sso
/// login`'s.
std::unique_ptr<CredentialSource> sso_source(CredentialContext context, SsoOptions options);

}  // namespace leat::connector::s3
