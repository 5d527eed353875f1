#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs random programs (generate.py) in several ways that must not differ, and reports those that do.

    compare.py --tool build/dev/bin/raddle --seeds 0:200 [--ways host,O0,unchecked,proofs,cuda] [--jobs 2] [--keep DIR] [--seconds N] [--indices]

Ways: host (all optimisations, checks on), O0, unchecked (no index checks), proofs (the checks that were proven superfluous stay:
one that fails shows a wrong proof), cuda (cuda:0). Floating point is strict, so that results agree bit for bit. The first
way named is what the others are compared with. With --indices: programs whose indices may be out of range, which is then what they
have to say, but in no check that was proven. Programs that differ, fail or hang are kept in DIR and named; the exit status is 1 then.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate  # noqa: E402

WAYS = {
    "host": ["--device", "host"],
    "O0": ["--device", "host", "-O", "0"],
    "unchecked": ["--device", "host", "--unchecked"],
    "proofs": ["--device", "host", "--verify-proofs"],
    "cuda": ["--device", "cuda:0"],
    "cuda-O0": ["--device", "cuda:0", "-O", "0"],
    "cuda-unchecked": ["--device", "cuda:0", "--unchecked"],
}
LIMIT = 60  # seconds a run; programs end by themselves within milliseconds


def run(tool, way, path):
    try:
        done = subprocess.run([tool, "run", "--fp=strict", *WAYS[way], path], capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "took longer than %d s" % LIMIT
    return "status %d\n%s%s" % (done.returncode, done.stdout, done.stderr)


def check(tool, ways, seed, folder, keep, indices):
    program = generate.Indices(seed) if indices else generate.Program(seed)
    text = program.text()
    path = os.path.join(folder, "%d.rad" % seed)
    with open(path, "w") as file:
        file.write(text)
    results = [(way, run(tool, way, path)) for way in ways]
    first = results[0][1]
    isFine = first.startswith("status 0\n")
    if indices:
        isFine |= first.startswith("status 1\n") and "error[" not in first.replace("error[R0250]", "") and "internal error" not in first
        results = results[:1]  # which point fails first may differ
    wrong = [way for way, result in results if result != first]
    if isFine and not wrong:
        os.remove(path)
        return program.features, None
    if keep:
        os.makedirs(keep, exist_ok=True)
        os.replace(path, os.path.join(keep, "%d.rad" % seed))
    lines = ["seed %d: %s" % (seed, "%s differs from %s" % (", ".join(wrong), ways[0]) if wrong else "it fails")]
    for way, result in results:
        if way == ways[0] or way in wrong:
            other = first.splitlines()
            shown = [line for k, line in enumerate(result.splitlines()) if way == ways[0] or k >= len(other) or other[k] != line]
            lines += ["  %s: %s" % (way, line[:200]) for line in shown[:8]]
    return program.features, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="raddle")
    parser.add_argument("--seeds", default="0:100")
    parser.add_argument("--ways", default="host,O0,unchecked,proofs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep")
    parser.add_argument("--indices", action="store_true", help="see above; --ways proofs")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no more programs after so long")
    options = parser.parse_args()
    low, high = (int(x) for x in options.seeds.split(":"))
    ways = options.ways.split(",")
    begin = time.monotonic()
    features, wrong, count = set(), 0, 0

    def one(seed):
        if time.monotonic() - begin > options.seconds:
            return None
        return check(options.tool, ways, seed, folder, options.keep, options.indices)

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(one, range(low, high)):
            if result is None:
                continue
            count += 1
            features |= result[0]
            if result[1]:
                wrong += 1
                print(result[1], flush=True)
    print("%d programs, %s: %d differ or fail; %d of %d features seen" % (count, " ".join(ways), wrong, len(features), len(generate.FEATURES)))
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
