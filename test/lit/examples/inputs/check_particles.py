# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_particles.py FOLDER N STEPS: where examples/particles.rad moved its balls, against NumPy in double precision; the structs are
NumPy's structured arrays."""
import os
import sys

import numpy

import splitmix

folder, n, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ball = numpy.dtype([("pos", "f4", (2,)), ("vel", "f4", (2,)), ("mass", "f4"), ("kind", "i4")])
start = numpy.load(os.path.join(folder, "particles_start.npy"))
assert start.dtype == ball and start.shape == (n,)
assert numpy.array_equal(start["pos"], splitmix.uniform32(5, 2 * n).reshape(n, 2)) and not start["vel"].any()
assert start["kind"].tolist() == [1 - i % 2 for i in range(n)] and start["mass"].tolist() == [10.0 if i % 2 == 0 else 1.0 for i in range(n)]
pos, vel, mass = (start[name].astype(numpy.float64) for name in ("pos", "vel", "mass"))
for _ in range(steps):
    way = pos[:, None] - pos[None]
    far = numpy.sqrt((way ** 2).sum(axis=2))
    near = (far > 0) & (far < 0.04)
    push = (numpy.where(near, (1 - far / 0.04) * 20 / numpy.where(far > 0, far, 1), 0)[:, :, None] * way).sum(axis=1)
    vel += 0.001 * (push / mass[:, None] - numpy.array([0.0, 1.0]))
    pos += 0.001 * vel
    beyond = pos - numpy.clip(pos, 0, 1)
    vel[beyond != 0] *= -1
    pos -= 2 * beyond
found = numpy.load(os.path.join(folder, "particles.npy"))
assert found.dtype == ball and found["kind"].tolist() == start["kind"].tolist()
assert numpy.abs(found["pos"] - pos).max() < 2e-4, numpy.abs(found["pos"] - pos).max()
assert numpy.abs(found["vel"] - vel).max() < 2e-2, numpy.abs(found["vel"] - vel).max()
assert numpy.abs(start["pos"] - pos).max() > 0.02, "nothing moved"
print("equal: %d balls" % n)
