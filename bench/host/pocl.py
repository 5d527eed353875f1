#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs peers.cl on PoCL, for bench.py: prints "NAME SECONDS" for each sample. `pocl.py SAMPLES`; exit status 3 without PoCL.

POCL_MAX_PTHREAD_COUNT says how many threads it uses. OpenCL through ctypes: no headers, nothing to build.
"""
import ctypes
import os
import struct
import sys
import time

os.environ.setdefault("POCL_AFFINITY", "0")
SIDE, BODIES = 1024, 4096
COUNT = SIDE * SIDE


def main():
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    try:
        cl = ctypes.CDLL("libOpenCL.so.1")
    except OSError as error:
        print("no OpenCL: %s" % error, file=sys.stderr)
        return 3
    p = ctypes.c_void_p
    for name in ("clCreateContext", "clCreateCommandQueue", "clCreateProgramWithSource", "clCreateKernel", "clCreateBuffer"):
        getattr(cl, name).restype = p
    platforms = (p * 8)()
    count = ctypes.c_uint()
    cl.clGetPlatformIDs(8, platforms, ctypes.byref(count))
    device = p()
    for i in range(count.value):
        name = ctypes.create_string_buffer(200)
        cl.clGetPlatformInfo(p(platforms[i]), 0x0902, 200, name, None)
        if b"Portable" in name.value and cl.clGetDeviceIDs(p(platforms[i]), ctypes.c_ulonglong(2), 1, ctypes.byref(device), None) == 0:
            break
    else:
        print("no PoCL among %d platforms" % count.value, file=sys.stderr)
        return 3
    status = ctypes.c_int()

    def check(code):
        if code != 0:
            sys.exit("OpenCL error %d" % code)

    context = p(cl.clCreateContext(None, 1, ctypes.byref(device), None, None, ctypes.byref(status)))
    check(status.value)
    queue = p(cl.clCreateCommandQueue(context, device, ctypes.c_ulonglong(0), ctypes.byref(status)))
    check(status.value)
    text = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.cl"), "rb").read()
    program = p(cl.clCreateProgramWithSource(context, 1, ctypes.byref(ctypes.c_char_p(text)), None, ctypes.byref(status)))
    if cl.clBuildProgram(program, 1, ctypes.byref(device), b"-cl-std=CL2.0", None, None) != 0:
        log = ctypes.create_string_buffer(20000)
        cl.clGetProgramBuildInfo(program, device, 0x1183, ctypes.c_size_t(20000), log, None)
        sys.exit("peers.cl: %s" % log.value.decode(errors="replace"))

    import array
    state, values = 12345, array.array("f", bytes(4 * COUNT))
    for i in range(COUNT):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        values[i] = (state >> 8) / 16777216.0

    def buffer(elements):
        data = (ctypes.c_float * elements).from_buffer_copy(values.tobytes()[:4 * elements])
        made = p(cl.clCreateBuffer(context, ctypes.c_ulonglong(1 | 32), ctypes.c_size_t(4 * elements), data, ctypes.byref(status)))
        check(status.value)
        return made

    grid, next_, out, counts = buffer(COUNT), buffer(COUNT), buffer(4096), buffer(256 * 16)
    a, b, c = buffer(512 * 512), buffer(512 * 512), buffer(512 * 512)
    bodies = [buffer(BODIES) for _ in range(6)]
    work = {  # name: (arguments, global size, local size, launches a sample)
        "tree_sum": ([grid, out, COUNT], (COUNT,), (256,), 10),
        "block_sum": ([grid, out, COUNT], (COUNT,), (256,), 10),
        "matmul": ([a, b, c, 512], (512, 512), (16, 16), 2),
        "nbody": (bodies + [BODIES], (BODIES,), (256,), 1),
        "histogram": ([grid, counts, COUNT], (256 * 256,), (256,), 5),
        "softmax": ([grid, next_, SIDE], (SIDE * 256,), (256,), 3),
    }
    for name, (arguments, size, local, launches) in work.items():
        kernel = p(cl.clCreateKernel(program, name.encode(), ctypes.byref(status)))
        if status.value != 0:
            print("%s is left out: OpenCL error %d" % (name, status.value), file=sys.stderr)
            continue
        for i, argument in enumerate(arguments):
            data = ctypes.byref(argument) if isinstance(argument, p) else struct.pack("q", argument)
            check(cl.clSetKernelArg(kernel, i, ctypes.c_size_t(8), data))
        sizes = (ctypes.c_size_t * len(size))(*size)
        locals_ = (ctypes.c_size_t * len(size))(*local)

        def launch():
            check(cl.clEnqueueNDRangeKernel(queue, kernel, len(size), None, sizes, locals_, 0, None, None))
            check(cl.clFinish(queue))

        launch()
        for _ in range(samples):
            start = time.perf_counter()
            for _ in range(launches):
                launch()
            print("%s %.9f" % (name, (time.perf_counter() - start) / launches))
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    status = main()
    sys.stdout.flush()
    os._exit(status or 0)
