# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""options_everywhere.py TOOL: each option of each command's --help stands in the three completions and in the manual page."""
import re
import subprocess
import sys

tool = sys.argv[1]


def text(*arguments):
    return subprocess.run([tool, *arguments], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def options(help_text):
    """The options of a help text: "-h,--help", "--device DEVICE"."""
    found = []
    for line in help_text.split("\n"):
        if match := re.match(r"^  (-[\w-]+(?:,-[\w-]+)*)", line):
            found += match[1].split(",")
    return found


top = text("--help")
commands = re.findall(r"^  (\w+)  ", top[top.index("Subcommands:"):], re.M)
assert len(commands) >= 9 and "run" in commands and "completions" in commands, commands
bash, zsh, fish, page = text("completions", "bash"), text("completions", "zsh"), text("completions", "fish"), text("manual")
plain = page.replace("\\-", "-")
checked = 0
for command in ["", *commands]:
    names = options(text(command, "--help") if command else top)
    assert "--help" in names, (command, names)
    of_bash = re.search(r"^    '%s'\) options='(.*)' ;;$" % command, bash, re.M)[1].split()
    of_zsh = re.search(r"^_raddle_%s\(\) \{$(.*?)^\}$" % (command or "options"), zsh, re.M | re.S)[1]
    when = "__fish_seen_subcommand_from " + command + "'" if command else "not __fish_seen_subcommand_from"
    of_fish = "\n".join(line for line in fish.split("\n") if "-n '" + when in line) + "\n"
    begin = plain.index(".SS raddle %s\n" % command if command else ".SH OPTIONS WITHOUT A COMMAND")
    of_page = plain[begin:].split("\n.S", 1)[0]
    for name in names:
        assert name in of_bash, ("bash", command, name)
        assert re.search(r"'\*%s[\[=+]" % name, of_zsh), ("zsh", command, name)
        short = " -l %s " % name[2:] if name.startswith("--") else " -s %s " % name[1:]
        assert short in of_fish, ("fish", command, name)
        assert "\\fB%s\\fR" % name in of_page, ("page", command, name)
        checked += 1
    if command:
        assert re.search(r"^    '%s:" % command, zsh, re.M) and " -a %s " % command in fish, command
assert checked > 60, checked
