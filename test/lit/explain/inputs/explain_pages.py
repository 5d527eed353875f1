# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The programs on the pages of `raddle explain`: a wrong one gives messages of the page's code and of no other, a right one runs."""
import os
import re
import shlex
import subprocess
import sys

raddle, folder = shlex.split(sys.argv[1]), sys.argv[2]
# Codes without a wrong program of one small text, and why.
WITHOUT_WRONG = {
    "R0001": "the text is not valid UTF-8; test/lit/parse/reject_utf8.rad",
    "R0010": "it takes 256 levels; test/lit/parse/reject_nesting.rad",
    "R0129": "the grammar goes on behind each mistake that is known; kept for one that is not",
    "R0303": "it takes two files; test/lit/modules/reject_imports.test",
    "R0377": "it takes 65 calls; test/lit/limits/reject_specialisations.rad",
    **{code: "a remark, which --remarks shows: test/lit/remarks" for code in ("R0801", "R0802", "R0803", "R0804", "R0805", "R0806")},
    "R0305": "it takes a file with such a name; test/lit/modules/reject_imports.test",
    "R0710": "it takes a machine without the device; test/lit/fake_driver/failures.test",
    "R0711": "how much memory there is differs; test/lit/fake_driver/failures.test",
    "R0712": "a GPU has to fail; test/lit/fake_driver/failures.test",
    "R0713": "it takes code that no compiler makes; test/lit/fake_driver",
}
WITHOUT_RIGHT = {"R0001", "R0129", "R0305"}


def run(arguments, **options):
    return subprocess.run(raddle + arguments, capture_output=True, text=True, encoding="utf-8", stdin=subprocess.DEVNULL, **options)


def programs(page, word):
    """The indented texts behind the lines `word:` of a page."""
    found, inside = [], False
    for line in page.splitlines():
        # "wrong, with --check=race:": the options of `raddle run` that it takes
        if head := re.fullmatch(word + "(?:, with (.*))?:", line):
            found.append([head[1] or ""])
            inside = True
        elif inside and (line.startswith("    ") or not line):
            found[-1].append(line[4:])
        else:
            inside = False
    return [(lines[0].split(), "\n".join(lines[1:]).rstrip() + "\n") for lines in found]


os.makedirs(folder, exist_ok=True)
os.chdir(folder)
problems = []
codes = [line.split()[0] for line in run(["explain"]).stdout.splitlines()]
assert len(codes) > 100, codes
for code in codes:
    page = run(["explain", code]).stdout
    wrong, right = programs(page, "wrong"), programs(page, "right")
    if bool(wrong) == (code in WITHOUT_WRONG):
        problems.append("%s: the page needs a wrong program, or a reason in this file why it has none" % code)
    if not right and code not in WITHOUT_RIGHT:
        problems.append("%s: the page needs a right program" % code)
    for options, program in wrong + right:
        with open("program.rad", "w", encoding="utf-8") as file:
            file.write(program)
        done = run(["run", "program.rad", "--device", "host"] + options)
        own = done.stderr.split("note: what is wrong with it:")[0]  # another message stands behind it
        said = re.findall(r"^(?:\S+: )?(?:error|warning)\[(R\d+)\]", own, re.M)
        isWrong = (options, program) in wrong
        expected = {code} if isWrong else set()
        if set(said) != expected or (not isWrong and done.returncode != 0):
            problems.append("%s: expected %s, got\n%s%s" % (code, sorted(expected) or "a program that runs", program, done.stderr))
print("\n".join(problems))
sys.exit(1 if problems else 0)
