// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/artifact/artifact.h"

namespace rad::cg {

namespace {

unsigned sizeOfScalar(ElementType type) {
  switch (type) {
    case ElementType::Bool:
    case ElementType::I8:
    case ElementType::U8:
    case ElementType::F8E4M3:
    case ElementType::F8E5M2: return 1;
    case ElementType::I16:
    case ElementType::U16:
    case ElementType::F16:
    case ElementType::BF16: return 2;
    case ElementType::I32:
    case ElementType::U32:
    case ElementType::F32: return 4;
    case ElementType::I64:
    case ElementType::U64:
    case ElementType::Index:
    case ElementType::F64: return 8;
  }
  return 0;
}

const char* nameOfScalar(ElementType type) {
  switch (type) {
    case ElementType::Bool: return "bool";
    case ElementType::I8: return "i8";
    case ElementType::I16: return "i16";
    case ElementType::I32: return "i32";
    case ElementType::I64: return "i64";
    case ElementType::U8: return "u8";
    case ElementType::U16: return "u16";
    case ElementType::U32: return "u32";
    case ElementType::U64: return "u64";
    case ElementType::Index: return "index";
    case ElementType::F16: return "f16";
    case ElementType::BF16: return "bf16";
    case ElementType::F32: return "f32";
    case ElementType::F64: return "f64";
    case ElementType::F8E4M3: return "f8e4m3";
    case ElementType::F8E5M2: return "f8e5m2";
  }
  return "?";
}

}  // namespace

unsigned sizeOf(ElementType type) {
  if (isCompound(type)) return static_cast<uint32_t>(type) >> 16 & largestElement;
  return sizeOfScalar(scalarOf(type)) * lanesOf(type);
}

std::string nameOf(ElementType type) {
  if (isCompound(type)) return "struct";
  std::string name = nameOfScalar(scalarOf(type));
  return lanesOf(type) == 1 ? name : name + "x" + std::to_string(lanesOf(type));
}

}  // namespace rad::cg
