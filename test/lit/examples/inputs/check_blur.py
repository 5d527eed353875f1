# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_blur.py PHOTO RESULT SIGMA: what examples/blur.rad made of a photograph, against NumPy in double precision: within 1 everywhere
(a half may round either way), and equal nearly everywhere."""
import sys

import numpy

import png

photo = png.read(sys.argv[1]).astype(numpy.float64) / 255
sigma = float(sys.argv[3])
if photo.shape[2] < 3:
    photo = numpy.repeat(photo[:, :, :1], 3, axis=2)
photo = photo[:, :, :3]
r = int(numpy.ceil(3 * sigma))
weights = numpy.exp(-0.5 * (numpy.arange(-r, r + 1) / sigma) ** 2)
weights /= weights.sum()
h, w = photo.shape[:2]
wide = numpy.pad(photo, ((0, 0), (r, r), (0, 0)), mode="edge")
rows = sum(weight * wide[:, i:i + w] for i, weight in enumerate(weights))
wide = numpy.pad(rows, ((r, r), (0, 0), (0, 0)), mode="edge")
both = sum(weight * wide[i:i + h] for i, weight in enumerate(weights))
expected = numpy.rint(both * 255).astype(numpy.int32)
found = png.read(sys.argv[2]).astype(numpy.int32)
assert found.shape == (h, w, 3)
difference = numpy.abs(found - expected)
assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, (difference.max(), (difference > 0).mean())
assert numpy.abs(photo - both).max() > 0.2, "not much of a blur"
print("equal")
