#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Does generate.py still make everything that the language has? Two questions: do the first programs hold every feature that
it knows of, and do their syntax trees hold every kind of node of the grammar, but for those that are listed here with a reason?

    features.py --tool build/dev/bin/raddle [--nodes frontend/ast/nodes.def]
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

# Kinds of nodes that no random program holds, and why.
WITHOUT = {
    "Error": "stands where a syntax error was",
    "DotName": "names of enumerations: no part of this version",
    "Lambda": "no part of this version",
    "FnType": "no part of this version",
    "Strided": "no part of this version",
    "Spread": "variadic parameters are the library's",
    "On": "no part of this version",
    "Graph": "no part of this version",
    "Forall": "as a statement: no part of this version",
    "OnBlock": "no part of this version",
    "Decl": "a declaration stands at the top of these programs, as a Decl node of its own kind",
    "ArrayLit": "no part of this version",
    "Struct": "no part of this version",
    "Enum": "no part of this version",
    "Import": "needs files beside the program",
    "Extern": "needs an object beside the program",
    "Test": "no part of this version",
    "Instantiate": "no part of this version",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="raddle")
    parser.add_argument("--nodes", default=os.path.join(HERE, "..", "..", "frontend", "ast", "nodes.def"))
    parser.add_argument("--programs", type=int, default=400)
    options = parser.parse_args()

    seen, trees = set(), ""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.programs):
            program = generate.Program(seed)
            text = program.text()
            seen |= program.features
            if seed % 8 == 0:
                path = os.path.join(folder, "p.rad")
                with open(path, "w") as file:
                    file.write(text)
                trees += subprocess.run([options.tool, "build", "--emit=ast", path], capture_output=True, text=True, check=True).stdout
    missing = sorted(set(generate.FEATURES) - seen)
    print("%d of %d features in %d programs" % (len(seen), len(generate.FEATURES), options.programs))
    if not os.path.exists(options.nodes):  # the archive holds no sources
        print("kinds of nodes: not compared, there is no " + os.path.basename(options.nodes))
        return 1 if missing else 0
    with open(options.nodes) as file:
        kinds = re.findall(r"^AST_(?:EXPR|STMT|DECL)\((\w+)\)", file.read(), re.M)
    words = set(re.findall(r"\w+", trees))
    absent = sorted({kind for kind in kinds if not {kind, kind + "Stmt"} & words} - set(WITHOUT))
    print("%d of %d kinds of nodes; %d left out for a reason" % (len(kinds) - len(absent) - len(WITHOUT), len(kinds), len(WITHOUT)))
    if missing:
        print("no program has: " + ", ".join(missing))
    if absent:
        print("no tree has: " + ", ".join(absent))
    return 1 if missing or absent else 0


if __name__ == "__main__":
    sys.exit(main())
