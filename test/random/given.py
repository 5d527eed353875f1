# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions that are given to functions, kernels and the library: lambdas and names; `forall` as a statement of host code.

The type of such a parameter is ("fn", result, parameter types...)."""
from core import Scope
from host import Host
from vocabulary import ARITHMETIC, FLOATS, FLOAT_MATH, INTS, kindOf

LIBRARY = ["map", "map2", "count", "reduce", "transform_reduce", "filter"]


class Given(Host):
    def spellFn(self, kind):
        return "fn(%s) -> %s" % (", ".join(self.spell(of) for of in kind[2:]), self.spell(kind[1]))

    # ---- arguments ----
    def functionArgument(self, kind, scope, onDevice=False):
        """A lambda, or the name of a function. What the lambda names in `scope` it takes along."""
        named = [f["name"] for f in scope.functions if f["result"] == kind[1] and tuple(of for _, of in f["params"]) == kind[2:] and
                 not {"static", "default"} & set(f) and (not self.onHost or f.get("host"))]
        if named and self.chance(0.5):
            self.use("given.name")
            return self.r.choice(named)
        result, params = kind[1], kind[2:]
        if params == (result,) and result in FLOATS and self.chance(0.5):
            self.use("given.math")
            return self.r.choice([name for name, count in FLOAT_MATH.items() if count == 1])
        if len(params) == 1 and self.chance(0.2):
            if kindOf(result) == "scalar" and kindOf(params[0]) == "scalar" and result not in ("bool", params[0]):
                self.use("given.type")
                return result
        if params == (result, result) and result in INTS and self.chance(0.3):
            self.use("given.math")
            return self.r.choice(["min", "max"])
        return self.lambdaOf(kind, scope, onDevice)

    def lambdaOf(self, kind, scope, onDevice=False):
        self.use("lambda")
        inner = Scope(scope)
        before = self.inKernel, self.onHost
        if onDevice:
            self.inKernel, self.onHost = True, False
        self.changing |= {name for name, _ in inner.variables}
        names = [self.name("p") for _ in kind[2:]]
        inner.values = inner.values + inner.variables + 3 * list(zip(names, kind[2:]))  # more likely than what stands around
        inner.variables = []
        typed = self.chance(0.3)
        head = "|%s|" % ", ".join("%s: %s" % (name, self.spell(of)) if typed else name for name, of in zip(names, kind[2:]))
        if typed:
            self.use("lambda.typed")
        if self.chance(0.3):
            self.use("lambda.block")
            lines = self.block(inner, self.r.randrange(1, 3), {})
            last = self.expr(kind[1], inner, 1)
            text = "%s {\n%s\n}" % (head, "\n".join("        " + line for line in lines + [last]))
        else:
            text = "%s %s" % (head, self.expr(kind[1], inner, 2))
        self.inKernel, self.onHost = before
        return text

    def fn_given(self, name, inner):
        """A function that takes one or two functions, and calls them."""
        def someType():
            return self.typeOf() if self.chance(0.8) else self.compositeType(0)

        def someKind():
            plain = [f for f in inner.functions if f["result"] != "nothing" and not {"static", "default"} & set(f) and
                     not {"view", "fn"} & {kindOf(of) for _, of in f["params"]}]
            if plain and self.chance(0.4):  # what a function of that name is there for
                f = self.r.choice(plain)
                return ("fn", f["result"], *(of for _, of in f["params"]))
            if self.chance(0.3):
                return ("fn",) + (self.typeOf(list(FLOATS)),) * 2
            return ("fn", someType(), *(someType() for _ in range(self.r.randrange(1, 3))))
        own = [(self.name("fun"), someKind()) for _ in range(self.r.choice([1, 1, 2]))]
        params = self.params(1, 3)
        inner.values = list(params)
        inner.functions = inner.functions + 3 * [{"name": f, "result": kind[1], "params": [("", of) for of in kind[2:]], "host": True} for f, kind in own]
        t = own[0][1][1]
        called = self.name("v")
        body = ["let %s = %s(%s)" % (called, own[0][0], ", ".join(self.expr(of, inner, 1) for of in own[0][1][2:]))]
        inner.values.append((called, t))
        if self.chance(0.4):
            self.use("given.loop")
            again, k = self.name("w"), self.name("at")
            here = Scope(inner)
            here.values += [(again, t), (k, "i32")]
            body += ["var %s: %s = %s" % (again, self.spell(t), called), "for %s in 0..%d { %s = %s(%s) }" % (
                k, self.r.randrange(1, 4), again, own[0][0], ", ".join(self.expr(of, here, 1) for of in own[0][1][2:]))]
            inner.variables.append((again, t))
        body += self.block(inner, self.r.randrange(0, 2), {})
        result = t if self.chance(0.6) else someType()
        every = ["%s: %s" % (f, self.spellFn(kind)) for f, kind in own] + ["%s: %s" % (p, self.spell(of)) for p, of in params]
        lines = ["fn %s(%s) -> %s {" % (name, ", ".join(every), self.spell(result))] + self.indent(body + [self.expr(result, inner, 1)]) + ["}"]
        return lines, {"result": result, "params": own + params}

    def stmt_lambda(self, scope, context):
        """A name for a lambda, which names nothing that may change."""
        if self.loops > 1 or self.depth > 1:
            return []
        self.use("lambda.let")
        inner = Scope(scope)
        inner.values, inner.variables = [value for value in inner.values if value[0] not in self.changing], []
        inner.views = [view for view in inner.views if view[0] not in self.changing]
        name = self.name("fun")
        kind = ("fn", self.typeOf(), *(self.typeOf() for _ in range(self.r.randrange(1, 3))))
        self.depth += 1
        text = self.lambdaOf(kind, inner)
        self.depth -= 1
        scope.functions.append({"name": name, "result": kind[1], "params": [("", of) for of in kind[2:]], "host": True})
        return ("let %s = %s" % (name, text)).split("\n")

    # ---- kernels and the library ----
    def hostAround(self):
        """Lines that name values and arrays, and the scope that a lambda on the host takes along."""
        around, lines = Scope(), []
        for _ in range(self.r.randrange(0, 3)):
            name, t = self.name("v"), self.typeOf() if self.chance(0.7) else self.compositeType(0)
            word = self.r.choice(["let", "let", "var"])
            if word == "var":
                self.changing.add(name)
            lines.append("%s %s: %s = %s" % (word, name, self.spell(t), self.hostValue(t, str(self.r.randrange(9)))))
            around.values.append((name, t))
            self.use("lambda.value")
        if self.chance(0.4):
            self.use("lambda.array")
            name, t, extent = self.name("a"), self.typeOf([*ARITHMETIC]), self.r.choice([1, 5, 30])
            if self.structs and self.chance(0.4):
                t = self.r.choice(self.structTypes())
            lines += self.arrayOf(name, t, [extent])
            around.views.append((name, t, ["%s.len" % name if self.chance(0.5) else str(extent)]))
        return lines, around

    def kernel_given(self, scope, name):
        """A kernel that takes a function, and is called with two of them."""
        self.use("kernel.given")
        n, i, x, y, f = self.name("n"), self.name("at"), self.name("x"), self.name("y"), self.name("fun")
        extent, t, u = self.r.choice([1, 7, 100]), self.typeOf(ARITHMETIC), self.outputType()
        if self.structs and self.chance(0.3):
            t = self.r.choice(self.structTypes())
        kind = ("fn", u, t) if self.chance(0.6) else ("fn", u, t, "index")
        generic = kindOf(t) != "vec" and kindOf(u) != "vec" and self.chance(0.4)
        inner = Scope(scope)
        inner.values += [(i, "index")]
        inner.points.append((i, n))
        inner.views.append((x, t, [n]))
        inner.functions = inner.functions + [{"name": f, "result": u, "params": [("", of) for of in kind[2:]]}] * 3
        call = "%s(%s)" % (f, ", ".join(["%s[%s]" % (x, i)] + [i] * (len(kind) - 3)))
        if generic:
            self.use("kernel.given.generic")
            head = "kernel %s[T, U](%s: fn(%s) -> U, %s: [T; %s], mut %s: [U; %s]) forall %s in 0..%s {" % (
                name, f, ", ".join(["T"] + ["index"] * (len(kind) - 3)), x, n, y, n, i, n)
            body = ["%s[%s] = %s" % (y, i, call)]
        else:
            head = "kernel %s(%s: %s, %s: [%s; %s], mut %s: [%s; %s]) forall %s in 0..%s {" % (
                name, f, self.spellFn(kind), x, self.spell(t), n, y, self.spell(u), n, i, n)
            body = self.block(inner, self.r.randrange(0, 2), {}) + ["%s[%s] = %s" % (y, i, call if self.chance(0.5) else self.expr(u, inner, 2))]
        a, b = self.name("a"), self.name("a")
        host = self.arrayOf(a, t, [extent]) + ["let %s = zeros[%s](%d)" % (b, self.spell(u), extent)]
        for _ in range(self.r.choice([1, 2])):
            lines, around = self.hostAround()
            around.functions, around.values = list(scope.functions), around.values + scope.values
            host += lines + ("%s(%s, %s, %s)" % (name, self.functionArgument(kind, around, True), a, b)).split("\n") + self.show(b, u, extent)
        return [head] + self.indent(body) + ["}"], host

    def kernel_library(self, scope, name):
        """Functions of the library that take functions."""
        lines, around = self.hostAround()
        around.functions, around.values = list(scope.functions), around.values + scope.values
        a, extent, out = self.name("a"), self.r.choice([1, 40, 300, 3000]), self.name("a")
        t = self.r.choice(self.structTypes()) if self.structs and self.chance(0.4) else self.typeOf(ARITHMETIC)
        value = self.arrayValue(t, [extent]) if extent < 60 and self.chance(0.5) else None
        if value and self.chance(0.5):  # where the list itself tells the type
            value = "[%s]" % ", ".join(self.constantOf(t) for _ in range(min(extent, 8)))
            extent = min(extent, 8)
            lines.append("let %s = %s" % (a, value))
        elif value:
            lines.append("let %s: %s = %s" % (a, self.spell(("array", t, extent)), value))
        else:
            lines += self.arrayOf(a, t, [extent])
        of = a
        if value is None and self.chance(0.2):
            self.use("host.strided")
            of, extent = "%s[0..%d step 2]" % (a, extent), (extent + 1) // 2
        function = self.r.choice(LIBRARY)
        self.use("library." + function)

        def given(*kind):
            return self.functionArgument(("fn", *kind), around, True)
        if function in ("map", "map2"):
            u = self.outputType()
            if function == "map":
                text = "map(%s, %s)" % (given(u, t), of)
            else:
                other, second = self.name("a"), self.typeOf(ARITHMETIC)
                lines += self.arrayOf(other, second, [extent])
                text = "map2(%s, %s, %s)" % (given(u, t, second), of, other)
            # What a lambda gives tells the type: a number of one type, as all expressions here.
            return [], lines + ("let %s = %s" % (out, text)).split("\n") + self.show(out, u, extent)
        if function == "filter":
            lines += ("let %s = filter(%s, %s)" % (out, given("bool", t), of)).split("\n")
            k = self.name("q")
            return [], lines + ["print(\"{}\", %s.len)" % out, "for %s in 0..min(%s.len, 5) { print(\"{}\", %s[%s]) }" % (k, out, out, k)]
        if function == "count":
            text = "count(%s, %s)" % (given("bool", t), of)
        else:
            u = t if function == "reduce" and t in INTS else self.typeOf(list(INTS))
            join = self.r.choice([("|a, b| a + b", "0"), ("|a, b| a ^ b", "0"), ("|a, b| a | b", "0"), ("max", "%s.min" % u), ("min", "%s.max" % u),
                                  ("|a: %s, b: %s| { let c = a + b; c }" % (u, u), "0"), ("|a, b| a * b", "1")])
            if function == "reduce" and u == t:
                text = "reduce(%s, %s, identity: %s)" % (join[0], of, join[1])
            else:
                self.use("library.transform_reduce")
                text = "transform_reduce(%s, %s, %s, identity: %s)" % (given(u, t), join[0], of, u + "(%s)" % join[1])
        return [], lines + ("let %s = %s" % (out, text)).split("\n") + ['print("{}", %s)' % out]

    def kernel_lists(self, scope, name):
        """A function of host code that takes arrays, and gets lists of numbers and array values beside arrays."""
        self.use("host.fn.arrays")
        t, extents = self.typeOf(ARITHMETIC), self.r.choice([[1], [3], [5], [17], [2, 2], [1, 4], [3, 2]])
        sizes, places = [self.name("n") for _ in extents], [self.name("q") for _ in extents]
        generic, x, y = self.chance(0.5), self.name("x"), self.name("y")
        of = "T" if generic else t
        shape, at = "[%s; %s]" % (of, ", ".join(sizes)), ", ".join(places)
        ranges = ", ".join("%s in 0..%s" % pair for pair in zip(places, sizes))
        body = self.r.choice(["sum(i64(i32({x})) * 3 + i64(i32({y})) for {ranges})", "max(max({x}, {x}) for {ranges} if {y} >= {x})",
                              "min({y} for {ranges})", "sum(1 for {ranges} if {x} < {y})"])
        result = "i64" if "i64" in body else "i32" if "1" in body else of
        if result == of and t in FLOATS:
            body, result = "sum(1 for {ranges} if {x} <= {y})", "i32"
        if self.chance(0.4):  # of any number of dimensions
            self.use("fn.any.shape")
            shape, result = "[%s; shape...]" % of, "index"
            body = self.r.choice(["count(|v| v > %s, {x}) + count(|v| v <= %s, {y}) * 1000 + shape.len" % (self.bare("u8"), self.bare("u8")),
                                  "sum(map2(|p, q| if p < q {{ index(shape.len) }} else {{ 1 }}, {x}, {y}))",
                                  "reduce(|p, q| p + q, map(|v| index(i32(v) & 7), {y}), identity: 0) - sum(map(|v| shape.len, {x}))"]).format(x=x, y=y)
        else:
            body = body.format(x="%s[%s]" % (x, at), y="%s[%s]" % (y, at), ranges=ranges)
        declared = ["fn %s%s(%s: %s, %s: strided %s) -> %s = %s" % (name, "[T: Number]" if generic else "", x, shape, y, shape, result, body)]
        a, v = self.name("a"), self.name("v")
        lines = self.arrayOf(a, t, extents) + ["let %s: %s = %s" % (v, self.spell(self.arrayType(t, extents)), self.arrayValue(t, extents))]
        for _ in range(3):
            first, second = self.r.choice([(a, v), (v, a), (a, None), (None, a), (v, v), (None, v), (v, None)])
            lines.append('print("{}", %s(%s, %s))' % (name, first or self.bareList(t, extents), second or self.bareList(t, extents)))
        return declared, lines

    def kernel_forall(self, scope, name):
        """`forall` as a statement of host code, or of a function of it."""
        self.use("host.forall")
        lines, around = self.hostAround()
        rank = self.r.choice([1, 1, 2])
        extents = [self.r.choice([1, 6, 40] if rank == 1 else [1, 3, 9]) for _ in range(rank)]
        dims = [self.name("at") for _ in extents]
        t, out = self.outputType(), self.name("a")
        inner = Scope(around)
        inner.functions, inner.values = list(scope.functions), around.values + scope.values
        x, of = self.name("a"), self.typeOf(ARITHMETIC)
        lines += self.arrayOf(x, of, extents)
        inFunction = self.chance(0.4)
        sizes = list(map(str, extents))
        made = self.arrayOf(out, t, extents) if t != "bool" else ["let %s = zeros[bool](%s)" % (out, ", ".join(sizes))]
        declared = []
        if inFunction:
            self.use("host.forall.fn")
            inner.values, inner.views = list(scope.values), []
            sizes = [self.name("n") for _ in extents]
            y, z = self.name("y"), self.name("x")
        else:
            y, z = out, x
        inner.views.append((z, of, sizes))
        inner.values += [(dim, "index") for dim in dims]
        inner.points += list(zip(dims, sizes))
        self.inKernel = True
        own = [("%s[%s]" % (y, ", ".join(dims)), t)]
        body = self.block(inner, self.r.randrange(0, 3), {"own": own, "mayReturn": True, "prints": "%s %% 40 == 0" % dims[0]})
        body.append("%s = %s" % (own[0][0], self.expr(t, inner)))
        self.inKernel = False
        ranges = ["%s in 0..%s" % pair for pair in zip(dims, sizes)]
        if self.chance(0.3):
            self.use("host.forall.step")
            ranges[0] += " step %d" % self.r.randrange(1, 4)
        body = ["forall %s {" % ", ".join(ranges)] + self.indent(body) + ["}"]
        if inFunction:
            declared = ["fn %s(%s: [%s; %s], mut %s: [%s; %s]) {" % (name, z, of, ", ".join(sizes), y, self.spell(t), ", ".join(sizes))]
            declared += self.indent(body) + ["}"]
            body = ["%s(%s, %s)" % (name, x, out)]
        total = 1
        for extent in extents:
            total *= extent
        return declared, lines + made + body + self.show(out, t, total) + self.moreOf(out, t, extents)
