// Which instructions the SIMD code may use: chosen once for each parser, at run time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "leat/result.h"

namespace leat::parser {

/// In ascending order of speed.
enum class SimdTarget : std::uint8_t {
  kPortable,  ///< What the compiler was told to make; on x86-64 no vector instructions of ours.
  kSse4,      ///< SSE4.2 with carry-less multiply.
  kAvx2,
  kAvx512,  ///< With VBMI2: Ice Lake, Zen 4 and later.
};

/// "portable", "sse4", "avx2", "avx512".
std::string_view simd_target_name(SimdTarget target) noexcept;

/// Those that were compiled and that this machine can run, in ascending order.
std::vector<SimdTarget> available_simd_targets();

/// `name` chooses; an empty one leaves it to the environment variable LEAT_SIMD; where that is not
/// set either, the best available is chosen.
///   kInvalidArgument  No such name, or this machine cannot run it.
Result<SimdTarget> choose_simd_target(std::string_view name);

}  // namespace leat::parser
