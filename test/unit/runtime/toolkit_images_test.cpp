// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fatbins, LTO-IR, objects and archives: what is made of them, what is taken out
// of them, and what is refused; the rules of versions and targets against the
// real libraries.
#include "frontend/target/target.h"
#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/compile_cuda.h"
#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/decompress.h"
#include "runtime/toolkit/fatbin.h"
#include "runtime/toolkit/image.h"
#include "runtime/toolkit/link.h"
#include "test/unit/runtime/ptx_samples.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace rad::rt {
namespace {

using test::bytesOf;
using test::callerPtx;
using test::helperPtx;
using test::saxpyPtx;

#define NEEDS(api)                                                        \
  if (!assemblerInfo()) GTEST_SKIP() << assemblerInfo().error().render(); \
  if (auto library = api::get(); !library) GTEST_SKIP() << library.error().render()

constexpr std::string_view helperText = "extern \"C\" __device__ int helper(int x) { return x * 3 + 1; }\n";
constexpr std::string_view callerText =
    "extern \"C\" __device__ int helper(int);\n"
    "extern \"C\" __global__ void caller(int *out, int v) { *out = helper(v); }\n";

std::vector<std::byte> assembled(const std::string& ptx, std::string target, bool relocatable) {
  AssembleOptions options;
  options.target = std::move(target);
  options.relocatable = relocatable;
  auto output = assemble(ptx, options);
  EXPECT_TRUE(output) << output.error().render();
  return output ? std::move(output->cubin) : std::vector<std::byte>{};
}

std::vector<std::byte> compiled(std::string_view source, CudaOutput output, std::string target = "sm_90") {
  CudaCompileOptions options;
  options.target = std::move(target);
  options.output = output;
  options.relocatable = true;
  auto result = compileCuda(source, options);
  EXPECT_TRUE(result) << result.error().render();
  return result ? std::move(result->image) : std::vector<std::byte>{};
}

std::string messageOf(const auto& result) { return result ? "succeeded" : result.error().message; }

bool defines(const std::vector<std::byte>& cubin, std::string_view name) {
  auto info = readCubin(cubin);
  if (!info) return false;
  for (const CubinSymbol& symbol : info->symbols)
    if (symbol.name == name && symbol.defined) return true;
  return false;
}

// ---- rules ----

TEST(Compat, PtxBecomesCodeWhereTheAssemblerSaysSo) {
  if (!assemblerInfo()) GTEST_SKIP();
  // Our rule is asked before the assembler, so the assembler is asked with PTX
  // whose target our reader does not see.
  for (const Target& from : gpuTargets())
    for (const Target& to : gpuTargets()) {
      std::string ptx =
          ".version 9.0\n/**/ .target " + std::string(from.name) + "\n.address_size 64\n.visible .entry k() { ret; }\n";
      AssembleOptions options;
      options.target = std::string(to.name);
      const bool taken = bool(assemble(ptx, options));
      EXPECT_EQ(ptxBecomes(*readTarget(from.name), *readTarget(to.name)), taken) << from.name << " for " << to.name;
    }
}

TEST(Compat, CubinsRunWhereTheCompilerSaysSo) {
  // The compiler's rule is about PTX too; a cubin stays in its generation.
  for (const Target& code : gpuTargets())
    for (const Target& device : gpuTargets())
      if (device.kind == TargetKind::Plain) {
        EXPECT_EQ(cubinRunsOn(*readTarget(code.name), device.capability()),
                  runsOn(code, device) && code.major == device.major)
            << code.name << " on " << device.name;
      }
}

TEST(Compat, SaysWhichVersionLoses) {
  Runner runner{"cuda:0", 90, 12080};
  auto newer = checkPtxRuns("'a.ptx'", saxpyPtx("sm_80", "8.8"), runner);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().message,
            "'a.ptx' is PTX 8.8, and the driver (CUDA "
            "12.8) compiles PTX up to 8.7");
  EXPECT_NE(newer.error().advice.find("driver for CUDA 12.9"), std::string::npos);
  EXPECT_TRUE(checkPtxRuns("a", saxpyPtx("sm_80", "8.7"), runner));
  runner.driverVersion = 99000;  // nobody knows what it reads
  EXPECT_TRUE(checkPtxRuns("a", saxpyPtx("sm_80", "12.0"), runner));
  EXPECT_NE(messageOf(checkPtxRuns("a", saxpyPtx("sm_100"), runner)).find("PTX for sm_100, and cuda:0 is sm_90"),
            std::string::npos);
  EXPECT_TRUE(checkPtxRuns("a", saxpyPtx("sm_90a"), runner));
  runner.sm = 100;
  EXPECT_FALSE(checkPtxRuns("a", saxpyPtx("sm_90a"), runner));
  EXPECT_EQ(messageOf(checkCubinRuns("k", {90, 'a'}, runner)),
            "k was compiled for sm_90a, and cuda:0 is sm_100; code for sm_90a "
            "runs on no other GPU");
  EXPECT_FALSE(checkCubinRuns("k", {90, 0}, runner));
  runner.sm = 103;
  EXPECT_TRUE(checkCubinRuns("k", {100, 'f'}, runner));
  EXPECT_TRUE(checkCubinRuns("k", {100, 0}, runner));
}

TEST(Compat, AnUnknownGpuGetsTheNearestTarget) {
  EXPECT_EQ(chooseTarget(9, 0)->target, "sm_90");
  EXPECT_EQ(chooseTarget(9, 0)->note, "");
  auto later = chooseTarget(12, 4);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->target, "sm_121");
  EXPECT_FALSE(later->throughDriver);
  EXPECT_NE(later->note.find("sm_124"), std::string::npos);
  auto next = chooseTarget(14, 0);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->target, "sm_121");
  EXPECT_TRUE(next->throughDriver);
  EXPECT_EQ(chooseTarget(7, 0).error().category, ErrorCategory::System);
  for (const Target& known : gpuTargets()) {
    auto chosen = chooseTarget(known.major, known.minor);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->target, "sm_" + std::to_string(known.capability()));
  }
}

TEST(Compat, AssemblerIsNotAskedWhatItMustRefuse) {
  if (!assemblerInfo()) GTEST_SKIP();
  AssembleOptions options;
  options.target = "sm_90";
  EXPECT_EQ(messageOf(assemble(saxpyPtx("sm_100"), options)),
            "'ptx' is PTX for sm_100, which cannot become code for sm_90");
  options.target = "sm_100";
  auto exact = assemble(saxpyPtx("sm_90a"), options);
  ASSERT_FALSE(exact);
  EXPECT_NE(exact.error().advice.find("that one GPU"), std::string::npos);
}

// ---- the assembler's options ----

TEST(AssembleOptions, AreCheckedAndHeeded) {
  if (!assemblerInfo()) GTEST_SKIP();
  AssembleOptions options;
  options.target = "sm_90";
  options.maxRegisters = 256;
  EXPECT_EQ(assemble(saxpyPtx(), options).error().category, ErrorCategory::Misuse);
  options.maxRegisters = 0;
  options.minBlocks = 33;
  EXPECT_FALSE(assemble(saxpyPtx(), options));
  options.minBlocks = 0;
  options.maxThreads = 64;
  auto bounded = assemble(saxpyPtx(), options);
  ASSERT_TRUE(bounded) << bounded.error().render();
  EXPECT_EQ(readCubin(bounded->cubin)->kernels[0].maxThreads, 64u);
  for (FastAssembly fast : {FastAssembly::Min, FastAssembly::Mid, FastAssembly::Max}) {
    options.fast = fast;
    auto quick = assemble(saxpyPtx(), options);
    EXPECT_TRUE(quick) << quick.error().render();
  }
  options.optLevel = 1;
  EXPECT_FALSE(assemble(saxpyPtx(), options));
  options.optLevel = 3;
  options.fast = FastAssembly::Off;
  options.warnOnLocalMemory = options.warnOnDoubles = true;
  options.errorsVisibleAtExit = true;
  auto warned = assemble(saxpyPtx(), options);
  EXPECT_TRUE(warned) << warned.error().render();
  options.warnings = false;
  EXPECT_TRUE(assemble(saxpyPtx(), options));
  for (const char* refused : {"--extensible-whole-program", "-ewp", "-arch=sm_80", "--compile-as-tools-patch"}) {
    options.extra = {refused};
    auto output = assemble(saxpyPtx(), options);
    ASSERT_FALSE(output) << refused;
    EXPECT_NE(output.error().message.find("is not passed to the assembler"), std::string::npos);
  }
  options.extra = {};
  options.entry = "nothing";
  EXPECT_FALSE(assemble(saxpyPtx(), options));
  const std::atomic<bool> cancelled = true;
  options.entry = {};
  options.cancel = &cancelled;
  auto stopped = assemble(saxpyPtx(), options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().codeName, "NVPTXCOMPILE_ERROR_CANCELLED");
}

// ---- fatbins ----

TEST(Fatbin, HoldsWhatWasPacked) {
  NEEDS(NvFatbinApi);
  const std::string ptx = saxpyPtx("sm_90");
  const auto code80 = assembled(saxpyPtx(), "sm_80", false), code90 = assembled(saxpyPtx(), "sm_90a", false);
  for (auto compression : {FatbinCompression::Default, FatbinCompression::Size, FatbinCompression::Speed,
                           FatbinCompression::Balance, FatbinCompression::None}) {
    FatbinOptions options;
    options.compression = compression;
    options.compressAll = compression != FatbinCompression::None;
    FatbinInput inputs[] = {{"a", "sm_80", code80, ""}, {"b", "sm_90a", code90, ""}, {"c", "sm_90", bytesOf(ptx), ""}};
    auto fatbin = packFatbin(inputs, options);
    ASSERT_TRUE(fatbin) << fatbin.error().render();
    EXPECT_EQ(recognise(*fatbin), ImageKind::Fatbin);
    auto entries = readFatbin(*fatbin, "f");
    ASSERT_TRUE(entries) << entries.error().render();
    ASSERT_EQ(entries->size(), 3u);
    EXPECT_EQ((*entries)[0].target.name(), "sm_80");
    EXPECT_EQ((*entries)[0].bytes, code80);
    EXPECT_EQ((*entries)[1].target.name(), "sm_90a");
    EXPECT_EQ((*entries)[1].bytes, code90);
    EXPECT_EQ((*entries)[2].kind, ImageKind::Ptx);
    EXPECT_EQ((*entries)[2].version, (Release{8, 0}));
    EXPECT_EQ((*entries)[2].compressed, compression != FatbinCompression::None);
    std::string_view text(reinterpret_cast<const char*>((*entries)[2].bytes.data()), (*entries)[2].bytes.size());
    EXPECT_NE(text.find(".entry saxpy"), std::string_view::npos);
  }
}

TEST(Fatbin, RefusesWhatThePackerDoesNotLookAt) {
  NEEDS(NvFatbinApi);
  const auto code = assembled(saxpyPtx(), "sm_80", false);
  const auto cut = std::vector(code.begin(), code.begin() + long(code.size() / 2));
  std::string broken = saxpyPtx(), late = saxpyPtx("sm_90");
  broken.replace(broken.find("fma.rn"), 6, "fmb.rn");
  const struct {
    FatbinInput input;
    const char* says;
  } cases[] = {
      {{"a", "sm_90", code, ""}, "'a' is labelled sm_90, but its code is for sm_80"},
      {{"a", "sm_80", cut, ""}, "not a usable cubin"},
      {{"a", "sm_80", bytesOf(broken), ""}, "line 20"},
      {{"a", "sm_80", bytesOf(late), ""}, "labelled sm_80, but its code is for sm_90"},
      {{"a", "80", code, ""}, "does not name a GPU"},
      {{"a", "sm_80", bytesOf("hello"), ""}, "cannot be part of a fatbin"},
      {{"a", "sm_80", {}, ""}, "cannot be part of a fatbin"},
  };
  for (const auto& c : cases) {
    auto packed = packFatbin({&c.input, 1}, {});
    EXPECT_NE(messageOf(packed).find(c.says), std::string::npos) << messageOf(packed);
  }
  FatbinInput twice[] = {{"a", "sm_80", code, "k"}, {"b", "sm_80", code, "k"}};
  EXPECT_NE(messageOf(packFatbin(twice, {})).find("has one already"), std::string::npos);
  twice[1].identifier = "other";
  EXPECT_TRUE(packFatbin(twice, {}));
  EXPECT_FALSE(packFatbin({}, {}));
}

TEST(Fatbin, ReaderSurvivesDamagedFiles) {
  NEEDS(NvFatbinApi);
  const std::string ptx = saxpyPtx();
  const auto code = assembled(saxpyPtx(), "sm_80", true);
  std::mt19937 random(3);
  for (auto compression : {FatbinCompression::Speed, FatbinCompression::Size}) {
    FatbinOptions options;
    options.compression = compression;
    options.compressAll = true;
    FatbinInput inputs[] = {{"a", "sm_80", code, "x"}, {"c", "sm_80", bytesOf(ptx), "x"}};
    const auto fatbin = packFatbin(inputs, options);
    ASSERT_TRUE(fatbin);
    for (std::size_t size = 0; size < fatbin->size(); size += 3) {
      std::vector<std::byte> prefix(fatbin->begin(), fatbin->begin() + long(size));
      EXPECT_FALSE(readFatbin(prefix, "prefix")) << size;
    }
    for (int round = 0; round < 3000; ++round) {
      auto copy = *fatbin;
      for (unsigned i = 0; i <= random() % 4; ++i)
        copy[random() % (random() % 2 ? copy.size() : 100)] = std::byte(random());
      (void)readFatbin(copy, "damaged");
    }
  }
  std::vector<std::byte> noise(64);
  for (int round = 0; round < 20000; ++round) {
    for (std::byte& byte : noise) byte = std::byte(random());
    (void)unpackLz4(noise, random() % 300);
  }
}

// ---- LTO-IR ----

TEST(LinkLto, JoinsLtoIrWithCubinsAndMakesPtx) {
  NEEDS(NvJitLinkApi);
  NEEDS(NvrtcApi);
  const auto helper = compiled(helperText, CudaOutput::LtoIr), caller = compiled(callerText, CudaOutput::LtoIr),
             object = assembled(callerPtx(), "sm_90", true);
  ASSERT_EQ(recognise(helper), ImageKind::LtoIr);
  EXPECT_EQ(targetOfLtoIr(helper)->sm, 90u);
  LinkOptions options;
  options.target = "sm_90";
  LinkInput mixed[] = {{"caller.cubin", object, ""}, {"helper.ltoir", helper, ""}};
  auto linked = link(mixed, options);
  ASSERT_TRUE(linked) << linked.error().render();
  EXPECT_TRUE(defines(linked->cubin, "caller"));
  options.emit = LinkEmit::Ptx;
  LinkInput both[] = {{"caller.ltoir", caller, ""}, {"helper.ltoir", helper, ""}};
  auto ptx = link(both, options);
  ASSERT_TRUE(ptx) << ptx.error().render();
  EXPECT_NE(ptx->ptx.find(".entry caller"), std::string::npos);
  EXPECT_EQ(ptx->ptx.find("call.uni"), std::string::npos) << "not inlined";
  EXPECT_EQ(ptx->ptx.find('\0'), std::string::npos);
  EXPECT_NE(messageOf(link(mixed, options)).find("'caller.cubin' is machine code"), std::string::npos);
}

TEST(LinkLto, FindsDefinitionsThatTheLinkerPasses) {
  NEEDS(NvJitLinkApi);
  NEEDS(NvrtcApi);
  const auto helper = compiled(helperText, CudaOutput::LtoIr), caller = compiled(callerText, CudaOutput::LtoIr),
             object = assembled(helperPtx(), "sm_90", true);
  LinkOptions options;
  options.target = "sm_90";
  LinkInput mixed[] = {{"caller.ltoir", caller, ""}, {"helper.ltoir", helper, ""}, {"helper.cubin", object, ""}};
  EXPECT_EQ(messageOf(link(mixed, options)),
            "'helper' is defined in 'helper.cubin' and again in the LTO-IR of "
            "'caller.ltoir', 'helper.ltoir'");
  mixed[2] = {"again.ltoir", helper, ""};
  EXPECT_NE(messageOf(link(mixed, options))
                .find("'helper' is defined twice, the second time in "
                      "'again.ltoir'"),
            std::string::npos);
  EXPECT_NE(messageOf(link({mixed, 1}, options)).find("'helper' is defined nowhere"), std::string::npos);
}

TEST(LinkLto, RefusesLtoIrForLaterGpus) {
  NEEDS(NvJitLinkApi);
  NEEDS(NvrtcApi);
  const auto helper = compiled(helperText, CudaOutput::LtoIr);
  LinkInput inputs[] = {{"helper.ltoir", helper, ""}};
  LinkOptions options;
  options.target = "sm_80";
  EXPECT_EQ(messageOf(link(inputs, options)), "'helper.ltoir' is LTO-IR for sm_90, which is newer than sm_80");
  options.target = "sm_100";
  EXPECT_TRUE(link(inputs, options));
}

TEST(LinkOptions, AreCheckedAndHeeded) {
  NEEDS(NvJitLinkApi);
  const std::string two = saxpyPtx() + R"(
.visible .entry second(.param .u64 out) { ret; })";
  LinkInput inputs[] = {{"two.ptx", bytesOf(two), ""}};
  LinkOptions good;
  good.target = "sm_90";
  auto refused = [&](auto change, const char* says) {
    LinkOptions options = good;
    change(options);
    EXPECT_NE(messageOf(link(inputs, options)).find(says), std::string::npos) << messageOf(link(inputs, options));
  };
  refused([](LinkOptions& o) { o.optLevel = 1; }, "must be 0 or 3");
  refused([](LinkOptions& o) { o.maxRegisters = 300; }, "1 to 255");
  refused([](LinkOptions& o) { o.flushDenormals = true; }, "flushDenormals is for LTO-IR");
  refused([](LinkOptions& o) { o.keepVariables = {"tile"}; }, "keepVariables is for LTO-IR");
  refused([](LinkOptions& o) { o.keepKernels = {"third"}; }, "there is no kernel 'third' to keep; there are");
  refused([](LinkOptions& o) { o.keepVariables = {"a"}, o.dropUnusedVariables = true; }, "exclude each other");
  for (const char* option : {"-r", "-Ofc=max", "-Xnvvm=-O1", "-device-stack-protector", "-variables-used=x", "-lto"})
    refused([&](LinkOptions& o) { o.extra = {option}; }, "is not passed to nvJitLink");
  auto all = link(inputs, good);
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_TRUE(defines(all->cubin, "second"));
  LinkOptions one = good;
  one.keepKernels = {"saxpy"};
  one.cache = false;
  one.splitCompile = 2;
  auto kept = link(inputs, one);
  ASSERT_TRUE(kept) << kept.error().render();
  EXPECT_TRUE(defines(kept->cubin, "saxpy"));
  EXPECT_FALSE(defines(kept->cubin, "second"));
}

// ---- containers ----

/// A host object with one section, laid out by hand after <elf.h>.
std::string hostObject(const std::string& section, std::string_view content) {
  const std::string names = std::string("\0", 1) + section + std::string("\0", 1) + ".shstrtab" + std::string("\0", 1);
  std::string out(64, '\0');
  auto put = [&](std::size_t at, auto value) { std::memcpy(out.data() + at, &value, sizeof value); };
  std::memcpy(out.data(),
              "\x7f"
              "ELF\x02\x01\x01",
              7);
  put(16, std::uint16_t(1)), put(18, std::uint16_t(62));
  const std::uint64_t contentAt = out.size();
  out += content;
  const std::uint64_t namesAt = out.size();
  out += names;
  const std::uint64_t table = out.size();
  out += std::string(3 * 64, '\0');
  put(40, table), put(58, std::uint16_t(64)), put(60, std::uint16_t(3)), put(62, std::uint16_t(2));
  auto row = [&](std::uint64_t i, std::uint32_t name, std::uint32_t type, std::uint64_t at, std::uint64_t size) {
    put(table + i * 64, name), put(table + i * 64 + 4, type);
    put(table + i * 64 + 24, at), put(table + i * 64 + 32, size);
  };
  row(1, 1, 1, contentAt, content.size());
  row(2, std::uint32_t(section.size() + 2), 3, namesAt, names.size());
  return out;
}

std::string archiveOf(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = "!<arch>\n";
  for (const auto& [name, content] : members) {
    std::string head(60, ' ');
    auto put = [&](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
    put(0, name + "/"), put(48, std::to_string(content.size())), put(58, "`\n");
    out += head + content;
    if (content.size() % 2) out += '\n';
  }
  return out;
}

std::string fatbinText(std::span<const FatbinInput> inputs, FatbinOptions options = {}) {
  auto fatbin = packFatbin(inputs, options);
  EXPECT_TRUE(fatbin) << fatbin.error().render();
  return fatbin ? std::string(reinterpret_cast<const char*>(fatbin->data()), fatbin->size()) : std::string();
}

TEST(LinkContainers, TakeTheImageThatFits) {
  NEEDS(NvJitLinkApi);
  NEEDS(NvFatbinApi);
  const std::string ptx = helperPtx(), caller = callerPtx();
  const auto code80 = assembled(ptx, "sm_80", true), code90 = assembled(ptx, "sm_90", true);
  FatbinInput inputs[] = {{"h", "sm_80", code80, ""}, {"h", "sm_90", code90, ""}, {"h", "sm_80", bytesOf(ptx), ""}};
  FatbinOptions packing;
  packing.compressAll = true;
  const std::string fatbin = fatbinText(inputs, packing), object = hostObject("__nv_relfatbin", fatbin),
                    archive = archiveOf({{"host.o", hostObject(".text", "code")}, {"h.o", object}});
  const std::string cubinsOnly = fatbinText({inputs, 2});
  for (const std::string* file : {&fatbin, &object, &archive})
    for (const char* target : {"sm_80", "sm_86", "sm_90", "sm_90a", "sm_120"}) {
      LinkInput parts[] = {{"caller.ptx", bytesOf(caller), ""}, {"file", bytesOf(*file), ""}};
      LinkOptions options;
      options.target = target;
      auto linked = link(parts, options);
      ASSERT_TRUE(linked) << target << ": " << linked.error().render();
      EXPECT_TRUE(defines(linked->cubin, "caller"));
    }
  LinkInput parts[] = {{"caller.ptx", bytesOf(caller), ""}, {"h.fatbin", bytesOf(cubinsOnly), ""}};
  LinkOptions options;
  options.target = "sm_120";
  EXPECT_EQ(messageOf(link(parts, options)),
            "'h.fatbin' holds a cubin for sm_80, a cubin for sm_90: nothing that can be linked "
            "into code for sm_120");
}

TEST(LinkContainers, GuardsSeeIntoThem) {
  NEEDS(NvJitLinkApi);
  NEEDS(NvFatbinApi);
  const std::string one = helperPtx("helper", 1), two = helperPtx("helper", 2), caller = callerPtx(),
                    other = helperPtx("other", 3);
  auto packed = [&](const std::string& ptx) {
    FatbinInput input{"h", "sm_80", bytesOf(ptx), ""};
    return hostObject("__nv_relfatbin", fatbinText({&input, 1}));
  };
  const std::string first = packed(one), second = packed(two);
  LinkOptions options;
  options.target = "sm_90";
  LinkInput inputs[] = {{"caller.ptx", bytesOf(caller), ""}, {"1.o", bytesOf(first), ""}, {"2.o", bytesOf(second), ""}};
  EXPECT_EQ(messageOf(link(inputs, options)), "'helper' is defined in '1.o' and again in '2.o'");
  // Of an archive only what is wanted takes part: the second definition is not.
  const std::string archive = archiveOf({{"1.o", first}, {"2.o", second}, {"3.o", packed(other)}});
  LinkInput wanted[] = {{"caller.ptx", bytesOf(caller), ""}, {"lib.a", bytesOf(archive), ""}};
  auto linked = link(wanted, options);
  ASSERT_TRUE(linked) << linked.error().render();
  EXPECT_FALSE(defines(linked->cubin, "other"));
  const std::string empty = hostObject(".text", "x"), finished = hostObject(".nv_fatbin", std::string(first, 64, 16)),
                    hostOnly = archiveOf({{"a.o", empty}});
  const struct {
    const std::string* file;
    const char* says;
  } cases[] = {{&empty, "without device code"}, {&hostOnly, "archive without device code"}};
  for (const auto& c : cases) {
    wanted[1] = {"x", bytesOf(*c.file), ""};
    EXPECT_NE(messageOf(link(wanted, options)).find(c.says), std::string::npos) << messageOf(link(wanted, options));
  }
}

TEST(LinkContainers, ReadersSurviveDamagedFiles) {
  const std::string object = hostObject("__nv_relfatbin", std::string(200, 'x')),
                    archive = archiveOf({{"a.o", object}, {"b.o", object}});
  std::mt19937 random(5);
  for (std::size_t size = 0; size < archive.size(); ++size) {
    const std::string prefix = archive.substr(0, size);
    (void)readArchive(bytesOf(prefix), "prefix");
    if (size < object.size()) (void)fatbinsOfObject(bytesOf(object.substr(0, size)), "prefix");
  }
  for (int round = 0; round < 20000; ++round) {
    std::string copy = round % 2 ? object : archive;
    for (unsigned i = 0; i <= random() % 3; ++i) copy[random() % copy.size()] = char(random());
    if (round % 2) (void)fatbinsOfObject(bytesOf(copy), "damaged");
    else (void)readArchive(bytesOf(copy), "damaged");
  }
}

TEST(Link, RefusesWhatNewerToolsMade) {
  NEEDS(NvJitLinkApi);
  NvJitLinkApi old = **NvJitLinkApi::get();
  old.major = 12, old.minor = 4;
  auto code = assembled(helperPtx(), "sm_90", true);
  ASSERT_TRUE(toolsOfCubin(code));
  LinkInput inputs[] = {{"helper.cubin", code, ""}};
  LinkOptions options;
  options.target = "sm_90";
  options.linker = &old;
  auto linked = link(inputs, options);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().message, "'helper.cubin' was made by CUDA " + toolsOfCubin(code)->text() +
                                        ", and nvJitLink is 12.4: it links what its own and earlier "
                                        "releases made");
}

// ---- NVRTC ----

TEST(CompileCuda, GivesLoweredNames) {
  NEEDS(NvrtcApi);
  CudaCompileOptions options;
  options.target = "sm_90";
  options.names = {"axpy<float>", "&ns::table", "plain"};
  const std::string source = R"(
template <class T> __global__ void axpy(T *p) { *p += T(1); }
namespace ns { __device__ int table[4]; }
__global__ void plain() {}
)";
  auto output = compileCuda(source, options);
  ASSERT_TRUE(output) << output.error().render();
  ASSERT_EQ(output->lowered.size(), 3u);
  for (const auto& [expression, name] : output->lowered)
    EXPECT_NE(output->ptx().find(name), std::string_view::npos) << expression;
  EXPECT_EQ(output->lowered["axpy<float>"], "_Z4axpyIfEvPT_");
  options.names = {"missing<int>"};
  auto wrong = compileCuda(source, options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().category, ErrorCategory::Image);
}

TEST(CompileCuda, MakesEveryOutput) {
  NEEDS(NvrtcApi);
  EXPECT_EQ(recognise(compiled(helperText, CudaOutput::Ptx)), ImageKind::Ptx);
  const auto cubin = compiled(helperText, CudaOutput::Cubin);
  ASSERT_EQ(recognise(cubin), ImageKind::Cubin);
  EXPECT_TRUE(readCubin(cubin)->relocatable);
  EXPECT_EQ(recognise(compiled(helperText, CudaOutput::LtoIr)), ImageKind::LtoIr);
}

TEST(CompileCuda, KeepsCompiledHeaders) {
  NEEDS(NvrtcApi);
  const auto folder = std::filesystem::temp_directory_path() / ("raddle_pch_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "big.h") << "inline __device__ int big(int x) { return x + 1; }\n";
  CudaCompileOptions options;
  options.target = "sm_90";
  options.includeFolders = {folder.string()};
  options.precompiledHeaders = folder.string();
  const std::string source =
      "#include \"big.h\"\n"
      "__global__ void k(int *p) { *p = big(*p); }\n";
  auto first = compileCuda(source, options), second = compileCuda(source, options);
  ASSERT_TRUE(first && second) << first.error().render();
  EXPECT_EQ(first->headerCache, HeaderCache::Made) << first->log;
  EXPECT_EQ(second->headerCache, HeaderCache::NotMade) << second->log;
  EXPECT_EQ(first->image, second->image);
  bool kept = false;
  for (const auto& file : std::filesystem::directory_iterator(folder)) kept |= file.path().extension() == ".pch";
  EXPECT_TRUE(kept);
  std::filesystem::remove_all(folder);
}

TEST(CompileCuda, OptionsAreCheckedAndHeeded) {
  NEEDS(NvrtcApi);
  CudaCompileOptions good;
  good.target = "sm_90";
  const std::string source =
      "#include \"value.h\"\n"
      R"(
__global__ void k(float *p) { *p = 1.0f / *p + VALUE * SCALE; }
)";
  good.headers = {{"value.h", "#define VALUE 3.0f\n"}};
  good.defines = {"SCALE=2.0f"};
  auto plain = compileCuda(source, good);
  ASSERT_TRUE(plain) << plain.error().render();
  EXPECT_NE(plain->ptx().find("rcp.rn.f32"), std::string_view::npos);
  auto fast = good;
  fast.fastMath = true;
  EXPECT_NE(compileCuda(source, fast)->ptx().find("approx.ftz"), std::string_view::npos);
  auto refused = [&](auto change, const char* says) {
    auto options = good;
    change(options);
    auto output = compileCuda(source, options);
    EXPECT_NE(messageOf(output).find(says), std::string::npos) << messageOf(output);
  };
  using O = CudaCompileOptions;
  refused([](O& o) { o.standard = 23; }, "does not compile C++23");
  refused([](O& o) { o.maxRegisters = 999; }, "1 to 255");
  refused([](O& o) { o.float128 = true; }, "sm_100 or newer");
  refused([](O& o) { o.target = "sm_70"; }, "too old");
  refused([](O& o) { o.target = "compute_90", o.output = CudaOutput::Cubin; }, "no GPU that machine code");
  refused([](O& o) { o.extra = {"-optix-ir"}; }, "is not passed to NVRTC");
  refused([](O& o) { o.extra = {"--modify-stack-limit=true"}; }, "whole process");
  refused([](O& o) { o.extra = {"--no-such-option"}; }, "does not take its options");
  // NVRTC itself ends the process here.
  refused([](O& o) { o.timeTrace = "/no/such/folder/times"; }, "cannot be written to '/no/such/folder/times.json'");
  const std::atomic<bool> cancelled = true;
  refused([&](O& o) { o.cancel = &cancelled; }, "was cancelled");
  auto syntax = good;
  syntax.syntaxOnly = true;
  auto checked = compileCuda(source, syntax);
  ASSERT_TRUE(checked);
  EXPECT_TRUE(checked->image.empty());
}

}  // namespace
}  // namespace rad::rt
