# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_sobel.py PHOTO RESULT: the edges that examples/sobel.rad found, against NumPy. Every pixel must be equal."""
import sys

import numpy

import png

photo = png.read(sys.argv[1]).astype(numpy.int32)
if photo.shape[2] < 3:
    photo = numpy.repeat(photo[:, :, :1], 3, axis=2)
gray = (77 * photo[:, :, 0] + 150 * photo[:, :, 1] + 29 * photo[:, :, 2]) // 256
wide = numpy.pad(gray, 1, mode="edge")
h, w = gray.shape


def at(dy, dx):
    return wide[1 + dy:1 + dy + h, 1 + dx:1 + dx + w]


gx = sum(k * (at(d, 1) - at(d, -1)) for d, k in ((-1, 1), (0, 2), (1, 1)))
gy = sum(k * (at(1, d) - at(-1, d)) for d, k in ((-1, 1), (0, 2), (1, 1)))
size = numpy.sqrt((gx * gx + gy * gy).astype(numpy.float32))
expected = numpy.minimum(size, numpy.float32(255)).astype(numpy.uint8)

found = png.read(sys.argv[2])
assert found.shape == (h, w, 1), "the result has the shape %s" % (found.shape,)
wrong = numpy.argwhere(found[:, :, 0] != expected)
assert len(wrong) == 0, "%d pixels differ, the first at %s: %d instead of %d" % (
    len(wrong), wrong[0], found[tuple(wrong[0])][0], expected[tuple(wrong[0])])
assert expected.max() == 255 and expected.min() == 0 and (expected > 50).mean() > 0.01, "not much of a test picture"
print("equal: %d by %d, mean %.3f" % (w, h, expected.mean()))
