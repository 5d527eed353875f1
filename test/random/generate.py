#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random Raddle programs: typed, terminating, without failures and without races, whose output is the same wherever and
however they are compiled.

    generate.py SEED [FOLDER]              one program to standard output; files that it imports are written to FOLDER
    generate.py --indices SEED             one whose indices may be out of range
    generate.py --features                 what programs are made of: one word a line

Every construct that a program may hold is a *feature* with a name (vocabulary.py); `Program.features` says which ones a program has,
so that a test can ask whether all of them turn up.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from block_kernels import BlockKernels  # noqa: E402
from core import Scope  # noqa: E402
from indices import Indices  # noqa: E402, F401
from vocabulary import FEATURES  # noqa: E402

FORMS = ["forall1", "forall1", "forall1", "forall2", "forall3", "forall4", "inplace", "inner", "doubled", "atomics", "blocks", "blocks", "blocks2",
         "blocks3", "tile", "bins", "sizes", "given", "given", "library", "library", "lists", "forall", "forall"]


class Program(BlockKernels):
    def kernel(self, scope, form=None):
        """A kernel, and the host lines that call it and print what it made."""
        name = self.name("kernel")
        form = form or self.r.choice(FORMS)
        self.inKernel = form not in ("library", "lists", "forall")
        lines, host = getattr(self, "kernel_" + form)(scope, name)
        self.inKernel = False
        return lines, host

    def text(self):
        scope, lines = Scope(), []
        if self.chance(0.15):
            lines += self.imports(scope)
        if self.chance(0.5):
            lines += self.declarations(scope)
        lines += self.constants(scope)
        if self.chance(0.15):
            lines += self.aliases(scope)
        for _ in range(self.r.randrange(0, 4)):
            lines += self.function(scope)
        computed, host = self.computed(scope) if self.chance(0.5) else ([], [])
        lines += computed
        constants = list(scope.values)
        for _ in range(self.r.choice([1, 1, 1, 2])):
            kernelLines, hostLines = self.kernel(scope)
            lines += kernelLines
            host += hostLines
        if self.chance(0.1):
            lines += self.kernel(scope, "unlaunched")[0]
        if self.chance(0.3):
            host += self.statements(scope)
        assert scope.values == constants
        return "\n".join(lines + host) + "\n"


def main():
    if sys.argv[1:] == ["--features"]:
        print("\n".join(FEATURES))
        return
    made = Indices(int(sys.argv[2])) if sys.argv[1] == "--indices" else Program(int(sys.argv[1]))
    print(made.text(), end="")
    for name, text in made.files.items():
        with open(os.path.join(sys.argv[2] if len(sys.argv) > 2 else ".", name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
