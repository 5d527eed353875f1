#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the tests of a build folder and ends with one line: N passed, N failed, N skipped.

Unit tests (build/*/bin/raddle_unit*, gtest), the lit suite, the layering test, and with --fuzz the
libFuzzer targets. The exit status is 0 when nothing failed and something ran.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names = []

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, name):
        self.failed += 1
        self.names.append(name)


def heading(text):
    print("== " + text, flush=True)


def run_unit_shard(binary, shard, shards, timeout):
    """One shard of one gtest binary: (cases by name -> result, text, exit status)."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        env = dict(os.environ, GTEST_TOTAL_SHARDS=str(shards), GTEST_SHARD_INDEX=str(shard),
                   GTEST_OUTPUT="json:" + report.name, GTEST_COLOR="no")
        try:
            done = subprocess.run([binary], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=timeout, errors="replace", stdin=subprocess.DEVNULL)
            text, status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            text = (expired.stdout or b"").decode(errors="replace") + "\n(time limit of %d s)\n" % timeout
            status = -9
        results = {}
        try:
            with open(report.name) as file:
                for suite in json.load(file).get("testsuites", []):
                    for case in suite["testsuite"]:
                        name = suite["name"] + "." + case["name"]
                        if case.get("failures"):
                            results[name] = "failed"
                        elif case.get("result") in ("SKIPPED", "SUPPRESSED") or case.get("status") == "NOTRUN":
                            results[name] = "skipped"
                        else:
                            results[name] = "passed"
        except (OSError, ValueError, KeyError):
            # The binary died: what its log says ran, ran; the case it died in failed.
            for state, name in re.findall(r"^\[ +(RUN|OK|FAILED|SKIPPED) +\] ([\w/]+\.[\w/]+)", text, re.M):
                results[name] = {"RUN": "failed", "OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[state]
        return results, text, status


def unit(build, jobs, tally):
    binaries = sorted(path for path in glob.glob(os.path.join(build, "bin", "raddle_unit*"))
                      if os.access(path, os.X_OK) and not path.endswith(".cmake"))
    for binary in binaries:
        name = os.path.basename(binary)
        standalone = name != "raddle_unit"
        heading(name)
        start = time.time()
        if standalone:
            # Its own main: one test, judged by its exit status.
            try:
                done = subprocess.run([binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                                      errors="replace", stdin=subprocess.DEVNULL)
                status, text = done.returncode, done.stdout
            except subprocess.TimeoutExpired:
                status, text = -9, "(time limit)"
            if status == 0:
                tally.add(passed=1)
            else:
                print(text)
                tally.fail(name)
            continue
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            shards = list(pool.map(lambda index: run_unit_shard(binary, index, jobs, 600), range(jobs)))
        for results, text, status in shards:
            failed = [case for case, result in results.items() if result == "failed"]
            tally.add(passed=sum(result == "passed" for result in results.values()),
                      skipped=sum(result == "skipped" for result in results.values()))
            for case in failed:
                tally.fail(name + " " + case)
            if failed or status != 0:
                print("\n".join(line for line in text.splitlines()
                                if not re.match(r"^\[( +(RUN|OK) +|-+|=+)\]", line)))
            if status != 0 and not failed:
                tally.fail("%s ended with status %d" % (name, status))
        print("   %.1f s" % (time.time() - start))


def lit(root, build, jobs, paths, pattern, tally):
    suite = os.path.join(build, "test", "lit")
    source = os.path.join(root, "test", "lit")
    if not any(name.endswith((".rad", ".test", ".ll", ".ptx")) for _, _, files in os.walk(source) for name in files):
        return
    heading("lit")
    # A path in the source tree becomes the same path of the suite, whose site file lies in the build folder.
    targets = []
    for path in paths:
        relative = os.path.relpath(path, source)
        if relative.startswith(".."):
            sys.exit("run_tests: %s is not in test/lit" % path)
        targets.append(os.path.join(suite, relative))
    report = os.path.join(build, "lit.json")
    if os.path.exists(report):
        os.remove(report)
    command = [sys.executable, "-c", "from lit.main import main; main()", "-s", "-v", "-j", str(jobs), "-o", report]
    if pattern:
        command += ["--filter", pattern]
    status = subprocess.run(command + (targets or [suite])).returncode
    try:
        with open(report) as file:
            tests = json.load(file)["tests"]
    except (OSError, ValueError):
        tally.fail("lit ended with status %d and no report" % status)
        return
    for test in tests:
        code = test["code"]
        if code in ("PASS", "XFAIL", "FLAKYPASS"):
            tally.add(passed=1)
        elif code in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
            tally.add(skipped=1)
        else:  # FAIL XPASS UNRESOLVED TIMEOUT
            tally.fail("lit " + test["name"])
    if status != 0 and not any(test["code"] in ("FAIL", "XPASS", "UNRESOLVED", "TIMEOUT") for test in tests):
        tally.fail("lit ended with status %d" % status)


def layering(root, tally):
    heading("layering")
    done = subprocess.run([sys.executable, os.path.join(root, "test", "unit", "layering", "layering_test.py"), root])
    if done.returncode == 0:
        tally.add(passed=1)
    else:
        tally.fail("layering")


def program_seeds(root, folder):
    """The programs of the tests and a hundred random ones, as what the targets that read programs begin with."""
    os.makedirs(folder, exist_ok=True)
    for part in ("test/conformance", "test/lit", "examples"):
        for path in glob.glob(os.path.join(root, part, "**", "*.rad"), recursive=True):
            if os.path.getsize(path) <= 4096:
                shutil.copy(path, os.path.join(folder, os.path.relpath(path, root).replace(os.sep, "-")))
    for seed in range(100):
        text = subprocess.run([sys.executable, os.path.join(root, "test", "random", "generate.py"), str(seed), folder],
                              capture_output=True, text=True, check=True).stdout
        with open(os.path.join(folder, "random-%d.rad" % seed), "w") as file:
            file.write(text)


def fuzz_one(root, target, seconds, seeds):
    """(whether it passed, what to print) of one libFuzzer target."""
    name = os.path.basename(target)
    corpora = [os.path.join(root, "test", "fuzz", "corpus", name[len("fuzz_"):])]
    if name in ("fuzz_parse", "fuzz_check", "fuzz_lower"):
        corpora.append(seeds)
    work = os.path.join(root, "build", "fuzz", "corpus", name)
    findings = os.path.join(root, "build", "fuzz", "findings", name) + os.sep
    os.makedirs(work, exist_ok=True)
    os.makedirs(findings, exist_ok=True)
    command = [target, work, *filter(os.path.isdir, corpora), "-max_total_time=%d" % seconds, "-timeout=10", "-rss_limit_mb=3072",
               "-max_len=4096", "-print_final_stats=1", "-verbosity=0", "-artifact_prefix=" + findings]
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        try:
            status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=seconds + 120).returncode
        except subprocess.TimeoutExpired:
            status = -9
        log.seek(0)
        text = log.read()
    units = re.search(r"stat::number_of_executed_units: +(\d+)", text)
    if status == 0 and units and int(units.group(1)) > 0:
        return True, "   %s inputs" % units.group(1)
    return False, text[-6000:] + "\n   the input that failed is in " + findings


def fuzz(root, seconds, jobs, tally):
    targets = sorted(glob.glob(os.path.join(root, "build", "fuzz", "bin", "fuzz_*")))
    seeds = os.path.join(root, "build", "fuzz", "seeds")
    program_seeds(root, seeds)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for target, (passed, text) in zip(targets, pool.map(lambda target: fuzz_one(root, target, seconds, seeds), targets)):
            heading("%s, %d s" % (os.path.basename(target), seconds))
            print(text)
            if passed:
                tally.add(passed=1)
            else:
                tally.fail(os.path.basename(target))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fuzz", type=int, default=0)
    parser.add_argument("--filter", default="")
    for name in ("--unit", "--lit", "--layering"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()

    # Only builds with the address sanitizer ask for this.
    os.environ.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions=" + os.path.join(options.root, "tools", "scripts", "leaks.txt"))
    everything = not (options.unit or options.lit or options.layering or options.paths or options.filter)
    tally = Tally()
    if everything or options.unit:
        unit(options.build, options.jobs, tally)
    if everything or options.lit or options.paths or options.filter:
        lit(options.root, options.build, options.jobs, options.paths, options.filter, tally)
    if everything or options.layering:
        layering(options.root, tally)
    if options.fuzz:
        fuzz(options.root, options.fuzz, options.jobs, tally)

    for name in tally.names:
        print("FAILED: " + name)
    print("%d passed, %d failed, %d skipped" % (tally.passed, tally.failed, tally.skipped))
    sys.exit(1 if tally.failed or tally.passed == 0 else 0)


main()
