#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels on a GPU, Raddle beside CUDA C++, in one run: saxpy and triad over 2^27 floats, a tiled matrix product of 4096.

    ./gpu OUTDIR --only bench --bench gpu        from the unpacked archive
    RADDLE=bin/raddle python3 bench/gpu/bench.py [--device cuda:0] [--json FILE]

Every index check of the Raddle kernels is on. Both sides check their results, then time many launches in a row by wall
clock (a sample is the mean launch); the two programs take turns, and medians over all rounds are compared. The C++ times
by CUDA events are printed too. Needs nvcc and a GPU; PEERS names a program built beforehand from peers.cu.
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
ROUNDS = 3
ROWS = {  # name: (what one launch moves or computes, unit, the peers, the ratio to reach)
    "saxpy": (lambda n: 12 * n / 1e9, "GB/s", ["plain", "float4", "float4x2"], 0.97),
    "triad": (lambda n: 12 * n / 1e9, "GB/s", ["plain", "float4", "float4x2"], 0.97),
    "matmul": (lambda n: 2 * n ** 3 / 1e12, "TFLOP/s", ["plain"], 0.95),
}


def samples(command, into):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("bench: %s ended with %d\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
    for line in done.stdout.splitlines():
        name, seconds = line.split()
        into[name].append(float(seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--elements", type=int, default=1 << 27)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--json")
    options = parser.parse_args()
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    if not tool:
        sys.exit("bench: set RADDLE to the tool")
    work = tempfile.mkdtemp()
    peers = os.environ.get("PEERS")
    if options.device == "host":
        print("the host device has no peers here: Raddle's figures follow alone")
        peers, nvcc = None, None
    else:
        nvcc = shutil.which("nvcc") or (os.path.exists("/usr/local/cuda/bin/nvcc") and "/usr/local/cuda/bin/nvcc")
    if not peers and nvcc:
        peers = os.path.join(work, "peers")
        build = subprocess.run([nvcc, "-O3", "-std=c++17", "-arch=native", os.path.join(HERE, "peers.cu"), "-o", peers], capture_output=True, text=True)
        if build.returncode != 0:
            print("peers.cu did not build; Raddle's figures follow alone:\n" + build.stderr[-1000:])
            peers = None
    elif not peers and options.device != "host":
        print("no nvcc here and PEERS is not set: Raddle's figures follow alone")

    gpu = "unknown GPU"
    if shutil.which("nvidia-smi"):
        gpu = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True).stdout.splitlines()[0]
    print("%s, %s, 2^27 is %d elements here, matrices of %d" % (gpu, datetime.date.today().isoformat(), options.elements, options.size))

    found = collections.defaultdict(list)
    sizes = {"stream": options.elements, "matmul": options.size}
    for _ in range(ROUNDS):
        for part, size in sizes.items():
            if peers:
                samples([peers, part, str(size)], found)
            samples([tool, "run", os.path.join(HERE, part + ".rad"), "--device", options.device, "--", str(size)], found)
    shutil.rmtree(work, ignore_errors=True)

    figures = {"gpu": gpu, "rows": {}}
    print("\n| kernel | unit | Raddle, checks on | fastest sample | C++ plain | C++ float4 | C++ 2 float4 | Raddle / best C++ | aim |")
    print("|---|---|---|---|---|---|---|---|---|")
    missed = []
    for name, (work_of, unit, variants, aim) in ROWS.items():
        amount = work_of(options.size if name == "matmul" else options.elements)
        ours = amount / statistics.median(found[name])
        theirs = {v: amount / statistics.median(found["%s.%s" % (name, v)]) for v in variants} if peers else {}
        events = {v: amount / statistics.median(found["%s.%s.events" % (name, v)]) for v in variants} if peers else {}
        row = {"raddle": ours, "fastest": amount / min(found[name]), "unit": unit, "peers": theirs, "peers by events": events}
        ratio = ours / max(theirs.values()) if theirs else None
        row["ratio"] = ratio
        figures["rows"][name] = row
        cells = ["%.4g" % theirs[v] if v in theirs else "" for v in ("plain", "float4", "float4x2")]
        print("| %s | %s | %.4g | %.4g | %s | %s | %.2f |" % (name, unit, ours, row["fastest"], " | ".join(cells), "" if ratio is None else "%.3f" % ratio, aim))
        if ratio is not None and ratio < aim:
            missed.append("%s reaches %.3f of the best C++, the aim is %.2f" % (name, ratio, aim))
    print()
    for name, row in figures["rows"].items():
        for variant, value in row["peers by events"].items():
            print("%s, C++ %s by events: %.4g %s" % (name, variant, value, row["unit"]))
    for text in missed:
        print("MISSED: " + text)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
