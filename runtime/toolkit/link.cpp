// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/link.h"

#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/link_thread.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

namespace rad::rt {
namespace {

constexpr int inputCubin = 1; // NVJITLINK_INPUT_CUBIN

constexpr std::array<const char *, 19> linkStatusNames = {
    "NVJITLINK_SUCCESS",
    "NVJITLINK_ERROR_UNRECOGNIZED_OPTION",
    "NVJITLINK_ERROR_MISSING_ARCH",
    "NVJITLINK_ERROR_INVALID_INPUT",
    "NVJITLINK_ERROR_PTX_COMPILE",
    "NVJITLINK_ERROR_NVVM_COMPILE",
    "NVJITLINK_ERROR_INTERNAL",
    "NVJITLINK_ERROR_THREADPOOL",
    "NVJITLINK_ERROR_UNRECOGNIZED_INPUT",
    "NVJITLINK_ERROR_FINALIZE",
    "NVJITLINK_ERROR_NULL_INPUT",
    "NVJITLINK_ERROR_INCOMPATIBLE_OPTIONS",
    "NVJITLINK_ERROR_INCORRECT_INPUT_TYPE",
    "NVJITLINK_ERROR_ARCH_MISMATCH",
    "NVJITLINK_ERROR_OUTDATED_LIBRARY",
    "NVJITLINK_ERROR_MISSING_FATBIN",
    "NVJITLINK_ERROR_UNRECOGNIZED_ARCH",
    "NVJITLINK_ERROR_UNSUPPORTED_ARCH",
    "NVJITLINK_ERROR_LTO_NOT_ENABLED"};

/// Which statuses blame our use of the library and not the code.
ErrorCategory categoryOf(int status) {
  switch (status) {
  case 1:
  case 2:
  case 10:
  case 11:
    return ErrorCategory::Misuse;
  case 7:
    return ErrorCategory::Resources;
  default:
    return ErrorCategory::Image;
  }
}

Error linkError(const char *call, int status, std::string message,
                std::string log) {
  Error error;
  error.category = categoryOf(status);
  error.call = call;
  error.code = status;
  error.codeName = status >= 0 && std::size_t(status) < linkStatusNames.size()
                       ? linkStatusNames[std::size_t(status)]
                       : "NVJITLINK_ERROR_" + std::to_string(status);
  error.message = std::move(message);
  error.log = std::move(log);
  return error;
}

/// An input as the linker gets it: always a relocatable cubin.
struct Object {
  std::string name;
  std::span<const std::byte> bytes;
  std::vector<std::byte> made; ///< holds the bytes of an assembled input
  CubinInfo info;
};

/// Whether nvJitLink takes a cubin for `sm` into a link for `target`. Checked
/// with its 13.0: 80 into 86 links; 86 into 80, 80 into 90 and 100 into 103 do
/// not. Only what was seen to work is allowed.
bool fits(unsigned sm, unsigned target) {
  return sm == target || (sm / 10 == 8 && target / 10 == 8 && sm < target);
}

Status checkTarget(const LinkInput &input, const CubinInfo &info,
                   const std::string &target) {
  RAD_ASSIGN(const unsigned wanted, parseTarget(target));
  const std::string own =
      input.target.empty() ? "sm_" + std::to_string(info.sm) : input.target;
  if (!input.target.empty()) {
    RAD_ASSIGN(const unsigned claimed, parseTarget(input.target));
    if (claimed != info.sm)
      return fail(ErrorCategory::Image,
                  "'" + input.name + "' is labelled " + input.target +
                      ", but its code is for sm_" + std::to_string(info.sm));
  }
  const char suffix = own.back();
  const bool special = suffix == 'a' || suffix == 'f';
  if (fits(info.sm, wanted) && (!special || own == target))
    return {};
  return fail(ErrorCategory::Image,
              "'" + input.name + "' was compiled for " + own +
                  " and cannot be linked into code for " + target,
              "Compile it for " + target + ", or give it as PTX.");
}

/// True when the bytes are text that could be PTX.
bool looksLikePtx(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char *>(bytes.data()),
                        bytes.size());
  return text.find(".version") != std::string_view::npos &&
         text.find(".target") != std::string_view::npos;
}

Result<Object> prepare(const LinkInput &input, const LinkOptions &options) {
  Object object;
  object.name = input.name;
  object.bytes = input.bytes;
  if (looksLikeCubin(input.bytes)) {
    RAD_ASSIGN(object.info, readCubin(input.bytes, input.name));
    RAD_TRY(checkTarget(input, object.info, options.target));
    if (!object.info.relocatable)
      return fail(ErrorCategory::Image,
                  "'" + input.name + "' is a finished program and cannot be "
                  "linked again",
                  "Assemble it for linking: 'ptxas -c' or 'nvcc -rdc=true "
                  "-cubin', or give its PTX.");
    return object;
  }
  if (looksLikeFatbin(input.bytes))
    return fail(ErrorCategory::Image,
                "'" + input.name + "' is a fatbin, which cannot be linked yet",
                "Give the cubin or the PTX that is in it.");
  if (!looksLikePtx(input.bytes))
    return fail(ErrorCategory::Image,
                "'" + input.name + "' is neither a cubin nor PTX text");
  AssembleOptions assembly;
  assembly.target = options.target;
  assembly.relocatable = true;
  assembly.debug = options.debug;
  assembly.lineInfo = options.lineInfo;
  assembly.optLevel = options.optLevel;
  assembly.maxRegisters = options.maxRegisters;
  assembly.name = input.name;
  std::string_view text(reinterpret_cast<const char *>(input.bytes.data()),
                        input.bytes.size());
  if (std::size_t end = text.find('\0'); end != std::string_view::npos)
    text = text.substr(0, end);
  RAD_ASSIGN(AssembleOutput output,
             assemble(text, assembly, options.assembler));
  object.made = std::move(output.cubin);
  object.bytes = object.made;
  RAD_ASSIGN(object.info, readCubin(object.bytes, input.name));
  return object;
}

/// nvJitLink takes the first of two definitions and says nothing that a program
/// could read, so they are looked for here.
Status refuseDuplicates(const std::vector<Object> &objects) {
  std::map<std::string_view, const Object *> definitions;
  for (const Object &object : objects)
    for (const CubinSymbol &symbol : object.info.symbols) {
      if (!symbol.defined || symbol.weak)
        continue;
      auto [it, inserted] = definitions.emplace(symbol.name, &object);
      if (inserted || it->second == &object)
        continue;
      return fail(ErrorCategory::Image,
                  "'" + symbol.name + "' is defined in '" + it->second->name +
                      "' and again in '" + object.name + "'",
                  "Rename one of them, or link only one of the two files.");
    }
  return {};
}

/// The symbols that the linker's log calls undefined, with who wants them.
std::string explainUnresolved(const std::vector<Object> &objects,
                              std::string_view log) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const Object &object : objects)
    for (const CubinSymbol &symbol : object.info.symbols) {
      if (symbol.defined || symbol.weak)
        continue;
      std::size_t at = log.find(symbol.name);
      for (; at != std::string_view::npos; at = log.find(symbol.name, at + 1)) {
        auto isWord = [&](std::size_t i) {
          return i < log.size() &&
                 (std::isalnum(static_cast<unsigned char>(log[i])) ||
                  log[i] == '_' || log[i] == '$');
        };
        if (!(at > 0 && isWord(at - 1)) && !isWord(at + symbol.name.size())) {
          wanted[symbol.name].push_back(object.name);
          break;
        }
      }
    }
  std::string out;
  for (const auto &[name, users] : wanted) {
    out += out.empty() ? "" : "; ";
    out += "'" + name + "' is used in ";
    for (std::size_t i = 0; i < users.size(); ++i)
      out += (i ? ", '" : "'") + users[i] + "'";
    out += " and defined nowhere";
  }
  return out;
}

/// One link, destroyed with its scope. Only on the linking thread.
class Linker {
public:
  explicit Linker(const NvJitLinkApi &api) : api_(api) {}
  ~Linker() {
    if (handle_)
      api_.Destroy(&handle_);
  }
  Linker(const Linker &) = delete;
  Linker &operator=(const Linker &) = delete;

  Result<LinkOutput> link(const std::vector<Object> &objects,
                          const LinkOptions &options) {
    std::vector<std::string> texts = {"-arch=" + options.target,
                                      options.optLevel == 0 ? "-O0" : "-O3"};
    if (options.debug)
      texts.push_back("-g");
    if (options.lineInfo && !options.debug)
      texts.push_back("-lineinfo");
    if (options.maxRegisters)
      texts.push_back("-maxrregcount=" + std::to_string(options.maxRegisters));
    std::vector<const char *> pointers;
    for (const std::string &text : texts)
      pointers.push_back(text.c_str());
    // After a failed create the handle is set all the same, for its log.
    if (int status = api_.Create(&handle_, std::uint32_t(pointers.size()),
                                 pointers.data()))
      return failed("nvJitLinkCreate", status,
                    "the linker does not take its options for " +
                        options.target);
    for (const Object &object : objects)
      if (int status =
              api_.AddData(handle_, inputCubin, object.bytes.data(),
                           object.bytes.size(), object.name.c_str()))
        return failed("nvJitLinkAddData", status,
                      "the linker does not take '" + object.name + "'");
    if (int status = api_.Complete(handle_)) {
      const std::string log = errorLog();
      std::string why = explainUnresolved(objects, log);
      if (why.empty()) {
        why = log.substr(0, log.find('\n'));
        if (why.empty())
          why = "the linker does not say why";
      }
      Error error = linkError("nvJitLinkComplete", status,
                              "device code cannot be linked: " + why, log);
      if (why.find("defined nowhere") != std::string::npos)
        error.advice = "Give the object that defines it with --link.";
      return fail(std::move(error));
    }
    LinkOutput output;
    std::size_t size = 0;
    int status = api_.GetLinkedCubinSize(handle_, &size);
    if (status == 0 && size != 0) {
      output.cubin.resize(size);
      status = api_.GetLinkedCubin(handle_, output.cubin.data());
    }
    if (status != 0 || size == 0)
      return failed("nvJitLinkGetLinkedCubin", status,
                    "the linker made no code");
    output.target = options.target;
    output.log = text(api_.GetInfoLogSize, api_.GetInfoLog);
    return output;
  }

private:
  std::string errorLog() const {
    return text(api_.GetErrorLogSize, api_.GetErrorLog);
  }
  std::string text(int (*sizeOf)(void *, std::size_t *),
                   int (*read)(void *, char *)) const {
    std::size_t size = 0;
    if (!handle_ || sizeOf(handle_, &size) != 0 || size == 0)
      return {};
    std::string out(size + 1, '\0');
    if (read(handle_, out.data()) != 0)
      return {};
    out.resize(out.find('\0'));
    while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back())))
      out.pop_back();
    return out;
  }
  std::unexpected<Error> failed(const char *call, int status,
                                std::string message) const {
    std::string log = errorLog();
    if (!log.empty())
      message += ": " + log.substr(0, log.find('\n'));
    return fail(linkError(call, status, std::move(message), std::move(log)));
  }

  const NvJitLinkApi &api_;
  void *handle_ = nullptr;
};

} // namespace

Result<LinkOutput> link(std::span<const LinkInput> inputs,
                        const LinkOptions &options) {
  RAD_TRY(parseTarget(options.target));
  if (inputs.empty())
    return fail(ErrorCategory::Misuse, "there is nothing to link");
  if (options.optLevel != 0 && options.optLevel != 3)
    return fail(ErrorCategory::Misuse,
                "the linker's optimisation level is " +
                    std::to_string(options.optLevel) + "; it must be 0 or 3");
  std::vector<Object> objects;
  for (const LinkInput &input : inputs) {
    RAD_ASSIGN(Object object, prepare(input, options));
    objects.push_back(std::move(object));
    if (!objects.back().made.empty())
      objects.back().bytes = objects.back().made;
  }
  RAD_TRY(refuseDuplicates(objects));
  const NvJitLinkApi *api = options.linker;
  if (!api) {
    RAD_ASSIGN(api, NvJitLinkApi::get());
  }
  Result<LinkOutput> result = LinkOutput{};
  RAD_TRY(runOnLinkThread(
      [&] { result = Linker(*api).link(objects, options); }));
  if (result && looksLikeCubin(result->cubin))
    return result;
  if (result)
    return fail(ErrorCategory::Image, "the linker's output is not a cubin");
  return result;
}

} // namespace rad::rt
