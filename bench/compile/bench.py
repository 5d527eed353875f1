#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long it takes from program text to machine code, beside other compilers, in one run on one machine.

For saxpy, softmax and a tiled matrix product: `raddle build --emit=cubin` in a warm process, by stage; nvPTXCompiler (the
one inside raddle) on the PTX that NVRTC makes of the CUDA C++ twin, turn by turn with ours; NVRTC on the twin, beside builds of ours without that
assembler between them; nvcc as a process. Medians, in milliseconds. Then whole processes: `raddle run hello.rad --device host`.

    ./dev bench compile [--repeat N] [--arch sm_90] [--json FILE]

Needs RADDLE (the tool; ./dev sets it). NVRTC and nvcc are taken from RADDLE_TOOLKIT_PATH, CUDA_HOME, CUDA_PATH,
/usr/local/cuda, build/deps/cuda or installed nvidia/cu13 wheels; what is missing is left out and named.
Only the standard library of Python is used.
"""
import argparse
import ctypes
import datetime
import glob
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
KERNELS = ["saxpy", "softmax", "matmul"]
FRONT = ["parse", "check"]
LLVM = ["lower", "optimize", "emit-ptx"]


def toolkitRoots():
    roots = os.environ.get("RADDLE_TOOLKIT_PATH", "").split(":")
    roots += [os.environ.get("CUDA_HOME", ""), os.environ.get("CUDA_PATH", ""), "/usr/local/cuda",
              os.path.join(ROOT, "build", "deps", "cuda", "nvidia", "cu13")]
    roots += [os.path.join(path, "nvidia", "cu13") for path in sys.path]
    return [root for root in roots if root and os.path.isdir(root)]


class Nvrtc:
    """NVRTC through ctypes: text to PTX and cubin."""

    def __init__(self):
        for root in toolkitRoots():
            for name in sorted(glob.glob(os.path.join(root, "lib*", "libnvrtc.so.1[3-9]*"))):
                self.lib, self.root = ctypes.CDLL(name), root
                return
        raise OSError("libnvrtc.so.13 not found")

    def check(self, status, what):
        if status != 0:
            self.lib.nvrtcGetErrorString.restype = ctypes.c_char_p
            raise RuntimeError("%s: %s" % (what, self.lib.nvrtcGetErrorString(status).decode()))

    def compile(self, text, arch):
        program = ctypes.c_void_p()
        self.check(self.lib.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"bench.cu", 0, None, None), "nvrtcCreateProgram")
        # Where a driver is installed NVRTC finds its own earlier results again: that is not compiling.
        options = (ctypes.c_char_p * 2)(b"--gpu-architecture=" + arch.encode(), b"--no-cache")
        self.check(self.lib.nvrtcCompileProgram(program, 2, options), "nvrtcCompileProgram")
        result = {}
        for kind in ("PTX", "CUBIN"):
            size = ctypes.c_size_t()
            self.check(getattr(self.lib, "nvrtcGet%sSize" % kind)(program, ctypes.byref(size)), kind)
            data = ctypes.create_string_buffer(size.value)
            self.check(getattr(self.lib, "nvrtcGet" + kind)(program, data), kind)
            result[kind] = data.raw
        self.check(self.lib.nvrtcDestroyProgram(ctypes.byref(program)), "nvrtcDestroyProgram")
        return result


def raddleBuild(tool, arguments, repeat):
    """The stage times of `repeat` builds in one process, the first few left out: [{stage: ms}]."""
    warm = 3
    command = [tool, "build", *arguments, "--emit=cubin", "--no-cache", "--time=json", "--repeat", str(repeat + warm), "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("%s\n%s" % (" ".join(command), done.stderr[-2000:]))
    rows = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    if len(rows) != repeat + warm:
        raise RuntimeError("%s: expected %d lines of times, found %d" % (" ".join(command), repeat + warm, len(rows)))
    return rows[warm:]


def timed(count, work):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def median(rows, stages=None):
    if stages is None:
        return statistics.median(rows)
    return statistics.median(sum(row.get(stage, 0.0) for stage in stages) for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=10, help="builds that are measured, each of nine rounds (10)")
    parser.add_argument("--arch", default="sm_90", help="the GPU that is compiled for (sm_90)")
    parser.add_argument("--json", help="also write all figures to this file")
    options = parser.parse_args()
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    if not tool:
        sys.exit("bench: set RADDLE to the tool, or run ./dev bench compile")

    try:
        nvrtc = Nvrtc()
    except OSError as error:
        nvrtc = None
        print("NVRTC is left out: %s" % error)
    nvcc = next((path for path in [os.path.join(root, "bin", "nvcc") for root in toolkitRoots()] if os.path.exists(path)), shutil.which("nvcc"))
    if not nvcc:
        print("nvcc is left out: not found")

    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    print("%s, %d cores, %s" % (model, os.cpu_count(), datetime.date.today().isoformat()))
    print("%s; nvcc %s" % (subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.strip(), nvcc or "none"))
    print()

    figures = {"machine": model, "arch": options.arch, "kernels": {}}
    work = tempfile.mkdtemp()
    header = ["kernel", "parse", "check", "lower", "optimize", "emit-ptx", "assemble", "all", "nvPTXCompiler", "alone", "NVRTC", "nvcc", "all / nvPTXCompiler", "NVRTC / alone", "the same, fastest"]
    print("milliseconds, medians; nvPTXCompiler: the one inside raddle, on NVRTC's PTX, in turns with `all`; alone: `all`, but one build after the")
    print("other, as NVRTC's are; last: both ratios from the fastest builds")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for name in KERNELS + ["library"]:
        source = os.path.join(HERE, name + ".rad")
        twin = os.path.join(HERE, name + ".cu")
        ours, alone, theirs, nvrtcTimes, nvccTimes = [], [], [], [], []
        text = open(twin).read() if os.path.exists(twin) else None
        ptx = os.path.join(work, name + ".ptx")
        if nvrtc and text:
            data = nvrtc.compile(text, options.arch)["PTX"].rstrip(b"\0")
            open(ptx, "wb").write(data)
        # Short rounds, so that a slow moment of the machine touches all of them.
        for turn in range(9):
            # The assembler on NVRTC's PTX runs between our builds, in the same process: both find the caches as the other left them.
            beside = ["--beside", ptx] if nvrtc and text else []
            ours += raddleBuild(tool, [source, "--arch", options.arch, *beside], options.repeat)
            if nvrtc and text:
                theirs = [times["beside"] for times in ours]
                # NVRTC compiles the same text again and again, so it is compared with builds of ours that do.
                alone += raddleBuild(tool, [source, "--arch", options.arch], options.repeat)
                nvrtcTimes += timed(max(options.repeat // 2, 1), lambda: nvrtc.compile(text, options.arch))
            if nvcc and text and turn % 3 == 0:
                command = [nvcc, "-O3", "-arch=" + options.arch, "-cubin", twin, "-o", os.path.join(work, name + ".cubin")]
                try:
                    nvccTimes += timed(2, lambda: subprocess.run(command, check=True, capture_output=True))
                except subprocess.CalledProcessError as error:
                    print("nvcc is left out: %s" % error.stderr.decode().strip().splitlines()[:1])
                    nvcc = None
        row = {stage: median(ours, [stage]) for stage in FRONT + LLVM + ["assemble"]}
        row["all"] = median(ours, ["wall"])
        row["library share at most"] = median(ours, FRONT + LLVM)
        if theirs:
            row["nvptxcompiler"] = statistics.median(theirs)
            row["nvrtc"] = median(nvrtcTimes)
            row["ratio to nvptxcompiler"] = row["all"] / row["nvptxcompiler"]
            row["alone"] = median(alone, ["wall"])
            row["nvrtc ratio"] = row["nvrtc"] / row["alone"]
            row["ratios, fastest"] = [min(times["wall"] for times in ours) / min(theirs), min(nvrtcTimes) / min(times["wall"] for times in alone)]
        if nvccTimes:
            row["nvcc"] = median(nvccTimes)
        figures["kernels"][name] = row
        show = [row.get(key) for key in FRONT + LLVM + ["assemble", "all", "nvptxcompiler", "alone", "nvrtc", "nvcc", "ratio to nvptxcompiler", "nvrtc ratio"]]
        cells = ["" if value is None else "%.2f" % value for value in show]
        cells.append(", ".join("%.2f" % value for value in row.get("ratios, fastest", [])))
        print("| %s | %s |" % (name, " | ".join(cells)))
    print()
    figures["library"] = figures["kernels"].pop("library")
    print("ten functions of the library: front end and LLVM together %.2f ms" % figures["library"]["library share at most"])

    hello = os.path.join(ROOT, "examples", "hello.rad")
    command = [tool, "run", hello, "--device", "host"]
    environment = dict(os.environ, RADDLE_CACHE_DIR=os.path.join(work, "cache"))
    times = timed(21, lambda: subprocess.run(command, check=True, capture_output=True, env=environment))
    figures["hello process"] = statistics.median(times)
    print("raddle run hello.rad --device host, a whole process: median %.1f ms, fastest %.1f ms" % (statistics.median(times), min(times)))

    shutil.rmtree(work, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
