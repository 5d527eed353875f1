// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/access_places.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Metadata.h>

namespace rad::cg {

AccessPlaces::AccessPlaces(llvm::LLVMContext& context)
    : context_(context), kind_(context.getMDKindID("raddle.place")), carrier_(new llvm::UnreachableInst(context)) {}

AccessPlaces::~AccessPlaces() { carrier_->deleteValue(); }

uint32_t AccessPlaces::numberOf(Range range) {
  const auto [found, isNew] = numbers_.try_emplace(uint64_t{range.begin.offset} << 32 | range.end.offset,
                                                   static_cast<uint32_t>(ranges_.size()));
  if (isNew) ranges_.push_back(range);
  return found->second;
}

void AccessPlaces::enter(llvm::IRBuilderBase& builder, Range range) {
  auto* number = llvm::ConstantInt::get(llvm::Type::getInt32Ty(context_), numberOf(range));
  carrier_->setMetadata(kind_, llvm::MDNode::get(context_, llvm::ConstantAsMetadata::get(number)));
  builder.CollectMetadataToCopy(carrier_, {kind_});
}

std::optional<uint32_t> AccessPlaces::of(const llvm::Instruction& instruction) const {
  const llvm::MDNode* place = instruction.getMetadata(kind_);
  if (!place) return std::nullopt;
  return static_cast<uint32_t>(llvm::mdconst::extract<llvm::ConstantInt>(place->getOperand(0))->getZExtValue());
}

}  // namespace rad::cg
