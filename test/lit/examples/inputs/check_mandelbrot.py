# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_mandelbrot.py OUTPUT PICTURE WIDTH HEIGHT: what examples/mandelbrot.rad printed and painted (with --fp=strict),
against NumPy: the step counts exactly, the colours within 1 (they go through cos and log2)."""
import re
import sys

import numpy

import png

f = numpy.float32
width, height, limit = int(sys.argv[3]), int(sys.argv[4]), 500
pixel = f(3.0) / f(width)
left = f(-0.65) - f(0.5) * f(width) * pixel
top = f(-0.5) * f(height) * pixel
cx = (left + pixel * numpy.arange(width, dtype=f))[None, :] + numpy.zeros((height, 1), f)
cy = (top + pixel * numpy.arange(height, dtype=f))[:, None] + numpy.zeros((1, width), f)
x, y = numpy.zeros_like(cx), numpy.zeros_like(cy)
steps = numpy.zeros(cx.shape, numpy.int32)
while True:
    going = (steps < limit) & (x * x + y * y < f(256.0))
    if not going.any():
        break
    x, y = (numpy.where(going, x * x - y * y + cx, x), numpy.where(going, f(2.0) * x * y + cy, y))
    steps[going] += 1
inside = int((steps == limit).sum())
total = int(steps.sum())

text = open(sys.argv[1]).read()
expected = "mandelbrot.png: %d by %d pixels, %d of them in the set, %d steps" % (width, height, inside, total)
assert expected in text, "expected %r, found %r" % (expected, text)

with numpy.errstate(divide="ignore", invalid="ignore"):
    t = 0.35 * numpy.log2(steps - numpy.log2(0.5 * numpy.log2((x * x + y * y).astype(numpy.float64))) + 2.0) - 0.5
painted = png.read(sys.argv[2]).astype(numpy.int32)
assert painted.shape == (height, width, 3)
for channel, shift in enumerate((0.0, -0.08, -0.2)):
    colour = numpy.where(steps < limit, 255.0 * (0.5 - 0.5 * numpy.cos(2 * numpy.pi * (t + shift))), 0.0)
    error = numpy.abs(painted[:, :, channel] - numpy.trunc(colour).astype(numpy.int32)).max()
    assert error <= 1, "channel %d is off by %d" % (channel, error)
assert 0.05 < inside / steps.size < 0.5
print("equal: %d steps" % total)
