// What an operator wants to know before a load: which credentials, who they are, what they may.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "connector/s3/http.h"
#include "leat/object_store.h"

namespace leat::connector::s3 {

struct CheckStep {
  enum class Outcome {
    kOk,
    kWarning,  ///< It works, but somebody should look.
    kSkipped,  ///< It could not be seen, or there is nothing to see; the detail says why.
    kFailed,
  };
  std::string name;  ///< "credentials", "list", …
  Outcome outcome = Outcome::kOk;
  std::string detail;  ///< One sentence. Never holds a secret.
  std::chrono::milliseconds took{0};
};

struct AccessCheckInput {
  std::string bucket;
  std::string pattern;  ///< Glob, as SourceUri has it.
  StoreOptions store = {};
  bool write = false;  ///< Also writes an object below the pattern's folder, and deletes it.
  /// Carries requests for credentials. nullptr: HTTP.
  std::shared_ptr<HttpTransport> credentials_transport = nullptr;
};

/// Goes through the steps in order, as far as they do not need one that failed: settings,
/// credentials, identity (who they are, where there is a token service), external id (whether a
/// role can be assumed without the one that is configured: it must not), list, region, clock, read,
/// write, delete. Tries each request three times at most.
/// @param on_step  Told each step when it is done.
/// @return  Whether none failed.
bool check_access(const AccessCheckInput& input,
                  const std::function<void(const CheckStep&)>& on_step);

}  // namespace leat::connector::s3
