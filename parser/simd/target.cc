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

// Asked of the compiler's run time, not of hwy::SupportedTargets(): that would be all that is used
// of Highway's library, which measures a timer for 3 ms whenever it is loaded.
std::vector<SimdTarget> available_simd_targets() {
  std::vector<SimdTarget> available = {SimdTarget::kPortable};
#if defined(__x86_64__)
  // What Highway asks for before it uses each, beyond the one before; without F16C and VAES, which
  // nothing here uses and clang 14 cannot ask for.
  const bool sse4 = (HWY_TARGETS & HWY_SSE4) != 0 && __builtin_cpu_supports("ssse3") &&
                    __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                    __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
  const bool avx2 = sse4 && (HWY_TARGETS & HWY_AVX2) != 0 && __builtin_cpu_supports("avx") &&
                    __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  const bool avx512 =
      avx2 && (HWY_TARGETS & HWY_AVX3_DL) != 0 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("vpclmulqdq") &&
      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bitalg") &&
      __builtin_cpu_supports("avx512vpopcntdq");
  if (sse4) available.push_back(SimdTarget::kSse4);
  if (avx2) available.push_back(SimdTarget::kAvx2);
  if (avx512) available.push_back(SimdTarget::kAvx512);
#endif
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
