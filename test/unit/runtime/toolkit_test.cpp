// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/toolkit_discovery.h"
#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/compile_cuda.h"
#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/disassemble.h"
#include "runtime/toolkit/link.h"
#include "test/unit/runtime/ptx_samples.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

namespace rad::rt {
namespace {

using test::bytesOf;
using test::callerPtx;
using test::helperPtx;
using test::saxpyPtx;

#define NEEDS_ASSEMBLER() \
  if (!assemblerInfo()) GTEST_SKIP() << assemblerInfo().error().render()
#define NEEDS_LINKER() \
  NEEDS_ASSEMBLER();   \
  if (auto linker = NvJitLinkApi::get(); !linker) GTEST_SKIP() << linker.error().render()

std::vector<std::byte> cubinFor(const std::string& ptx, std::string target, bool relocatable) {
  AssembleOptions options;
  options.target = std::move(target);
  options.relocatable = relocatable;
  auto output = assemble(ptx, options);
  EXPECT_TRUE(output) << output.error().render();
  return output ? std::move(output->cubin) : std::vector<std::byte>{};
}

// ---- assemble ----

TEST(Assemble, MakesACubinForEachGpu) {
  NEEDS_ASSEMBLER();
  for (const char* target : {"sm_80", "sm_86", "sm_90", "sm_90a", "sm_100a", "sm_103", "sm_120", "sm_121f"}) {
    AssembleOptions options;
    options.target = target;
    auto output = assemble(saxpyPtx(), options);
    ASSERT_TRUE(output) << target << ": " << output.error().render();
    auto info = readCubin(output->cubin, target);
    ASSERT_TRUE(info) << info.error().render();
    EXPECT_EQ(info->sm, readTarget(target)->sm);
    EXPECT_FALSE(info->relocatable);
    ASSERT_EQ(info->kernels.size(), 1u);
    EXPECT_EQ(info->kernels[0].name, "saxpy");
    ASSERT_EQ(info->kernels[0].params.size(), 4u);
    EXPECT_EQ(info->kernels[0].params[1].offset, 8u);
    EXPECT_EQ(info->kernels[0].params[1].size, 8u);
    EXPECT_EQ(info->kernels[0].paramBytes, 28u);
    EXPECT_EQ(info->kernels[0].staticSharedBytes, 128u);
  }
}

TEST(Assemble, ReportsWhatEachKernelTakes) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_90";
  auto output = assemble(saxpyPtx(), options);
  ASSERT_TRUE(output) << output.error().render();
  ASSERT_EQ(output->info.size(), 1u);
  EXPECT_EQ(output->info[0].name, "saxpy");
  EXPECT_GE(output->info[0].registers, 4u);
  EXPECT_EQ(output->info[0].sharedBytes, 128u);
  EXPECT_EQ(output->info[0].barriers, 1u);
  EXPECT_EQ(output->info[0].spillLoadBytes, 0u);
  EXPECT_EQ(output->log, "");
}

TEST(Assemble, NamesTheLineThatIsWrong) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_80";
  options.name = "broken.ptx";
  std::string ptx = saxpyPtx();
  ptx.replace(ptx.find("fma.rn"), 6, "fmb.rn");
  auto output = assemble(ptx, options);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().category, ErrorCategory::Image);
  EXPECT_NE(output.error().message.find("'broken.ptx'"), std::string::npos);
  EXPECT_NE(output.error().message.find("line 20:"), std::string::npos) << output.error().message;
  EXPECT_NE(output.error().log.find("ptxas"), std::string::npos);
  EXPECT_EQ(output.error().codeName, "NVPTXCOMPILE_ERROR_COMPILATION_FAILURE");
}

TEST(Assemble, RefusesWrongOptionsItself) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  for (const char* target : {"", "sm_", "80", "sm_80x", "sm_aa", "compute_80", "sm_90aa"}) {
    options.target = target;
    auto output = assemble(saxpyPtx(), options);
    ASSERT_FALSE(output) << target;
    EXPECT_EQ(output.error().category, ErrorCategory::Misuse);
  }
  options.target = "sm_70";
  EXPECT_NE(assemble(saxpyPtx(), options).error().message.find("too old"), std::string::npos);
  options.target = "sm_85";  // no such GPU: only the assembler knows
  EXPECT_EQ(assemble(saxpyPtx(), options).error().category, ErrorCategory::Misuse);
  options.target = "sm_80";
  for (int level : {-1, 4, 5}) {
    options.optLevel = level;
    EXPECT_FALSE(assemble(saxpyPtx(), options)) << level;
  }
  for (int level : {0, 1, 2, 3}) {
    options.optLevel = level;
    EXPECT_TRUE(assemble(saxpyPtx(), options)) << level;
  }
  options.extra = {"--no-such-option"};
  auto unknown = assemble(saxpyPtx(), options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().category, ErrorCategory::Misuse);
}

TEST(Assemble, DebugCodeIsNotOptimised) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_80";
  options.debug = true;  // with -O3 the assembler itself would refuse
  auto output = assemble(saxpyPtx(), options);
  EXPECT_TRUE(output) << output.error().render();
}

TEST(Assemble, SaysWhichPtxItReads) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_90";
  auto output = assemble(saxpyPtx("sm_80", "9.7"), options);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().category, ErrorCategory::Image);
  EXPECT_EQ(output.error().message, "'ptx' is PTX 9.7, and the assembler in this build reads up to " +
                                        std::to_string(assemblerInfo()->ptxMajor) + "." +
                                        std::to_string(assemblerInfo()->ptxMinor));
}

TEST(Assemble, RefusesTextThatIsNotPtx) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_80";
  EXPECT_FALSE(assemble("", options));
  EXPECT_FALSE(assemble("hello", options));
  EXPECT_FALSE(assemble(std::string(3, '\0'), options));
  EXPECT_FALSE(assemble(".version\n", options));
  EXPECT_FALSE(assemble(".version 8.", options));
}

TEST(Assemble, LeavesFunctionsOpenOnlyForLinking) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_80";
  auto whole = assemble(callerPtx(), options);
  ASSERT_FALSE(whole);
  EXPECT_NE(whole.error().message.find("helper"), std::string::npos);
  options.relocatable = true;
  auto part = assemble(callerPtx(), options);
  ASSERT_TRUE(part) << part.error().render();
  auto info = readCubin(part->cubin);
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->relocatable);
  bool open = false;
  for (const CubinSymbol& symbol : info->symbols) open |= symbol.name == "helper" && !symbol.defined;
  EXPECT_TRUE(open);
}

TEST(Assemble, ChecksSyntaxWithoutMakingCode) {
  NEEDS_ASSEMBLER();
  AssembleOptions options;
  options.target = "sm_90";
  EXPECT_TRUE(checkPtx(saxpyPtx(), options));
  std::string ptx = saxpyPtx();
  ptx.replace(ptx.find("fma.rn"), 6, "fmb.rn");
  EXPECT_FALSE(checkPtx(ptx, options));
}

TEST(Assemble, WorksOnManyThreads) {
  NEEDS_ASSEMBLER();
  const auto expected = cubinFor(saxpyPtx(), "sm_90", false);
  std::vector<std::thread> threads;
  std::atomic<int> equal = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) equal += cubinFor(saxpyPtx(), "sm_90", false) == expected;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 12);
}

TEST(Assemble, SurvivesAFailingLibrary) {
  static int handle;
  NvPtxCompilerApi api;
  api.GetVersion = [](unsigned* major, unsigned* minor) {
    *major = 13, *minor = 0;
    return 0;
  };
  api.GetNumSupportedVersions = [](int*) { return 4; };
  api.GetSupportedVersions = [](int (*)[2]) { return 4; };
  api.Create = [](void** out, std::size_t, const char*) {
    *out = &handle;
    return 0;
  };
  api.Destroy = [](void**) { return 0; };
  api.Compile = [](void*, int, const char* const*) { return 4; };
  api.GetErrorLogSize = [](void*, std::size_t* size) {
    *size = 0;
    return 0;
  };
  api.GetErrorLog = [](void*, char*) { return 4; };
  api.GetInfoLogSize = api.GetErrorLogSize;
  api.GetInfoLog = api.GetErrorLog;
  AssembleOptions options;
  options.target = "sm_80";
  auto internal = assemble("x", options, &api);
  ASSERT_FALSE(internal);
  EXPECT_EQ(internal.error().codeName, "NVPTXCOMPILE_ERROR_INTERNAL");
  api.Compile = [](void*, int, const char* const*) { return 5; };
  EXPECT_EQ(assemble("x", options, &api).error().category, ErrorCategory::Resources);
  api.Compile = [](void*, int, const char* const*) { return 0; };
  api.GetCompiledProgramSize = [](void*, std::size_t*) { return 6; };
  EXPECT_FALSE(assemble("x", options, &api));
  api.Create = [](void**, std::size_t, const char*) { return 2; };
  EXPECT_FALSE(assemble("x", options, &api));
}

// ---- cubin reader ----

TEST(CubinReader, RefusesEveryPrefix) {
  NEEDS_ASSEMBLER();
  for (bool relocatable : {false, true}) {
    const auto cubin = cubinFor(saxpyPtx(), "sm_90", relocatable);
    ASSERT_TRUE(readCubin(cubin));
    for (std::size_t size = 0; size < cubin.size(); ++size) {
      // A copy of its own, so that a read past the end is seen by sanitizers.
      std::vector<std::byte> prefix(cubin.begin(), cubin.begin() + long(size));
      auto info = readCubin(prefix, "prefix");
      if (info) {
        // Only what comes after the section table may be missing.
        EXPECT_EQ(info->kernels.size(), 1u) << size;
        EXPECT_GT(size, cubin.size() * 8 / 10) << size;
      } else {
        EXPECT_EQ(info.error().category, ErrorCategory::Image);
      }
    }
  }
}

TEST(CubinReader, SurvivesDamagedFiles) {
  NEEDS_ASSEMBLER();
  const auto cubin = cubinFor(saxpyPtx(), "sm_80", true);
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> copy = cubin;
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      // Most of the structure is in the first header and the section table.
      std::size_t at = random() % copy.size();
      if (random() % 2) at = random() % 64;
      copy[at] = std::byte(random() % 3 ? random() : 0xff);
    }
    (void)readCubin(copy, "damaged");
  }
}

TEST(CubinReader, TellsOtherFilesApart) {
  EXPECT_FALSE(readCubin(bytesOf("")));
  EXPECT_FALSE(
      readCubin(bytesOf("not an ELF file, but long enough to hold a "
                        "whole ELF header of 64 bytes and more")));
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string head(4096, '\0');
  self.read(head.data(), 4096);
  auto info = readCubin(bytesOf(head), "raddle");
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("another kind of machine"), std::string::npos);
}

// ---- link ----

TEST(Link, JoinsCubinsAndPtx) {
  NEEDS_LINKER();
  const auto cubin = cubinFor(callerPtx(), "sm_90", true);
  const std::string helper = helperPtx();
  for (const char* target : {"sm_90", "sm_90a"}) {
    LinkInput inputs[] = {{"caller.cubin", cubin, ""}, {"helper.ptx", bytesOf(helper), ""}};
    LinkOptions options;
    options.target = target;
    auto output = link(inputs, options);
    ASSERT_TRUE(output) << output.error().render();
    EXPECT_EQ(output->target, target);
    auto info = readCubin(output->cubin);
    ASSERT_TRUE(info) << info.error().render();
    EXPECT_FALSE(info->relocatable);
    ASSERT_EQ(info->kernels.size(), 1u);
    EXPECT_EQ(info->kernels[0].name, "caller");
    for (const CubinSymbol& symbol : info->symbols)
      if (symbol.name == "helper") {
        EXPECT_TRUE(symbol.defined);
      }
  }
}

TEST(Link, NamesWhoWantsAMissingFunction) {
  NEEDS_LINKER();
  const std::string one = callerPtx("helper");
  LinkInput inputs[] = {{"caller.ptx", bytesOf(one), ""}};
  LinkOptions options;
  options.target = "sm_80";
  auto output = link(inputs, options);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().category, ErrorCategory::Image);
  EXPECT_NE(output.error().message.find("'helper' is used in 'caller.ptx' and defined nowhere"), std::string::npos)
      << output.error().render();
}

TEST(Link, RefusesTwoDefinitions) {
  NEEDS_LINKER();
  const std::string caller = callerPtx(), one = helperPtx("helper", 1), two = helperPtx("helper", 2);
  LinkInput inputs[] = {
      {"caller.ptx", bytesOf(caller), ""}, {"one.ptx", bytesOf(one), ""}, {"two.ptx", bytesOf(two), ""}};
  LinkOptions options;
  options.target = "sm_80";
  auto output = link(inputs, options);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "'helper' is defined in 'one.ptx' and again in 'two.ptx'");
}

TEST(Link, RefusesCodeForAnotherGpuBeforeTheLinkerSeesIt) {
  NEEDS_LINKER();
  const std::string helper = helperPtx();
  const struct {
    const char *from, *to;
    bool links;
  } cases[] = {{"sm_80", "sm_86", true},    {"sm_86", "sm_80", false}, {"sm_80", "sm_90", false},
               {"sm_100", "sm_103", false}, {"sm_90", "sm_90a", true}, {"sm_90a", "sm_90", false},
               {"sm_90a", "sm_90a", true},  {"sm_120", "sm_90", false}};
  for (const auto& c : cases) {
    const auto caller = cubinFor(callerPtx(), c.from, true);
    LinkInput inputs[] = {{"caller.cubin", caller, c.from}, {"helper.ptx", bytesOf(helper), ""}};
    LinkOptions options;
    options.target = c.to;
    auto output = link(inputs, options);
    EXPECT_EQ(bool(output), c.links) << c.from << " into " << c.to << ": "
                                     << (output ? "linked" : output.error().render());
    if (!output && !c.links) {
      EXPECT_EQ(output.error().message, "'caller.cubin' was compiled for " + std::string(c.from) +
                                            " and cannot be linked into code for " + c.to);
    }
  }
}

TEST(Link, RefusesAWrongLabelAndFinishedCode) {
  NEEDS_LINKER();
  const auto part = cubinFor(helperPtx(), "sm_80", true);
  const auto whole = cubinFor(saxpyPtx(), "sm_80", false);
  LinkOptions options;
  options.target = "sm_80";
  LinkInput wrong[] = {{"a.cubin", part, "sm_90"}};
  EXPECT_NE(link(wrong, options).error().message.find("labelled sm_90"), std::string::npos);
  LinkInput finished[] = {{"b.cubin", whole, ""}};
  EXPECT_NE(link(finished, options).error().message.find("finished program"), std::string::npos);
  LinkInput text[] = {{"c.txt", bytesOf("hello"), ""}};
  EXPECT_FALSE(link(text, options));
  EXPECT_FALSE(link({}, options));
  options.optLevel = 2;
  EXPECT_FALSE(link(wrong, options));
  options.optLevel = 3;
  options.target = "compute_80";
  EXPECT_FALSE(link(wrong, options));
}

TEST(Link, AFailureOnOneThreadDoesNotStopAnother) {
  NEEDS_LINKER();
  const std::string caller = callerPtx(), helper = helperPtx();
  LinkOptions options;
  options.target = "sm_80";
  std::thread([&] {
    LinkInput inputs[] = {{"caller.ptx", bytesOf(caller), ""}};
    EXPECT_FALSE(link(inputs, options));  // fails inside the linker
  }).join();
  std::thread([&] {
    // A damaged cubin that passes our reader, so that the linker refuses it.
    auto broken = cubinFor(callerPtx(), "sm_80", true);
    for (std::size_t i = 0x200; i < 0x260 && i < broken.size(); ++i) broken[i] = std::byte(0x5a);
    LinkInput inputs[] = {{"broken.cubin", broken, ""}};
    EXPECT_FALSE(link(inputs, options));
  }).join();
  std::atomic<int> linked = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      LinkInput inputs[] = {{"caller.ptx", bytesOf(caller), ""}, {"helper.ptx", bytesOf(helper), ""}};
      linked += bool(link(inputs, options));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(linked, 4);
}

TEST(Link, SurvivesAFailingLibrary) {
  NEEDS_ASSEMBLER();
  static int handle;
  NvJitLinkApi api;
  api.Create = [](void** out, std::uint32_t, const char**) {
    *out = &handle;
    return 1;
  };
  api.Destroy = [](void**) { return 0; };
  api.GetErrorLogSize = [](void*, std::size_t* size) {
    *size = 5;
    return 0;
  };
  api.GetErrorLog = [](void*, char* log) {
    std::memcpy(log, "oops", 5);
    return 0;
  };
  api.GetInfoLogSize = api.GetErrorLogSize;
  api.GetInfoLog = api.GetErrorLog;
  const std::string helper = helperPtx();
  LinkInput inputs[] = {{"helper.ptx", bytesOf(helper), ""}};
  LinkOptions options;
  options.target = "sm_80";
  options.linker = &api;
  auto created = link(inputs, options);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().category, ErrorCategory::Misuse);
  EXPECT_NE(created.error().message.find("oops"), std::string::npos);
  api.Create = [](void** out, std::uint32_t, const char**) {
    *out = &handle;
    return 0;
  };
  api.AddData = [](void*, int, const void*, std::size_t, const char*) { return 0; };
  api.Complete = [](void*) { return 6; };
  api.GetErrorLogSize = [](void*, std::size_t*) { return 6; };
  auto completed = link(inputs, options);
  ASSERT_FALSE(completed);
  EXPECT_NE(completed.error().message.find("does not say why"), std::string::npos);
  api.Complete = [](void*) { return 0; };
  api.GetLinkedCubinSize = [](void*, std::size_t* size) {
    *size = 0;
    return 0;
  };
  EXPECT_FALSE(link(inputs, options));
}

// ---- discovery ----

class Discovery : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "raddle-toolkit-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override {
    setToolkitDirectory("");
    unsetenv("RADDLE_TOOLKIT");
    unsetenv("VIRTUAL_ENV");
    std::filesystem::remove_all(root_);
  }
  std::string makeFile(const std::string& relative, bool executable = false) {
    const std::filesystem::path path = root_ / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "not a library";
    if (executable) std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }
  std::filesystem::path root_;
};

TEST_F(Discovery, AcceptsAToolkitALibFolderAndWheels) {
  makeFile("toolkit/lib64/libx.so.1");
  makeFile("plain/libx.so.1");
  makeFile("site/nvidia/cu13/lib/libx.so.1");
  for (const char* folder : {"toolkit", "plain", "site"}) {
    setToolkitDirectory((root_ / folder).string());
    auto found = findToolkitLibrary("libx.so.1");
    ASSERT_TRUE(found) << folder;
    EXPECT_TRUE(found->path.starts_with((root_ / folder).string()));
    EXPECT_EQ(found->origin, "--toolkit");
  }
  setToolkitDirectory("");
  EXPECT_FALSE(findToolkitLibrary("libx.so.1"));
  setenv("RADDLE_TOOLKIT", (root_ / "plain").c_str(), 1);
  EXPECT_EQ(findToolkitLibrary("libx.so.1")->origin, "RADDLE_TOOLKIT");
}

TEST_F(Discovery, LooksIntoTheActiveEnvironment) {
  makeFile("venv/lib/python3.11/site-packages/nvidia/cu13/lib/libx.so.1");
  EXPECT_FALSE(findToolkitLibrary("libx.so.1"));
  setenv("VIRTUAL_ENV", (root_ / "venv").c_str(), 1);
  auto found = findToolkitLibrary("libx.so.1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->origin, "Python wheels");
}

TEST_F(Discovery, AChosenFolderIsTheOnlyOne) {
  std::filesystem::create_directories(root_ / "empty");
  setToolkitDirectory((root_ / "empty").string());
  EXPECT_FALSE(findToolkitLibrary("libnvJitLink.so.13"));
  auto missing = openToolkitLibrary("libnvJitLink.so.13", "nvJitLink", "linking device code", "nvidia-nvjitlink");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().category, ErrorCategory::System);
  EXPECT_EQ(missing.error().message,
            "linking device code needs nvJitLink (libnvJitLink.so.13), which "
            "was not found");
  EXPECT_NE(missing.error().advice.find("pip install nvidia-nvjitlink"), std::string::npos);
}

TEST_F(Discovery, SaysWhichFileIsBroken) {
  const std::string path = makeFile("lib/libx.so.1");
  setToolkitDirectory(root_.string());
  auto broken = openToolkitLibrary("libx.so.1", "X", "testing", "x");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find(path), std::string::npos);
  EXPECT_FALSE(broken.error().log.empty());
}

TEST_F(Discovery, FindsOnlyProgramsThatCanRun) {
  makeFile("bin/raddle-test-tool");
  setToolkitDirectory(root_.string());
  EXPECT_FALSE(findToolkitProgram("raddle-test-tool"));
  makeFile("bin/raddle-test-tool", true);
  EXPECT_TRUE(findToolkitProgram("raddle-test-tool"));
}

// ---- tools ----

TEST(Disassemble, ShowsInstructions) {
  NEEDS_ASSEMBLER();
  if (!findToolkitProgram("nvdisasm")) GTEST_SKIP() << "no nvdisasm";
  auto sass = disassemble(cubinFor(saxpyPtx(), "sm_90", false));
  ASSERT_TRUE(sass) << sass.error().render();
  EXPECT_NE(sass->find("FFMA"), std::string::npos);
  EXPECT_FALSE(disassemble(bytesOf("hello")));
}

TEST_F(Discovery, DisassemblingWithoutTheToolSaysHowToGetIt) {
  NEEDS_ASSEMBLER();
  const std::string tool = makeFile("bin/nvdisasm", true);
  std::ofstream(tool) << "#!/bin/sh\necho 'cannot read' >&2\nexit 3\n";
  setToolkitDirectory(root_.string());
  auto sass = disassemble(cubinFor(saxpyPtx(), "sm_90", false));
  ASSERT_FALSE(sass);
  EXPECT_EQ(sass.error().category, ErrorCategory::Image);
  EXPECT_EQ(sass.error().log, "cannot read\n");
}

TEST(CompileCuda, MakesPtxOrSaysWhy) {
  if (auto nvrtc = NvrtcApi::get(); !nvrtc) GTEST_SKIP() << nvrtc.error().render();
  CudaCompileOptions options;
  options.target = "sm_80";
  auto ptx = compileCuda("extern \"C\" __global__ void k(int *p) { *p = 1; }", options);
  ASSERT_TRUE(ptx) << ptx.error().render();
  EXPECT_NE(ptx->ptx().find(".entry k("), std::string::npos);
  options.name = "wrong.cu";
  auto wrong = compileCuda("int f( {", options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().codeName, "NVRTC_ERROR_COMPILATION");
  EXPECT_NE(wrong.error().log.find("wrong.cu"), std::string::npos);
}

}  // namespace
}  // namespace rad::rt
