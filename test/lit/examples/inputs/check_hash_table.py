# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_hash_table.py OUTPUT N: what examples/hash_table.rad counted, against NumPy."""
import re
import sys

import numpy

import splitmix

n = int(sys.argv[2])
keys = (splitmix.words_at(7, numpy.arange(n)) % numpy.uint64(50000)).astype(numpy.int64)
counts = numpy.bincount(keys, minlength=50000)
assert numpy.array_equal(numpy.load("hash_table.npy"), counts)
found = [int(x) for x in re.findall(r"\d+", open(sys.argv[1]).read())]
assert found[:3] == [n, numpy.count_nonzero(counts), counts.max()], found
