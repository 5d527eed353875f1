# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_spmv.py SIDE: the heat of the plate that examples/spmv.rad computed, against a dense matrix that NumPy solves."""
import sys

import numpy

side = int(sys.argv[1])
points = side * side
matrix = numpy.zeros((points, points))
for row in range(side):
    for column in range(side):
        here = row * side + column
        matrix[here, here] = 4
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= row + down < side and 0 <= column + right < side:
                matrix[here, here + down * side + right] = -1
source = numpy.zeros(points)
source[side // 2 * side + side // 2] = 1
heat = numpy.load("spmv.npy")
numpy.testing.assert_allclose(heat, numpy.linalg.solve(matrix, source), rtol=1e-9, atol=1e-12)
