// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Atomic operations as inline PTX: the back end drops order and scope of its own read-modify-write instructions.
// Instructions as in the PTX ISA, sections `atom`, `red`, `ld` and `st`.
#include "codegen/nvptx/nvptx_target.h"

#include <llvm/IR/InlineAsm.h>

#include <fmt/format.h>

#include <cassert>

namespace rad::cg {
namespace {

/// One operation at one address.
class AtomicEmitter {
 public:
  AtomicEmitter(FunctionLowering& f, const AtomicCall& node, const Place& place)
      : f_(f), b_(f.builder()), type_(place.type), address_(place.address), scalar_(f.scalarOf(place.type)) {
    scope_ = node.scope == AtomicScope::Block ? "cta" : "gpu";
    switch (address_->getType()->getPointerAddressSpace()) {
      case Global: space_ = ".global"; break;
      case Shared: space_ = ".shared"; break;
      default: break;  // generic
    }
  }

  llvm::Value* run(Atomic op, llvm::ArrayRef<llvm::Value*> operands, bool isUsed) {
    switch (op) {
      case Atomic::Load: return fromBits(load());
      case Atomic::Store:
        emit(fmt::format("st.relaxed.{}{}.b{} [$0], $1;", scope_, space_, bits()), nullptr, {toBits(operands[0])});
        return nullptr;
      case Atomic::Add: return modify("add", arithmeticType(), operands[0], isUsed);
      case Atomic::Sub:
        return modify("add", arithmeticType(),
                      isFloat(scalar_) ? b_.CreateFNeg(operands[0]) : b_.CreateNeg(operands[0]), isUsed);
      case Atomic::Min:
      case Atomic::Max: {
        const bool isMin = op == Atomic::Min;
        if (isFloat(scalar_)) return floatMinMax(isMin ? Math::Min : Math::Max, operands[0]);
        return modify(isMin ? "min" : "max", fmt::format("{}{}", isSignedInteger(scalar_) ? 's' : 'u', bits()),
                      operands[0], isUsed);
      }
      case Atomic::And: return modify("and", bitType(), operands[0], isUsed);
      case Atomic::Or: return modify("or", bitType(), operands[0], isUsed);
      case Atomic::Xor: return modify("xor", bitType(), operands[0], isUsed);
      case Atomic::Exchange:
        return fromBits(emit(fmt::format("atom.relaxed.{}{}.exch.b{} $0, [$1], $2;", scope_, space_, bits()),
                             bitsType(), {toBits(operands[0])}));
      case Atomic::CompareExchange: return fromBits(compareExchange(toBits(operands[0]), toBits(operands[1])));
    }
    return nullptr;
  }

 private:
  unsigned bits() const { return bitsOf(scalar_); }
  llvm::Type* bitsType() { return b_.getIntNTy(bits()); }
  llvm::Value* toBits(llvm::Value* value) { return b_.CreateBitCast(value, bitsType()); }
  llvm::Value* fromBits(llvm::Value* value) { return b_.CreateBitCast(value, f_.registerType(type_)); }
  std::string bitType() const { return fmt::format("b{}", bits()); }
  /// Of an addition: wrapping is the same for both signs, and 64 bits have only the unsigned form.
  std::string arithmeticType() const { return fmt::format("{}{}", isFloat(scalar_) ? 'f' : 'u', bits()); }

  /// Inline PTX whose operands are the result, if there is a type for one, the address, and `operands`.
  llvm::Value* emit(const std::string& text, llvm::Type* result, llvm::ArrayRef<llvm::Value*> operands) {
    auto letter = [](llvm::Type* type) {
      return type->isFloatTy() ? "f" : type->isDoubleTy() ? "d" : type->isIntegerTy(32) ? "r" : "l";
    };
    std::string constraints = result ? fmt::format("={},l", letter(result)) : "l";
    llvm::SmallVector<llvm::Value*, 4> values = {address_};
    llvm::SmallVector<llvm::Type*, 4> types = {address_->getType()};
    for (llvm::Value* operand : operands) {
      constraints += fmt::format(",{}", letter(operand->getType()));
      values.push_back(operand);
      types.push_back(operand->getType());
    }
    constraints += ",~{memory}";
    auto* type = llvm::FunctionType::get(result ? result : b_.getVoidTy(), types, false);
    llvm::CallInst* call =
        b_.CreateCall(type, llvm::InlineAsm::get(type, text, constraints, /*hasSideEffects=*/true), values);
    call->setDoesNotThrow();
    return call;
  }

  llvm::Value* load() {
    return emit(fmt::format("ld.relaxed.{}{}.b{} $0, [$1];", scope_, space_, bits()), bitsType(), {});
  }
  llvm::Value* compareExchange(llvm::Value* expected, llvm::Value* value) {
    return emit(fmt::format("atom.relaxed.{}{}.cas.b{} $0, [$1], $2, $3;", scope_, space_, bits()), bitsType(),
                {expected, value});
  }
  llvm::Value* modify(std::string_view name, const std::string& type, llvm::Value* operand, bool isUsed) {
    if (!isUsed)
      return emit(fmt::format("red.relaxed.{}{}.{}.{} [$0], $1;", scope_, space_, name, type), nullptr, {operand});
    return emit(fmt::format("atom.relaxed.{}{}.{}.{} $0, [$1], $2;", scope_, space_, name, type), operand->getType(),
                {operand});
  }

  /// There is no such instruction: tries until nobody came in between, or there is nothing to change.
  llvm::Value* floatMinMax(Math op, llvm::Value* operand) {
    llvm::Value* first = load();
    llvm::BasicBlock* before = b_.GetInsertBlock();
    llvm::BasicBlock* attempt = f_.newBlock("atomic.try");
    llvm::BasicBlock* swap = f_.newBlock("atomic.swap");
    llvm::BasicBlock* done = f_.newBlock("atomic.done");
    b_.CreateBr(attempt);
    f_.placeAt(attempt);
    llvm::PHINode* seen = b_.CreatePHI(bitsType(), 2);
    seen->addIncoming(first, before);
    Value both[2] = {f_.scalar(type_, fromBits(seen)), f_.scalar(type_, operand)};
    llvm::Value* wanted = toBits(f_.mathCall(op, both).scalar);
    b_.CreateCondBr(b_.CreateICmpEQ(wanted, seen), done, swap);
    f_.placeAt(swap);
    llvm::Value* now = compareExchange(seen, wanted);
    seen->addIncoming(now, swap);
    b_.CreateCondBr(b_.CreateICmpEQ(now, seen), done, attempt);
    f_.placeAt(done);
    return fromBits(seen);
  }

  FunctionLowering& f_;
  llvm::IRBuilder<>& b_;
  TypeId type_;
  llvm::Value* address_;
  Scalar scalar_;
  std::string_view scope_, space_;
};

}  // namespace

llvm::Value* NvptxTarget::emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                                     llvm::ArrayRef<llvm::Value*> operands, bool isUsed) {
  return AtomicEmitter(f, node, place).run(node.op, operands, isUsed);
}

}  // namespace rad::cg
