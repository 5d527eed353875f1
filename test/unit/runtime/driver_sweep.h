// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of a scenario against the fake driver, each in a process of its own: that one may crash, hang, or leave the
// driver dead behind, and what it saw comes back through a pipe.
#pragma once

#include "runtime/base/warning_sink.h"
#include "runtime/dynlib/driver_api.h"
#include "test/unit/runtime/fake_driver.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace rad::rt::test {

/// What one run saw.
struct SweepOutcome {
  bool finished = false;  // it came to its end
  int signal = 0;         // what ended it otherwise; SIGALRM: it hung
  /// Of the first failure: its first line as people see it ("" where there was none), its call, its advice.
  std::string error, call, advice;
  int category = -1;
  std::string warnings, violations;
  std::string left;  // kinds of handles that are open, each with a number
  long live = 0, depth = 0;
  bool dead = false;
  std::map<std::string, long> counts;  // calls of each function of the table
  std::vector<std::string> notes;      // what the scenario says besides
};

struct SweepScenario {
  std::function<Status(const DriverApi& driver)> run;
  /// A line each of what else is to be known, asked for when the driver is closed; may be empty.
  std::function<std::vector<std::string>(const SweepOutcome& outcome)> notes = {};
};

namespace detail {

[[noreturn]] inline void runSweepChild(const std::string& specification, const SweepScenario& scenario, int out) {
  alarm(20);  // a hang ends in SIGALRM
  const FakeDriver& fake = FakeDriver::get();
  fake.configure(specification.c_str());
  static std::mutex mutex;
  static std::string warnings;
  setWarningSink([](std::string_view text) {
    std::lock_guard lock(mutex);
    warnings += std::string(text.substr(0, text.find('\n'))) + " | ";
  });
  SweepOutcome outcome;
  {
    Status status;
    if (auto driver = DriverApi::load(FakeDriver::path())) {
      status = scenario.run(**driver);
      outcome.dead = (*driver)->dead();
    } else {
      status = fail(driver.error());
    }
    if (!status) {
      outcome.error = status.error().render();
      outcome.error.erase(std::min(outcome.error.find('\n'), outcome.error.size()));
      outcome.call = status.error().call;
      outcome.advice = status.error().advice;
      outcome.category = int(status.error().category);
    }
  }
  std::ostringstream text;
  auto line = [&](const char* key, const auto& value) { text << key << ' ' << value << '\n'; };
  if (!outcome.error.empty()) {
    line("category", outcome.category);
    line("call", outcome.call);
    line("advice", outcome.advice);
    line("error", outcome.error);
  }
  line("dead", outcome.dead);
  line("live", fake.live(nullptr));
  for (const char* kind :
       {"retain", "stream", "event", "memory", "pinned", "pool", "library", "module", "link", "array", "context",
        "graph", "exec", "object", "green", "texture", "range", "physical", "external"})
    if (fake.live(kind)) text << "left " << kind << ' ' << fake.live(kind) << '\n';
  line("depth", fake.depth());
  line("warnings", warnings);
  for (std::size_t i = 0; i < driverFnCount; ++i) {
    const char* name = driverFnInfo(DriverFn(i)).name;
    text << "count " << name << ' ' << fake.count(name) << '\n';
  }
  std::istringstream violations(fake.violations());
  for (std::string one; std::getline(violations, one);) line("violation", one);
  if (scenario.notes)
    for (const std::string& note : scenario.notes(outcome)) line("note", note);
  text << "end\n";
  const std::string all = text.str();
  for (std::size_t done = 0; done < all.size();) {
    const ssize_t n = write(out, all.data() + done, all.size() - done);
    if (n <= 0) break;
    done += std::size_t(n);
  }
  _exit(0);
}

}  // namespace detail

/// One run with this specification of the fake driver (test/fakes/README.md).
inline SweepOutcome runSweep(const std::string& specification, const SweepScenario& scenario) {
  SweepOutcome outcome;
  int ends[2];
  if (pipe(ends) != 0) return outcome;
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    detail::runSweepChild(specification, scenario, ends[1]);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, space);
    const std::string rest = space < line.size() ? line.substr(space + 1) : std::string();
    if (key == "live") outcome.live = std::stol(rest);
    else if (key == "depth") outcome.depth = std::stol(rest);
    else if (key == "dead") outcome.dead = rest == "1";
    else if (key == "category") outcome.category = std::stoi(rest);
    else if (key == "call") outcome.call = rest;
    else if (key == "advice") outcome.advice = rest;
    else if (key == "error") outcome.error = rest;
    else if (key == "warnings") outcome.warnings = rest;
    else if (key == "left") outcome.left += rest + ' ';
    else if (key == "violation") outcome.violations += rest + '\n';
    else if (key == "note") outcome.notes.push_back(rest);
    else if (key == "count") outcome.counts[rest.substr(0, rest.find(' '))] = std::stol(rest.substr(rest.find(' ')));
    else if (key == "end") outcome.finished = true;
  }
  return outcome;
}

}  // namespace rad::rt::test
