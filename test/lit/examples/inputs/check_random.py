# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_random.py OUTPUT: the bits that random_bits.rad printed, against the definition of the generator."""
import sys

import numpy

import splitmix

rows = [tuple(int(x) for x in line.split()) for line in open(sys.argv[1])]
seeds = sorted({row[0] for row in rows})
assert len(rows) == 1200 and len(seeds) == 4
for seed in seeds:
    _, single, double, words = zip(*(row for row in rows if row[0] == seed))
    assert list(words) == list(splitmix.words(seed, 300)), seed
    assert list(single) == splitmix.uniform32(seed, 300).view(numpy.uint32).tolist(), seed
    assert list(double) == splitmix.uniform64(seed, 300).view(numpy.uint64).tolist(), seed
print("equal")
