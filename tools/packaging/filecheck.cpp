// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// FileCheck for the portable archive: LLVM's library of that name behind the options that the tests use.
// An option that only changes how a failure is shown is accepted where it does no harm.
#include <llvm/ADT/SmallString.h>
#include <llvm/FileCheck/FileCheck.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/Format.h>
#include <llvm/Support/InitLLVM.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/WithColor.h>
#include <llvm/Support/raw_ostream.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace cl = llvm::cl;

static cl::OptionCategory options("FileCheck");
static cl::opt<std::string> checkFile(cl::Positional, cl::desc("<check file>"), cl::Required, cl::cat(options));
static cl::opt<std::string> inputFile("input-file", cl::init("-"), cl::desc("The text to check (default: stdin)"),
                                      cl::cat(options));
static cl::list<std::string> prefixes("check-prefix", cl::desc("Prefix of the directives"), cl::cat(options));
static cl::alias prefixesToo("check-prefixes", cl::aliasopt(prefixes), cl::CommaSeparated, cl::NotHidden);
static cl::list<std::string> commentPrefixes("comment-prefixes", cl::CommaSeparated, cl::cat(options));
static cl::list<std::string> implicitNot("implicit-check-not", cl::desc("Must not occur between matches"),
                                         cl::cat(options));
static cl::list<std::string> defines("D", cl::AlwaysPrefix, cl::desc("-DVAR=VALUE or -D#VAR=EXPR"), cl::cat(options));
static cl::opt<bool> strictWhitespace("strict-whitespace", cl::cat(options));
static cl::opt<bool> ignoreCase("ignore-case", cl::cat(options));
static cl::opt<bool> matchFullLines("match-full-lines", cl::cat(options));
static cl::opt<bool> allowEmpty("allow-empty", cl::cat(options));
static cl::opt<bool> allowUnusedPrefixes("allow-unused-prefixes", cl::cat(options));
static cl::opt<bool> enableVarScope("enable-var-scope", cl::cat(options));
static cl::opt<std::string> dumpInput("dump-input", cl::init("fail"), cl::desc("never, fail or always"),
                                      cl::cat(options));
static cl::opt<unsigned> dumpInputContext("dump-input-context", cl::init(5), cl::cat(options));
static cl::opt<bool> verbose("v", cl::desc("Report each match"), cl::cat(options));

namespace {

// A -D argument has to name a variable and its value.
bool checkDefine(llvm::StringRef define) {
  const size_t equals = define.find('=');
  if (define.empty() || equals == llvm::StringRef::npos || equals == 0 || define.starts_with("#=")) {
    llvm::WithColor::error(llvm::errs(), "FileCheck")
        << "-D" << define << ": expected -DVARIABLE=VALUE or -D#VARIABLE=EXPRESSION\n";
    return false;
  }
  return true;
}

// The text, with line numbers, so that the log of another machine is enough to see what happened.
void dump(llvm::StringRef text) {
  llvm::errs() << "\nThe text that was checked:\n";
  unsigned number = 0;
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    llvm::errs() << llvm::format_decimal(++number, 6) << ": " << line << "\n";
    if (number == 2000) {
      llvm::errs() << "        (longer; the rest is left out)\n";
      return;
    }
    text = rest;
  }
}

}  // namespace

int main(int argc, char** argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(options);
  cl::ParseCommandLineOptions(argc, argv, "checks a text against the directives of a file\n", nullptr, nullptr,
                              "FILECHECK_OPTS");

  llvm::FileCheckRequest request;
  for (llvm::StringRef prefix : prefixes) request.CheckPrefixes.push_back(prefix);
  request.IsDefaultCheckPrefix = prefixes.empty();
  for (llvm::StringRef prefix : commentPrefixes) request.CommentPrefixes.push_back(prefix);
  for (llvm::StringRef pattern : implicitNot) request.ImplicitCheckNot.push_back(pattern);
  for (llvm::StringRef define : defines) {
    if (!checkDefine(define)) return 2;
    request.GlobalDefines.push_back(define);
  }
  request.NoCanonicalizeWhiteSpace = strictWhitespace;
  request.IgnoreCase = ignoreCase;
  request.MatchFullLines = matchFullLines;
  request.AllowEmptyInput = allowEmpty;
  request.AllowUnusedPrefixes = allowUnusedPrefixes;
  request.EnableVarScope = enableVarScope;
  request.Verbose = verbose;

  llvm::FileCheck check(request);
  if (!check.ValidateCheckPrefixes()) return 2;

  llvm::SourceMgr sources;
  auto read = [&](const std::string& path, llvm::SmallVectorImpl<char>& storage) -> std::optional<llvm::StringRef> {
    auto file = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
    if (!file) {
      llvm::WithColor::error(llvm::errs(), "FileCheck")
          << "cannot read '" << path << "': " << file.getError().message() << "\n";
      return std::nullopt;
    }
    const std::string name = path == "-" ? "<stdin>" : path;
    llvm::StringRef text = check.CanonicalizeFile(**file, storage);
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(text, name), llvm::SMLoc());
    return text;
  };

  llvm::SmallString<4096> directivesStorage;
  auto directives = read(checkFile, directivesStorage);
  if (!directives || check.readCheckFile(sources, *directives)) return 2;
  llvm::SmallString<4096> inputStorage;
  auto input = read(inputFile, inputStorage);
  if (!input) return 2;
  if (input->empty() && !allowEmpty) {
    llvm::WithColor::error(llvm::errs(), "FileCheck") << "'" << inputFile << "' is empty\n";
    return 2;
  }
  const bool good = check.checkInput(sources, *input);
  if (dumpInput == "always" || (!good && dumpInput != "never")) dump(*input);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
