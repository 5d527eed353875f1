# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares what raddle says to a program with the comment at its end, character by character.

    check.py RADDLE FILE...            compares
    check.py --update RADDLE FILE...   writes what raddle says into the files; read the difference before you keep it
"""
import os
import shlex
import subprocess
import sys

update = sys.argv[1] == "--update"
raddle, paths = shlex.split(sys.argv[2 if update else 1]), sys.argv[3 if update else 2:]
OPEN, CLOSE = "/* says:\n", "*/\n"
failed = False
for path in paths:
    folder, name = os.path.split(path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    program, _, rest = text.partition(OPEN)
    done = subprocess.run(raddle + ["run", "--device", "host", name], cwd=folder or ".", capture_output=True, text=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL)
    said = done.stderr if done.returncode == 1 else "exit status %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(program + OPEN + said + CLOSE)
    elif rest != said + CLOSE:
        failed = True
        print("%s says:\n%s-- but was to say:\n%s" % (path, said, rest))
sys.exit(1 if failed else 0)
