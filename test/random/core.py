# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all parts of the generator use: scopes, choices, names, literals."""
import random

from vocabulary import ARITHMETIC, FEATURES_SET, FLOATS, HALF, INTS, LIKELY, SIGNED, SMALL, kindOf


class Scope:
    """What may be named: variables by type, arrays with the ranges that their indices come from."""

    def __init__(self, parent=None):
        self.values = list(parent.values) if parent else []  # (name, type)
        self.variables = list(parent.variables) if parent else []
        self.views = list(parent.views) if parent else []  # (name, element, [size expression of type index])
        self.points = list(parent.points) if parent else []  # (name of type index that is not negative, the size that it is below)
        self.functions = list(parent.functions) if parent else []


class Core:
    def __init__(self, seed):
        self.seed = seed
        self.r = random.Random(seed)
        self.features = set()
        self.files = {}  # name -> text: what the program imports
        self.names = 0
        self.depth = 0
        self.inKernel = False
        self.onHost = False  # the overflow of signed integers is an error here
        self.loops = 0
        self.equated = None  # the struct for which == is being declared
        self.strided = set()  # names of views with gaps
        self.changing = set()  # names of values and views that are variables outside of the lambda where they are known as values
        self.lists = []  # constants without a type that are lists of numbers which fit into any: (name, extents)
        self.structs, self.enums, self.operators = {}, {}, []  # what is declared: structs.py

    def use(self, feature):
        if feature not in FEATURES_SET:
            raise KeyError(feature)
        self.features.add(feature)

    def name(self, stem):
        self.names += 1
        return "%s%d" % (stem, self.names)

    def chance(self, p):
        return self.r.random() < p

    def typeOf(self, pool=None):
        t = self.r.choice(pool or LIKELY)
        self.use("type." + t)
        return t

    def vectorType(self):
        t = self.typeOf([*ARITHMETIC, "f32", "i32"])
        return "vec", t, self.r.choice([n for n in (2, 2, 3, 3, 4, 4, 8, 16) if n * {**INTS, **FLOATS}[t] <= 512])

    def compositeType(self, depth=1):
        r = self.r
        form = r.choice(["vec", "vec", "array", "tuple"] + ["struct", "struct"] * bool(self.structs) + ["enum"] * bool(self.enums))
        if form in ("struct", "enum"):
            return form, r.choice(list(self.structs if form == "struct" else self.enums))
        if form == "vec":
            return self.vectorType()
        if form == "array":
            item = r.choice(["scalar", "scalar", "scalar", "vec", "tuple", "array", "struct"]) if depth else "scalar"
            if item == "struct" and self.structs:
                self.use("array.of.struct")
                return "array", ("struct", r.choice(list(self.structs))), r.randrange(1, 4)
            if item == "vec":
                self.use("array.of.vec")
                return "array", self.vectorType(), r.randrange(1, 4)
            if item == "tuple":
                self.use("array.of.tuple")
                return "array", ("tuple", self.typeOf(), self.typeOf()), r.randrange(1, 4)
            if item == "array":
                self.use("array.nested")
                return "array", ("array", self.typeOf(), r.randrange(1, 4)), r.randrange(1, 4)
            if depth and self.chance(0.1):
                self.use("array.large")
                return "array", self.typeOf(), r.randrange(65, 80)
            return "array", self.typeOf(), r.randrange(1, 6)
        items = [self.typeOf() for _ in range(r.randrange(2, 4))]
        if depth and self.chance(0.4):
            self.use("tuple.nested")
            items[0] = self.compositeType(0)
        return ("tuple", *items)

    def spell(self, t):
        """A type as programs write it."""
        kind = kindOf(t)
        if kind == "scalar":
            return t
        if kind in ("struct", "enum"):
            return t[1]
        if kind == "vec":
            return "%sx%d" % t[1:] if self.chance(0.7) else "vec[%s, %d]" % t[1:]
        if kind == "array":
            return "array[%s, %d]" % (self.spell(t[1]), t[2])
        return "(%s)" % ", ".join(self.spell(item) for item in t[1:])

    def indent(self, lines):
        return ["    " + line for line in lines]

    def literal(self, t):
        self.use("literal." + t)
        r = self.r
        if t == "bool":
            return r.choice(["true", "false"])
        if t == "index":
            return "index(%d)" % r.choice([0, 1, 2, 3, 7, 31, 1000, r.randrange(1 << 20)])
        if t in SMALL:
            return "%s(%s)" % (t, r.choice(["0.0", "1.0", "-0.5", "3.25", "0.001", "448.0", "-24.0"]))
        if t in FLOATS:
            if self.chance(0.06):
                return "%s(%s)" % (t, r.choice(["inf", "nan", "-inf"]))
            return self.finite(t)
        bits = INTS[t]
        top = (1 << (bits - 1)) - 1 if t in SIGNED else (1 << bits) - 1
        value = r.choice([0, 1, 2, 3, 5, 7, top, top - 1, r.randrange(top + 1), r.randrange(min(top, 100) + 1)])
        form = r.random()
        text = (hex(value) if form < 0.1 else bin(value) if form < 0.15 else str(value)) + t
        return "(-%s)" % text if t in SIGNED and self.chance(0.3) else text

    def finite(self, t):
        """A number of a type that computes, without NaN and infinity."""
        r = self.r
        value = r.choice([0.0, 1.0, 0.5, 2.0, 3.25, 1e-3, 1e10, r.uniform(-10, 10), r.uniform(-1e6, 1e6)])
        if t in HALF:
            value = r.choice([0.0, 1.0, 0.5, 2.0, 3.25, 1e-3, 6e-8, 1000.0, r.uniform(-10, 10), r.uniform(-1e3, 1e3)])
        text = repr(abs(float("%.6g" % value)))
        if "e" in text and "." not in text.split("e")[0]:
            text = text.replace("e", ".0e")
        text = text.replace("e+", "e") + t
        return "(-%s)" % text if value < 0 else text

    def bare(self, t):
        """A number without a suffix that fits into a type."""
        if t in FLOATS:
            return self.r.choice(["0.5", "2", "3.25", "0", "-1.5", "7"])
        return self.r.choice(["0", "1", "3", "100"] + ["-5", "-100"] * (t in SIGNED))

    def bareList(self, t, extents):
        """Numbers without suffixes, in lists of lists if there are several extents."""
        if not extents:
            return self.bare(t)
        self.use("list.bare")
        if extents[0] > 6:
            self.use("array.repeat")
            return "[%s; %s]" % (self.bare(t), ", ".join(map(str, extents)))
        return "[%s]" % ", ".join(self.bareList(t, extents[1:]) for _ in range(extents[0]))

    def text(self):
        raise NotImplementedError
