# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_smith_waterman.py FOLDER OUTPUT: the table of scores and the match of examples/smith_waterman.rad, against NumPy's, cell by cell."""
import os
import sys

import numpy

a, b = numpy.load(os.path.join(sys.argv[1], "smith_waterman_strands.npy"))
found = numpy.load(os.path.join(sys.argv[1], "smith_waterman.npy"))
n = len(a)
score = numpy.zeros((n + 1, n + 1), numpy.int32)
for i in range(1, n + 1):
    same = numpy.where(b == a[i - 1], 2, -1)
    for j in range(1, n + 1):
        score[i, j] = max(0, score[i - 1, j - 1] + same[j - 1], score[i - 1, j] - 2, score[i, j - 1] - 2)
assert (found == score).all() and score.max() > n // 2

# What the program prints is a match with that score, at the places that it names.
first, top, bottom = open(sys.argv[2]).read().splitlines()
words = first.replace(":", "").replace(",", "").split()
best, i, j = int(words[1]), int(words[3]), int(words[9])
assert best == score.max(), first
letters = numpy.array(list("ACGT"))
total = 0
assert len(top) == len(bottom) > 0
for x, y in zip(top, bottom):
    if x != "-":
        assert x == letters[a[i]]
        i += 1
    if y != "-":
        assert y == letters[b[j]]
        j += 1
    total += -2 if "-" in (x, y) else 2 if x == y else -1
assert total == best and score[i, j] == best, (total, best)
print("a match of %d letters is right" % len(top))
