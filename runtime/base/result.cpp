// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/base/result.h"

namespace rad::rt {

std::string_view toString(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::System: return "system";
    case ErrorCategory::Dead: return "dead";
    case ErrorCategory::Image: return "image";
    case ErrorCategory::Launch: return "launch";
    case ErrorCategory::Resources: return "resources";
    case ErrorCategory::Capture: return "capture";
    case ErrorCategory::Misuse: return "misuse";
    case ErrorCategory::UserProgram: return "user program";
  }
  return "unknown";
}

int exitStatusOf(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::Launch:
    case ErrorCategory::UserProgram: return 1;
    case ErrorCategory::System:
    case ErrorCategory::Dead:
    case ErrorCategory::Image:
    case ErrorCategory::Resources:
    case ErrorCategory::Capture:
    case ErrorCategory::Misuse: return 3;
  }
  return 3;
}

namespace {

/// True when `text` already ends as a sentence does.
bool endsSentence(const std::string& text) {
  return !text.empty() && (text.back() == '.' || text.back() == '?' || text.back() == '!' || text.back() == '\n');
}

}  // namespace

std::string_view Error::pageCode() const {
  if (!page.empty()) return page;
  switch (category) {
    case ErrorCategory::System: return "R0710";
    case ErrorCategory::Resources: return "R0711";
    case ErrorCategory::Dead: return "R0712";
    case ErrorCategory::Image: return "R0713";
    case ErrorCategory::Launch: return "R0608";
    case ErrorCategory::Capture:
    case ErrorCategory::Misuse:
    case ErrorCategory::UserProgram: break;
  }
  return {};
}

std::string Error::render() const {
  std::string out = message.empty() ? std::string("unspecified failure") : message;
  if (!advice.empty()) {
    if (!endsSentence(out)) out += '.';
    out += ' ';
    out += advice;
  }
  if (!codeName.empty() || code != 0 || !call.empty()) {
    out += " [";
    std::string inside = codeName;
    if (code != 0) {
      if (!inside.empty()) inside += ' ';
      inside += std::to_string(code);
    }
    if (!call.empty()) {
      if (!inside.empty()) inside += ", ";
      inside += call;
    }
    out += inside;
    out += ']';
  }
  if (!log.empty()) {
    out += '\n';
    out += log;
    while (!out.empty() && out.back() == '\n') out.pop_back();
  }
  return out;
}

}  // namespace rad::rt
