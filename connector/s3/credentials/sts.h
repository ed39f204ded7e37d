// The Security Token Service: roles are assumed here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct CallerIdentity {
  std::string account;
  std::string arn;  ///< Of the user, or of the session of a role.
};

/// Who these credentials are. Every identity may ask this, without a permission.
///   kUnsupported  There is no such service at this endpoint.
///   See CredentialSource::fetch for the others.
Result<CallerIdentity> get_caller_identity(const CredentialContext& context,
                                           const S3Credentials& credentials);

/// Credentials of a role, assumed with those of `base`, which is asked anew each time.
std::unique_ptr<CredentialSource> assume_role_source(CredentialContext context, S3Role role,
                                                     std::unique_ptr<CredentialSource> base);

/// Credentials of a role for the bearer of a token, whose file is read anew each time.
std::unique_ptr<CredentialSource> web_identity_source(CredentialContext context, S3Role role,
                                                      std::string token_file);

}  // namespace leat::connector::s3
