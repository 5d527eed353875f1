#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a launch costs: no arguments, 8, 19 and 58 of them, half of them arrays whose shapes are checked.

    ./dev bench launch                           our share, with a driver whose launch does nothing
    ./gpu OUTDIR --only bench --bench launch     on a GPU too: beside cuLaunchKernelEx, in turns, and other ways to launch

"checked" is what compiled host code does, "prepared" is cuda::PreparedLaunch. On a GPU 30 rounds of 10,000 launches take turns; the
difference to cuLaunchKernelEx is the median over the rounds with its 95 % interval, p50 and p99 are of launches timed one by one.
cudaLaunchKernel needs nvcc; Triton, CuPy, numba-cuda and cuda.core are measured where Python has them.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTS = [0, 8, 19, 58]
MOST = {"checked": 200.0, "prepared": 50.0}  # nanoseconds, our share

CUDART = r"""
#include <cuda_runtime.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>
template <class... T> __global__ void kernel(T...) {}
template <class... T> void measure(int count, T... values) {
  cudaStream_t stream;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  std::vector<double> rounds;
  for (int round = 0; round < 31; ++round) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10000; ++i) kernel<<<1, 256, 0, stream>>>(values...);
    rounds.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / 10000);
    if (cudaStreamSynchronize(stream) != cudaSuccess) { std::puts("failed"); return; }
  }
  std::sort(rounds.begin() + 1, rounds.end());
  std::printf("%d %f\n", count, rounds[16]);
}
int main() { CALLS }
"""

PYTHON = {
    "cupy": r"""
import cupy
def kernel(n):
    code = 'extern "C" __global__ void k(%s) {}' % ", ".join("float* a%d" % i if i % 2 == 0 else "float a%d" % i for i in range(n))
    k = cupy.RawKernel(code, "k")
    x, v = cupy.zeros(4, cupy.float32), cupy.float32(1)
    args = tuple(x if i % 2 == 0 else v for i in range(n))
    return lambda: k((1,), (256,), args), cupy.cuda.runtime.deviceSynchronize
""",
    "numba-cuda": r"""
import numpy
if not hasattr(numpy, "row_stack"):  # a name that NumPy has dropped, and that numba-cuda takes when it is imported
    numpy.row_stack = numpy.vstack
from numba import cuda
def kernel(n):
    space = {"cuda": cuda}
    exec("@cuda.jit\ndef k(%s):\n    pass\n" % ", ".join("a%d" % i for i in range(n)), space)
    x = cuda.to_device(numpy.zeros(4, numpy.float32))
    args = [x if i % 2 == 0 else numpy.float32(1) for i in range(n)]
    k = space["k"][1, 256]
    return lambda: k(*args), cuda.synchronize
""",
    "triton": r"""
import linecache, torch, triton
def kernel(n):
    names = ["a%d" % i for i in range(n)]
    text = "import triton\n@triton.jit\ndef k(%s):\n    pass\n" % ", ".join(names)
    linecache.cache["<k%d>" % n] = (len(text), None, text.splitlines(True), "<k%d>" % n)
    space = {}
    exec(compile(text, "<k%d>" % n, "exec"), space)
    x = torch.zeros(4, device="cuda")
    args = [x if i % 2 == 0 else 1.5 for i in range(n)]
    k = space["k"]
    return lambda: k[(1,)](*args), torch.cuda.synchronize
""",
    "cuda.core": r"""
import numpy
try:
    from cuda.core import Device, LaunchConfig, Program, ProgramOptions, launch
except ImportError:
    from cuda.core.experimental import Device, LaunchConfig, Program, ProgramOptions, launch
def kernel(n):
    device = Device(0)
    device.set_current()
    stream = device.create_stream()
    code = 'extern "C" __global__ void k(%s) {}' % ", ".join("float* a%d" % i if i % 2 == 0 else "float a%d" % i for i in range(n))
    arch = "sm_%d%d" % tuple(device.compute_capability)
    k = Program(code, "c++", ProgramOptions(arch=arch)).compile("cubin").get_kernel("k")
    buffer = device.allocate(16, stream=stream)
    args = [buffer if i % 2 == 0 else numpy.float32(1) for i in range(n)]
    config = LaunchConfig(grid=1, block=256)
    return lambda: launch(stream, config, k, *args), stream.sync
""",
}
PYTHON_TAIL = r"""
import statistics, time
for n in %r:
    go, wait = kernel(n)
    rounds = []
    for r in range(31):
        start = time.perf_counter()
        for i in range(1000): go()
        rounds.append((time.perf_counter() - start) * 1e6)
        wait()
    print(n, statistics.median(rounds[1:]))
""" % COUNTS


def program():
    if os.environ.get("RADDLE_LAUNCH_COST"):
        return os.environ["RADDLE_LAUNCH_COST"]
    tool = os.environ.get("RADDLE") or shutil.which("raddle")
    places = [os.path.dirname(os.path.abspath(tool))] if tool else []
    root = os.path.dirname(os.path.dirname(HERE))
    places += [os.path.join(root, part) for part in ("bin", "build/release/bin")]
    for place in places:
        path = os.path.join(place, "raddle_launch_cost")
        if os.path.exists(path):
            return path
    sys.exit("bench: raddle_launch_cost is not built: ninja -C build/release raddle_launch_cost, or name it in RADDLE_LAUNCH_COST")


def lines_of(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1:] or ["status %d" % done.returncode]
    return [json.loads(line) for line in done.stdout.splitlines()], None


def report_peer(name, done):
    if done.returncode != 0:
        print("  %-18s not measured: %s" % (name, (done.stderr.strip().splitlines() or ["?"])[-1][:150]))
        return
    values = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    print("  %-18s %s" % (name, "  ".join("%8.0f" % float(values[str(n)]) if str(n) in values else "       -" for n in COUNTS)))


def main():
    cost = program()
    fakes = os.environ.get("RADDLE_FAKES") or os.path.join(os.path.dirname(os.path.dirname(cost)), "fakes")
    rows, error = lines_of([cost, "noop", os.path.join(fakes, "libcudanoop.so")])
    if error:
        sys.exit("bench: %s" % error[0])
    print("our share of a launch, nanoseconds (median of 30 rounds of 10,000; the driver's launch does nothing)")
    late = []
    for row in rows:
        print("  %2d arguments, %2d parameters: checked %7.1f (p99 %7.1f)   prepared %6.1f (p99 %6.1f)"
              % (row["arguments"], row["parameters"], row["checked"]["median"], row["checked"]["p99"], row["prepared"]["median"], row["prepared"]["p99"]))
        late += ["%s with %d arguments" % (kind, row["arguments"]) for kind, most in MOST.items() if row[kind]["median"] > most]
    print("  at most 200 checked and 50 prepared: " + ("yes" if not late else "not " + ", ".join(late)))
    if not os.path.exists("/dev/nvidiactl"):
        return
    rows, error = lines_of([cost, "gpu"])
    if error:
        sys.exit("bench: %s" % error[0])
    print("on the GPU, nanoseconds a launch, in turns with cuLaunchKernelEx")
    for row in [row for row in rows if "arguments" in row]:
        for kind in ("raw", "prepared", "checked"):
            text = "  %2d arguments  %-9s median %7.0f  p50 %7.0f  p99 %7.0f" % (row["arguments"], kind, row[kind]["median"], row[kind]["p50"], row[kind]["p99"])
            if kind != "raw":
                difference = row[kind + "_minus_raw"]
                text += "  more than raw: %6.0f [%.0f, %.0f]" % (difference["median"], difference["low"], difference["high"])
            print(text)
    for row in [row for row in rows if "graph_nodes" in row]:
        ratio = row["ratio"]
        print("  a graph of %d launches, microseconds with its wait: %.1f, the driver's own %.1f, ratio %.4f [%.4f, %.4f]"
              % (row["graph_nodes"], row["ours"], row["raw"], ratio["median"], ratio["low"], ratio["high"]))
    print("others, nanoseconds a launch, medians        " + "  ".join("%4d args" % n for n in COUNTS))
    with tempfile.TemporaryDirectory() as work:
        nvcc = shutil.which("nvcc") or ("/usr/local/cuda/bin/nvcc" if os.path.exists("/usr/local/cuda/bin/nvcc") else None)
        if nvcc:
            calls = " ".join("measure(%s);" % ", ".join([str(n)] + ["(float*)nullptr" if i % 2 == 0 else "1.0f" for i in range(n)]) for n in COUNTS)
            source = os.path.join(work, "launch.cu")
            with open(source, "w") as file:
                file.write(CUDART.replace("CALLS", calls))
            binary = os.path.join(work, "launch")
            done = subprocess.run([nvcc, "-O3", "-std=c++17", "-arch=native", source, "-o", binary], capture_output=True, text=True)
            report_peer("cudaLaunchKernel", subprocess.run([binary], capture_output=True, text=True) if done.returncode == 0 else done)
        else:
            print("  cudaLaunchKernel   not measured: no nvcc")
        for name, head in PYTHON.items():
            path = os.path.join(work, name.replace(".", "_").replace("-", "_") + "_launch.py")
            with open(path, "w") as file:
                file.write(head + PYTHON_TAIL)
            report_peer(name, subprocess.run([sys.executable, path], capture_output=True, text=True))


main()
