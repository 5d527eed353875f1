#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long a fresh process takes to its first result on a GPU, beside one that only makes a CUDA context.

    ./gpu OUTDIR --only bench --bench first     from the unpacked archive
    RADDLE=bin/raddle python3 bench/first/bench.py [--device cuda:0] [--rounds 21]

Processes, turn by turn, by wall clock: context.c (start the driver, make the context, say so, end), and `raddle run first.rad` without its
cache of compiled kernels and with it. Twice each: until the line they print is here, and until they have ended. Medians, in milliseconds.
The aim: the first result at most 30 ms after the context. Needs a C compiler and a GPU.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not tool or not compiler:
        sys.exit("first: needs a C compiler, and RADDLE set to the tool")
    with tempfile.TemporaryDirectory() as folder:
        context = os.path.join(folder, "context")
        subprocess.run([compiler, "-O1", "-o", context, os.path.join(HERE, "context.c"), "-ldl"], check=True)
        program = [tool, "run", "--device", options.device, os.path.join(HERE, "first.rad")]
        ways = {"context only": [context], "raddle, compiling": program + ["--no-cache"], "raddle, from its cache": program}
        environment = dict(os.environ, RADDLE_CACHE_DIR=os.path.join(folder, "cache"))
        times = {name: ([], []) for name in ways}  # until the line, until the end
        for turn in range(options.rounds + 1):
            for name, command in ways.items():
                start = time.perf_counter()
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
                    line = process.stdout.readline()
                    printed = (time.perf_counter() - start) * 1e3
                    rest, errors = process.communicate()
                ended = (time.perf_counter() - start) * 1e3
                if process.returncode != 0 or rest or (name != "context only" and line != "81.0\n"):
                    sys.exit("first: %s ended with %d\n%s%s%s" % (" ".join(command), process.returncode, line, rest, errors))
                if turn:  # the first fills the caches
                    times[name][0].append(printed)
                    times[name][1].append(ended)
    for which, what in enumerate(("until the result is printed", "until the process has ended")):
        least = statistics.median(times["context only"][which])
        print("%-28s %10s %10s %14s" % (what, "median ms", "fastest", "over context"))
        for name, both in times.items():
            all = both[which]
            print("%-28s %10.1f %10.1f %14.1f" % (name, statistics.median(all), min(all), statistics.median(all) - least))


if __name__ == "__main__":
    main()
