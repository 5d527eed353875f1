// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/compile_cuda.h"

#include "runtime/dynlib/component_api.h"

namespace rad::rt {
namespace {

class Program {
public:
  explicit Program(const NvrtcApi &api) : api_(api) {}
  ~Program() {
    if (handle_)
      api_.DestroyProgram(&handle_);
  }
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;
  void **out() { return &handle_; }
  void *get() const { return handle_; }
  std::string log() const {
    return text(api_.GetProgramLogSize, api_.GetProgramLog);
  }
  std::string ptx() const { return text(api_.GetPTXSize, api_.GetPTX); }

private:
  std::string text(int (*sizeOf)(void *, std::size_t *),
                   int (*read)(void *, char *)) const {
    std::size_t size = 0; // stays as it is when nothing was compiled
    if (!handle_ || sizeOf(handle_, &size) != 0 || size == 0)
      return {};
    std::string out(size + 1, '\0');
    if (read(handle_, out.data()) != 0)
      return {};
    out.resize(out.find('\0'));
    return out;
  }

  const NvrtcApi &api_;
  void *handle_ = nullptr;
};

Error nvrtcError(const char *call, int status, std::string message,
                 std::string log) {
  Error error;
  error.category = status == 1   ? ErrorCategory::Resources
                   : status == 5 ? ErrorCategory::Misuse
                                 : ErrorCategory::Image;
  error.call = call;
  error.code = status;
  error.codeName = status == 5   ? "NVRTC_ERROR_INVALID_OPTION"
                   : status == 6 ? "NVRTC_ERROR_COMPILATION"
                                 : "NVRTC_ERROR_" + std::to_string(status);
  error.message = std::move(message);
  error.log = std::move(log);
  return error;
}

} // namespace

Result<std::string> compileCuda(std::string_view source, std::string_view arch,
                                std::string_view name,
                                const std::vector<std::string> &extra) {
  RAD_ASSIGN(const NvrtcApi *api, NvrtcApi::get());
  std::string target(arch);
  if (target.starts_with("sm_"))
    target.replace(0, 2, "compute");
  const std::string text(source), file(name);
  Program program(*api);
  if (int status = api->CreateProgram(program.out(), text.c_str(), file.c_str(),
                                      0, nullptr, nullptr))
    return fail(nvrtcError("nvrtcCreateProgram", status,
                           "NVRTC does not take '" + file + "'", ""));
  // By default NVRTC raises the stack limit of the whole process meanwhile.
  std::vector<std::string> options = {"-arch=" + target,
                                      "-modify-stack-limit=false"};
  options.insert(options.end(), extra.begin(), extra.end());
  std::vector<const char *> pointers;
  for (const std::string &option : options)
    pointers.push_back(option.c_str());
  if (int status = api->CompileProgram(
          program.get(), static_cast<int>(pointers.size()), pointers.data()))
    return fail(nvrtcError("nvrtcCompileProgram", status,
                           "'" + file + "' does not compile for " + target,
                           program.log()));
  std::string ptx = program.ptx();
  if (ptx.empty())
    return fail(nvrtcError("nvrtcGetPTX", 0,
                           "NVRTC made no PTX for '" + file + "'",
                           program.log()));
  return ptx;
}

} // namespace rad::rt
