// Credentials of a container: ECS tasks, EKS pods, and what speaks like them.
#pragma once

#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Whether the environment names such a service.
bool has_container(const Environment& environment);

/// Its URL: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI at 169.254.170.2, or
/// AWS_CONTAINER_CREDENTIALS_FULL_URI. Without TLS only this machine and the addresses that ECS and
/// EKS use are allowed: the answer holds secrets.
///   kInvalidArgument   No URL, or a host that is not allowed without TLS.
///   kPermissionDenied  The environment names none.
Result<std::string> container_url(const Environment& environment);

/// The token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, whose file is read anew each time, or of
/// AWS_CONTAINER_AUTHORIZATION_TOKEN is sent along.
///   See container_url.
Result<std::unique_ptr<CredentialSource>> container_source(CredentialContext context);

}  // namespace leat::connector::s3
