# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The library's random numbers (stdlib/random.rad) once more, from their definition, in NumPy and Python integers."""
import numpy

MASK = (1 << 64) - 1


def mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def words(seed, count):
    """SplitMix64 from the state mix(seed): the generator as published, step by step."""
    state = mix(seed)
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        yield mix(state)


def uniform64(seed, count):
    return numpy.array([w >> 11 for w in words(seed, count)], numpy.uint64).astype(numpy.float64) * 2.0 ** -53


def uniform32(seed, count):
    x = numpy.array([w >> 11 for w in words(seed, count)], numpy.uint64).astype(numpy.float32) * numpy.float32(2.0 ** -53)
    return numpy.where(x < 1, x, numpy.float32(0))


def mix_all(x):
    """mix of every element of an array of uint64."""
    x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return x ^ (x >> numpy.uint64(31))


def words_at(seed, positions):
    """The numbers of the sequence at these positions, which need not be in order."""
    return mix_all(numpy.uint64(mix(seed)) + (positions.astype(numpy.uint64) + numpy.uint64(1)) * numpy.uint64(0x9E3779B97F4A7C15))


def unit32(words):
    x = (words >> numpy.uint64(11)).astype(numpy.float32) * numpy.float32(2.0 ** -53)
    return numpy.where(x < 1, x, numpy.float32(0))
