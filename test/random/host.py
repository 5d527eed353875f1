# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Host code: arrays as arguments, what is printed of results, statements."""
from core import Scope
from functions import Functions
from vocabulary import ARITHMETIC, FLOATS, INTS, SIGNED, kindOf


class Host(Functions):
    def arrayOf(self, name, t, extents):
        """Lines that make an array of values of all kinds."""
        shape = ", ".join(map(str, extents))
        i = self.name("q")
        if len(extents) > 1 and self.chance(0.3):
            self.use("host.array.comprehension.n")
            names = [self.name("q") for _ in extents]
            value = self.hostValue(t, "(%s)" % " + ".join("%d * %s" % (self.r.randrange(1, 20), q) for q in names))
            return ["let %s = [%s for %s]" % (name, value, ", ".join("%s in 0..%d" % pair for pair in zip(names, extents)))]
        if kindOf(t) != "scalar":
            value = self.hostValue(t, i)
            if len(extents) == 1:
                return ["let %s = [%s for %s in 0..%d]" % (name, value, i, extents[0])]
            return ["let %s = zeros[%s](%s)" % (name, self.spell(t), shape), "for %s in 0..%d { %s.flat[%s] = %s }" % (i, min(count(extents), 20), name, i, value)]
        if t in ("f32", "f64") and self.chance(0.3):
            self.use("host.random")
            return ["let %s = random.uniform[%s](%s, seed: %d)" % (name, t, shape, self.r.randrange(1000))]
        if len(extents) == 1 and self.chance(0.5):
            self.use("host.array.comprehension")
            # Conversions keep the low bits: every type gets values of both signs.
            ranges, value = "0..%d" % extents[0], "%s(i32(%s) * %d - %d)" % (t, i, self.r.randrange(1, 5000), self.r.randrange(1, 3000))
            if self.chance(0.4):
                self.use("host.array.range")
                low, step = self.r.randrange(-5, 6), self.r.randrange(1, 4)
                ranges = "%d..%d%s" % (low, low + (extents[0] - 1) * step + 1, " step %d" % step if step > 1 else "")
            return ["let %s = [%s for %s in %s]" % (name, value, i, ranges)]
        if self.chance(0.2):
            self.use("host.full")
            return ["let %s = full[%s](%s, value: %s)" % (name, t, shape, self.literal(t))]
        lines = ["let %s = zeros[%s](%s)" % (name, t, shape)]
        if self.chance(0.5):
            self.use("host.fill")
            lines.append("%s.flat[..] = %s" % (name, self.literal(t)))
        self.use("host.loop")
        low = "i32(%s) * %d - %d" % (i, self.r.randrange(1, 500), self.r.randrange(1, 300))
        return lines + ["for %s in 0..%d { %s.flat[%s] = %s(%s) }" % (i, min(count(extents), 20), name, i, t, low)]

    def arrayValue(self, t, extents):
        """An array value that may stand where an array of the device is read; none if it were too large."""
        if len(extents) > 2 or count(extents) * self.bytesOf(t) > 1024 or kindOf(t) in ("struct", "enum") and count(extents) > 8:
            return None
        self.use("host.array.value")
        if t in ARITHMETIC and self.chance(0.5):
            return self.bareList(t, extents)

        def items(left):
            if not left:
                return self.constantOf(t)
            if left[0] > 6:
                self.use("array.repeat")
                return "[%s; %d]" % (items(left[1:]), left[0])
            return "[%s]" % ", ".join(items(left[1:]) for _ in range(left[0]))
        return items(extents)

    def show(self, array, t, size):
        """Prints of an array what fits into a few lines. The parts of a vector are as good as any."""
        lines = ['print("%s %s", %s)' % (array, " ".join(["{}"] * min(size, 6)), ", ".join(
            "%s.flat[%d]" % (array, k) for k in sorted(self.r.sample(range(size), min(size, 6)))))]
        i = self.name("q")
        if t in INTS:
            self.use("host.reduce")
            lines.append('print("%s: {} {}", sum(i64(%s.flat[%s]) & 0xffff for %s in 0..%d), max(%s.flat[%s] for %s in 0..%s.flat.len))' % (
                array, array, i, i, size, array, i, i, array))
        elif t in FLOATS:
            self.use("host.reduce.if")
            lines.append('print("%s: {}", min(%s.flat[%s] for %s in 0..%d if %s.flat[%s] > 0.0))' % (array, array, i, i, size, array, i))
        elif t == "bool":
            self.use("host.reduce.all")
            lines.append('print("%s: {} {}", all(%s.flat[%s] for %s in 0..%d), any(%s.flat[%s] for %s in 0..%d))' % (array, array, i, i, size, array, i, i, size))
        return lines

    def inputs(self, scope, sizes):
        """Read-only array parameters with the given sizes: texts for the signature, and lines that make the arguments."""
        params, made, arguments = [], [], []
        extents = [extent for _, extent in sizes]
        for _ in range(self.r.choice([1, 1, 2])):
            name, array = self.name("x"), self.name("a")
            if self.chance(0.2):
                self.use("kernel.vec")
                t = self.vectorType()
            elif self.structs and self.chance(0.4):
                self.use("kernel.struct")
                t = self.r.choice(self.structTypes() + self.enumTypes())
            else:
                t = self.typeOf([*ARITHMETIC, *ARITHMETIC, "f8e4m3", "f8e5m2"])
            scope.views.append((name, t, [d for d, _ in sizes]))
            shape = "[%s; %s]" % (self.spell(t), ", ".join(d for d, _ in sizes))
            value = self.arrayValue(t, extents) if self.chance(0.25) else None
            if value:
                gaps = self.chance(0.3)
                params.append("%s: %s%s" % (name, "strided " if gaps else "", shape))
                if gaps:
                    self.strided.add(name)
                form = self.r.randrange(3)
                if form:
                    made.append("let %s: %s = %s" % (array, "[%s; %s]" % (self.spell(t), ", ".join("_" for _ in extents)) if form == 1 else
                                                     self.spell(self.arrayType(t, extents)), value))
                arguments.append(array if form else value)
                continue
            if self.chance(0.2):
                self.use("kernel.strided")
                self.use("host.strided")
                self.strided.add(name)
                params.append("%s: strided %s" % (name, shape))
                if len(sizes) == 1 and self.chance(0.5):  # a column
                    made += self.arrayOf(array, t, extents + [2])
                    arguments.append("%s[.., %d]" % (array, self.r.randrange(2)))
                else:
                    step = self.r.randrange(1, 3)
                    made += self.arrayOf(array, t, extents[:-1] + [extents[-1] * step])
                    arguments.append("%s[%s]" % (array, ", ".join([".."] * (len(sizes) - 1) + ["0..%d step %d" % (extents[-1] * step, step)])))
                continue
            params.append("%s: %s" % (name, shape))
            made += self.arrayOf(array, t, extents)
            arguments.append(array)
        return params, made, arguments

    def bytesOf(self, t):
        """At most so many bytes does a value take."""
        kind = kindOf(t)
        if kind in ("scalar", "enum"):
            return 8
        if kind in ("vec", "array"):
            return t[2] * self.bytesOf(t[1])
        return sum(self.bytesOf(item) for item in (t[1:] if kind == "tuple" else [of for _, of in self.structs[t[1]]["members"]])) + 64

    def arrayType(self, t, extents):
        for extent in reversed(extents):
            t = ("array", t, extent)
        return t

    def scalars(self, inner):
        if not self.chance(0.5):
            return [], []
        name = self.name("c")
        if self.chance(0.4):
            self.use("kernel.value")
            t = self.compositeType()
        else:
            self.use("kernel.scalar")
            t = self.typeOf()
        inner.values.append((name, t))
        self.onHost = True
        argument = self.expr(t, Scope(), 1 if kindOf(t) != "scalar" else 0)
        self.onHost = False
        return ["%s: %s" % (name, self.spell(t))], [argument]

    def moreOf(self, array, t, extents):
        """More ways to look at a result."""
        lines = []
        if len(extents) == 2 and t != "bool" and self.chance(0.5):
            self.use("host.row")
            lines.append('print("{}", %s[%d])' % (array, self.r.randrange(extents[0])))
        if len(extents) == 1 and t != "bool" and self.chance(0.3):
            self.use("host.slice")
            self.use("host.copy")
            other = self.name("a")
            lines += ["let %s = copy(%s[%d..])" % (other, array, extents[0] // 2), 'print("{}", %s)' % other]
        return lines

    def hasFloat(self, t):
        kind = kindOf(t)
        if kind == "scalar":
            return t in FLOATS
        if kind == "enum":
            return False
        of = [item for _, item in self.structs[t[1]]["members"]] if kind == "struct" else t[1:] if kind == "tuple" else [t[1]]
        return any(self.hasFloat(item) for item in of)

    def statements(self, scope):
        """Statements of host code, and what they computed."""
        self.use("host.statement")
        self.inKernel, self.onHost = False, True
        inner = Scope(scope)
        lines = []
        for _ in range(self.r.randrange(1, 4)):
            lines += self.statement(inner, {})
        shown = [(name, t) for name, t in inner.variables + inner.values if (name[0] in "vw") and "." not in name]
        if inner.variables:
            self.use("host.variable")
        if any(kindOf(t) != "scalar" for _, t in shown):
            self.use("host.value")
        for name, t in shown[:4]:
            spec = ""
            if kindOf(t) != "scalar" and self.chance(0.3):
                self.use("print.format.parts")
                spec = self.r.choice([":7", ":<12"] + [":.2", ":9.3", ":e"] * self.hasFloat(t))
            lines.append('print("%s = {%s}", %s)' % (name, spec, name))
        if self.chance(0.2):
            self.use("host.text")
            s = self.name("s")
            lines += ['let %s = format("{}/{}", %s, %s)' % (s, self.expr("i32", inner, 1), self.expr("u8", inner, 1)),
                      'print("{} {} {}", %s, %s.len, %s == "7/1")' % (s, s, s)]
        if self.chance(0.2):
            self.use("host.assert")
            lines.append('assert(%s or true, "never {}", %s)' % (self.expr("bool", inner, 1), self.expr("i32", inner, 1)))
        self.onHost = False
        return lines


def count(extents):
    total = 1
    for extent in extents:
        total *= extent
    return total
