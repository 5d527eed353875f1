# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares what conversions.rad wrote with NumPy and small_floats.py: python3 check_conversions.py PICTURE"""
import os
import sys

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "inputs"))
import png
from small_floats import TYPES, VALUES, bits_of, check_tables, nearest, same

numpy.seterr(all="ignore")
data = png.read(sys.argv[1]).reshape(-1)
at = 0
wrong = 0


def take(kind, count):
    global at
    size = count * numpy.dtype(kind).itemsize
    at += size
    return data[at - size:at].view(kind)


def expect(what, equal, inputs, found, expected):
    global wrong
    if not equal.all():
        first = numpy.flatnonzero(~equal)[0]
        print("%s: %d of %d differ; the first at %r: %r instead of %r" %
              (what, (~equal).sum(), len(equal), inputs[first], found[first], expected[first]))
        wrong += 1


def equal_numbers(a, b):
    return (a == b) & (numpy.signbit(a) == numpy.signbit(b)) | (numpy.isnan(a) & numpy.isnan(b))


def samples(indices):
    high, low = (indices // 24).astype(numpy.uint32), indices % 24
    third = numpy.array([0, 1, 2, 5], numpy.uint32)[low // 6]
    rest = numpy.array([0, 1, 0xfff, 0x1000, 0x1001, 0x1fff], numpy.uint32)[low % 6]
    return (high << 16 | third << 13 | rest).view(numpy.float32)


def small(what, name, inputs, numbers):
    found = take("<u2", len(numbers)).astype(numpy.int64)
    expected = nearest(name, numbers)
    expect("%s to %s" % (what, name), same(name, found, expected), inputs, found, expected)


def integers(limit, places, kind):
    i = numpy.arange(64 * 3 * places, dtype=numpy.int64)
    digits, place, by = i // (3 * places) * 37 % 2048, i // 3 % places, i % 3
    sizes = [(2048 + int(d) << int(p)) + int(b) - 1 for d, p, b in zip(digits, place, by)]
    signed = [-s if (d + p) % 2 else s for s, d, p in zip(sizes, digits, place)]
    return numpy.array([s % (1 << 64) if kind == "u64" else s % (1 << 32) if kind == "u32" else s for s in signed],
                       dtype=numpy.longdouble)


compared = check_tables()
INTEGERS = {"i8": 8, "u8": 8, "i16": 16, "u16": 16, "i32": 32, "u32": 32, "i64": 64, "u64": 64}
for name in TYPES:
    values = VALUES[name]
    step = 1 if bits_of(name) == 16 else 5
    patterns = numpy.arange(len(values))
    found = take("<f4", len(values)).astype(numpy.float64)
    expect(name + " to f32", equal_numbers(found, values), patterns, found, values)
    found = take("<f8", len(values))
    expect(name + " to f64", equal_numbers(found, values), patterns, found, values)
    floats = samples(numpy.arange(65536 * 24 // step) * step)
    small("f32", name, floats, floats.astype(numpy.float64))
    indices = numpy.arange(65536 * 24 // 7) * 7
    doubles = (samples(indices).astype(numpy.float64).view(numpy.uint64) + (indices % 3).astype(numpy.uint64) -
               numpy.uint64(1)).view(numpy.float64)
    small("f64", name, doubles, doubles)
    for other in TYPES:
        small(name, other, patterns, values)
    for kind, places in (("i64", 51), ("u64", 53), ("i32", 19), ("u32", 21)):
        numbers = integers(64, places, kind)
        small(kind, name, numbers, numbers)
    for kind in ("int16", "uint16", "int8", "uint8"):
        numbers = numpy.arange(65536 if "16" in kind else 256).astype(kind).astype(numpy.float64)
        small(kind, name, numbers, numbers)
    for kind, bits in INTEGERS.items():
        found = take("<i8", len(values))
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)
        expected = numpy.array([0 if v != v else low if v <= low else high if v >= high else int(v) for v in values.tolist()],
                               dtype=object)
        expected = (expected % (1 << 64)).astype(numpy.uint64).view(numpy.int64)
        expect("%s to %s" % (name, kind), found == expected, patterns, found, expected)

assert at <= len(data)
print("%d bytes compared, %d kinds of conversion wrong%s" % (at, wrong, "" if compared else " (without ml_dtypes)"))
sys.exit(wrong != 0)
