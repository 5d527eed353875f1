#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs random programs (generate.py) in several ways that must not differ, and reports those that do.

    compare.py --tool build/dev/bin/raddle --seeds 0:200 [--ways host,O0,unchecked,proofs,cuda] [--jobs 2] [--batch 20] [--keep DIR]
               [--seconds N] [--indices]

Ways: host (all optimisations, checks on), O0, unchecked (no index checks), proofs (the checks that were proven superfluous stay:
one that fails shows a wrong proof), cuda (cuda:0). Floating point is strict, so that results agree bit for bit. The first
way named is what the others are compared with. With --indices: programs whose indices may be out of range, which is then what they
have to say, but in no check that was proven. Programs that differ, fail or hang are kept in DIR and named; the exit status is 1 then.

A process runs --batch programs in one way. Where one of them fails, or the process dies or hangs, those without a result are run again,
each in a process of its own.
"""
import argparse
import concurrent.futures
import os
import re
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
    "checked": ["--device", "host", "--check=race,uninit,barrier"],
    "proofs": ["--device", "host", "--verify-proofs"],
    "cuda": ["--device", "cuda:0"],
    "cuda-O0": ["--device", "cuda:0", "-O", "0"],
    "cuda-unchecked": ["--device", "cuda:0", "--unchecked"],
}
LIMIT = 60  # seconds for one program; they end by themselves within milliseconds


def start(tool, way, path, limit, batch):
    """Exit status (None: beyond the limit) and all that was printed, in order."""
    command = [tool, "run", "--fp=strict", "--no-cache", *WAYS[way], *(["--batch"] if batch else []), path]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=limit)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None, ""


def alone(tool, way, path):
    status, text = start(tool, way, path, LIMIT, False)
    return "took longer than %d s" % LIMIT if status is None else "status %d\n%s" % (status, text)


def together(tool, way, paths, folder):
    """Results of several programs by path, of those that came to their end. Only such as ended with status 0 are taken from a batch."""
    listed = os.path.join(folder, "%s-%s.list" % (way, os.path.basename(paths[0])))
    with open(listed, "w") as file:
        file.write("\n".join(paths) + "\n")
    _, text = start(tool, way, listed, LIMIT + 2 * len(paths), True)
    results, begin = {}, 0
    for end in re.finditer(r"^== (.*): status (\d+)\n", text, re.M):
        if end.group(2) == "0":
            results[end.group(1)] = "status 0\n" + text[begin:end.start()]
        begin = end.end()
    return results


def check(tool, ways, seeds, folder, keep, indices):
    """Runs the programs of some seeds: the features that they had, and a text for each that is not as it should be."""
    features, texts, reports = set(), {}, []
    for seed in seeds:
        program = generate.Indices(seed) if indices else generate.Program(seed)
        path = os.path.join(folder, "%d.rad" % seed)
        texts[path] = {path: program.text(), **{os.path.join(folder, name): text for name, text in program.files.items()}}
        for name, text in texts[path].items():
            with open(name, "w") as file:
                file.write(text)
        features |= program.features
    results = {}
    for way in ways:
        # Indices that are out of range end their program: no batch.
        results[way] = together(tool, way, list(texts), folder) if len(texts) > 1 and not indices else {}
        for path in texts:
            if path not in results[way]:
                results[way][path] = alone(tool, way, path)
    for path, files in texts.items():
        report = judge(path, ways, [results[way][path] for way in ways], indices)
        if report and keep:
            os.makedirs(keep, exist_ok=True)
        for name in files:
            if report and keep:
                os.replace(name, os.path.join(keep, os.path.basename(name)))
            else:
                os.remove(name)
        if report:
            reports.append(report)
    return len(texts), features, reports


def judge(path, ways, results, indices):
    first = results[0]
    isFine = first.startswith("status 0\n")
    if indices:
        isFine |= first.startswith("status 1\n") and "error[" not in first.replace("error[R0601]", "") and "internal error" not in first
        results = results[:1]  # which point fails first may differ
    wrong = [way for way, result in zip(ways, results) if result != first]
    if isFine and not wrong:
        return None
    lines = ["%s: %s" % (os.path.basename(path), "%s differs from %s" % (", ".join(wrong), ways[0]) if wrong else "it fails")]
    for way, result in zip(ways, results):
        if way == ways[0] or way in wrong:
            other = first.splitlines()
            shown = [line for k, line in enumerate(result.splitlines()) if way == ways[0] or k >= len(other) or other[k] != line]
            lines += ["  %s: %s" % (way, line[:200]) for line in shown[:8]]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="raddle")
    parser.add_argument("--seeds", default="0:100")
    parser.add_argument("--ways", default="host,O0,unchecked,proofs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--batch", type=int, default=20, help="programs that one process runs")
    parser.add_argument("--keep")
    parser.add_argument("--indices", action="store_true", help="see above; --ways proofs")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no more programs after so long")
    options = parser.parse_args()
    low, high = (int(x) for x in options.seeds.split(":"))
    ways = options.ways.split(",")
    begin = time.monotonic()
    features, wrong, count = set(), 0, 0

    def some(seeds):
        if time.monotonic() - begin > options.seconds:
            return 0, set(), []
        return check(options.tool, ways, seeds, folder, options.keep, options.indices)

    os.environ.setdefault("RADDLE_THREADS", "3")  # many processes at once
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        batches = [range(at, min(at + options.batch, high)) for at in range(low, high, options.batch)]
        for ran, seen, reports in pool.map(some, batches):
            count += ran
            features |= seen
            wrong += len(reports)
            for report in reports:
                print(report, flush=True)
    print("%d programs, %s: %d differ or fail; %d of %d features seen; %.0f s" % (
        count, " ".join(ways), wrong, len(features), len(generate.FEATURES), time.monotonic() - begin))
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
