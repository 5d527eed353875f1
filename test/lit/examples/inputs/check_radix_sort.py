# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_radix_sort.py OUTPUT N: the numbers that examples/radix_sort.rad printed, against NumPy's sort."""
import re
import sys

import numpy

import splitmix

n = int(sys.argv[2])
keys = numpy.sort((splitmix.words_at(7, numpy.arange(n)) & numpy.uint64(0xffffffff)).astype(numpy.uint32))
found = [int(x) for x in re.findall(r"\d+", open(sys.argv[1]).read())]
expected = [n, *keys[:4], *keys[-4:]]
assert found[:9] == expected, (found, expected)
