# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each kind of message is given by some reject_*.rad, or has a reason here why it cannot be."""
import glob
import os
import re
import shlex
import subprocess
import sys

raddle, tests = shlex.split(sys.argv[1]), sys.argv[2]
REASONS = {
    "R0129": "the grammar goes on behind each mistake that is known; kept for one that is not",
}
listing = subprocess.run(raddle + ["explain"], capture_output=True, text=True, check=True).stdout
names = dict(line.split() for line in listing.splitlines())
shown = set()
for path in sorted(glob.glob(os.path.join(tests, "**", "reject_*.rad"), recursive=True)):
    done = subprocess.run(raddle + ["build", "--emit=typed", path], capture_output=True, stdin=subprocess.DEVNULL)
    shown |= set(re.findall(r"(?:error|warning|remark)\[(R\d+)\]", done.stderr.decode("utf-8", "replace")))
# Failures of running programs: their pages show them.
names = {code: name for code, name in names.items() if code[:3] not in ("R06", "R07", "R08")}
problems = ["%s %s: no reject_*.rad gives this message" % (code, names[code]) for code in sorted(set(names) - shown - set(REASONS))]
problems += ["%s: shown by a reject_*.rad, so it needs no reason" % code for code in sorted(shown & set(REASONS))]
problems += ["%s: is no code" % code for code in sorted(set(REASONS) - set(names))]
print("\n".join(problems))
sys.exit(1 if problems else 0)
