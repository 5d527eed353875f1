# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_kmeans.py PHOTO OUTPUT PICTURE K: the colours that examples/kmeans.rad found (with --fp=strict), against NumPy."""
import re
import sys

import numpy

import png

f = numpy.float32
k = int(sys.argv[4])
bytes_ = png.read(sys.argv[1])
if bytes_.shape[2] < 3:
    bytes_ = numpy.repeat(bytes_[:, :, :1], 3, axis=2)
photo = bytes_[:, :, :3].astype(f) / f(255)
h, w = photo.shape[:2]
colours = numpy.array([photo[c * h // k, c * w // k] for c in range(k)])


def choose():
    distances = []
    for colour in colours:
        d = (photo - colour) ** 2
        distances.append(d[:, :, 0] + d[:, :, 1] + d[:, :, 2])
    return numpy.argmin(distances, axis=0)


chosen = choose()
rounds, changes = 0, h * w
while changes and rounds < 100:
    for c in range(k):
        mine = photo[chosen == c]
        if len(mine):
            colours[c] = (mine.sum(axis=0, dtype=numpy.float64) / len(mine)).astype(f)
    before, chosen = chosen, choose()
    changes = (before != chosen).sum()
    rounds += 1
text = open(sys.argv[2]).read()
assert "%d by %d pixels in %d colours, found in %d rounds" % (w, h, k, rounds) in text, (rounds, text)
found = numpy.array([float(x) for x in re.findall(r"[0-9.]+(?=[,\]])", text.split("colours =")[1])]).reshape(k, 3)
assert numpy.abs(found - colours).max() < 1e-5, numpy.abs(found - colours).max()
difference = numpy.abs(png.read(sys.argv[3]).astype(numpy.int32) - numpy.rint(colours[chosen] * f(255)).astype(numpy.int32))
assert difference.max() <= 1, difference.max()
assert len(numpy.unique(chosen)) == k
print("equal after %d rounds" % rounds)
