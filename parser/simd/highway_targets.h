// Which of Highway's targets are compiled. Before every include of <hwy/highway.h>.
//
// Three for x86-64 besides the portable one: without carry-less multiply (SSSE3) or byte compress
// (AVX-512 without VBMI2) the next lower one serves.
#pragma once

#define HWY_WANT_AVX3_DL 1
#define HWY_DISABLED_TARGETS (HWY_AVX3 | HWY_SSSE3)

// Chooses what `name` is in the namespace of a SimdTarget, all of them being of one type;
// `portable` where there is none. Other machines than x86-64 have the portable one only.
#if defined(__x86_64__)
#define LEAT_FUNCTION_OF(target, name, portable)     \
  ((target) == SimdTarget::kAvx512 ? N_AVX3_DL::name \
   : (target) == SimdTarget::kAvx2 ? N_AVX2::name    \
   : (target) == SimdTarget::kSse4 ? N_SSE4::name    \
                                   : (portable))
#else
#define LEAT_FUNCTION_OF(target, name, portable) (static_cast<void>(target), (portable))
#endif
