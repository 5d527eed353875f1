# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_lattice_boltzmann.py FOLDER W H STEPS: the flow of examples/lattice_boltzmann.rad against NumPy in double precision."""
import os
import sys

import numpy

import png

folder, w, h, steps = sys.argv[1], *map(int, sys.argv[2:])
directions = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)]  # (down, across)
opposite = [directions.index((-a, -b)) for a, b in directions]
weight = numpy.array([4 / 9] + [1 / 9] * 4 + [1 / 36] * 4)


def at_rest(density, down, across):
    out = numpy.empty((9,) + numpy.shape(density))
    for k, (a, b) in enumerate(directions):
        along = b * across + a * down
        out[k] = weight[k] * density * (1 + 3 * along + 4.5 * along ** 2 - 1.5 * (across ** 2 + down ** 2))
    return out


row, col = numpy.mgrid[0:h, 0:w]
solid = numpy.hypot(row - h / 2 + 0.5, col - w / 5) < h / 9
flow = at_rest(numpy.ones((h, w)), numpy.zeros((h, w)), numpy.full((h, w), 0.1))
for _ in range(steps):
    came = numpy.empty_like(flow)
    for k, (a, b) in enumerate(directions):
        # What was in the neighbour against the direction moves here, unless that one is solid.
        came[k] = numpy.where(numpy.roll(solid, (a, b), (0, 1)), flow[opposite[k]], numpy.roll(flow[k], (a, b), (0, 1)))
    density = came.sum(axis=0)
    down = sum(a * came[k] for k, (a, b) in enumerate(directions)) / density
    across = sum(b * came[k] for k, (a, b) in enumerate(directions)) / density
    flow = came + 1.9 * (at_rest(density, down, across) - came)
    flow[:, :, 0] = at_rest(numpy.ones(h), numpy.zeros(h), numpy.full(h, 0.1))
    down[:, 0], across[:, 0] = 0, 0.1
    speed = numpy.where(solid, 0, numpy.hypot(down, across))
found = numpy.load(os.path.join(folder, "lattice_boltzmann.npy"))
assert found.shape == (9, h, w) and found.dtype == numpy.float32
assert numpy.abs(found - flow).max() < 2e-4, numpy.abs(found - flow).max()
assert speed.max() > 0.12, "nothing happened"
picture = png.read(os.path.join(folder, "lattice_boltzmann.png"))[:, :, 0].astype(int)
assert numpy.abs(picture - 255 * speed / speed.max()).max() < 2
print("equal: %d cells" % (w * h))
