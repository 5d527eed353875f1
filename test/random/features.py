#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Does generate.py still make everything that the language has? Two questions: do the first programs hold every feature that
it knows of; and do they hold every kind of node of the grammar, word, sign, scalar type and builtin function of the compiler's
tables, but for those that are listed here with a reason? A row that is added to a table without a generator fails.

    features.py --tool build/dev/bin/raddle [--sources frontend]
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import generate  # noqa: E402

LATER = "no part of this version"
MISTAKE = "the scanner knows it for the message only"
BLOCKS = "run by raddle test and raddle bench: test/lit/blocks"
SYMBOLS = "for raddle build: test/lit/codegen/exported_kernels.rad"
FILES = "reads or writes files: test/lit/files"

# What no random program holds, and why: by table.
WITHOUT = {
    "kinds of nodes": {
        "Error": "stands where a syntax error was", "Decl": "printed as the declaration that it holds",
        "On": LATER, "Graph": LATER, "OnBlock": LATER, "Test": BLOCKS,
        "Instantiate": SYMBOLS},
    "words": {"instantiate": SYMBOLS, "graph": LATER, "on": LATER, "test": BLOCKS, "bench": BLOCKS,
              "from": "an extern that names its file: " + LATER},
    "signs": {sign: MISTAKE for sign in ("&&", "||", "!", "?", "++", "--", "**", "::", "=>", "<<<", ">>>")},
    "scalar types": {},
    "properties of the device": {"id": "differs", "name": "differs"},
    "functions": {"clock": "differs", "sync": "random programs wait by reading",
                  **{name: FILES for name in ("read_png", "write_png", "read_npy", "write_npy", "read_csv", "write_csv", "read_text", "write_text",
                                              "append_text", "plot")}},
}
# The rows of each table: the file below --sources, and how a row is found. The first group is what programs hold.
TABLES = {
    "kinds of nodes": ("ast/nodes.def", r"^AST_(?:EXPR|STMT|DECL)\((\w+)\)"),
    "words": ("lex/keywords.def", r'^(?:KEYWORD|CONTEXTUAL)\(\w+, "(\w+)"'),
    "signs": ("lex/tokens.def", r'^(?:SIGN|BINARY)\(\w+, "([^"]+)"'),
    "scalar types": ("types/scalars.def", r"^SCALAR\(\w+, (\w+),"),
    "properties of the device": ("builtins/builtins.def", r"^DEVICE\(\w+, (\w+),"),
    "functions": ("builtins/builtins.def", r"^(?:MATH|HOST|BLOCK|ATOMIC)\(\w+, (\w+),"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="raddle")
    parser.add_argument("--sources", default=os.path.join(HERE, "..", "..", "frontend"))
    parser.add_argument("--programs", type=int, default=2000)
    options = parser.parse_args()

    seen, texts, trees = set(), [], ""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.programs):
            program = generate.Program(seed)
            texts += [program.text(), *program.files.values()]
            seen |= program.features
            if seed < 100:
                path = os.path.join(folder, "p.rad")
                with open(path, "w") as file:
                    file.write(texts[-1 - len(program.files)])
                trees += subprocess.run([options.tool, "build", "--emit=ast", path], capture_output=True, text=True, check=True).stdout
    missing = sorted(set(generate.FEATURES) - seen)
    print("%d of %d features in %d programs" % (len(seen), len(generate.FEATURES), options.programs))
    if missing:
        print("no program has: " + ", ".join(missing))
    if not os.path.isdir(options.sources):  # the archive holds no sources
        print("tables of the compiler: not compared, there is no folder " + options.sources)
        return 1 if missing else 0

    text = "\n".join(texts)
    words = set(re.findall(r"\w+", text))
    outside = re.sub(r'"[^"]*"', "", text)
    nodes = set(re.findall(r"\w+", trees))
    failed = bool(missing)
    for table, (file, pattern) in TABLES.items():
        with open(os.path.join(options.sources, file)) as source:
            rows = set(re.findall(pattern, source.read(), re.M))
        if table == "kinds of nodes":
            has = {row for row in rows if {row, row + "Stmt"} & nodes}
        elif table == "signs":  # the longest first, as the scanner takes them
            has = set(re.findall("|".join(map(re.escape, sorted(rows, key=len, reverse=True))), outside))
        else:
            has = rows & words
        without = set(WITHOUT[table])
        print("%s: %d of %d, %d left out for a reason" % (table, len(has), len(rows), len(without)))
        for what, which in (("no program has", rows - has - without), ("listed as left out, but there", has & without),
                            ("listed as left out, but in no table", without - rows)):
            if which:
                print("  %s: %s" % (what, ", ".join(sorted(which))))
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
