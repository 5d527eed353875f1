# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""run_blocks.py PAGE DEVICE FOLDER RADDLE...: runs the programs of a page of documentation.

A block that starts with ```rad run has to end with status 0, ```rad fail with status 1, and ```rad race with 1 under --check=race,uninit. If an ```output block follows at once,
it is what `run` prints, exactly, or a part of what `fail` says. What `raddle build` says of ```rad remarks with --remarks, and of
```rad explain with --explain-launch for sm_90, has the output as a part."""
import os
import re
import subprocess
import sys

page, device, folder, raddle = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
os.makedirs(folder, exist_ok=True)
text = open(page).read()
blocks = re.findall(r"^```rad (run|fail|race|remarks|explain)\n(.*?)^```\n(?:```output\n(.*?)^```$)?", text, re.M | re.S)
assert len(blocks) == len(re.findall(r"^```rad ", text, re.M)) > 0, "blocks that were not understood"
failed = 0
for number, (kind, program, output) in enumerate(blocks, 1):
    path = os.path.join(folder, "%s-%d.rad" % (os.path.splitext(os.path.basename(page))[0], number))
    with open(path, "w") as file:
        file.write(program)
    command = {"remarks": ["build", path, "--remarks", "--emit=typed"],
               "race": ["run", path, "--check=race,uninit", "--device", "host"],
               "explain": ["build", path, "--explain-launch", "--emit=ptx"]}.get(kind, ["run", path, "--device", device])
    done = subprocess.run([*raddle, *command], capture_output=True, text=True, cwd=folder)
    wrong = []
    if done.returncode != (1 if kind in ("fail", "race") else 0):
        wrong.append("it ended with status %d" % done.returncode)
    if output and (done.stdout != output if kind == "run" else output.strip() not in done.stderr):
        wrong.append("the page says:\n" + output)
    if wrong:
        failed += 1
        print("program %d of %s: %s\n--- program\n%s--- output\n%s%s" % (number, page, "; ".join(wrong), program, done.stdout, done.stderr))
print("%d programs, %d failed" % (len(blocks), failed))
sys.exit(failed > 0)
