#include "parser/simd/target.h"

#include "parser/simd/highway_targets.h"
// Behind the choice of targets.
#include <hwy/highway.h>

#include <cstdlib>
#include <string>

namespace leat::parser {

std::string_view simd_target_name(SimdTarget target) noexcept {
  switch (target) {
    case SimdTarget::kSse4:
      return "sse4";
    case SimdTarget::kAvx2:
      return "avx2";
    case SimdTarget::kAvx512:
      return "avx512";
    default:
      return "portable";
  }
}

std::vector<SimdTarget> available_simd_targets() {
  // Asked once: a virtual machine takes some microseconds for each CPUID.
  static const std::int64_t usable = hwy::SupportedTargets() & (HWY_TARGETS);
  std::vector<SimdTarget> available = {SimdTarget::kPortable};
  if ((usable & HWY_SSE4) != 0) available.push_back(SimdTarget::kSse4);
  if ((usable & HWY_AVX2) != 0) available.push_back(SimdTarget::kAvx2);
  if ((usable & HWY_AVX3_DL) != 0) available.push_back(SimdTarget::kAvx512);
  return available;
}

Result<SimdTarget> choose_simd_target(std::string_view name) {
  const std::vector<SimdTarget> available = available_simd_targets();
  const char* const from_environment = std::getenv("LEAT_SIMD");
  const bool by_option = !name.empty();
  if (!by_option && from_environment != nullptr) name = from_environment;
  if (name.empty()) return available.back();
  std::string names;
  for (const SimdTarget target : available) {
    if (simd_target_name(target) == name) return target;
    names += (names.empty() ? "" : ", ") + std::string(simd_target_name(target));
  }
  return Error{ErrorCode::kInvalidArgument,
               std::string(by_option ? "the option simd" : "the environment variable LEAT_SIMD") +
                   " names \"" + std::string(name) + "\"; this machine can run " + names};
}

}  // namespace leat::parser
