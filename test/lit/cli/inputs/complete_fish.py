# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""complete_fish.py TOOL FOLDER: asks fish what it offers."""
import os
import subprocess
import sys

from offered import OFFERED

tool, folder = sys.argv[1:]
script = subprocess.run([tool, "completions", "fish"], capture_output=True, text=True, check=True).stdout
environment = dict(os.environ, HOME=folder, PATH=os.path.dirname(tool) + os.pathsep + os.environ["PATH"])
wrong = 0
for line, wanted in OFFERED:
    done = subprocess.run(["fish", "--no-config", "-c", script + "\ncomplete -C '%s'" % line], capture_output=True, text=True, cwd=folder, env=environment)
    # A word is the whole argument ("--time=" beside "--time" where it may take one); behind a tab stands its description.
    words = [each.split("\t")[0] for each in done.stdout.split("\n") if each]
    found = {word.split("=")[-1].split(",")[-1] for word in words if not word.endswith("=")}
    if found != wanted or done.stderr:
        wrong += 1
        print("%r: %s instead of %s\n%s" % (line, sorted(found), sorted(wanted), done.stderr))
sys.exit(wrong != 0)
