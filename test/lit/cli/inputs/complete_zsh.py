# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""complete_zsh.py TOOL FOLDER: types lines and a tab into zsh, whose function `compadd` writes down what it is to offer."""
import os
import pty
import select
import subprocess
import sys
import time

from offered import OFFERED

tool, folder = sys.argv[1:]
functions, work = os.path.join(folder, "functions"), os.path.join(folder, "work")
os.makedirs(functions)
os.makedirs(work)
open(os.path.join(work, "some_program.rad"), "w").close()
script = subprocess.run([tool, "completions", "zsh"], capture_output=True, text=True, check=True).stdout
with open(os.path.join(functions, "_raddle"), "w") as file:
    file.write(script)
hits = os.path.join(folder, "hits")
SETUP = r"""
fpath=(%s $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  local -a offered
  if [[ -n ${@[(r)-[OAD]]} ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A offered "$@"
  print -r -l -- $offered >> %s
  builtin compadd "$@"
}
tell() { print -r -- END >> %s }
zle -N tell
bindkey '^T' tell
print READY
"""
with open(os.path.join(folder, "setup"), "w") as file:
    file.write(SETUP % (functions, hits, hits))


def offered(line):
    open(hits, "w").close()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(work)
        os.environ.update(TERM="dumb", HOME=folder, PATH=os.path.dirname(tool) + os.pathsep + os.environ["PATH"])
        os.execvp("zsh", ["zsh", "-f", "-i"])
    shown = b""

    def wait(done):
        nonlocal shown
        end = time.time() + 60
        while not done() and time.time() < end:
            if select.select([terminal], [], [], 0.05)[0]:
                shown += os.read(terminal, 4096)

    os.write(terminal, b"source ../setup\n")
    wait(lambda: b"\nREADY" in shown)
    begin = len(shown)
    os.write(terminal, line.encode() + b"\t\x14")  # Tab; Ctrl-T says that it was served
    wait(lambda: "END" in open(hits).read().split("\n"))
    os.write(terminal, b"\x15exit\n")
    os.close(terminal)
    os.waitpid(child, 0)
    return set(open(hits).read().split("\n")) - {"", "END"}, shown[begin:]


wrong = 0
for line, wanted in OFFERED:
    found, shown = offered(line)
    if not wanted:  # zsh offers options where there is nothing else
        found = {word for word in found if not word.startswith("-")}
    if found != wanted or b"_arguments" in shown or b"not found" in shown:
        wrong += 1
        print("%r: %s instead of %s\n%s" % (line, sorted(found), sorted(wanted), shown))
sys.exit(wrong != 0)
