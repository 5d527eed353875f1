# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_nbody.py FOLDER N STEPS: where examples/nbody.rad moved its bodies, against NumPy in double precision."""
import os
import sys

import numpy

import png
import splitmix

folder, n, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
u = splitmix.uniform32(5, 3 * n).astype(numpy.float64).reshape(n, 3)
r = 0.1 + 0.9 * u[:, 0]
turn = numpy.sqrt((1 + 0.5 * r) / r)
r[0] = turn[0] = 0
angle = 2 * numpy.pi * u[:, 1]
at = numpy.stack([r * numpy.cos(angle), r * numpy.sin(angle), 0.1 * r * (u[:, 2] - 0.5)], axis=1)
speed = turn[:, None] * numpy.stack([-numpy.sin(angle), numpy.cos(angle), 0 * r], axis=1)
mass = numpy.full(n, 0.5 / n)
mass[0] = 1


def pull():
    d = at[None, :, :] - at[:, None, :]
    return (mass[None, :, None] * d / ((d ** 2).sum(axis=2) + 0.05 ** 2)[:, :, None] ** 1.5).sum(axis=1)


force, dt, start = pull(), 0.02, at.copy()
for _ in range(steps):
    speed += 0.5 * dt * force
    at += dt * speed
    force = pull()
    speed += 0.5 * dt * force
found = numpy.load(os.path.join(folder, "nbody.npy"))
assert found.shape == (n, 4) and found.dtype == numpy.float32
assert numpy.abs(found[:, :3] - at).max() < 1e-4, numpy.abs(found[:, :3] - at).max()
assert numpy.abs(start - at).max() > 0.2, "nothing moved"
dots = png.read(os.path.join(folder, "nbody.png"))[:, :, 0]
expected = numpy.zeros((400, 400), numpy.uint8)
col, row = ((0.5 + 0.4 * found[:, k].astype(numpy.float64)) * 400 for k in (0, 1))
inside = (row >= 0) & (row < 400) & (col >= 0) & (col < 400)
expected[row[inside].astype(int), col[inside].astype(int)] = 255
assert (dots != expected).sum() <= 4, "dots elsewhere"  # on the border of two pixels either is right
print("equal: off by at most %.1e" % numpy.abs(found[:, :3] - at).max())
