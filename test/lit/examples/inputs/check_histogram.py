# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_histogram.py PHOTO FOLDER: what examples/histogram.rad counted and drew, against NumPy. Every count and pixel must be equal."""
import os
import sys

import numpy

import png

photo = png.read(sys.argv[1]).astype(numpy.uint32)
if photo.shape[2] < 3:
    gray = photo[:, :, 0]
else:  # 0.299, 0.587 and 0.114 in 1/65536
    gray = (photo[:, :, 0] * 19595 + photo[:, :, 1] * 38470 + photo[:, :, 2] * 7471 + 0x8000) >> 16
expected = numpy.bincount(gray.ravel(), minlength=256)
found = numpy.loadtxt(os.path.join(sys.argv[2], "histogram.csv"), dtype=numpy.int64)
assert found.shape == (256,) and (found == expected).all(), numpy.argwhere(found != expected)
height = numpy.repeat(expected.astype(numpy.float32) / numpy.float32(expected.max()) * numpy.float32(256), 2)
bars = numpy.where(256 - numpy.arange(256)[:, None] <= height[None, :], 40, 235)
picture = png.read(os.path.join(sys.argv[2], "histogram.png"))[:, :, 0]
assert picture.shape == bars.shape and (picture != bars).mean() < 1e-3
assert (expected > 0).sum() > 100, "not much of a test picture"
print("equal: %d pixels" % gray.size)
