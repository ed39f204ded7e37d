// Which of Highway's targets are compiled. Before every include of <hwy/highway.h>.
//
// Three for x86-64 besides the portable one: without carry-less multiply (SSSE3) or byte compress
// (AVX-512 without VBMI2) the next lower one serves.
#pragma once

#define HWY_WANT_AVX3_DL 1
#define HWY_DISABLED_TARGETS (HWY_AVX3 | HWY_SSSE3)
