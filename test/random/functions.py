# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Declarations other than kernels: functions, constants, type names, imported files."""
from core import Scope
from statements import Statements
from vocabulary import ARITHMETIC, FLOATS, INTS, NUMBERS, kindOf


class Functions(Statements):
    def params(self, low, high):
        return [(self.name("p"), self.typeOf() if self.chance(0.8) else self.compositeType(0)) for _ in range(self.r.randrange(low, high))]

    def head(self, name, params, t=None):
        text = "fn %s(%s)" % (name, ", ".join("%s: %s" % (p, self.spell(kind)) for p, kind in params))
        return text + " -> " + self.spell(t) if t else text

    def function(self, scope):
        forms = ["expression", "body", "body", "mut", "generic", "default", "default", "default", "view", "tuple", "early", "const", "vec", "array", "sizes", "nothing", "given", "given"]
        form = self.r.choice(forms)
        name = self.name("fun")
        inner = Scope()
        inner.functions = [f for f in scope.functions if f["result"] != "mut"]
        host = form in ("expression", "body", "mut", "tuple", "array", "early", "default", "given") and self.chance(0.5)
        if host:  # for both sides
            self.use("host.fn")
            inner.functions = [f for f in inner.functions if f.get("host")]
        self.inKernel, self.onHost, self.depth = True, host, self.depth + 1
        self.use("fn." + form if form != "default" else "fn.expression")
        lines, made = getattr(self, "fn_" + form)(name, inner)
        self.inKernel, self.onHost, self.depth = False, False, self.depth - 1
        made.update(name=name, host=host)
        if self.chance(0.15):
            self.use("private")
            lines[0] = "private " + lines[0]
            made["private"] = True
        if self.chance(0.3):
            attribute = self.r.choice(["noinline", "noinline", "inline"])
            self.use("fn." + attribute)
            lines[0] = "@%s %s" % (attribute, lines[0])
        scope.functions.append(made)
        return lines

    def fn_mut(self, name, inner):
        kind = self.typeOf() if self.chance(0.6) else self.compositeType()
        params = [(self.name("p"), kind), (self.name("p"), self.typeOf())]
        inner.values, inner.variables = [params[1]], [params[0]]
        lines = ["fn %s(mut %s: %s, %s: %s) {" % (name, params[0][0], self.spell(kind), *params[1])]
        lines += self.indent(self.block(inner, 3, {"mayReturn": True}) or ["return"]) + ["}"]
        return lines, {"result": "mut", "params": params}

    def fn_generic(self, name, inner):
        t = self.typeOf(ARITHMETIC)
        a, b = self.name("p"), self.name("p")
        if self.chance(0.4):
            self.use("if.const.type")
            condition = self.r.choice(["T.bits > %d" % self.r.choice([8, 16, 32]), "sizeof(T) == %d" % self.r.choice([1, 2, 4, 8]), "target.host or target.cuda",
                                       "T.max > 1000", "T.bits == 16 or T.bits == 32"])
            return (["fn %s[T: Number](%s: T, %s: T) -> T {" % (name, a, b), "    let both = const if %s { %s * %s } else { %s - T(%d) }" % (
                condition, a, b, a, self.r.randrange(1, 9)), "    both + %s" % self.r.choice(["T(T.bits)", "T(sizeof(T))", a]), "}"],
                {"result": t, "params": [(a, t), (b, t)]})
        return (["fn %s[T: Number](%s: T, %s: T) -> T = if %s < %s { %s + %s } else { %s * %s - %s }" % (name, a, b, a, b, a, b, a, a, b)],
                {"result": t, "params": [(a, t), (b, t)]})

    def fn_const(self, name, inner):
        """A constant that calls give in [], and code that depends on it."""
        t, static = self.typeOf(), self.name("K")
        params = self.params(1, 3)
        inner.values = params + [("i32(%s)" % static, "i32")]
        body = self.block(inner, 2, {"static": static})
        body += self.stmt_constif(inner, {"static": static})
        lines = ["fn %s[const %s: i32]%s {" % (name, static, self.head(name, params, t)[len("fn " + name):])]
        return lines + self.indent(body + [self.expr(t, inner, 1)]) + ["}"], {"result": t, "params": params, "static": static}

    def fn_vec(self, name, inner):
        """For vectors of any length."""
        t = self.vectorType()
        v, w = self.name("p"), self.name("p")
        body = self.r.choice(["%s * %s + %s" % (v, w, v), "if sum(%s) > sum(%s) { %s } else { %s - %s }" % (v, w, w, v, w), "max(%s, %s + 0) - %s" % (v, w, v),
                              "%s * T(3) - %s" % (v, w)])
        if "max" in body:
            body = "max(%s, %s) - %s" % (self.plusZero(t[1], v), self.plusZero(t[1], w), v)
        return (["fn %s[T: Number, const N: index](%s: vec[T, N], %s: vec[T, N]) -> vec[T, N] = %s" % (name, v, w, body)],
                {"result": t, "params": [(v, t), (w, t)]})

    def fn_array(self, name, inner):
        t = self.compositeType()
        while kindOf(t) != "array":
            t = self.compositeType()
        params = [(self.name("p"), t)] + self.params(1, 2)
        inner.values = params
        mine = self.name("w")
        body = ["var %s = %s" % (mine, params[0][0])]
        inner.variables = [(mine, t)]
        body += self.block(inner, 2, {}) + ["%s[%d] = %s" % (mine, self.r.randrange(t[2]), self.expr(t[1], inner, 1)), mine]
        return [self.head(name, params, t) + " {"] + self.indent(body) + ["}"], {"result": t, "params": params}

    def fn_default(self, name, inner):
        t = self.typeOf()
        params = self.params(1, 3) + [(self.name("p"), "i32")]
        inner.values = params
        head = self.head(name, params)[:-1] + " = %d) -> %s" % (self.r.randrange(9), t)
        return ["%s = %s" % (head, self.expr(t, inner))], {"result": t, "params": params, "default": True}

    def fn_view(self, name, inner):
        t = self.typeOf(NUMBERS)
        gaps = self.chance(0.4)
        x, i = self.name("p"), self.name("p")
        if gaps:
            self.use("fn.strided")
            self.strided.add(x)
        inner.values, inner.views = [(i, "index")], [(x, t, ["%s.len" % x])]
        body = self.block(inner, 2, {})
        lines = ["fn %s(%s: %s[%s; n], %s: index) -> %s {" % (name, x, "strided " if gaps else "", t, i, t)]
        lines += self.indent(body + [self.element((x, t, ["n"]), inner, 1)]) + ["}"]
        return lines, {"result": t, "params": [(x, ("view", t, gaps)), (i, "index")]}

    def fn_sizes(self, name, inner):
        """Two views that have to have the same size: the same one is handed over twice."""
        t = self.typeOf([x for x in NUMBERS if x != "index"])
        x, y = self.name("p"), self.name("p")
        inner.views = [(x, t, ["n"]), (y, t, ["n"])]
        inner.values = [("n", "index")]
        text = self.expr(t, inner, 2)
        other = self.name("fun")
        lines = ["fn %s(%s: [%s; n], %s: [%s; n]) -> %s = %s" % (other, x, t, y, t, t, text),
                 "fn %s(%s: [%s; m]) -> %s = %s(%s, %s[0..m])" % (name, x, t, t, other, x, x)]
        return lines, {"result": t, "params": [(x, ("view", t, False))]}

    def fn_tuple(self, name, inner):
        items = [self.typeOf(), self.typeOf() if self.chance(0.7) else self.compositeType(0)]
        params = self.params(1, 3)
        inner.values = params
        t = ("tuple", *items)
        return ["%s { %s }" % (self.head(name, params, t), "(%s, %s)" % (self.expr(items[0], inner), self.expr(items[1], inner, 1)))], \
            {"result": t, "params": params}

    def fn_expression(self, name, inner):
        t, params = self.typeOf(), self.params(1, 3)
        inner.values = params
        return [self.head(name, params, t) + " = " + self.expr(t, inner)], {"result": t, "params": params}

    def fn_body(self, name, inner, early=False):
        t = self.typeOf() if self.chance(0.7) else self.compositeType()
        params = self.params(1, 3)
        inner.values = params
        body = self.block(inner, 2, {})
        if early:
            loop = self.name("at")
            body.append("if %s { return %s }" % (self.expr("bool", inner, 1), self.expr(t, inner, 1)))
            if self.chance(0.3):
                body.append("for %s in 0..3 { if %s { return %s } }" % (loop, self.expr("bool", inner, 1), self.expr(t, inner, 1)))
        return [self.head(name, params, t) + " {"] + self.indent(body + [self.expr(t, inner, 1)]) + ["}"], {"result": t, "params": params}

    def fn_early(self, name, inner):
        return self.fn_body(name, inner, early=True)

    def fn_nothing(self, name, inner):
        """A function without a result or a mut parameter: it may only assert. Called by a statement of its own."""
        params = self.params(1, 2)
        inner.values = params
        lines = [self.head(name, params) + " {"] + self.indent(self.block(inner, 1, {"mayReturn": True}) + self.stmt_assert(inner, {})) + ["}"]
        return lines, {"result": "nothing", "params": params}

    def constants(self, scope):
        lines = []
        for _ in range(self.r.randrange(0, 3)):
            name = self.name("C")
            form = self.r.randrange(5)
            if form == 4:
                extents = [self.r.randrange(1, 4) for _ in range(self.r.choice([1, 1, 2]))]
                self.lists.append((name, extents))
                lines.append("const %s = %s" % (name, self.bareList("u8", extents)))
                continue
            if form == 3:
                self.use("const.composite")
                t = self.compositeType()
                scope.values.append((name, t))
                lines.append("const %s: %s = %s" % (name, self.spell(t), self.constantOf(t)))
            elif form == 0:
                self.use("const.untyped")
                lines.append("const %s = %d" % (name, self.r.randrange(100)))
                t = self.r.choice(["i32", "u8", "i64", "index", "u64", "f32", "f16"])
                scope.values.append(("%s(%s)" % (t, name), t))
            elif form == 1:
                t = self.typeOf()
                self.use("const")
                lines.append("const %s: %s = %s" % (name, t, self.literal(t).replace("index(", "(")))
                scope.values.append((name, t))
            else:
                self.use("const.expression")
                t = self.typeOf(["i32", "i64", "u16", "u64", "f64", "f32"])
                a, b, c = (self.r.randrange(1, 12) for _ in range(3))
                lines.append("const %s: %s = %s" % (name, t, self.r.choice(["(%d + %d) * %d", "%d * %d - %d / 20" + ".0" * (t in FLOATS), "%d + %d %% %d"]) % (a, b, c)))
                scope.values.append((name, t))
        return lines

    def computed(self, scope):
        """Constants that functions compute while compiling, which have to give what they give at run time: (declarations, host lines)."""
        lines, host = [], []
        functions = [f for f in scope.functions if f.get("host") and f["result"] not in ("mut", "nothing") and "static" not in f and
                     not {"view", "fn"} & {kindOf(t) for _, t in f["params"]}]
        for f in self.r.sample(functions, min(len(functions), 2)):
            self.use("const.call")
            name, t = self.name("C"), f["result"]
            arguments = [self.constantOf(of) for _, of in f["params"]]
            lines.append("const %s: %s = %s(%s)" % (name, self.spell(t), f["name"], ", ".join(arguments)))
            again = [self.name("w") for _ in arguments]
            host += ["var %s: %s = %s" % (w, self.spell(of), text) for w, (_, of), text in zip(again, f["params"], arguments)]
            host.append('assert(format("{}", %s) == format("{}", %s(%s)), "while compiling: {}", %s)' % (name, f["name"], ", ".join(again), name))
            host.append('print("{}", %s)' % name)
            scope.values.append((name, t))
            if t in INTS:
                self.use("const.call.size")
                size, fun, p = self.name("N"), self.name("fun"), self.name("p")
                lines += ["const %s: index = abs(index(%s) %% 5) + 1" % (size, name), "fn %s(%s: i32) -> i32 {" % (fun, p),
                          "    var w: array[i32, %s] = [%s; %s]" % (size, p, size), "    for k in 0..%s { w[k] = w[k] ^ i32(k) }" % size,
                          "    w[%s - 1] & %s" % (size, "i32(%s)" % size), "}"]
                scope.functions.append({"name": fun, "result": "i32", "params": [(p, "i32")], "host": True})
        return lines, host

    def constantOf(self, t):
        """A vector, array value or tuple of literals."""
        if kindOf(t) == "scalar":
            return self.literal(t)
        if kindOf(t) == "tuple":
            return "(%s)" % ", ".join(self.constantOf(item) for item in t[1:])
        if kindOf(t) == "enum":
            return "%s.%s" % (t[1], self.r.choice(self.enums[t[1]]))
        if kindOf(t) == "struct":
            return "%s(%s)" % (t[1], ", ".join(self.constantOf(of) for _, of in self.structs[t[1]]["members"]))
        if t[2] > 32:
            return "[%s; %d]" % (self.constantOf(t[1]), t[2])
        items = ", ".join(self.constantOf(t[1]) for _ in range(t[2]))
        return "%s(%s)" % (self.spell(t), items) if kindOf(t) == "vec" else "[%s]" % items

    def aliases(self, scope):
        name, other = self.name("fun"), self.name("fun")
        self.use("alias")
        self.use("alias.tuple")
        scope.functions.append({"name": name, "result": "f32", "params": [("x", "f32")], "host": True})
        scope.functions.append({"name": other, "result": ("tuple", "f32", "i32"), "params": [("x", ("tuple", "f32", "i32"))], "host": True})
        return ["type Real = f32", "type Pair = (f32, i32)", "fn %s(x: Real) -> Real = x * x" % name,
                "fn %s(x: Pair) -> Pair = (x.0 * Real(2.0), x.1 & 255)" % other]

    def imports(self, scope):
        """A file of its own with a function, and the library's module."""
        if self.chance(0.5):
            self.use("library.module")
            scope.values += [("f32(math.pi)", "f32"), ("f64(math.tau)", "f64")]
            return ["import math"]
        file = "lib%d.rad" % self.seed
        inside = Scope()
        self.use("private")
        lines = ["private const SECRET: i32 = %d" % self.r.randrange(50)]
        inside.values = [("SECRET", "i32")]
        lines += self.function(inside) + self.function(inside)
        public = [f for f in inside.functions if "private" not in f]
        self.files[file] = "\n".join(lines) + "\n"
        if not public:
            return []
        self.use("import")
        form = self.r.choice(["as", "names", "plain"])
        if form == "names":
            self.use("import.names")
            scope.functions += public
            return ['import "%s".{%s}' % (file, ", ".join(f["name"] for f in public))]
        if form == "as":
            self.use("import.as")
        known = self.name("module") if form == "as" else file[:-4]
        scope.functions += [{**f, "name": "%s.%s" % (known, f["name"])} for f in public]
        return ['import "%s"%s' % (file, " as " + known if form == "as" else "")]
