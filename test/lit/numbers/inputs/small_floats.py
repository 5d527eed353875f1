# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""f16, bf16, f8e4m3 and f8e5m2 in NumPy: every value, and rounding to the nearest of them by comparing with their middles.

Where ml_dtypes is installed, the tables are compared with it (and those of f16 with NumPy's own) when this is loaded."""
import numpy

TYPES = {"f16": (5, 10), "bf16": (8, 7), "f8e4m3": (4, 3), "f8e5m2": (5, 2)}  # bits of exponent and fraction


def bits_of(name):
    return 1 + sum(TYPES[name])


def every_value(name):
    """float64 of every pattern."""
    exponent, fraction = TYPES[name]
    patterns = numpy.arange(1 << bits_of(name))
    bias = (1 << (exponent - 1)) - 1
    power = patterns >> fraction & ((1 << exponent) - 1)
    part = (patterns & ((1 << fraction) - 1)).astype(numpy.float64)
    size = numpy.where(power == 0, numpy.ldexp(part, 1 - bias - fraction),
                       numpy.ldexp(part + (1 << fraction), power - bias - fraction))
    top = power == (1 << exponent) - 1
    if name == "f8e4m3":  # no infinity; only all ones is NaN
        size[top & (part == (1 << fraction) - 1)] = numpy.nan
    else:
        size[top] = numpy.where(part[top] == 0, numpy.inf, numpy.nan)
    return numpy.where(patterns >> (exponent + fraction), -size, size)


VALUES = {name: every_value(name) for name in TYPES}


def nearest(name, numbers):
    """The patterns of the nearest values, ties to the even pattern; any NaN where the number is none. Beyond the largest:
    infinity, or the largest of f8e4m3. Numbers are float64, or longdouble where those hold them."""
    numbers = numpy.asarray(numbers)
    sign = 1 << (bits_of(name) - 1)
    sizes = VALUES[name][:sign]
    sizes = sizes[numpy.isfinite(sizes)].astype(numbers.dtype)  # they rise with the pattern
    size = numpy.abs(numbers)
    missing = numpy.isnan(size)
    size = numpy.where(missing, 0, size)
    low = numpy.minimum(numpy.searchsorted(sizes, size, side="right") - 1, len(sizes) - 1)
    above = numpy.append(sizes, 2 * sizes[-1] - sizes[-2])  # what would follow the largest
    middle = (above[low] + above[low + 1]) / 2
    patterns = low + ((size > middle) | ((size == middle) & (low % 2 == 1)))
    if name == "f8e4m3":
        patterns = numpy.minimum(patterns, len(sizes) - 1)
    patterns = patterns | numpy.where(numpy.signbit(numbers), sign, 0)
    return numpy.where(missing, sign - 1, patterns)


def same(name, found, expected):
    """Where patterns are equal, or both NaN."""
    values = VALUES[name]
    return (found == expected) | (numpy.isnan(values[found]) & numpy.isnan(values[expected]))


def check_tables():
    """True where other implementations are there to compare with."""
    half = numpy.arange(65536, dtype=numpy.uint16).view(numpy.float16)
    assert numpy.array_equal(half.astype(numpy.float64), VALUES["f16"], equal_nan=True)
    try:
        import ml_dtypes
    except ImportError:
        return False
    others = {"bf16": ml_dtypes.bfloat16, "f8e4m3": ml_dtypes.float8_e4m3fn, "f8e5m2": ml_dtypes.float8_e5m2}
    with numpy.errstate(all="ignore"):
        # Every float whose last 15 bits are zero, which is every middle between values, and its neighbours.
        floats = (numpy.arange(1 << 17, dtype=numpy.uint32)[:, None] * 32768 +
                  numpy.array([0, 1, 32767], dtype=numpy.uint32)).ravel().view(numpy.float32)
        for name, kind in others.items():
            patterns = numpy.arange(1 << bits_of(name)).astype(numpy.uint16 if name == "bf16" else numpy.uint8)
            assert numpy.array_equal(patterns.view(kind).astype(numpy.float64), VALUES[name], equal_nan=True), name
            theirs = floats.astype(kind).view(patterns.dtype).astype(numpy.int64)
            ours = nearest(name, floats.astype(numpy.float64))
            equal = same(name, ours, theirs)
            if name == "f8e4m3":  # theirs makes NaN of what is too large; we keep the largest number
                equal |= numpy.isnan(VALUES[name][theirs]) & (ours & 0x7f == 0x7e) & (numpy.abs(floats) >= 464)
            assert equal.all(), (name, floats[~equal][:8])
    return True
