# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imported files that change: between two runs, and between two entries of one session."""
import os
import shlex
import subprocess
import sys

raddle = shlex.split(sys.argv[1])
folder = sys.argv[2]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def inner(factor):
    write("inner.rad", "const factor = %s\n" % factor)


write("outer.rad", 'import "inner.rad" as inner\n'
      "kernel scale(mut x: [f32; n]) forall i in 0..n { x[i] *= inner.factor }\n"
      "fn scaled() = { let x = ones[f32](2)\n scale(x)\n x }\n")
write("program.rad", 'import "outer.rad" as outer\nprint("{}", outer.scaled())\n')
for factor in ["2.0", "3.0"]:
    inner(factor)
    out = subprocess.run(raddle + ["run", "program.rad"], check=True, capture_output=True, text=True).stdout
    assert out == "[%s, %s]\n" % (factor, factor), out

session = subprocess.Popen(raddle + ["repl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def entry(text, *answers):
    session.stdin.write(text + "\n")
    session.stdin.flush()
    for answer in answers:
        line = session.stdout.readline().rstrip("\n")
        assert answer in line, (text, answer, line)


entry('import "outer.rad" as outer')
entry("fn first() = outer.scaled()")
entry("first()", "[3.0, 3.0]")
inner("5.0")
entry("first()", "[3.0, 3.0]")                          # what was imported stays what it was
entry('import "outer.rad" as outer')
entry("outer.scaled()", "[5.0, 5.0]")
entry("first()", "[5.0, 5.0]")                          # names mean what they mean now
write("inner.rad", "const factor = true\n")             # an error leaves the last good version
entry('import "outer.rad" as outer', "outer.rad:2:", " | ", " | ")
session.stdin.write("outer.scaled()\n")
session.stdin.flush()
while True:                                             # further lines of that message, then the value
    line = session.stdout.readline()
    assert line, "the session ended"
    if line.startswith("["):
        break
assert line == "[5.0, 5.0]\n", line
inner("7.0")
entry('import "outer.rad" as outer\nouter.scaled()', "[7.0, 7.0]")
entry('import "outer.rad".{scaled}\nscaled()', "[7.0, 7.0]")
entry("fn scaled() = 1\nscaled()", "1")
session.stdin.close()
session.wait()
