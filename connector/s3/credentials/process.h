// credential_process: a program that prints credentials.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"

namespace leat::connector::s3 {

/// Runs `command` by a shell, reads a JSON document of version 1 from its standard output, and lets
/// its standard error through, where it may ask for something. Ends it when it takes longer than
/// `timeout` or when a stop is requested. Neither the command's arguments nor its output get into a
/// message.
/// @param owner  "the profile 'p'", for messages.
std::unique_ptr<CredentialSource> process_source(
    CredentialContext context, std::string owner, std::string command,
    std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace leat::connector::s3
