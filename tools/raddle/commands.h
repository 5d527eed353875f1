// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The subcommands of `raddle`. Each returns the exit status of the process: 0; 1 wrong program, failed check or refused
// launch; 2 usage; 3 environment or out of memory.
#pragma once

#include "frontend/diagnostics/diagnostics.h"
#include "runtime/base/result.h"
#include "runtime/engine/pipeline.h"
#include "runtime/launch/messages.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rad::tool {

inline constexpr int exitOk = 0, exitProgram = 1, exitUsage = 2, exitEnvironment = 3;

/// The options that several subcommands share, as given.
struct CommonOptions {
  std::string device;
  std::string fp = "default";
  unsigned optLevel = 2;
  bool unchecked = false;
  bool verifyProofs = false;
  bool noCache = false;
  bool syncLaunches = false;
  bool isolate = false;  // run: each program in a process of its own; a session: its GPU
  bool debug = false;
  bool remarks = false;
  bool explainLaunch = false;
  std::vector<std::string> check;  // "barrier", "race", "uninit"
  bool checks(std::string_view what) const { return std::ranges::find(check, what) != check.end(); }
  bool quiet = false;
  std::string messages;  // "", "text" or "json"
  std::string time;      // "", "text" or "json"
  std::string toolkit;
  std::vector<std::string> link;
};

struct RunCommand {
  CommonOptions common;
  std::string file;  // "-": standard input
  std::vector<std::string> arguments;
  bool verify = false;
  bool batch = false;                // `file` is a list: a program and its arguments a line
  bool prepare = false;              // kernels are compiled and loaded before anything runs
  std::vector<std::string> command;  // as it was given, for processes of the same kind
};

struct BuildCommand {
  CommonOptions common;
  std::string file;
  std::string emit = "ptx";
  std::string arch = "sm_90";
  std::string from;    // "", "llvm" or "ptx"
  std::string output;  // empty: standard output for text, FILE.cubin or FILE.fatbin for bytes
  std::string spec = "aligned16,small";
  bool verify = false;
  unsigned repeat = 1;
  std::string beside;  // PTX to assemble after each build, for comparison
};

/// `raddle test` and `raddle bench`.
struct TestCommand {
  CommonOptions common;
  std::vector<std::string> files;
  std::string filter;       // a regular expression; empty: all
  std::string json, junit;  // files to write; "-": standard output
  bool isBench = false;
  double seconds = 1.0;    // bench: time to measure each
  std::string compare;     // bench: a JSON file of an earlier run
  double threshold = 1.1;  // bench: a ratio past this fails
};

int run(const RunCommand& command);
/// Runs the test blocks, or the bench blocks, of files; 0 if all passed.
int test(const TestCommand& command);
int build(const BuildCommand& command);
/// Reads entries from standard input until its end.
int repl(const CommonOptions& options);
/// What this machine has: versions, libraries, devices.
int doctor(bool json);
/// The page of a message; without a code, the list of all.
int explainCode(const std::string& code, bool json = false);
/// What a name of the library means; without one, what there is. `name` may be a file, `member` one of its
/// declarations.
int doc(const std::string& name, const std::string& member, bool json = false);

/// The shared options as the engine wants them; reads linked files, and sets the toolkit of the process.
rt::Result<rt::PipelineOptions> pipelineOptions(const CommonOptions& common);

/// How the process speaks on standard error: `json`: an object a line (docs/for-programs.md); `quiet`: neither notes
/// nor warnings.
void setMessages(bool json, bool quiet);
/// Prints messages to standard error, in colour on a terminal.
void printDiagnostics(const Diagnostics& diagnostics, const SourceManager& sources);
/// What --verify found: a line each.
void printDifferences(const std::vector<std::string>& differences);
/// What --explain-launch says.
void printExplanation(std::string_view text);
/// Says in one line why something is not done, and returns the status.
int refuse(int status, std::string_view message);
/// Prints an error and returns its exit status.
int report(const rt::Error& error);
int report(const rt::RunError& error);

}  // namespace rad::tool
