// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/cli_pages.h"
#include "tools/raddle/commands.h"
#include "tools/raddle/option_rules.h"

#include "runtime/dynlib/toolkit_discovery.h"
#include "runtime/engine/devices.h"
#include "runtime/isolated/device_server.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <pthread.h>
#include <algorithm>

#ifndef RADDLE_VERSION
#error "the build sets RADDLE_VERSION"
#endif

namespace rad::tool {
namespace {

void addMessages(CLI::App& app, std::string& form) {
  app.add_option("--messages", form, "what is said on standard error: text (default), or json, an object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM");
}

void addCommon(CLI::App& app, CommonOptions& options, bool runs) {
  if (runs)
    app.add_option("--device", options.device, "host, or cuda:N (default: cuda:0 where there is a GPU, else host)")
        ->type_name("DEVICE");
  app.add_option("--fp", options.fp, "floating point: default (contracts to fma), strict, fast")
      ->check(CLI::IsMember({"default", "strict", "fast"}))
      ->type_name("MODE");
  app.add_option("-O", options.optLevel, "optimisation level, 0 to 2 (default 2)")
      ->check(CLI::Range(0, 2))
      ->type_name("N");
  app.add_flag("--unchecked", options.unchecked, "drop every index check, to measure what they cost");
  app.add_flag("--verify-proofs", options.verifyProofs,
               "keep the index checks that were proven superfluous: one that fails is a bug of raddle");
  auto* check =
      app.add_option("--check", options.check,
                     runs ? "verify while the program runs: race and uninit (accesses of kernels, on CPU threads), "
                            "barrier (what uniform() promises; on CPU "
                            "threads always); comma-separated"
                          : "verify while the program runs: barrier (what uniform() promises; on CPU threads always)");
  check->check(CLI::IsMember(runs ? std::vector<std::string>{"race", "uninit", "barrier"}
                                  : std::vector<std::string>{"barrier"}));
  check->delimiter(',')->allow_extra_args(false)->type_name("WHAT");
  app.add_flag("-g", options.debug, "for debuggers: variables and types beside lines; nothing is optimised");
  if (runs)
    app.add_flag("--sync-launches", options.syncLaunches,
                 "wait for each launch: a fault of the device then names the launch that caused it");
  app.add_flag("--no-cache", options.noCache, "neither read nor write the cache of assembled kernels");
  app.add_option("--time", options.time, "print the time of each stage to standard error: text (default) or json")
      ->expected(0, 1)
      ->default_str("text")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM");
  app.add_flag("-q,--quiet", options.quiet,
               "results, errors and what other options ask for; no progress, greetings, notes and warnings");
  addMessages(app, options.messages);
  app.add_option("--toolkit", options.toolkit, "the CUDA Toolkit to take nvJitLink and NVRTC from")->type_name("DIR");
  app.add_option("--link", options.link,
                 "link a file with the kernels: PTX, cubin, fatbin, LTO-IR, an object or archive of nvcc -rdc=true, or "
                 "CUDA C++ (.cu) (repeatable)")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

void addInsight(CLI::App& app, CommonOptions& options) {
  app.add_flag(
      "--remarks", options.remarks,
      "say what makes kernels slow on GPUs: accesses far apart, loops that differ, local memory, bank conflicts");
  app.add_flag("--explain-launch", options.explainLaunch,
               "say of each kernel that is compiled how it runs, what it is specialised on, what it takes");
}

int start(int argc, char** argv) {
  CLI::App app{
      "Raddle compiles and runs kernels on GPUs and CPU threads.\nWithout a command, an interactive session: entries "
      "from a terminal or standard input.",
      "raddle"};
  app.set_version_flag("--version", std::string("raddle ") + RADDLE_VERSION);
  app.failure_message(CLI::FailureMessage::simple);
  app.footer(
      "Exit status: 0; 1 wrong program, failed check or refused launch; 2 usage; 3 environment or out of memory.");

  // Program arguments stand behind `--`; they are not ours to parse.
  std::vector<std::string> own, programArguments;
  bool behind = false;
  for (int i = 1; i < argc; ++i) {
    std::string text = argv[i];
    if (!behind && text == "--") behind = true;
    else (behind ? programArguments : own).push_back(std::move(text));
  }

  CommonOptions top;
  addCommon(app, top, true);
  addInsight(app, top);

  RunCommand runCommand;
  auto* runApp =
      app.add_subcommand("run", "Compile and run a program: raddle run FILE [options] [-- program arguments]");
  runApp->add_option("file", runCommand.file, "the program; - reads standard input")->required();
  addCommon(*runApp, runCommand.common, true);
  addInsight(*runApp, runCommand.common);
  runApp->add_flag("--verify", runCommand.verify, "compare messages with the expect-error comments of the program");

  runApp->add_flag("--isolate", runCommand.common.isolate,
                   "run the program in a process of its own; with --batch each, so that a device that one of them "
                   "stopped is there for the next");
  runApp->add_flag("--prepare", runCommand.prepare,
                   "compile and load the likely variant of each kernel before the program runs");
  runApp->add_flag("--batch", runCommand.batch,
                   "FILE is a list of programs to run in this process: a line each, with its arguments behind it");

  TestCommand testCommand, benchCommand;
  auto* testApp = app.add_subcommand("test", "Run the test blocks of files: raddle test FILES [options]");
  auto* benchApp = app.add_subcommand("bench", "Measure the bench blocks of files: raddle bench FILES [options]");
  benchCommand.isBench = true;
  for (auto [sub, command] : {std::pair(testApp, &testCommand), std::pair(benchApp, &benchCommand)}) {
    sub->add_option("files", command->files, "the files; - reads standard input")->required();
    addCommon(*sub, command->common, true);
    sub->get_option("--device")->description("host, cuda:N, or all: the host and each GPU, one after the other");
    sub->add_option("--filter", command->filter, "only blocks whose name this regular expression matches")
        ->type_name("RE");
    sub->add_option("--json", command->json, "write the results as JSON; - is standard output")->type_name("FILE");
  }
  testApp->add_option("--junit", testCommand.junit, "write the results as JUnit XML; - is standard output")
      ->type_name("FILE");
  benchApp->add_option("--seconds", benchCommand.seconds, "how long to measure each (default 1)")
      ->check(CLI::Range(0.001, 3600.0))
      ->type_name("S");
  benchApp
      ->add_option("--compare", benchCommand.compare,
                   "print ratios to a JSON file of an earlier run, and fail past the threshold")
      ->type_name("FILE");
  benchApp
      ->add_option("--threshold", benchCommand.threshold,
                   "how many times slower than before is a failure (default 1.1)")
      ->check(CLI::Range(1.0, 1000.0))
      ->type_name("RATIO");

  BuildCommand buildCommand;
  auto* buildApp = app.add_subcommand("build", "Compile a program and print or write one stage");
  buildApp->add_option("file", buildCommand.file, "the program; - reads standard input")->required();
  addCommon(*buildApp, buildCommand.common, false);
  addInsight(*buildApp, buildCommand.common);
  buildApp
      ->add_option("--emit", buildCommand.emit,
                   "tokens, ast, typed, llvm, llvm-opt, ptx, cubin, fatbin, sass, asm (host), obj (host: the kernels)")
      ->check(
          CLI::IsMember({"tokens", "ast", "typed", "llvm", "llvm-opt", "ptx", "cubin", "fatbin", "sass", "asm", "obj"}))
      ->type_name("STAGE");
  buildApp
      ->add_option("--arch", buildCommand.arch,
                   "sm_80, sm_90a, sm_100a, ... or host (default sm_90); for --emit=fatbin several, comma-separated")
      ->type_name("TARGET");
  buildApp->add_option("--from", buildCommand.from, "what the file holds: llvm or ptx instead of a program")
      ->check(CLI::IsMember({"llvm", "ptx"}))
      ->type_name("STAGE");
  buildApp->add_option("-o", buildCommand.output, "the file to write (default: standard output; a cubin: FILE.cubin)")
      ->type_name("OUT");
  buildApp
      ->add_option("--spec", buildCommand.spec,
                   "what the variant may assume: aligned16, inner4, small, inrange, aliased, comma-separated, or none")
      ->type_name("FACTS");
  buildApp
      ->add_option("--repeat", buildCommand.repeat, "do it N times in one process; --time then prints one line each")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  buildApp
      ->add_option("--beside", buildCommand.beside,
                   "after each build, assemble this PTX too; --time=json gives its milliseconds as \"beside\"")
      ->type_name("PTX");
  buildApp->add_flag("--verify", buildCommand.verify, "compare messages with the expect-error comments of the program");

  CommonOptions replOptions;
  auto* replApp = app.add_subcommand(
      "repl", "An interactive session, as without a command: an error leaves all variables as they were");
  addCommon(*replApp, replOptions, true);
  for (auto [session, options] : {std::pair(&app, &top), std::pair(replApp, &replOptions)})
    session->add_flag("--isolate", options->isolate,
                      "a session: its GPU is held by a process of its own, which is started afresh after a fault");
  addInsight(*replApp, replOptions);

  bool doctorJson = false;
  auto* doctorApp = app.add_subcommand("doctor", "Show what this machine has: versions, libraries, devices");
  doctorApp->add_flag("--json", doctorJson, "as one JSON object");

  bool isPageJson = false;
  std::string pageMessages;
  auto addPage = [&](CLI::App& page) {
    page.add_flag("--json", isPageJson, "as one JSON object");
    addMessages(page, pageMessages);
  };

  std::string code;
  auto* explainApp = app.add_subcommand("explain", "Explain a message: raddle explain R0123");
  explainApp->add_option("code", code, "the code in brackets behind `error`; without one, all codes are listed");
  addPage(*explainApp);

  std::string docName, docMember;
  auto* docApp = app.add_subcommand("doc",
                                    "Show what a name of the library means: raddle doc math.hypot; or what a file "
                                    "declares: raddle doc FILE.rad [NAME]");
  docApp->add_option("name", docName, "a function, a module, or a file; without one, all names are listed");
  docApp->add_option("member", docMember, "one declaration of the file or module");
  addPage(*docApp);

  std::string shell;
  auto* completionsApp = app.add_subcommand(
      "completions", "Print a script that makes a shell complete the command: source <(raddle completions bash)");
  completionsApp->add_option("shell", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  auto* manualApp = app.add_subcommand("manual", "Print the manual page: raddle manual | man -l -");

  app.require_subcommand(0, 1);
  // `--time FILE` is a file behind an option that may stand alone.
  for (size_t i = 0; i + 1 < own.size(); ++i)
    if (own[i] == "--time" && own[i + 1] != "text" && own[i + 1] != "json") own[i] = "--time=text";
  // What is wrong with the line itself is said in the form that it asks for.
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i] == "--messages=json" || (own[i] == "--messages" && i + 1 < own.size() && own[i + 1] == "json"))
      setMessages(true, false);
  try {
    std::reverse(own.begin(), own.end());
    app.parse(own);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return refuse(exitUsage, whyNotParsed(app, error.what()));
  }
  if (!programArguments.empty() && !*runApp)
    return refuse(exitUsage, "arguments behind -- belong to a program: raddle run FILE -- ARGUMENTS");
  runCommand.arguments = std::move(programArguments);
  runCommand.command.assign(argv, argv + argc);

  std::string wrong;
  const auto parsed = app.get_subcommands();
  if (!parsed.empty()) wrong = wrongInFront(app, *parsed[0]);
  if (wrong.empty())
    wrong = *runApp     ? wrongTogether(*runApp, runCommand)
            : *testApp  ? wrongTogether(*testApp, testCommand)
            : *benchApp ? wrongTogether(*benchApp, benchCommand)
            : *buildApp ? wrongTogether(*buildApp, buildCommand)
            : *replApp  ? wrongTogether(*replApp, replOptions)
                        : wrongTogether(app, top);
  if (!wrong.empty()) return refuse(exitUsage, wrong);

  bool isJson = pageMessages == "json", isQuiet = false;
  for (CommonOptions* common :
       {&top, &runCommand.common, &testCommand.common, &benchCommand.common, &buildCommand.common, &replOptions}) {
    isJson |= common->messages == "json";
    isQuiet |= common->quiet;
    if (common->checks("race") || common->checks("uninit")) common->device = "host";
  }
  setMessages(isJson, isQuiet);
  if (*completionsApp) {
    fmt::print("{}", shellCompletions(app, shell));
    return exitOk;
  }
  if (*manualApp) {
    fmt::print("{}", manualPage(app));
    return exitOk;
  }
  if (*runApp) return run(runCommand);
  if (*testApp) return test(testCommand);
  if (*benchApp) return test(benchCommand);
  if (*buildApp) return build(buildCommand);
  if (*doctorApp) return doctor(doctorJson);
  if (*explainApp) return explainCode(code, isPageJson);
  if (*docApp) return doc(docName, docMember, isPageJson);
  return repl(*replApp ? replOptions : top);
}

}  // namespace

rt::Result<rt::PipelineOptions> pipelineOptions(const CommonOptions& common) {
  rt::PipelineOptions result;
  result.codegen.optLevel = common.optLevel;
  result.codegen.unchecked = common.unchecked;
  result.codegen.debug = common.debug;
  if (common.debug) result.codegen.optLevel = 0;
  result.codegen.checkUniform = common.checks("barrier");
  result.codegen.checkRaces = common.checks("race");
  result.codegen.checkUninitialised = common.checks("uninit");
  result.verifyProofs = common.verifyProofs;
  if (common.fp == "strict") result.codegen.fp = cg::FpMode::Strict;
  if (common.fp == "fast") result.codegen.fp = cg::FpMode::Fast;
  rt::setToolkitDirectory(common.toolkit);
  if (!common.noCache) result.cacheFolder = rt::ImageCache::defaultFolder();
  for (const auto& path : common.link) {
    auto file = rt::readLinkFile(path);
    if (!file) return std::unexpected(file.error());
    result.linkFiles.push_back(std::move(*file));
  }
  return result;
}

}  // namespace rad::tool

namespace {

struct Start {
  int argc;
  char** argv;
  int status = 0;
};

void* startOnThread(void* data) {
  auto* start = static_cast<Start*>(data);
  start->status = rad::tool::start(start->argc, start->argv);
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (rad::rt::DeviceServerTask task; rad::rt::readDeviceServerTask(task))
    rad::rt::serveDevice(task, [](std::string_view id, const auto& described) {
      return rad::rt::openDevice({std::string(id)}, nullptr, described);
    });
  // Passes over programs recurse as deeply as programs nest, and functions are looked at inside of their callers:
  // bounded, but more than the stack that a process starts with. Only what is touched of it costs memory.
  constexpr size_t stackBytes = size_t{256} << 20;
  Start start{argc, argv};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  const bool isStarted = pthread_attr_setstacksize(&attributes, stackBytes) == 0 &&
                         pthread_create(&thread, &attributes, startOnThread, &start) == 0;
  pthread_attr_destroy(&attributes);
  if (!isStarted) return rad::tool::start(argc, argv);
  pthread_join(thread, nullptr);
  return start.status;
}
