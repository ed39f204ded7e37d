// Credentials of an EC2 instance, from its metadata service (IMDSv2).
#pragma once

#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"
#include "connector/s3/profile_file.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct InstanceOptions {
  bool enabled = true;
  Endpoint endpoint = {};
  /// Version 1 has no token: a request that some program was tricked into would do. Only on
  /// request, and only where version 2 is not offered.
  bool version_1_allowed = false;
};

/// AWS_EC2_METADATA_DISABLED, _SERVICE_ENDPOINT, _SERVICE_ENDPOINT_MODE, _V1_DISABLED, and the
/// profile's ec2_metadata_… for the same.
///   kInvalidArgument  An endpoint that is no URL, or another mode than IPv4 and IPv6.
Result<InstanceOptions> instance_options(const Environment& environment, const Profile& profile);

/// Waits for at most a second for an answer: where there is no such service, often nobody answers.
/// @param looked_in  What was looked at in vain before; empty where this source was asked for by
///                   name. Then a service that cannot be reached means that there are no
///                   credentials (kPermissionDenied), and the message says so.
std::unique_ptr<CredentialSource> instance_source(CredentialContext context,
                                                  InstanceOptions options, std::string looked_in);

}  // namespace leat::connector::s3
