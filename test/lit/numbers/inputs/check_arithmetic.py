# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares what arithmetic.rad wrote under --fp=strict with NumPy, bit for bit: python3 check_arithmetic.py PICTURE"""
import fractions
import os
import sys

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "inputs"))
import png
from small_floats import VALUES, nearest
from splitmix import words

numpy.seterr(all="ignore")
N, RESULTS, EXACT = 16384, 22, 2000
NAMES = ("a + b", "a - b", "a * b", "a / b", "a % b", "a * b + c", "fma(a, b, c)", "sqrt(a)", "min(a, b)", "max(a, b)", "abs(a)",
         "-a", "copysign(a, b)", "floor(a)", "ceil(a)", "round(a)", "trunc(a)", "comparisons", "sum(x)", "x / y + x.zwxy", "select(x < y, x, x.wzyx)",
         "comparisons of vectors")


def to_type(name, numbers):
    """float64 rounded to the type: as NumPy numbers of the type, or float64 of bf16's values."""
    if name == "bf16":
        return VALUES["bf16"][nearest("bf16", numbers)]
    return numbers.astype({"f16": numpy.float16, "f32": numpy.float32, "f64": numpy.float64}[name])


def from_bits(name, bits):
    if name == "bf16":
        return VALUES["bf16"][bits]
    return bits.view({"f16": numpy.float16, "f32": numpy.float32, "f64": numpy.float64}[name])


def inputs(name, bits, seed):
    word = numpy.array(list(words(seed, N)), dtype=numpy.uint64)
    whole = from_bits(name, (word >> numpy.uint64(7)).astype("<u%d" % (bits // 8)))
    near = to_type(name, (word >> numpy.uint64(11)).astype(numpy.float64) * 4.440892098500626e-16 - 2.0)
    return numpy.where(numpy.arange(N) % 2 == 0, whole, near)


def exact_fma(name, a, b, c):
    """a * b + c as rational numbers, rounded once."""
    result = []
    for x, y, z in zip(a.tolist(), b.tolist(), c.tolist()):
        if not all(map(numpy.isfinite, (x, y, z))):
            result.append(numpy.float64(x) * y + z)
            continue
        exact = fractions.Fraction(x) * fractions.Fraction(y) + fractions.Fraction(z)
        if exact == 0:
            result.append(numpy.float64(x) * y + z)  # the sign of the zero
            continue
        try:
            near = float(exact)
        except OverflowError:
            near = numpy.inf if exact > 0 else -numpy.inf
        if name != "f64" and numpy.isfinite(near):
            # Rounded to odd, so that the second rounding gives what one would.
            lost = exact - fractions.Fraction(near)
            bits = numpy.float64(near).view(numpy.int64)
            if lost and bits % 2 == 0:
                near = (bits + (1 if (lost > 0) == (exact > 0) else -1)).view(numpy.float64) if near else near
                if near == 0:
                    near = numpy.copysign(5e-324, float(exact > 0) - 0.5)
        result.append(near)
    return to_type(name, numpy.array(result, dtype=numpy.float64))


data = png.read(sys.argv[1]).reshape(-1)
at = wrong = 0
for name, bits in (("f16", 16), ("bf16", 16), ("f32", 32), ("f64", 64)):
    size = bits // 8 * RESULTS * N
    raw = data[at:at + size].view("<u%d" % (bits // 8)).reshape(N, RESULTS)
    at += size
    a, b, c = (inputs(name, bits, seed) for seed in (1, 2, 3))

    def rounded(numbers):
        return to_type(name, numbers) if name == "bf16" else numbers

    # bf16 is computed in float64, whose digits suffice for rounding twice to be rounding once.
    expected = [rounded(a + b), rounded(a - b), rounded(a * b), rounded(a / b), rounded(numpy.fmod(a, b)),
                rounded(rounded(a * b) + c), exact_fma(name, a[:EXACT], b[:EXACT], c[:EXACT]), rounded(numpy.sqrt(a)),
                numpy.fmin(a, b), numpy.fmax(a, b), numpy.abs(a), -a, numpy.copysign(a, b), numpy.floor(a), numpy.ceil(a),
                numpy.rint(a), numpy.trunc(a)]
    # Vectors: x = (a, b, c, a), y = (b, c, a, a); of some results the element i % 4.
    x, y = numpy.stack([a, b, c, a]), numpy.stack([b, c, a, a])
    element = (numpy.arange(N) % 4, numpy.arange(N))
    expected += [None, rounded(rounded(rounded(a + b) + c) + a), rounded(rounded(x / y) + x[[2, 3, 0, 1]])[element],
                 numpy.where(x < y, x, x[::-1])[element]]
    for which, numbers in enumerate(expected):
        if numbers is None:
            continue
        found = from_bits(name, numpy.ascontiguousarray(raw[:len(numbers), which]))
        equal = (found == numbers) | (numpy.isnan(found) & numpy.isnan(numbers))
        if which not in (8, 9):  # of zeros, min and max may give either
            equal &= (numpy.signbit(found) == numpy.signbit(numbers)) | numpy.isnan(numbers)
        if not equal.all():
            i = numpy.flatnonzero(~equal)[0]
            print("%s, %s: %d of %d differ; a = %r, b = %r, c = %r gives %r instead of %r" %
                  (name, NAMES[which], (~equal).sum(), len(equal), a[i], b[i], c[i], found[i], numbers[i]))
            wrong += 1
    compared = (a < b) * 1 + (a <= b) * 2 + (a == b) * 4 + (a != b) * 8
    lanes = sum((x < y)[k] * (1 << k) + (x > y)[k] * (16 << k) for k in range(4))
    for which, numbers in ((17, compared), (21, lanes)):
        if not numpy.array_equal(numbers, raw[:, which]):
            print("%s: %s differ" % (name, NAMES[which]))
            wrong += 1
print("%d operations wrong" % wrong)
sys.exit(wrong != 0)
