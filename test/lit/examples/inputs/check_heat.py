# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_heat.py OUTPUT PICTURE SIZE STEPS: what examples/heat.rad painted (with --fp=strict), against NumPy. Every pixel must be equal."""
import sys

import numpy

import png

f = numpy.float32
size, steps = int(sys.argv[3]), int(sys.argv[4])
heat = numpy.zeros((size, size), f)
heat[size // 4:size // 3, size // 8:size - size // 8] = 1
heat[size // 2:size * 3 // 4, size // 2:size * 5 // 8] = f(0.8)
before = heat.sum(dtype=numpy.float64)
for _ in range(steps):
    around = heat[:-2, 1:-1] + heat[2:, 1:-1] + heat[1:-1, :-2] + heat[1:-1, 2:]
    heat[1:-1, 1:-1] += f(0.2) * (around - f(4) * heat[1:-1, 1:-1])
glow = f(3) * heat
expected = numpy.rint(numpy.clip(numpy.stack([glow, glow - f(1), glow - f(2)], axis=2), 0, 1) * f(255)).astype(numpy.uint8)
found = png.read(sys.argv[2])
assert found.shape == expected.shape
assert (found == expected).all(), "%d samples differ" % (found != expected).sum()
left = "%d.0 %% of the heat is left" % round(100 * heat.sum(dtype=numpy.float64) / before)
assert left in open(sys.argv[1]).read(), left
assert len(numpy.unique(expected[:, :, 0])) > 50, "not much of a picture"
print("equal, " + left)
