# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_life.py FOLDER ROWS COLUMNS GENERATIONS: the pictures of examples/life.rad, against NumPy. Every pixel must be equal."""
import os
import sys

import numpy

import png
import splitmix

folder, h, w, generations = sys.argv[1], *map(int, sys.argv[2:])
cells = (splitmix.uniform32(1, h * w).reshape(h, w) < numpy.float32(0.2)).astype(numpy.int32)
picture = numpy.zeros((h, w), numpy.int32)
for generation in range(generations + 1):
    picture = numpy.where(cells == 1, 255, picture // 16 * 15)
    if generation % 50 == 0:
        found = png.read(os.path.join(folder, "life_%d.png" % generation))
        assert found.shape == (h, w, 1) and (found[:, :, 0] == picture).all(), "generation %d differs" % generation
        assert 0.01 < cells.mean() < 0.5, "not much of a life"
    neighbours = sum(numpy.roll(cells, (r, c), (0, 1)) for r in (-1, 0, 1) for c in (-1, 0, 1)) - cells
    cells = ((neighbours == 3) | ((neighbours == 2) & (cells == 1))).astype(numpy.int32)
print("equal: %d generations" % generations)
