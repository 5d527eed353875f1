# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""forall kernels: each form returns the lines of the kernel, and the host lines that call it and print what it made."""
from core import Scope
from given import Given
from host import count
from vocabulary import ATOMIC, ATOMIC_OPS, FLOATS, INEXACT, NUMBERS


class ForallKernels(Given):
    def outputType(self):
        if self.structs and self.chance(0.3):
            self.use("kernel.struct.mut")
            return self.r.choice(self.structTypes() + self.enumTypes())
        return self.vectorType() if self.chance(0.15) else self.typeOf()

    def attribute(self):
        if not self.chance(0.1):
            return ""
        self.use("kernel.attribute")
        return self.r.choice(["@strict ", "@max_threads(256) "])

    def forall(self, scope, name, rank, inPlace=False, border=0):
        inner = Scope(scope)
        dims = [self.name("at" if k == 0 else "j") for k in range(rank)]
        extents = {1: [1, 7, 32, 100, 257], 2: [1, 2, 3, 5, 17], 3: [1, 2, 3, 5], 4: [1, 2, 3]}[rank]
        sizes = [(self.name("n"), self.r.choice(extents)) for _ in dims]
        if border:
            sizes = [(n, extent + 2) for n, extent in sizes]
        params, made, arguments = self.inputs(inner, sizes)
        moreParams, moreArguments = self.scalars(inner)
        for dim, (size, _) in zip(dims, sizes):
            inner.values.append((dim, "index"))
            inner.points.append((dim, size))
        t, out = self.outputType(), self.name("y")
        params.append("mut %s: [%s; %s]" % (out, self.spell(t), ", ".join(d for d, _ in sizes)))
        own = [("%s[%s]" % (out, ", ".join(dims)), t)]
        if inPlace:
            inner.values.append((own[0][0], t))
        if border:
            x = [v for v in inner.views if v[2] == [d for d, _ in sizes]][0]
            neighbours = ["%s[%s]" % (x[0], ", ".join(d + self.r.choice([" - 1", " + 1", ""]) for d in dims)) for _ in range(3)]
            inner.values += [(text, x[1]) for text in neighbours]
        body = self.block(inner, self.r.randrange(1, 6), {"own": own, "mayReturn": True, "prints": "%s %% 40 == 0" % dims[0]})
        body.append("%s = %s" % (own[0][0], self.expr(t, inner)))
        ranges = ["%s in %s..%s" % (dim, "1" if border else "0", size + " - 1" if border else size) for dim, (size, _) in zip(dims, sizes)]
        if not border and self.chance(0.05):
            self.use("device.domain")
            ranges[0] += " * min(device.multiprocessors, 1)"
        if self.chance(0.2):
            self.use("kernel.step")
            ranges[0] += " step %d" % self.r.randrange(1, 5)
        elif self.chance(0.1):
            self.use("kernel.step.parameter")
            moreParams, moreArguments = moreParams + ["step: i32"], moreArguments + [str(self.r.randrange(1, 40))]
            ranges[-1] += " step step"
        lines = ["%skernel %s(%s) forall %s {" % (self.attribute(), name, ", ".join(params + moreParams), ", ".join(ranges))]
        array = self.name("a")
        shape = [extent for _, extent in sizes]
        made += self.arrayOf(array, t, shape) if t != "bool" else ["let %s = zeros[bool](%s)" % (array, ", ".join(map(str, shape)))]
        call = "%s(%s)" % (name, ", ".join(arguments + [array] + moreArguments))
        host = made + [call] * self.r.choice([1, 1, 1, 2]) + self.show(array, t, count(shape)) + self.moreOf(array, t, shape)
        return lines + self.indent(body) + ["}"], host

    def kernel_forall1(self, scope, name):
        self.use("kernel.forall.1")
        return self.forall(scope, name, 1)

    def kernel_forall2(self, scope, name):
        self.use("kernel.forall.2")
        return self.forall(scope, name, 2)

    def kernel_forall3(self, scope, name):
        self.use("kernel.forall.3")
        return self.forall(scope, name, 3)

    def kernel_forall4(self, scope, name):
        self.use("kernel.forall.4")
        return self.forall(scope, name, 4)

    def kernel_inplace(self, scope, name):
        self.use("kernel.inplace")
        return self.forall(scope, name, 1, inPlace=True)

    def kernel_inner(self, scope, name):
        self.use("kernel.inner")
        return self.forall(scope, name, self.r.choice([1, 2]), border=1)

    def kernel_doubled(self, scope, name):
        """Sizes that are computed from others, and one that is a parameter."""
        self.use("kernel.doubled")
        inner = Scope(scope)
        n, i, y, x = self.name("n"), self.name("at"), self.name("y"), self.name("x")
        extent = self.r.choice([1, 5, 40])
        t = self.typeOf([x for x in NUMBERS if x != "index"])
        inner.values.append((i, "index"))
        inner.points.append((i, n))
        array, of = self.name("a"), self.name("a")
        lines, more, argument, size = [], "", "", "2 * %s + 1" % n
        if self.chance(0.4):
            self.use("kernel.scalar.size")
            more, argument, size = ", %s_more: i32" % n, ", 3", "%s + %s_more" % (n, n)
        total = 2 * extent + 1 if not more else extent + 3
        inner.views.append((x, t, [n]))
        body = ["%s[%s] = %s" % (y, i, self.expr(t, inner)), "%s[%s] = %s" % (y, "%s.len - 1 - %s / 2" % (y, i) if more else "%s + %s + 1" % (i, n),
                                                                               self.expr(t, Scope(), 1))]
        if more:  # only one point writes the last element
            body[1] = "if %s == 0 { %s[%s + %s_more - 1] = %s }" % (i, y, n, n, self.expr(t, Scope(), 1))
        lines = ["kernel %s(%s: [%s; %s], mut %s: [%s; %s]%s) forall %s in 0..%s {" % (name, x, t, n, y, t, size, more, i, n)] + self.indent(body) + ["}"]
        host = self.arrayOf(of, t, [extent]) + ["let %s = zeros[%s](%d)" % (array, t, total), "%s(%s, %s%s)" % (name, of, array, argument)]
        return lines, host + self.show(array, t, total)

    def sizeExpression(self, n, extent, c, given, depth=2):
        """Arithmetic of sizes, as signatures and domains may have it: (text, value)."""
        r = self.r
        if depth == 0 or self.chance(0.2):
            return r.choice([(n, extent), (n, extent), (c, given), (str(r.randrange(1, 9)),) * 2])
        a, x = self.sizeExpression(n, extent, c, given, depth - 1)
        b, y = self.sizeExpression(n, extent, c, given, depth - 1)
        x, y, k = int(x), int(y), r.randrange(1, 6)
        form = r.choice(["+", "-", "*", "/", "%", "min", "max", "ceil_div"])
        self.use("size." + form)
        if form == "-":
            return "(max(%s, %s) - %s)" % (a, b, b), max(x, y) - y
        if form in ("min", "max"):
            return "%s(%s, %s)" % (form, a, b), min(x, y) if form == "min" else max(x, y)
        if form == "ceil_div":
            return "ceil_div(%s, %d)" % (a, k), -(-x // k)
        if form == "+":
            return "(%s + %s)" % (a, b), x + y
        return "(%s %s %d)" % (a, form, k), {"*": x * k, "/": x // k, "%": x % k}[form]

    def kernel_sizes(self, scope, name):
        """Sizes and a domain that are computed from other sizes and from a parameter."""
        inner = Scope(scope)
        n, c, i, x, y = self.name("n"), self.name("c"), self.name("at"), self.name("x"), self.name("y")
        extent, given, t = self.r.choice([1, 6, 30]), self.r.randrange(1, 7), self.typeOf([x for x in NUMBERS if x != "index"])
        of = self.r.choice(["i32", "u8", "index", "u64", "i16"])
        text, size = self.sizeExpression(n, extent, c, given)
        while not 0 < int(size) < 200 or text in (n, c) or text.isdigit():
            text, size = self.sizeExpression(n, extent, c, given)
        low = self.r.choice(["0", "%s / 2" % text, "min(%s, 2)" % text])
        inner.values += [(i, "index"), (c, of), (n, "index")]
        inner.points.append((i, text))
        inner.views += [(x, t, [n])]
        lines = ["kernel %s(%s: [%s; %s], mut %s: [%s; %s], %s: %s) forall %s in %s..%s {" % (name, x, t, n, y, t, text, c, of, i, low, text)]
        lines += self.indent(self.block(inner, 1, {"own": [("%s[%s]" % (y, i), t)]}) + ["%s[%s] = %s" % (y, i, self.expr(t, inner, 2))]) + ["}"]
        a, b = self.name("a"), self.name("a")
        host = self.arrayOf(a, t, [extent]) + ["let %s = zeros[%s](%d)" % (b, t, size), "%s(%s, %s, %d)" % (name, a, b, given)]
        return lines, host + self.show(b, t, int(size))

    def kernel_unlaunched(self, scope, name):
        """One that the program does not call: only `raddle build` compiles it. It holds what no comparison of results could bear: functions
        that are exact within bounds, @fast, and code from another object."""
        inner, lines = Scope(scope), []
        n, i, x, y = self.name("n"), self.name("at"), self.name("x"), self.name("y")
        t = self.typeOf([*FLOATS, "f32", "f32"])
        inner.values.append((i, "index"))
        inner.points.append((i, n))
        inner.views += [(x, t, [n])]
        for function in self.r.sample(INEXACT, 3):
            operands = [self.expr(t, inner, 1) for _ in range(2 if function in ("pow", "atan2") else 1)]
            inner.values.append(("%s(%s)" % (function, ", ".join(operands)), t))
        fast = ""
        if self.chance(0.4):
            self.use("kernel.fast")
            fast = "@fast "
        if self.chance(0.4):
            self.use("extern")
            other, wide = self.name("fun"), self.r.choice(["i32", "index", "bool", "f64", "u8"])
            lines = ['extern "PTX" { fn %s(a: %s, b: %s) -> %s }' % (other, wide, t, t)]
            inner.values.append(("%s(%s, %s)" % (other, self.expr(wide, inner, 1), self.expr(t, inner, 1)), t))
        self.use("kernel.unlaunched")
        body = self.block(inner, 2, {}) + ["%s[%s] = %s" % (y, i, self.r.choice([v for v, of in inner.values if of == t]))]
        lines += ["%skernel %s(%s: [%s; %s], mut %s: [%s; %s]) forall %s in 0..%s {" % (fast, name, x, t, n, y, t, n, i, n)]
        return lines + self.indent(body) + ["}"], []

    def kernel_atomics(self, scope, name):
        """Operations whose result does not depend on the order: one a bin, and those on elements that one point alone has."""
        self.use("atomic.array")
        r = self.r
        inner = Scope(scope)
        n, bins, i, h, own = self.name("n"), self.name("n"), self.name("at"), self.name("y"), self.name("y")
        extent, m = r.choice([1, 33, 200]), r.randrange(1, 6)
        params, made, arguments = self.inputs(inner, [(n, extent)])
        t, u = r.choice(ATOMIC), r.choice(ATOMIC)
        inner.values.append((i, "index"))
        inner.points.append((i, n))
        params += ["mut %s: [%s; %s]" % (h, t, bins), "mut %s: [%s; %s]" % (own, u, n)]
        body = self.block(inner, r.randrange(0, 3), {})
        body += self.atomicAdd(t, "%s[%s]" % (h, self.safeIndex(h + ".len", inner, 1)), inner)
        place = "&%s[%s]" % (own, i)
        for op in r.sample(["load", "store", "exchange", "compare_exchange"], r.randrange(1, 4)):
            self.use("atomic." + op)
            if op == "store":
                body.append("atomic.store(%s, %s)" % (place, self.expr(u, inner, 1)))
                continue
            operands = {"load": [], "exchange": [1], "compare_exchange": [0, 1]}[op]
            old = self.name("v")
            values = [self.notNan(u, inner, 0) if u in FLOATS else self.expr(u, inner, depth) for depth in operands]
            body.append("let %s = atomic.%s(%s)" % (old, op, ", ".join([place] + values)))
            inner.values.append((old, u))
        body.append("%s[%s] = %s" % (own, i, self.expr(u, inner, 1)))
        lines = ["kernel %s(%s) forall %s in 0..%s {" % (name, ", ".join(params), i, n)] + self.indent(body) + ["}"]
        a, b = self.name("a"), self.name("a")
        host = made + ["let %s = zeros[%s](%d)" % (a, t, m)] + self.arrayOf(b, u, [extent])
        host += ["%s(%s)" % (name, ", ".join(arguments + [a, b]))]
        return lines, host + ['print("{}", %s)' % a] + self.show(b, u, extent)

    def atomicAdd(self, t, place, scope, scopeWord=""):
        """One atomic operation on a place of several threads. Sums of floats are of small whole numbers: exact in any order."""
        kind = "float" if t in FLOATS else "int"
        op = self.r.choice(ATOMIC_OPS[kind])
        self.use("atomic.%s.%s" % (op, kind))
        if not scopeWord and self.chance(0.2):
            scopeWord = ", scope: .device"
        if kind == "int":
            text = self.expr(t, scope, 1)
        elif op in ("add", "sub"):
            text = "%s(%s)" % (t, self.expr("u8", scope, 1))
        else:
            text = self.plusZero(t, self.expr(t, scope, 1))
        return ["atomic.%s(&%s, %s%s)" % (op, place, text, scopeWord)]
