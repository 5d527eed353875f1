# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""npy_cases.py make|check FOLDER: arrays that NumPy saves, a program that reads and writes each, and what NumPy then finds.

Every element type, ranks 0 to 4, rows and columns first, empty arrays, both byte orders, vectors (whose elements are one more
dimension), all versions of the format, random bits."""
import os
import sys

import numpy
from numpy.lib import format as npy

TYPES = {"bool": "?", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "index": "i8", "u8": "u1", "u16": "u2", "u32": "u4", "u64": "u8",
         "f16": "f2", "f32": "f4", "f64": "f8",
         "bf16": "V2", "f8e4m3": "V1", "f8e5m2": "V1"}  # what ml_dtypes saves, which NumPy alone takes for raw bytes
VECTORS = {"f32x3": "f4", "boolx2": "?", "f16x4": "f2", "u8x16": "u1", "f64x2": "f8"}
SHAPES = [(), (7,), (3, 5), (2, 3, 4), (2, 3, 1, 5), (0,), (4, 0)]


def cases():
    random = numpy.random.default_rng(7)
    for name, code in TYPES.items():
        for shape in SHAPES:
            for order in "CF" if len(shape) > 1 else "C":
                dtype = numpy.dtype(code)
                count = int(numpy.prod(shape, dtype=int))
                if name == "bool":
                    array = random.integers(0, 2, count).astype(bool)
                else:
                    array = numpy.frombuffer(random.bytes(count * dtype.itemsize), dtype)
                version = ((1, 0), (2, 0), (3, 0))[(len(shape) + len(name)) % 3]
                label = "%s_%s_%s" % (name, "x".join(map(str, shape)), order)
                array = numpy.asarray(array.reshape(shape), order=order)
                yield name, array, version, label
                if dtype.itemsize > 1 and dtype.kind != "V":
                    yield name, numpy.asarray(array.astype(dtype.newbyteorder(">")), order=order), version, label + "_big"
    for name, code in VECTORS.items():
        for shape in [(5,), (2, 3), (0,)]:
            elements = shape + (int(name.split("x")[1]),)
            array = numpy.frombuffer(random.bytes(int(numpy.prod(elements)) * numpy.dtype(code).itemsize), numpy.uint8)
            array = (array & 1 if code == "?" else array).view(code).reshape(elements)
            yield name, array, (1, 0), "%s_%s" % (name, "x".join(map(str, shape)))


command, folder = sys.argv[1:]
if command == "make":
    os.makedirs(folder, exist_ok=True)
    lines = []
    for number, (name, array, version, label) in enumerate(cases()):
        with open(os.path.join(folder, label + ".npy"), "wb") as file:
            npy.write_array(file, array, version=version)
        shape = array.shape[:-1] if name in VECTORS else array.shape
        sizes = ["%d" % n if axis == 1 else "n%d_%d" % (number, axis) for axis, n in enumerate(shape)]
        wanted = "[%s; %s]" % (name, ", ".join(sizes)) if sizes else name
        lines.append('let a%d: %s = read_npy("%s.npy")' % (number, wanted, label))
        if sizes:
            lines.append('write_npy("%s.out.npy", a%d)' % (label, number))
        else:
            lines.append('let b%d = zeros[%s](1)' % (number, name))
            lines.append('b%d[0] = a%d' % (number, number))
            lines.append('write_npy("%s.out.npy", b%d)' % (label, number))
    with open(os.path.join(folder, "round_trip.rad"), "w") as file:
        file.write("\n".join(lines) + "\n")
else:
    number = 0
    for name, array, _, label in cases():
        found = numpy.load(os.path.join(folder, label + ".out.npy"))
        array = array.astype(array.dtype.newbyteorder("<"))
        assert found.dtype == array.dtype and found.shape == (array.shape or (1,)), "%s: %s %s" % (label, found.dtype, found.shape)
        assert found.flags.c_contiguous and found.tobytes() == array.tobytes("C"), label
        number += 1
    print("equal: %d arrays" % number)
