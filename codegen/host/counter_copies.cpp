// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies of what a region counts in (fission.h: sharedCounters). An increment that finds in memory what the one before
// it has just left there waits for it; lanes side by side take different copies (opt/lanes).
#include "codegen/host/block_kernel.h"
#include "codegen/opt/lanes/lanes.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/Support/MathExtras.h>

namespace rad::cg {

namespace {
constexpr uint64_t kCopies = 16;
constexpr uint64_t kCacheLine = 64;
/// Clearing and adding up has to cost little beside what the threads do: at most so many elements a thread.
constexpr uint64_t kElementsPerThread = 16;
}  // namespace

/// Memory for `count` elements of a shared local, with room for the copies if a region counts in it.
llvm::Value* BlockLowering::placeShared(FunctionLowering& f, LocalId local, llvm::Type* memory, uint64_t count) {
  const uint64_t bytes = count * module_.getDataLayout().getTypeAllocSize(memory);
  const bool isSmall = count * kCopies <= kElementsPerThread * static_cast<uint64_t>(threadCount_);
  const bool isCounter = !options_.places && isSmall && llvm::any_of(plan_.regions, [&](const Region& region) {
    return llvm::is_contained(sharedCounters(program_, kernel_, region), local);
  });
  if (!isCounter) return takeScratch(f, bytes, f.local(local).name);
  // Not the same lines of the cache for all: places that lie 4096 bytes apart are in each other's way, too.
  uint64_t distance = llvm::alignTo(bytes, kCacheLine);
  if (distance % (4096 / kCopies) == 0) distance += kCacheLine;
  llvm::Value* address = takeScratch(f, kCopies * distance, f.local(local).name);
  counters_[local.value] = {address, memory, count, distance};
  return address;
}

std::vector<LocalId> BlockLowering::countersOf(const Region& region) const {
  std::vector<LocalId> found = sharedCounters(program_, kernel_, region);
  std::erase_if(found, [&](LocalId local) { return !counters_.contains(local.value); });
  return found;
}

void BlockLowering::clearCopies(FunctionLowering& f, const Counters& counters) {
  auto& b = f.builder();
  for (uint64_t copy = 1; copy < kCopies; ++copy) {
    llvm::Value* at = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), counters.address, copy * counters.distance);
    b.CreateMemSet(at, b.getInt8(0), counters.count * module_.getDataLayout().getTypeAllocSize(counters.type),
                   llvm::Align(kCacheLine));
  }
}

void BlockLowering::addCopies(FunctionLowering& f, const Counters& counters) {
  auto& b = f.builder();
  llvm::MDNode* group = llvm::MDNode::getDistinct(f.context(), {});
  auto marked = [&](auto* access) {
    access->setMetadata(llvm::LLVMContext::MD_access_group, group);
    return access;
  };
  CountedLoop loop = beginLoop(f, b.getInt64(0), b.getInt64(counters.count), "counter");
  llvm::Value* own = b.CreateInBoundsGEP(counters.type, counters.address, loop.counter);
  llvm::Value* total = marked(b.CreateLoad(counters.type, own));
  for (uint64_t copy = 1; copy < kCopies; ++copy) {
    llvm::Value* at = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), counters.address, copy * counters.distance);
    total =
        b.CreateAdd(total, marked(b.CreateLoad(counters.type, b.CreateInBoundsGEP(counters.type, at, loop.counter))));
  }
  marked(b.CreateStore(total, own));
  endLoop(f, loop, group);
}

llvm::Value* BlockLowering::emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                                       llvm::ArrayRef<llvm::Value*> operands, bool isUsed) {
  llvm::Value* made = NativeKernelLowering::emitAtomic(f, node, place, operands, isUsed);
  if (!inRegion_ || f.inInlinedCall()) return made;
  const TExpr& expr = program_.expr(node.place);
  const auto* element = std::get_if<ViewElement>(&expr.node);
  const auto* ref = std::get_if<LocalRef>(element ? &program_.expr(element->view).node : &expr.node);
  if (!ref || !llvm::is_contained(counting_, ref->local)) return made;
  auto number = [&](uint64_t value) { return llvm::ConstantAsMetadata::get(f.builder().getInt64(value)); };
  llvm::Metadata* parts[] = {number(kCopies), number(counters_.at(ref->local.value).distance)};
  llvm::cast<llvm::Instruction>(made)->setMetadata(counterCopiesMark, llvm::MDNode::get(f.context(), parts));
  return made;
}

}  // namespace rad::cg
