// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Atomic operations on CPU threads: LLVM's instructions. A block runs on one thread, so what is atomic only within the
// block becomes plain.
#include "codegen/host/native_kernel.h"

namespace rad::cg {
namespace {

constexpr auto relaxed = llvm::AtomicOrdering::Monotonic;

llvm::AtomicRMWInst::BinOp instructionOf(Atomic op, Scalar scalar) {
  using Rmw = llvm::AtomicRMWInst;
  const bool isFloating = isFloat(scalar), isSigned = isSignedInteger(scalar);
  switch (op) {
    case Atomic::Add: return isFloating ? Rmw::FAdd : Rmw::Add;
    case Atomic::Sub: return isFloating ? Rmw::FSub : Rmw::Sub;
    case Atomic::Min: return isFloating ? Rmw::FMin : isSigned ? Rmw::Min : Rmw::UMin;
    case Atomic::Max: return isFloating ? Rmw::FMax : isSigned ? Rmw::Max : Rmw::UMax;
    case Atomic::And: return Rmw::And;
    case Atomic::Or: return Rmw::Or;
    case Atomic::Xor: return Rmw::Xor;
    case Atomic::Exchange: return Rmw::Xchg;
    case Atomic::Load:
    case Atomic::Store:
    case Atomic::CompareExchange: break;
  }
  return Rmw::BAD_BINOP;
}

}  // namespace

llvm::Value* NativeKernelLowering::emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                                              llvm::ArrayRef<llvm::Value*> operands, bool) {
  auto& b = f.builder();
  llvm::Type* type = f.registerType(place.type);
  auto* bits = b.getIntNTy(type->getPrimitiveSizeInBits());
  const Scalar scalar = f.scalarOf(place.type);
  const llvm::Align align = place.align;
  const bool isAlone = node.scope == AtomicScope::Block;
  const auto scope = isAlone ? llvm::SyncScope::SingleThread : llvm::SyncScope::System;
  switch (node.op) {
    case Atomic::Load: {
      auto* load = b.CreateAlignedLoad(type, place.address, align);
      if (!isAlone || options_.places) load->setAtomic(relaxed, scope);
      return load;
    }
    case Atomic::Store: {
      auto* store = b.CreateAlignedStore(operands[0], place.address, align);
      if (!isAlone || options_.places) store->setAtomic(relaxed, scope);
      return nullptr;
    }
    case Atomic::CompareExchange: {
      llvm::Value* expected = b.CreateBitCast(operands[0], bits);
      llvm::Value* value = b.CreateBitCast(operands[1], bits);
      llvm::Value* before;
      if (isAlone && !options_.places) {
        before = b.CreateAlignedLoad(bits, place.address, align);
        b.CreateAlignedStore(b.CreateSelect(b.CreateICmpEQ(before, expected), value, before), place.address, align);
      } else {
        before = b.CreateExtractValue(
            b.CreateAtomicCmpXchg(place.address, expected, value, align, relaxed, relaxed, scope), 0);
      }
      return b.CreateBitCast(before, type);
    }
    case Atomic::Add:
    case Atomic::Sub:
    case Atomic::Min:
    case Atomic::Max:
    case Atomic::And:
    case Atomic::Or:
    case Atomic::Xor:
    case Atomic::Exchange: break;
  }
  // Alone: becomes a plain one (LowerAlonePass), but not before threads of the block have been joined in vectors.
  return b.CreateAtomicRMW(instructionOf(node.op, scalar), place.address, operands[0], align, relaxed, scope);
}

}  // namespace rad::cg
