#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What index checks cost on a GPU: the kernels of kernels.rad with checks and with --unchecked, turn by turn in processes of their
own; medians over all turns, and the ratio of each kernel. The aim: at most 3 % in the median over kernels, none above 10 %.

    RADDLE=bin/raddle python3 bench/checks/bench.py [--device cuda:0] [--rounds 5]
"""
import argparse
import collections
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    if not tool:
        sys.exit("checks: set RADDLE to the tool")
    times = {mode: collections.defaultdict(list) for mode in ("checked", "unchecked")}
    for _ in range(options.rounds):
        for mode, into in times.items():
            command = [tool, "run", "--device", options.device, os.path.join(HERE, "kernels.rad")]
            done = subprocess.run(command + (["--unchecked"] if mode == "unchecked" else []), capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit("checks: %s ended with %d\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
            for line in done.stdout.splitlines():
                name, seconds = line.split()
                into[name].append(float(seconds))
    print("%-12s %12s %12s %8s" % ("kernel", "checked ms", "unchecked ms", "ratio"))
    ratios = {}
    for name, checked in times["checked"].items():
        a, b = statistics.median(checked), statistics.median(times["unchecked"][name])
        ratios[name] = a / b
        print("%-12s %12.4f %12.4f %8.3f" % (name, a * 1e3, b * 1e3, a / b))
    print("median %.3f, largest %.3f (%s)" % (statistics.median(ratios.values()), max(ratios.values()), max(ratios, key=ratios.get)))


if __name__ == "__main__":
    main()
