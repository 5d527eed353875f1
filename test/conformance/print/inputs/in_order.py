# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: in_order.py FILE: behind the line "long", the lines that ten thousand points print, whole and in order."""
import sys

lines = open(sys.argv[1]).read().split("\n")
found = lines[lines.index("long") + 1:-1]
assert found == ["line %d of 10000: %d" % (i, i * i) for i in range(10000)], [line for line in found[:20]]
