#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels on the host device beside the same loops and algorithms in C++ (clang -O3 -march=native) and in OpenCL on PoCL.

    ./dev bench host [--threads N] [--rounds N] [--json FILE]

The three take turns, on the same number of threads; a sample is the mean of several launches in a row. Compared are the medians, and
the fastest samples, which say more on a machine that has other things to do. Then the first launches of a fresh process: what compiling
costs. Needs RADDLE (the tool; ./dev sets it) and clang-22; PoCL (Debian: pocl-opencl-icd) is left out where it is missing.
"""
import argparse
import collections
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# name: the aim for C++ time / ours, and for PoCL time / ours
AIMS = {
    "saxpy": (0.9, None), "triad": (0.9, None), "stencil": (0.9, None), "polynomial": (0.9, None), "expsin": (0.9, None),
    "mandelbrot": (4.0, None), "tree_sum": (0.5, 5.0), "block_sum": (0.5, 5.0), "matmul": (0.5, 5.0), "nbody": (0.5, 5.0),
    "histogram": (0.5, 5.0), "softmax": (0.5, 5.0),
}


def run(command, environment, into):
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **environment))
    if done.returncode != 0:
        return "%s ended with %d: %s" % (os.path.basename(command[-2]), done.returncode, done.stderr.strip()[-500:])
    for line in done.stdout.splitlines():
        name, value = line.split()
        if name in AIMS:
            into[name].append(float(value))
    return None


def compileTimes(tool, rounds):
    """Stage times of `raddle run --time=json`, in milliseconds: [first kernel, the next], medians of fresh processes."""
    first, second = [], []
    for _ in range(rounds):
        done = subprocess.run([tool, "run", os.path.join(HERE, "first.rad"), "--device", "host"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("bench: first.rad: " + done.stderr[-500:])
        times = [1e3 * float(line.split()[1]) for line in done.stdout.splitlines()]
        first.append(times[0])
        second.append(times[1])
    return [statistics.median(first), min(first), statistics.median(second), min(second)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="also write all figures to this file")
    options = parser.parse_args()
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    clang = next((c for c in ("clang-22", "clang++-22") if shutil.which(c)), None)
    if not tool:
        sys.exit("bench: set RADDLE to the tool, or run ./dev bench host")
    work = tempfile.mkdtemp()
    peers = os.path.join(work, "peers")
    if not clang:
        print("C++ is left out: no clang-22 here")
    else:
        subprocess.run([clang, "-x", "c++", "-O3", "-march=native", "-std=c++20", os.path.join(HERE, "peers.cpp"), "-o", peers, "-lstdc++",
                        "-lm", "-lpthread"], check=True)
    ours, plain, pocl = (collections.defaultdict(list) for _ in range(3))
    threads = str(options.threads)
    noPocl = None
    for turn in range(options.rounds):
        text = run([tool, "run", os.path.join(HERE, "kernels.rad"), "--device", "host", "--", "5"], {"RADDLE_THREADS": threads}, ours)
        if clang and not text:
            text = run([peers, "5", threads], {}, plain)
        if text:
            sys.exit("bench: " + text)
        if turn < 2 and not noPocl:  # it is slow, and far behind
            noPocl = run([sys.executable, os.path.join(HERE, "pocl.py"), "5"], {"POCL_MAX_PTHREAD_COUNT": threads}, pocl)
            if noPocl:
                print("PoCL is left out: " + noPocl)
    shutil.rmtree(work, ignore_errors=True)

    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    print("%s, %d cores, %s thread(s), load %.1f, %s" % (model, os.cpu_count(), threads, os.getloadavg()[0], datetime.date.today().isoformat()))
    print("milliseconds, medians (fastest); ratios: how many times as fast Raddle is, by medians (by the fastest samples)")
    print("| kernel | Raddle | C++ | PoCL | C++ / Raddle | aim | PoCL / Raddle | aim |")
    print("|---|---|---|---|---|---|---|---|")
    figures, missed = {}, []
    for name, (aim, aimPocl) in AIMS.items():
        def both(samples):
            return (1e3 * statistics.median(samples), 1e3 * min(samples)) if samples else None
        mine, cpp, cl = both(ours[name]), both(plain[name]), both(pocl[name])
        ratio = [c / m for c, m in zip(cpp, mine)] if cpp else None
        ratioCl = [c / m for c, m in zip(cl, mine)] if cl else None
        figures[name] = {"raddle": mine, "c++": cpp, "pocl": cl, "ratio": ratio, "ratio to pocl": ratioCl}
        show = lambda pair, form: form % tuple(pair) if pair else ""
        print("| %s | %s | %s | %s | %s | %s | %s | %s |" % (
            name, show(mine, "%.3f (%.3f)"), show(cpp, "%.3f (%.3f)"), show(cl, "%.3f (%.3f)"), show(ratio, "%.2f (%.2f)"), aim,
            show(ratioCl, "%.1f (%.1f)"), aimPocl or ""))
        if ratio and ratio[0] < aim:
            missed.append("%s reaches %.2f of C++, the aim is %.1f" % (name, ratio[0], aim))
        if ratioCl and aimPocl and ratioCl[0] < aimPocl:
            missed.append("%s is %.1f times as fast as PoCL, the aim is %.1f" % (name, ratioCl[0], aimPocl))
    compiled = compileTimes(tool, 4 * options.rounds + 1)
    figures["compile"] = compiled
    print("\nfirst launch in a fresh process: median %.1f ms, fastest %.1f; the next kernel: median %.1f ms, fastest %.1f" % tuple(compiled))
    if compiled[0] > 40 or compiled[2] > 10:
        missed.append("the first launch is to take 40 ms at most, the next kernel 10")
    for text in missed:
        print("MISSED: " + text)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
