# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_raytracer.py PICTURE WIDTH HEIGHT: what examples/raytracer.rad painted (with --fp=strict), against NumPy in single precision, every
operation in the same order: the pictures must be equal."""
import sys

import numpy

import png

f = numpy.float32
width, height = int(sys.argv[2]), int(sys.argv[3])
balls = [((0.0, 1.0, 1.0), 1.0, (0.9, 0.3, 0.2)), ((-1.7, 0.6, 0.0), 0.6, (0.2, 0.6, 0.3)), ((1.4, 0.5, -0.6), 0.5, (0.3, 0.4, 0.9))]
balls = [(numpy.array(c, f), f(r), numpy.array(p, f)) for c, r, p in balls]
lamp = numpy.array((4.0, 6.0, -5.0), f)


def dot(a, b):
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def normalize(v):
    return v / numpy.sqrt(dot(v, v))[..., None]


def first(origin, to):
    """Of each ray: the ball that it meets (-1: the sky, -2: the floor), and how far away."""
    what, distance = numpy.full(to.shape[0], -1), numpy.full(to.shape[0], f(numpy.inf))
    for i, (center, radius, _) in enumerate(balls):
        d = origin - center
        b = dot(d, to)
        root = b * b - dot(d, d) + radius * radius
        t = -b - numpy.sqrt(numpy.maximum(root, f(0.0)))
        hit = (root > 0) & (t > f(0.001)) & (t < distance)
        what, distance = numpy.where(hit, i, what), numpy.where(hit, t, distance)
    t = -origin[:, 1] / to[:, 1]
    hit = (t > f(0.001)) & (t < distance)
    return numpy.where(hit, -2, what), numpy.where(hit, t, distance)


with numpy.errstate(all="ignore"):
    row, col = numpy.divmod(numpy.arange(width * height), width)
    x = (col.astype(f) - f(0.5) * f(width)) / f(height)
    y = (f(0.5) * f(height) - row.astype(f)) / f(height)
    to = normalize(numpy.stack([x, y - f(0.2), numpy.full_like(x, f(1.2))], axis=1))
    origin = numpy.zeros_like(to) + numpy.array((0.0, 1.5, -4.0), f)
    total, weight, going = numpy.zeros_like(to), numpy.ones_like(x), numpy.ones(len(x), bool)
    centers, radii, paints = (numpy.array([b[k] for b in balls], f) for k in range(3))
    for bounce in range(4):
        what, distance = first(origin, to)
        sky = going & (what == -1)
        shade = weight * (f(1.0) - f(0.5) * to[:, 1])
        total = numpy.where(sky[:, None], total + shade[:, None] * numpy.array((0.5, 0.7, 1.0), f), total)
        going &= ~sky
        p = origin + distance[:, None] * to
        cells = numpy.where(going[:, None], numpy.floor(p), 0).astype(numpy.int32)
        dark = (cells[:, 0] + cells[:, 2]) & 1 == 0
        is_ball = what >= 0
        paint = numpy.where(dark[:, None], f(0.2), numpy.array((0.9, 0.9, 0.8), f))
        paint = numpy.where(is_ball[:, None], paints[what], paint)
        up = numpy.where(is_ball[:, None], (p - centers[what]) / radii[what][:, None], numpy.array((0.0, 1.0, 0.0), f))
        light = normalize(lamp - p)
        lit = numpy.where(first(p, light)[0] == -1, numpy.maximum(dot(up, light), f(0.0)), f(0.0))
        shine = numpy.where(is_ball, f(0.4), f(0.1))
        part = weight * (f(1.0) - shine) * (f(0.2) + f(0.8) * lit)
        total = numpy.where(going[:, None], total + part[:, None] * paint, total)
        weight = weight * shine
        bounced = to - (f(2.0) * dot(up, to))[:, None] * up
        origin, to = numpy.where(going[:, None], p, origin), numpy.where(going[:, None], bounced, to)
    expected = numpy.rint(f(255.0) * numpy.minimum(total, f(1.0))).astype(numpy.uint8).reshape(height, width, 3)

found = png.read(sys.argv[1])
assert found.shape == expected.shape, found.shape
wrong = numpy.argwhere((found != expected).any(axis=2))
assert len(wrong) == 0, "%d pixels differ, the first at %s: %s instead of %s" % (
    len(wrong), wrong[0], found[tuple(wrong[0])], expected[tuple(wrong[0])])
assert found.std() > 30 and len(numpy.unique(found)) > 100, "not much of a picture"
print("equal: mean %.3f" % expected.mean())
