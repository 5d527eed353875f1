# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Judges --check by small programs: judge.py RADDLE FILE FOLDER.

FILE holds programs, each behind a line `//# wrong NAME` or `//# right NAME`. On the lines of a wrong one stand what has to be said of them, and
nothing else may be said: `// R0840: a part of the text`, and for the other place of a message `// note: a part of the text`. Several are apart by ` // `.
A right one runs, and is told nothing. Without --check a wrong one whose name does not end in `!` runs, too: that it is wrong does not show.
"""
import os
import re
import shlex
import subprocess
import sys

raddle, path, folder = shlex.split(sys.argv[1]), sys.argv[2], sys.argv[3]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
with open(path, encoding="utf-8") as file:
    parts = re.split(r"^//# (wrong|right) (.*)\n", file.read(), flags=re.M)
programs = list(zip(parts[1::3], parts[2::3], parts[3::3]))
problems = []


def run(program, *options):
    with open("program.rad", "w", encoding="utf-8") as file:
        file.write(program)
    return subprocess.run(raddle + ["run", "program.rad", "--device", "host", *options], capture_output=True, text=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL)


def expectations(program):
    for number, line in enumerate(program.splitlines(), 1):
        for kind, text in re.findall(r"// (R\d+|note): (.*?)(?= // |$)", line):
            yield number, kind, text


for verdict, name, program in programs:
    done = run(program, "--check=race,uninit,barrier")
    expected = list(expectations(program))
    said = [(int(line), code or "note", text)
            for line, code, text in re.findall(r"^program\.rad:(\d+):\d+: (?:error\[(R\d+)\]|note): (.*)$", done.stderr, re.M)]
    missing = list(expected)
    for line, kind, text in said:
        fits = [e for e in missing if e[:2] == (line, kind) and e[2] in text]
        if fits:
            missing.remove(fits[0])
        elif kind != "note" or not any(e[:2] == (line, kind) for e in expected):
            missing.append((line, kind, "NOT EXPECTED: " + text))
    if missing or done.returncode != (1 if verdict == "wrong" else 0) or (verdict == "right" and "error" in done.stderr) or bool(expected) != (verdict == "wrong"):
        problems.append("%s %s: %s\n%s\n%s" % (verdict, name, missing, program, done.stderr))
    elif verdict == "wrong" and not name.endswith("!") and run(program).returncode != 0:
        problems.append("%s %s: it does not run without --check" % (verdict, name))
print("\n".join(problems))
print("%s: %d wrong, %d right" % (os.path.basename(path), sum(p[0] == "wrong" for p in programs), sum(p[0] == "right" for p in programs)))
sys.exit(1 if problems else 0)
