# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""progress.py TOOL PROGRAM: `raddle test` on a pseudo-terminal, in a pipe, and with --quiet."""
import os
import pty
import subprocess
import sys

tool, program = sys.argv[1:]


def on_terminal(*options):
    output = []
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(tool, [tool, "test", program, "--device", "host", *options])
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        output.append(data)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return b"".join(output).decode()


shown = on_terminal()
assert "\r\x1b[Ktest 1: takes its time (1 s)" in shown, shown
assert "\r\x1b[Kpassed takes its time" in shown, shown
quiet = on_terminal("--quiet")
assert "\x1b" not in quiet and quiet.strip() == "1 passed, 0 failed", quiet
piped = subprocess.run([tool, "test", program, "--device", "host"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
assert piped.stderr == b"" and b"\x1b" not in piped.stdout and b"passed takes its time" in piped.stdout, piped
