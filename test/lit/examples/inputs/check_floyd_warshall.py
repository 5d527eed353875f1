# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_floyd_warshall.py FOLDER OUTPUT: the ways that examples/floyd_warshall.rad found, against NumPy's in double precision."""
import os
import re
import sys

import numpy

roads = numpy.load(os.path.join(sys.argv[1], "floyd_warshall_roads.npy")).astype(numpy.float64)
found = numpy.load(os.path.join(sys.argv[1], "floyd_warshall.npy"))
n = len(roads)
assert found.dtype == numpy.float32 and found.shape == (n, n) and n > 50
assert (numpy.diag(roads) == 0).all() and 0.01 < numpy.isfinite(roads).mean() < 0.2
way = roads.copy()
for k in range(n):
    way = numpy.minimum(way, way[:, k : k + 1] + way[k : k + 1, :])
assert (numpy.isfinite(way) == numpy.isfinite(found)).all()
reached = numpy.isfinite(way)
assert numpy.abs(way[reached] - found[reached]).max() < 1e-5, numpy.abs(way[reached] - found[reached]).max()
text = open(sys.argv[2]).read()
told = re.search(r"(\d+) towns, (\d+) pairs are joined; the longest way, from (\d+) to (\d+), is ([0-9.]+)", text)
assert int(told[1]) == n and int(told[2]) == reached.sum(), text
assert abs(way[int(told[3]), int(told[4])] - way[reached].max()) < 1e-5 and abs(float(told[5]) - way[reached].max()) < 1e-5, text
print("%d ways are equal" % reached.sum())
