#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the time for parsing and checking grows with the length of generated programs, by what they are long in.

    ./dev bench scaling [--lines 100000] [--shape NAME]

Prints lines a minute for the longest program of each shape, and the exponent of the growth from an eighth of it: 1 is in proportion,
n log n gives about 1.1. Ends with status 1 if a shape is below a million lines a minute or grows faster than n^1.25.
Only the standard library of Python is used.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time


def script(n):
    return "var x = 1\n" + "".join("x = (x * 3 + %d) %% 1000\n" % i for i in range(n - 1))


def kernelBody(n, line, before="    var a = x[i]\n", after="    y[i] = a\n"):
    """A kernel of n lines, in parts of 2000, as long as one may be."""
    part, text = 2000, ""
    for k in range(max(n // part, 1)):
        text += "kernel k%d(x: [f32; n], mut y: [f32; n]) forall i in 0..n {\n%s" % (k, before)
        text += "".join(line(i) for i in range(min(part, n))) + after + "}\n"
    return text


def straight(n):
    return kernelBody(n, lambda i: "    a = a * %d.5 + x[i]\n" % (i % 7))


def loops(n):
    return kernelBody(n, lambda i: "    for j%d in 0..n { if j%d > i { a += x[j%d] } }\n" % (i, i, i))


def conditions(n):
    return kernelBody(n, lambda i: "    if i + %d < n { a += x[i + %d] }\n" % (i, i))


def names(n):
    return kernelBody(n, lambda i: "    let v%d = min(v%d + 1, n - 1)\n" % (i + 1, i), "    let v0 = i\n", "    y[i] = x[v2000]\n" if n >= 2000 else "    y[i] = 1.0\n")


def barriers(n):
    text = ""
    for k in range(max(n // 2000, 1)):
        text += "kernel k%d(mut y: [f32; n]) blocks b in 0..1 threads t in 0..32 {\n    shared s: [f32; 32]\n    var v = t\n" % k
        text += "    if v > 5 { v = 2 }\n    v += 1\n    s[v % 32] = f32(v)\n    barrier()\n" * (min(n, 2000) // 4) + "    y[t] = s[t]\n}\n"
    return text


def functions(n):
    return "".join("fn f%d(a: i32, b: i32) -> i32 {\n    let c = a + b * %d\n    if c > 10 { return c - 1 }\n    c + 1\n}\n" % (i, i) for i in range(n // 5))


def calledFunctions(n):
    text = "".join("fn f%d(a: i32) -> i32 {\n    a + %d\n}\n" % (i, i) for i in range(n // 4))
    return text + "var t = 0\n" + "".join("t = f%d(t) %% 100\n" % i for i in range(n // 4))


def library(n):
    """Functions that call some of those before them, and that nothing uses."""
    return "".join("fn f%d(a: i32) -> i32 {\n    %s\n}\n" % (i, "a" if i % 50 == 0 else "f%d(a) + f%d(a + 1)" % (i - 1, i - 1 - i % 50 // 2))
                   for i in range(n // 3))


def kernels(n):
    text = "".join("kernel k%d(x: [f32; n], mut y: [f32; n]) forall i in 0..n {\n    y[i] = x[i] * %d.0\n}\n" % (i, i) for i in range(n // 4))
    return text + "let x = zeros[f32](10)\nlet y = copy(x)\n" + "".join("k%d(x, y)\n" % i for i in range(n // 4))


def generics(n):
    return "fn g[const N: index](x: i32) -> i32 { x + i32(N % 7) }\nvar t = 0\n" + "".join("t = g[%d](t) %% 100\n" % i for i in range(n))


def globals_(n):
    return "".join("let v%d = %s\n" % (i, "clock()" if i == 0 else "v%d + 1.0" % (i - 1)) for i in range(n))


def nesting(n):
    """Blocks and expressions as deep as they may be, again and again."""
    one = "".join("if x[0] > %d.0 {\n" % d for d in range(30)) + "x[0] = " + "(1.0 + " * 20 + "1.0" + ")" * 20 + "\n" + "}\n" * 30
    return "let x = zeros[f32](4)\n" + one * (n // one.count("\n"))


def mistakes(n):
    return "".join("let v%d = unknown%d\n" % (i, i) for i in range(n))


SHAPES = {"script": script, "straight kernels": straight, "loops": loops, "conditions": conditions, "names": names, "barriers": barriers,
          "functions": functions, "called functions": calledFunctions, "library": library, "kernels": kernels, "generic instances": generics,
          "globals": globals_, "nesting": nesting, "mistakes": mistakes}


def frontEnd(tool, path, repeat):
    """Milliseconds of parsing and checking, the best of some."""
    command = [tool, "build", "--emit=typed", "-o", os.devnull, "--time=json", "--repeat", str(repeat), path]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    if rows:
        return min(row["parse"] + row["check"] for row in rows)
    if done.returncode != 1:
        raise RuntimeError("%s\n%s" % (" ".join(command), done.stderr[-2000:]))
    return (time.perf_counter() - start) * 1e3  # a program with mistakes is looked at once, and has no times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100000)
    parser.add_argument("--shape", choices=sorted(SHAPES))
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    tool = os.environ["RADDLE"]
    failed = False
    print("%-18s %9s %10s %14s %8s" % ("long in", "lines", "ms", "lines/minute", "growth"))
    with tempfile.TemporaryDirectory() as folder:
        for name, make in SHAPES.items():
            if arguments.shape and name != arguments.shape:
                continue
            times, lengths = [], []
            for size in (arguments.lines // 8, arguments.lines):
                path = os.path.join(folder, "program.rad")
                text = make(size)
                with open(path, "w") as file:
                    file.write(text)
                lengths.append(text.count("\n"))
                times.append(frontEnd(tool, path, arguments.repeat))
            speed = lengths[1] / times[1] * 60000
            growth = math.log(times[1] / times[0]) / math.log(lengths[1] / lengths[0])
            bad = speed < 1e6 or growth > 1.25
            failed = failed or bad
            print("%-18s %9d %10.1f %14.0f %8.2f%s" % (name, lengths[1], times[1], speed, growth, "  <-- too slow" if bad else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
