// The kernels for machines without vector instructions that pay: values.h, field by field.
#pragma once

#include "parser/convert/simd/column_kernels.h"

namespace leat::parser::simd {

extern const ColumnKernels kPortableKernels;

}  // namespace leat::parser::simd
