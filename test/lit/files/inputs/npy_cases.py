# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""npy_cases.py make|check FOLDER: arrays that NumPy saves, a program that reads and writes each, and what NumPy then finds.

Every element type, ranks 0 to 4, rows and columns first, empty arrays, both byte orders, vectors (whose elements are one more
dimension), all versions of the format, random bits; structs as structured types, however their fields lie."""
import os
import sys

import numpy
from numpy.lib import format as npy

TYPES = {"bool": "?", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "index": "i8", "u8": "u1", "u16": "u2", "u32": "u4", "u64": "u8",
         "f16": "f2", "f32": "f4", "f64": "f8",
         "bf16": "V2", "f8e4m3": "V1", "f8e5m2": "V1"}  # what ml_dtypes saves, which NumPy alone takes for raw bytes
VECTORS = {"f32x3": "f4", "boolx2": "?", "f16x4": "f2", "u8x16": "u1", "f64x2": "f8"}
STRUCTS = """
struct Small { flag: bool, x: f64, n: i16 }
struct Point { pos: f32x3, id: u8 }
struct Deep { p: Point, more: array[Point, 2], w: array[array[f16, 3], 2], z: f64x2, last: bool }
enum Phase { solid, liquid, gas }
struct Cell { phase: Phase, t: f32 }
"""
POINT = [("pos", "f4", (3,)), ("id", "u1")]
DTYPES = {"Small": [("flag", "?"), ("x", "f8"), ("n", "i2")], "Point": POINT,
          "Deep": [("p", POINT), ("more", POINT, (2,)), ("w", "f2", (2, 3)), ("z", "f8", (2,)), ("last", "?")],
          "(f32, (i8, u64))": [("f0", "f4"), ("f1", [("f0", "i1"), ("f1", "u8")])],
          "Cell": [("phase", "i4"), ("t", "f4")]}


def laid_out(fields, align, order="<"):
    """The dtype, with the fields as C lays them out or without gaps."""
    made = []
    for name, kind, *shape in fields:
        inner = laid_out(kind, align, order) if isinstance(kind, list) else numpy.dtype(kind).newbyteorder(order)
        made.append((name, inner, *shape))
    return numpy.dtype(made, align=align)


def in_memory(fields):
    """The dtype as programs have it: as in C, where vectors of 2 f64 begin at multiples of 16."""
    if fields is DTYPES["Deep"]:
        point = in_memory(POINT)
        return numpy.dtype({"names": ["p", "more", "w", "z", "last"], "formats": [point, (point, (2,)), ("f2", (2, 3)), ("f8", (2,)), "?"],
                            "offsets": [0, 16, 48, 64, 80], "itemsize": 96})
    return laid_out(fields, True)


def same(a, b):
    if not a.dtype.names:
        return numpy.array_equal(a, b)
    return a.shape == b.shape and all(same(a[name], b[name]) for name in a.dtype.names)


def structures():
    random = numpy.random.default_rng(11)

    def fill(array):
        for name in array.dtype.names:
            part = array[name]
            if part.dtype.names:
                fill(part)
            elif name == "phase":
                part[...] = random.integers(0, 3, part.shape)
            else:
                part[...] = random.integers(0, 2 if part.dtype.kind == "b" else 100, part.shape)

    for name, fields in DTYPES.items():
        for label, dtype in [("c", in_memory(fields)), ("packed", laid_out(fields, False)), ("big", laid_out(fields, False, ">"))]:
            for shape in [(5,), (2, 3), (0,)]:
                array = numpy.zeros(shape, dtype)
                fill(array)
                yield name, numpy.asarray(array, order="F" if label == "packed" else "C"), "s%d_%s_%s" % (list(DTYPES).index(name), label, "x".join(map(str, shape)))


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
    for number, (name, array, label) in enumerate(structures()):
        with open(os.path.join(folder, label + ".npy"), "wb") as file:
            npy.write_array(file, array)
        sizes = ", ".join("s%d_%d" % (number, axis) for axis in range(array.ndim))
        lines.append('let s%d: [%s; %s] = read_npy("%s.npy")' % (number, name, sizes, label))
        lines.append('write_npy("%s.out.npy", s%d)' % (label, number))
    # An array value as an element is one more dimension; of structs too.
    numpy.save(os.path.join(folder, "rows.npy"), numpy.arange(24, dtype="f4").reshape(4, 2, 3))
    lines.append('let rows: [array[array[f32, 3], 2]; n_rows] = read_npy("rows.npy")\nwrite_npy("rows.out.npy", rows)')
    lines.append('let pairs = [[Point(f32x3(f32(i)), u8(i)), Point(f32x3(0.0), 9)] for i in 0..3]\nwrite_npy("pairs.out.npy", pairs)')
    lines.insert(0, STRUCTS)
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
    for name, array, label in structures():
        found = numpy.load(os.path.join(folder, label + ".out.npy"))
        # What NumPy reads has unnamed gaps where C has padding.
        assert found.dtype == in_memory(DTYPES[name]), "%s: %s" % (label, found.dtype)
        assert same(found, array), label
        number += 1
    assert numpy.load(os.path.join(folder, "rows.out.npy")).tolist() == numpy.arange(24).reshape(4, 2, 3).tolist()
    pairs = numpy.load(os.path.join(folder, "pairs.out.npy"))
    assert pairs.shape == (3, 2) and pairs["id"].tolist() == [[0, 9], [1, 9], [2, 9]] and pairs["pos"][2, 0].tolist() == [2, 2, 2]
    print("equal: %d arrays" % (number + 2))
