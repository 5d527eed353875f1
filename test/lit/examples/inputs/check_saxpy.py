# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_saxpy.py OUTPUT: the line that examples/saxpy.rad printed, against random numbers made apart from it."""
import re
import sys

import splitmix

text = open(sys.argv[1]).read()
found = [float(x) for x in re.findall(r"[-+]?[0-9][0-9.e+-]*", text.split("=", 1)[1])]
expected = [2.0 * float(x) for x in splitmix.uniform32(7, 8)]
assert len(found) == 8, text
assert all(abs(a - b) <= 1e-5 * b for a, b in zip(found, expected)), "%s instead of %s" % (found, expected)
print("equal")
