#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which lines of codegen/lower do random programs execute? Needs a build that counts them:

    cmake --preset dev -B build/coverage -DRADDLE_COVERAGE=ON && ninja -C build/coverage raddle
    test/random/coverage.py --build build/coverage [--seeds 0:300] [--lines]

Each program runs on CPU threads, with and without checks, and is compiled to PTX for two GPUs, in a variant and a mode of floating point
that its seed chooses.
--lines lists what did not run. Lines that cannot run are taken out: those behind `assert(false` and `llvm_unreachable`, and the cases
above them.
"""
import argparse
import collections
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import compare  # noqa: E402
import generate  # noqa: E402

SPECS = ["none", "small", "aligned16,inner4,small", "aliased", "small,inrange", "aligned16,inner4,small,inrange"]


def execute(tool, seed, folder):
    program = generate.Program(seed)
    path = os.path.join(folder, "%d.rad" % seed)
    for name, text in {path: program.text(), **{os.path.join(folder, name): text for name, text in program.files.items()}}.items():
        with open(name, "w") as file:
            file.write(text)
    results = [compare.alone(tool, way, path) for way in ("host", "unchecked")]
    for arch, fp in (("sm_75", "strict"), ("sm_90a", ("strict", "default", "fast")[seed % 3])):
        done = subprocess.run([tool, "build", "--fp", fp, "--emit=ptx", "--arch", arch, "--spec", SPECS[seed % len(SPECS)], path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        results.append("status %d\n%s" % (done.returncode, done.stderr))
    return ["%s: %s" % (path, result.splitlines()[:3]) for result in results if not result.startswith("status 0\n")]


def impossible(lines):
    """Numbers of lines that no program can execute: an assert(false or unreachable, and the cases that lead to nothing else."""
    numbers = set()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text.startswith(("assert(false", "llvm_unreachable", "llvm::report_fatal_error")):
            continue
        numbers |= {number, number + 1} if lines[number].strip() == "break;" else {number}
        above = number - 1
        while lines[above - 1].strip().startswith(("case ", "default:")) or lines[above - 1].strip() == "break;":
            if lines[above - 1].strip() == "break;" and not lines[above - 2].strip().startswith("case "):
                break
            numbers.add(above)
            above -= 1
    return numbers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--seeds", default="0:300")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--gcov", default="gcov-12")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--more", action="store_true", help="add to what was counted before")
    options = parser.parse_args()
    tool = os.path.join(options.build, "bin", "raddle")
    objects = glob.glob(os.path.join(options.build, "codegen", "**", "lower", "*.gcno"), recursive=True)
    if not objects:
        sys.exit("coverage: %s was not built with -DRADDLE_COVERAGE=ON" % options.build)
    for path in objects:
        if os.path.exists(path[:-4] + "gcda") and not options.more:
            os.remove(path[:-4] + "gcda")
    low, high = (int(x) for x in options.seeds.split(":"))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for failed in pool.map(lambda seed: execute(tool, seed, folder), range(low, high)):
            for line in failed:
                print(line)

    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for path in objects:
        text = subprocess.run([options.gcov, "--json-format", "--stdout", os.path.abspath(path)], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for report in map(json.loads, text.splitlines()):
            for file in report["files"]:
                name = file["file"][max(file["file"].find("codegen/lower/"), 0):]  # paths are relative to the build folder
                if name.startswith("codegen/lower/"):
                    for line in file["lines"]:
                        counts[name][line["line_number"]] += line["count"]
    total = ran = all = 0
    for name in sorted(counts):
        with open(os.path.join(ROOT, name)) as file:
            lines = file.read().splitlines()
        possible = {number: count for number, count in counts[name].items() if number not in impossible(lines)}
        here = sum(count > 0 for count in possible.values())
        total, ran, all = total + len(possible), ran + here, all + len(counts[name])
        print("%5.1f %%  %4d of %4d  %s" % (100 * here / max(len(possible), 1), here, len(possible), name))
        if options.lines:
            for number in sorted(possible):
                if possible[number] == 0:
                    print("         %4d: %s" % (number, lines[number - 1]))
    print("%5.1f %%  %4d of %4d lines of codegen/lower that can run, %d programs (%.1f %% of %d with those that cannot)" % (
        100 * ran / total, ran, total, high - low, 100 * ran / all, all))


if __name__ == "__main__":
    main()
