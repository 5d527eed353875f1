# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the CHECK lines of tests anew, where a test asks for it.

    python3 -m raddle_lit.update_checks FILES...          rewrites the files; those without `BEGIN CHECKS` are left alone
    python3 -m raddle_lit.update_checks --check FILES...  says which would change, and ends with status 1 if any

Between two lines of a test

    // BEGIN CHECKS
    // END CHECKS

stand the lines that the first RUN line whose FileCheck uses the prefix CHECK gives, each as a CHECK-NEXT (the first one as a CHECK). `BEGIN CHECKS SLOW` is for
the prefix SLOW, and `BEGIN CHECKS only=REGEX` takes the lines that the regular expression matches, as CHECK lines. What follows `//` may be `#` or `;`
instead: the comments of the file. All else in the file stays as it is.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys

from . import find_filecheck, find_tool

BEGIN = re.compile(r"^(?P<indent>\s*)(?P<comment>//|#|;)\s*BEGIN CHECKS(?P<prefix>\s+[A-Za-z][\w-]*(?!=)\b(?!=))?(?:\s+only=(?P<only>\S.*?))?\s*$")
END = re.compile(r"^\s*(//|#|;)\s*END CHECKS\s*$")
RUN = re.compile(r"RUN:\s*(.*)$")


class Wrong(Exception):
    """Something in a test that cannot be done."""


class NothingToDo(Wrong):
    """A test without BEGIN CHECKS."""


def run_lines(text):
    """The RUN lines, those that go on behind a backslash as one."""
    lines, open_line = [], ""
    for line in text.split("\n"):
        found = RUN.search(line)
        if not found:
            continue
        part = found[1].rstrip()
        if part.endswith("\\"):
            open_line += part[:-1] + " "
            continue
        lines.append(open_line + part)
        open_line = ""
    return lines


def prefixes_of(filecheck_part):
    words = shlex.split(filecheck_part)
    prefixes = []
    for i, word in enumerate(words):
        for option in ("--check-prefix", "-check-prefix", "--check-prefixes", "-check-prefixes"):
            if word.startswith(option + "="):
                prefixes += word[len(option) + 1:].split(",")
            elif word == option and i + 1 < len(words):
                prefixes += words[i + 1].split(",")
    return prefixes or ["CHECK"]


def command_for(path, text, prefix):
    """What stands in front of the FileCheck that uses the prefix."""
    for line in run_lines(text):
        before, pipe, behind = line.rpartition("|")
        if pipe and "%FileCheck" in behind and prefix in prefixes_of(behind.replace("%FileCheck", "FileCheck")):
            return before.strip()
    raise Wrong("%s: no RUN line ends in `| %%FileCheck %%s` with the prefix %s" % (path, prefix))


def output_of(path, command, tool):
    folder = os.path.dirname(os.path.abspath(path))
    for pattern, value in [("%raddle_path", tool), ("%raddle", tool), ("%FileCheck", find_filecheck(tool) or "FileCheck"), ("%python", sys.executable),
                           ("%not", "!"), ("%device", os.environ.get("RADDLE_DEVICE", "host")), ("%S", folder), ("%s", path)]:
        command = command.replace(pattern, value)
    if re.search(r"(?<!\\)%[a-zA-Z]", command):
        raise Wrong("%s: its RUN line has a substitution that this tool does not know: %s" % (path, command))
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode < 0 or done.returncode > 3:
        raise Wrong("%s: `%s` ended with status %d: %s" % (path, command, done.returncode, done.stderr.decode(errors="replace")[:400]))
    return done.stdout.decode(errors="replace").split("\n")


def escaped(line):
    """A line as FileCheck takes it word by word."""
    return re.sub(r"\{\{|\[\[", lambda m: "{{" + "".join("\\" + c for c in m[0]) + "}}", line)


def checks(lines, comment, indent, prefix, only):
    while lines and not lines[-1]:
        lines = lines[:-1]
    out = []
    for line in lines:
        if only:
            if re.search(only, line):
                out.append("%s%s %s: %s" % (indent, comment, prefix, escaped(line.strip())))
        elif not line.strip():
            out.append("%s%s %s-EMPTY:" % (indent, comment, prefix))
        else:
            out.append("%s%s %s%s: %s" % (indent, comment, prefix, "-NEXT" if out else "", escaped(line.strip())))
    if only and not out:
        raise Wrong("no line of the output matches only=%s" % only)
    if not only and out and out[0].endswith("-EMPTY:"):
        raise Wrong("the output begins with an empty line, for which FileCheck has no first check")
    return out


def updated(path, tool):
    """The text of a test with its checks written anew."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    out, inside, any_block = [], False, False
    for line in text.split("\n"):
        begin = BEGIN.match(line)
        if inside:
            if END.match(line):
                inside = False
                out.append(line)
            continue
        out.append(line)
        if begin:
            inside = any_block = True
            prefix = (begin["prefix"] or "CHECK").strip()
            lines = output_of(path, command_for(path, text, prefix), tool)
            try:
                out += checks(lines, begin["comment"], begin["indent"], prefix, begin["only"])
            except Wrong as problem:
                raise Wrong("%s: %s" % (path, problem)) from None
    if inside:
        raise Wrong("%s: BEGIN CHECKS without END CHECKS" % path)
    if not any_block:
        raise NothingToDo("%s: nothing to do: it has no line `// BEGIN CHECKS`" % path)
    return text, "\n".join(out)


def main():
    parser = argparse.ArgumentParser(prog="update_checks", description="Writes the CHECK lines of lit tests anew, between `BEGIN CHECKS` and `END CHECKS`.")
    parser.add_argument("--check", action="store_true", help="change nothing; say which files would change")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    tool = find_tool()
    if not tool:
        print("update_checks: raddle was not found: set RADDLE to its path", file=sys.stderr)
        return 3
    status = 0
    for path in arguments.files:
        try:
            before, after = updated(path, tool)
        except NothingToDo as problem:
            if len(arguments.files) == 1:  # of many, as in `*.rad`, those are left alone
                print("update_checks: %s" % problem, file=sys.stderr)
                return 2
            continue
        except (Wrong, OSError, UnicodeDecodeError) as problem:
            print("update_checks: %s" % problem, file=sys.stderr)
            status = max(status, 2)
            continue
        if before == after:
            continue
        if arguments.check:
            print("%s: its checks are not those of the tool" % path)
            status = max(status, 1)
            continue
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(after)
        print("%s: written" % path)
    return status


if __name__ == "__main__":
    sys.exit(main())
