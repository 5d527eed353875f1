# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: check_limits.py FOLDER RADDLE: programs without measure get an error or work, in bounded time; nothing overflows the stack."""
import os
import resource
import shlex
import subprocess
import sys
import time

folder, raddle = sys.argv[1], shlex.split(sys.argv[2])
wanted = sys.argv[3:]
os.makedirs(folder, exist_ok=True)
SECONDS = 60  # for one program; they take a few at most on an idle machine

CALLS = "let y = zeros[i32](4)\nk(y)\nprint(\"{}\", y)\n"
RUN = ["run", "--device", "host", "--no-cache"]
CHECK = ["build", "--emit=typed", "-o", os.devnull]
PTX = ["build", "--emit=ptx", "-o", os.devnull]


def kernel(body, before=""):
    return before + "kernel k(mut y: [i32; n]) forall i in 0..n { " + body + " }\n" + CALLS


def doubled(levels, call):
    text = "fn f0(x: i32) -> i32 { x * 3 + 1 }\n"
    for i in range(1, levels):
        text += "fn f%d(x: i32) -> i32 { %s }\n" % (i, call % {"f": "f%d" % (i - 1)})
    return kernel("y[i] = f%d(y[i])" % (levels - 1), text)


def chained(levels, depth, opening, closing):
    """Functions inside of each other, each call deep in an expression: what the passes go through at once is the product."""
    text = "fn f0(x: i32) -> i32 { x + 1 }\n"
    for i in range(1, levels):
        text += "fn f%d(x: i32) -> i32 { let r = %sf%d(x)%s\n r }\n" % (i, opening * depth, i - 1, closing * depth)
    return kernel("y[i] = f%d(y[i])" % (levels - 1), text)


def nested(count, opening, closing, inner="0"):
    return opening * count + inner + closing * count


MANY = 100000
# name: (arguments, program, what the output must hold, exit status)
cases = {
    # Nesting.
    "parentheses": (CHECK, "let x = " + nested(MANY, "(", ")"), "nested more than 256 levels deep", 1),
    "brackets": (CHECK, "let x = " + nested(MANY, "[", "]"), "nested more than 256 levels deep", 1),
    "braces": (CHECK, nested(MANY, "{ ", " }"), "nested more than 256 levels deep", 1),
    "open_brackets": (CHECK, "let x = " + "(" * MANY, "nested more than 256 levels deep", 1),
    "indices": (CHECK, "let x = iota[i32](3)\nlet z = " + nested(MANY, "x[", "]"), "nested more than 256 levels deep", 1),
    "calls": (CHECK, "let z = " + nested(MANY, "abs(", ")", "1"), "nested more than 256 levels deep", 1),
    "postfix": (CHECK, "let z = 1" + ".a" * MANY, "nested more than 256 levels deep", 1),
    "unary": (CHECK, "let z = " + "~" * MANY + "1", "nested more than 256 levels deep", 1),
    "logic": (CHECK, "let z = " + "not " * MANY + "true", "nested more than 256 levels deep", 1),
    "sums": (CHECK, "let z = 1" + " + 1" * MANY, "nested more than 256 levels deep", 1),
    "else_if": (CHECK, "if false { }" + " else if false { }" * MANY, "nested more than 256 levels deep", 1),
    "lambdas": (CHECK, "let f = " + "|x| " * MANY + "1", "nested more than 256 levels deep", 1),
    "function_types": (CHECK, "fn f(x: " + nested(MANY, "fn(", ")", "i32") + ") = 1", "nested more than 256 levels deep", 1),
    "comments": (CHECK, nested(MANY, "/* ", " */", "") + "print(1)", "", 0),
    "loops": (CHECK, kernel(nested(100, "for a in 0..1 { ", " }", "y[i] += 1")), "", 0),
    # What is deep in each function, a hundred functions deep.
    "deep_calls_negated": (PTX, chained(99, 50, "-(", ")"), "", 0),
    "deep_calls_branches": (PTX, chained(99, 40, "if x > 0 { ", " } else { 0 }"), "", 0),
    "deep_calls_on_the_host": (RUN, chained(99, 50, "-(", ")"), "", 0),
    "too_many_calls": (CHECK, chained(120, 1, "", ""), "more than 100 instances inside each other", 1),
    # Instantiation.
    "endless_instances": (CHECK, "fn f[const N: index](x: i32) -> i32 { f[N + 1](x) }\n" + kernel("y[i] = f[0](1)"),
                          "more than 100 instances inside each other", 1),
    "endless_instances_on_the_host": (CHECK, "fn f[const N: index](x: i32) -> i32 { f[N + 1](x) }\nprint(f[0](1))\n",
                                      "more than 100 instances inside each other", 1),
    "doubling_instances": (CHECK, "fn f[const N: index](x: i32) -> i32 { f[N % 1000000 * 2](x) + f[N % 1000000 * 2 + 1](x) }\nprint(f[1](1))\n",
                           "at most 20000 instances of functions", 1),
    # Functions that are lowered into their callers.
    "doubled_calls": (CHECK, doubled(60, "%(f)s(x) + %(f)s(x + 1)"), "`k` becomes too large: more than 200000 operations", 1),
    "doubled_calls_chain": (CHECK, doubled(60, "%(f)s(x) + %(f)s(x + 1)"), "2 calls of `f58`, there 2 calls of `f57`", 1),
    "doubled_in_branches": (CHECK, doubled(60, "if x > 0 { %(f)s(x) } else { %(f)s(x + 1) }"), "`k` becomes too large: more than 200000 operations", 1),
    "doubled_on_the_host_alone": (CHECK, doubled(60, "%(f)s(x) + %(f)s(x + 1)").replace("k(y)", "").replace("kernel k", "kernel[T] k").split("kernel[T]")[0] + "print(1)\n", "", 0),
    "doubled_a_little": (RUN, doubled(9, "%(f)s(x) + %(f)s(x + 1)"), "[", 0),
    # Unrolling.
    "unroll_everything": (PTX, kernel("var s = 0\n unroll for j in 0..100000000 { s = s * 3 + j }\n y[i] = s"), "", 0),
    "unroll_nested": (PTX, kernel("var s = 0\n" + "".join("unroll for j%d in 0..1000 { " % d for d in range(6)) + "s = s * 3 + j5" + " }" * 6 + "\n y[i] = s"), "", 0),
    "unroll_factor": (CHECK, kernel("unroll(100000) for j in 0..n { y[i] += 1 }"), "`unroll` takes a factor from 1 to 1024", 1),
    # Sizes.
    "shared_size": (CHECK, "kernel k(mut y: [i32; n]) blocks b in 0..1 threads t in 0..32 { shared s: [i32; 4611686018427387904]\n y[0] = s[0] }\n" + CALLS,
                    "a shared array of", 1),
    "shared_size_overflows": (CHECK, "kernel k(mut y: [i32; n]) blocks b in 0..1 threads t in 0..32 { shared s: [i32; 3037000500, 3037000500, 8]\n y[0] = s[0, 0, 0] }\n" + CALLS,
                              "a shared array of", 1),
    "array_size": (RUN, "let x = zeros[f64](1 << 60)\n", "error", None),
    "array_sizes_overflow": (RUN, "let n: index = 1 << 40\nlet x = zeros[f64](n, n)\n", "error", None),
    "threads": (CHECK, "kernel k(mut y: [i32; n]) blocks b in 0..1 threads t in 0..4611686018427387904 { y[0] = 1 }\n" + CALLS, "1 to 1024 threads", 1),
    "domain": (RUN, "kernel k(mut y: [i32; 1], n: i64) forall i in 0..n, j in 0..n { if i < 0 { y[0] = 1 } }\nlet y = zeros[i32](1)\nk(y, 4611686018427387904)\n", "error", 1),
    # Evaluation while compiling.
    "constant_cycle": (CHECK, "const A = B + 1\nconst B = A + 1\nprint(A)\n", "is defined by itself", 1),
    "constant_chain": (CHECK, "const C0 = 1\n" + "".join("const C%d = C%d %% 7 + 1\n" % (i, i - 1) for i in range(1, 100)) + "print(C99)\n", "", 0),
    "constant_chain_too_long": (CHECK, "const C0 = 1\n" + "".join("const C%d = C%d %% 7 + 1\n" % (i, i - 1) for i in range(1, 5000)) + "print(C4999)\n",
                                "nested more than 400 levels deep", 1),
    "large_number": (CHECK, "let x = " + "9" * MANY, "error", 1),
    "large_shift": (CHECK, "const A = 1 << 1000000000000\nprint(A)\n", "error", 1),
    # Length alone is no obstacle.
    "long_script": (CHECK, "var x = 1\n" + "x = x * 3 % 1000\n" * 20000, "", 0),
    "long_kernel": (CHECK, kernel("var s = y[i]\n" + "s = s * 3 + i32(i)\n" * 10000 + "y[i] = s"), "", 0),
    "long_kernel_too_long": (CHECK, kernel("var s = y[i]\n" + "s = s * 3 + i32(i)\n" * 50000 + "y[i] = s"), "`k` becomes too large: more than 200000 operations", 1),
    "long_line": (CHECK, "let x = iota[i32](3)\n" + "x[0] = 1; " * 20000, "", 0),
    "long_name": (CHECK, "let %s = 1\nprint(%s)\n" % ("n" * MANY, "n" * MANY), "", 0),
    "many_arguments": (CHECK, "fn f(%s) -> i32 { a0 }\nprint(f(%s))\n" % (", ".join("a%d: i32" % i for i in range(5000)), ", ".join("1" for i in range(5000))), "", 0),
    "many_errors": (CHECK, "".join("let v%d = unknown%d\n" % (i, i) for i in range(20000)), "20000 errors", 1),
}

failed = []
for name, (arguments, program, text, status) in cases.items():
    if wanted and name not in wanted:
        continue
    path = os.path.join(folder, name + ".rad")
    with open(path, "w") as file:
        file.write(program)
    start = time.time()
    try:
        done = subprocess.run(raddle + [arguments[0], path] + arguments[1:], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        failed.append("%s: no end after %d seconds" % (name, SECONDS))
        continue
    output = done.stdout + done.stderr
    good = status is None and done.returncode in (1, 3) or done.returncode == status
    if not good or text not in output:
        failed.append("%s: exit status %d, expected %s and %r; it said:\n%s" % (name, done.returncode, status, text, output[:1500]))
    if wanted or os.environ.get("RADDLE_LIMITS_TIMES"):
        print("%-32s %6.2f s  %s" % (name, time.time() - start, output[:100].replace("\n", " ")))
# All children together: none takes more than two gigabytes.
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
if peak > 2048:
    failed.append("a program took %d MiB" % peak)
if failed:
    sys.exit("\n".join(failed))
print("%d programs" % len(cases))
