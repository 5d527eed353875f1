# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long an entry takes in the interactive session, typed on a pseudo-terminal: from Return to its result on the screen.

Each of 100 entries declares a kernel that no entry before has, launches it, and shows an element that it wrote. They differ in what they compute, so that
nothing is found in a cache. Also measured: the definition alone, an entry without a kernel, and the echo of a key.

    ./dev bench repl [--device host|cuda:0] [--count 100]
"""
import argparse
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "test", "lit", "repl", "inputs"))
import terminal  # noqa: E402


def shapes(i):
    """A kernel and its launch on x = [1, 1, ...], and what x[3] is afterwards."""
    a, b = i + 2, i * 3 + 1
    kind = i % 5
    if kind == 0:
        return "x[i] = %d.0 * x[i] + %d.0" % (a, b), a + b
    if kind == 1:
        return "if i %% 2 == 1 { x[i] = %d.0 } else { x[i] = %d.0 }" % (a, b), a
    if kind == 2:
        return "var t = 0.0; for k in 0..%d { t += f32(k) }; x[i] = t" % a, a * (a - 1) / 2
    if kind == 3:
        return "x[i] = max(%d.0, f32(i)) + sqrt(%d.0)" % (b, a * a), max(b, 3) + a
    return "let p = (f32(i), %d.0); x[i] = p.0 * %d.0 + p.1" % (a, b), 3 * b + a


def typed(session, entry, result):
    """Milliseconds from Return to the result."""
    session.settle(0.01)
    session.type(entry)
    session.settle(0.03)  # the editor has shown all of it
    session.seen = len(session.raw)
    start = time.perf_counter()
    session.type("\r")
    session.wait(result)
    took = (time.perf_counter() - start) * 1e3
    session.prompt()
    return took


def show(label, samples):
    samples = sorted(samples)
    part = lambda at: samples[min(int(at * len(samples)), len(samples) - 1)]  # noqa: E731
    print("%-44s median %6.2f ms   p95 %6.2f ms   largest %6.2f ms   (%d)" % (label, part(0.5), part(0.95), samples[-1], len(samples)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda:0" if os.environ.get("RADDLE_TEST_CUDA") == "1" else "host")
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    tool = os.environ.get("RADDLE") or sys.exit("set RADDLE to the tool")
    with tempfile.TemporaryDirectory() as cache:
        os.environ.update(RADDLE_HISTORY="", NO_COLOR="1", RADDLE_CACHE_DIR=cache)
        session = terminal.Session([tool, "--device", arguments.device], rows=50, columns=200)
        session.prompt()
        typed(session, "var x = ones[f32](1000); x[0]", "1.0")
        kernels, plain, echo = [], [], []
        for i in range(-5, arguments.count):  # the first ones find parts of the tool that were not read from the disk yet
            body, value = shapes(i + 5)
            entry = "kernel k%d(mut x: [f32; n]) forall i in 0..n { %s }; x[..] = 1.0; k%d(x); x[3]" % (i + 5, body, i + 5)
            took = typed(session, entry, "\r\n%.1f\r\n" % value)
            if i >= 0:
                kernels.append(took)
        for i in range(50):
            plain.append(typed(session, "%d + 1000" % i, "\r\n%d\r\n" % (i + 1000)))
        for i in range(50):
            session.settle(0.005)
            session.seen = len(session.raw)
            start = time.perf_counter()
            session.type("q")
            session.wait("q")
            echo.append((time.perf_counter() - start) * 1e3)
        session.type("\x03:quit\r")
        session.close()
    print("the interactive session on %s, from Return to the result:" % arguments.device)
    show("a new kernel, its launch, an element of it", kernels)
    show("an expression", plain)
    show("a key until its echo", echo)


if __name__ == "__main__":
    main()
