# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_prefix_sum.py OUTPUT N: the sums that examples/prefix_sum.rad printed, against NumPy."""
import re
import sys

import numpy

import splitmix

n = int(sys.argv[2])
sums = numpy.cumsum(splitmix.words_at(7, numpy.arange(n)) % numpy.uint64(1000))
found = [int(x) for x in re.findall(r"\d+", open(sys.argv[1]).read())]
expected = [n, sums[-1], *sums[:4], *sums[-4:]]
assert found[:10] == expected, (found, expected)
print("equal")
