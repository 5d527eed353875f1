// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/fatbin.h"

#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/image.h"

#include <set>
#include <tuple>

namespace rad::rt {
namespace {

/// One fatbin in the making, destroyed with its scope.
class Packer {
 public:
  explicit Packer(const NvFatbinApi& api) : api_(api) {}
  ~Packer() {
    if (handle_) api_.Destroy(&handle_);
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  Status create(const FatbinOptions& options) {
    std::vector<const char*> texts = {"-64", "-host=linux", "-cuda"};
    switch (options.compression) {
      case FatbinCompression::Default: break;
      case FatbinCompression::Size: texts.push_back("-compress-mode=size"); break;
      case FatbinCompression::Speed: texts.push_back("-compress-mode=speed"); break;
      case FatbinCompression::Balance: texts.push_back("-compress-mode=balance"); break;
      case FatbinCompression::None: texts.push_back("-compress-mode=none"); break;
    }
    if (options.compressAll) texts.push_back("-compress-all");
    if (options.debug) texts.push_back("-g");
    return said("nvFatbinCreate", api_.Create(&handle_, texts.data(), texts.size()),
                "the packer does not take its options");
  }

  Status add(const FatbinInput& input, ImageKind kind) {
    const std::string arch = input.target.substr(3);
    const std::string what = "the packer does not take '" + input.name + "'";
    const void* data = input.bytes.data();
    if (kind == ImageKind::Cubin)
      return said("nvFatbinAddCubin",
                  api_.AddCubin(handle_, data, input.bytes.size(), arch.c_str(), input.identifier.c_str()), what);
    if (kind == ImageKind::LtoIr)
      return said("nvFatbinAddLTOIR",
                  api_.AddLTOIR(handle_, data, input.bytes.size(), arch.c_str(), input.identifier.c_str(), ""), what);
    // The size counts a NUL.
    const std::string text(static_cast<const char*>(data), input.bytes.size());
    return said("nvFatbinAddPTX",
                api_.AddPTX(handle_, text.c_str(), text.size() + 1, arch.c_str(), input.identifier.c_str(), ""), what);
  }

  Result<std::vector<std::byte>> finish() {
    std::size_t size = 0;
    RAD_TRY(said("nvFatbinSize", api_.Size(handle_, &size), "the packer made nothing"));
    std::vector<std::byte> out(size);
    RAD_TRY(said("nvFatbinGet", api_.Get(handle_, out.data()), "the packer made nothing"));
    if (!looksLikeFatbin(out)) return fail(ErrorCategory::Image, "the packer's output is not a fatbin");
    return out;
  }

 private:
  Status said(const char* call, int status, const std::string& what) const {
    if (status == 0) return {};
    Error error;
    error.category = status == 4 || status == 11 || status == 12 ? ErrorCategory::Image : ErrorCategory::Misuse;
    error.call = call;
    error.code = status;
    const char* why = api_.GetErrorString(status);
    error.message = what + (why && *why ? std::string(": ") + why : "");
    return fail(std::move(error));
  }

  const NvFatbinApi& api_;
  void* handle_ = nullptr;
};

std::unexpected<Error> mislabelled(const FatbinInput& input, const std::string& own) {
  return fail(ErrorCategory::Image,
              "'" + input.name + "' is labelled " + input.target + ", but its code is for " + own);
}

/// What the packer does not look at.
Status checkInput(const FatbinInput& input, ImageKind kind, GpuTarget target, const FatbinOptions& options) {
  switch (kind) {
    case ImageKind::Cubin: {
      RAD_ASSIGN(const CubinInfo info, readCubin(input.bytes, input.name));
      if (info.sm != target.sm) return mislabelled(input, "sm_" + std::to_string(info.sm));
      return {};
    }
    case ImageKind::Ptx: {
      const std::string_view text(reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size());
      const auto own = targetOfPtx(text);
      if (own && *own != target) return mislabelled(input, own->name());
      AssembleOptions check;
      check.target = input.target;
      check.name = input.name;
      return checkPtx(text, check, options.assembler);
    }
    case ImageKind::LtoIr:
      if (const auto own = targetOfLtoIr(input.bytes); own && own->sm != target.sm)
        return mislabelled(input, own->name());
      return {};
    case ImageKind::Unknown:
    case ImageKind::Fatbin:
    case ImageKind::HostObject:
    case ImageKind::Archive: break;
  }
  return fail(ErrorCategory::Image,
              "'" + input.name + "' is " + std::string(describe(kind)) + ", which cannot be part of a fatbin",
              "Give cubins, PTX text or LTO-IR.");
}

}  // namespace

Result<std::vector<std::byte>> packFatbin(std::span<const FatbinInput> inputs, const FatbinOptions& options) {
  if (inputs.empty()) return fail(ErrorCategory::Misuse, "there is nothing to pack");
  if (options.compressAll && options.compression == FatbinCompression::None)
    return fail(ErrorCategory::Misuse, "compressAll and FatbinCompression::None exclude each other");
  std::vector<ImageKind> kinds;
  std::set<std::tuple<ImageKind, std::string, std::string>> seen;
  for (const FatbinInput& input : inputs) {
    RAD_ASSIGN(const GpuTarget target, readTarget(input.target));
    kinds.push_back(recognise(input.bytes));
    RAD_TRY(checkInput(input, kinds.back(), target, options));
    if (!seen.insert({kinds.back(), input.target, input.identifier}).second)
      return fail(ErrorCategory::Image,
                  "'" + input.name + "' is " + std::string(describe(kinds.back())) + " for " + input.target +
                      ", and the fatbin has one already",
                  "Leave one of them out, or give them different identifiers.");
  }
  const NvFatbinApi* api = options.packer;
  if (!api) {
    RAD_ASSIGN(api, NvFatbinApi::get());
  }
  Packer packer(*api);
  RAD_TRY(packer.create(options));
  for (std::size_t i = 0; i < inputs.size(); ++i) RAD_TRY(packer.add(inputs[i], kinds[i]));
  return packer.finish();
}

}  // namespace rad::rt
