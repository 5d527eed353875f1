# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Statements: lists of lines. `context` says where they stand: inLoop, mayReturn, own (the places that only this point writes)."""
from core import Scope
from values import Values
from vocabulary import ARITHMETIC, FLOATS, FLOAT_BINARY, HALF, INTS, INT_BINARY, SIGNED, SMALL, kindOf


class Statements(Values):
    def block(self, scope, count, context):
        inner = Scope(scope)
        lines = []
        for _ in range(count):
            lines += self.statement(inner, context)
        return lines

    def statement(self, scope, context):
        kinds = ["let", "let", "var", "var", "assign", "assign", "assign", "opassign", "if", "for", "while", "element", "lettuple", "swap",
                 "late", "assert", "unchecked", "slice", "slice", "call", "composite", "composite", "part", "part", "copyvalue", "wholeop",
                 "localconst", "lambda", "print", "pick", "mask", "parts", "parts"]
        if self.structs:
            kinds += ["member", "member", "methodmut", "methodmut", "operatorassign"]
        if context.get("inLoop"):
            kinds += ["leave"]
        if context.get("mayReturn"):
            kinds += ["return"]
        if context.get("static"):
            kinds += ["constif", "constif"]
        for _ in range(5):
            lines = getattr(self, "stmt_" + self.r.choice(kinds))(scope, context)
            if lines:
                return lines
        return []

    def stmt_let(self, scope, context):
        t = self.typeOf()
        text = self.expr(t, scope)
        name = self.name("v")
        self.use("let")
        scope.values.append((name, t))
        return ["let %s%s = %s" % (name, ": " + t if self.chance(0.3) else "", text)]

    def stmt_var(self, scope, context):
        t = self.typeOf()
        text = self.expr(t, scope)
        name = self.name("w")
        self.use("var")
        scope.variables.append((name, t))
        return ["var %s: %s = %s" % (name, t, text)]

    def stmt_late(self, scope, context):
        if self.onHost and not self.inKernel:
            return []
        t = self.typeOf() if self.chance(0.7) else self.compositeType()
        name = self.name("w")
        self.use("var.late")
        lines = ["var %s: %s" % (name, self.spell(t)), "if %s { %s = %s } else { %s = %s }" % (
            self.expr("bool", scope, 1), name, self.expr(t, scope, 1), name, self.expr(t, scope, 1))]
        scope.variables.append((name, t))
        return lines

    def stmt_localconst(self, scope, context):
        """A let of a number without a suffix has the type of each place that uses it."""
        if not self.inKernel or self.onHost:
            return []
        self.use("const.local")
        name = self.name("v")
        t = self.r.choice(["i32", "u8", "i64", "index", "u64", "f32", "f16", "f64"])
        lines = ["let %s = %d" % (name, self.r.randrange(100))]
        scope.values.append(("%s(%s)" % (t, name), t))
        return lines

    def stmt_lettuple(self, scope, context):
        pairs = [f for f in scope.functions if kindOf(f["result"]) == "tuple" and (not self.onHost or f.get("host"))]
        if not pairs:
            return []
        f = self.r.choice(pairs)
        text = self.expr_call(f["result"], Scope(scope), 2)
        if not text:
            return []
        if self.chance(0.3):
            name = self.name("v")
            scope.values.append((name, f["result"]))
            return ["let %s = %s" % (name, text)]
        self.use("let.tuple")
        names = [self.name("v") for _ in f["result"][1:]]
        scope.values += list(zip(names, f["result"][1:]))
        return ["let (%s) = %s" % (", ".join(names), text)]

    def stmt_assign(self, scope, context):
        if not scope.variables:
            return []
        name, t = self.r.choice(scope.variables)
        self.use("assign")
        return ["%s = %s" % (name, self.expr(t, scope, None if kindOf(t) == "scalar" else 1))]

    def opAssign(self, t, scope):
        if t in FLOATS:
            op = self.r.choice(list(FLOAT_BINARY))
            self.use(("half." if t in HALF else "float.") + FLOAT_BINARY[op])
            return op, self.expr(t, scope, 1)
        op = self.r.choice(list(INT_BINARY))
        self.use("int." + INT_BINARY[op])
        if op in "/%":
            return op, "(%s | 1%s)" % (self.expr(t, scope, 1), t)
        if op in ("<<", ">>"):
            return op, "%d%s" % (self.r.randrange(INTS[t]), t)
        return op, self.expr(t, scope, 1)

    def stmt_opassign(self, scope, context):
        variables = [v for v in scope.variables if v[1] in ARITHMETIC and not (self.onHost and v[1] in SIGNED)]
        if not variables:
            return []
        name, t = self.r.choice(variables)
        self.use("assign.op")
        op, text = self.opAssign(t, scope)
        return ["%s %s= %s" % (name, op, text)]

    def stmt_swap(self, scope, context):
        if not scope.variables:
            return []
        a, t = self.r.choice(scope.variables)
        others = [name for name, kind in scope.variables if kind == t and name != a]
        lines = []
        if not others:
            others = [self.name("w")]
            lines = ["var %s = %s" % (others[0], a)]
            scope.variables.append((others[0], t))
        self.use("assign.swap")
        b = self.r.choice(others)
        return lines + ["(%s, %s) = (%s, %s)" % (a, b, b, a)]

    def stmt_element(self, scope, context):
        """Writes to the thread's own element only."""
        own = context.get("own")
        if not own:
            return []
        place, t = self.r.choice(own)
        if t in ARITHMETIC and self.chance(0.5):
            self.use("assign.element.op")
            op, text = self.opAssign(t, scope)
            return ["%s %s= %s" % (place, op, text)]
        if kindOf(t) == "vec" and self.chance(0.3):
            self.use("vec.assign")
            return ["%s[%d] = %s" % (place, self.r.randrange(t[2]), self.expr(t[1], scope, 1))]
        self.use("assign.element")
        return ["%s = %s" % (place, self.expr(t, scope, 1))]

    def nested(self, context, **more):
        return {**context, **more, "nesting": context.get("nesting", 0) + 1}

    def stmt_if(self, scope, context):
        if context.get("nesting", 0) > 2:
            return []
        self.use("if")
        lines = ["if %s {" % self.expr("bool", scope, 2)] + self.indent(self.block(scope, self.r.randrange(1, 3), self.nested(context)))
        while self.chance(0.2):
            lines += ["} else if %s {" % self.expr("bool", scope, 1)] + self.indent(self.block(scope, 1, self.nested(context)))
        if self.chance(0.5):
            self.use("if.else")
            lines += ["} else {"] + self.indent(self.block(scope, self.r.randrange(1, 3), self.nested(context)))
        return lines + ["}"]

    def stmt_constif(self, scope, context):
        if context.get("nesting", 0) > 2:
            return []
        self.use("if.const")
        lines = ["const if %s %s %d {" % (context["static"], self.r.choice(["<", ">", "==", "!="]), self.r.randrange(1, 5))]
        lines += self.indent(self.block(scope, 1, self.nested(context)))
        if self.chance(0.5):
            lines += ["} else {"] + self.indent(self.block(scope, 1, self.nested(context)))
        return lines + ["}"]

    def stmt_for(self, scope, context):
        if self.loops > 1 or context.get("nesting", 0) > 2:
            return []
        name = self.name("at")
        inner = Scope(scope)
        inner.values.append((name, "index"))
        low, high = self.r.randrange(0, 3), self.r.randrange(0, 7)
        head, form = "for %s in index(%d)..%d" % (name, low, high), self.r.randrange(10)
        views, before = [v for v in scope.views if len(v[2]) == 1], []
        if form == 0 and views:
            size = self.r.choice(views)[2][0]
            head = "for %s in 0..%s" % (name, size)
            inner.points.append((name, size))
            self.use("for.extent")
        elif form == 1:
            self.use("for.step")
            head += " step %d" % self.r.randrange(1, 4)
        elif form == 2:
            self.use("for.down")
            head = "for %s in index(%d)..%d step -%d" % (name, high, low - 1, self.r.randrange(1, 3))
        elif form == 3:
            self.use("for.unroll")
            head = "unroll for %s in 0..%d" % (name, self.r.randrange(1, 5))
            inner.values[-1] = (name, "i32")
        elif form == 4:
            self.use("for.unroll.n")
            head = "unroll(2) " + head
        elif form == 5:
            self.use("for")
            t = self.r.choice(["i32", "u8", "u64", "i64", "i16"])
            head = "for %s in %d%s..%s" % (name, low, t, "%s & 7" % self.expr(t, scope, 0) if self.chance(0.5) else str(high))
            inner.values[-1] = (name, t)
        elif form == 6:  # a step that is known at run time only
            self.use("for.step.variable")
            t = self.r.choice(["i32", "u8", "index", "i64", "u64"])
            step = self.name("v")
            before = ["let %s = %s %% 3" % (step, self.expr(t, scope, 0))]
            head = "for %s in %s %% 3..%s %% 9 step %s" % (name, self.expr(t, scope, 0), self.expr(t, scope, 0),
                                                           self.r.choice(["(%s & 3) + 1" % step, "%s * %s + 1" % (step, step)]))
            inner.values[-1] = (name, t)
        elif form == 7:  # bounds that are known at run time only
            t = self.r.choice(["i32", "u8", "index", "i16"])
            self.use("for.step")
            head = "for %s in %s %% 5..%s %% 7 step %d" % (name, self.expr(t, scope, 0), self.expr(t, scope, 0), self.r.randrange(1, 4))
            inner.values[-1] = (name, t)
        elif form == 8:
            self.use("for.down.unsigned")
            t = self.r.choice(["u8", "u32", "u64", "u16"])
            head = "for %s in %s %% 9..%s step -%d" % (name, self.expr(t, scope, 0), self.r.choice(["0", "2", "%s %% 5" % self.expr(t, scope, 0)]), self.r.randrange(1, 4))
            inner.values[-1] = (name, t)
        else:
            self.use("for")
        self.loops += 1
        body = self.block(inner, self.r.randrange(1, 3), self.nested(context, inLoop=form != 3))
        if form == 3 and self.chance(0.4):
            body += ["unroll for %s_in in 0..%d {" % (name, self.r.randrange(1, 4))] + self.indent(self.block(inner, 1, self.nested(context, inLoop=False))) + ["}"]
        self.loops -= 1
        return before + [head + " {"] + self.indent(body) + ["}"]

    def stmt_while(self, scope, context):
        if self.loops > 1 or context.get("nesting", 0) > 2:
            return []
        self.use("while")
        fuel = self.name("fuel")
        condition = self.expr("bool", scope, 1)
        self.loops += 1
        body = self.block(scope, self.r.randrange(1, 3), self.nested(context, inLoop=True))
        self.loops -= 1
        return ["var %s = %d" % (fuel, self.r.randrange(1, 6)), "while %s > 0 and %s {" % (fuel, condition), "    %s -= 1" % fuel] + self.indent(body) + ["}"]

    def stmt_leave(self, scope, context):
        word = self.r.choice(["break", "continue"])
        self.use(word)
        return ["if %s { %s }" % (self.expr("bool", scope, 2), word)]

    def stmt_return(self, scope, context):
        if not self.chance(0.3):
            return []
        self.use("return")
        return ["if %s { return }" % self.expr("bool", scope, 2)]

    def stmt_assert(self, scope, context):
        self.use("assert")
        t = self.typeOf(list(INTS))
        text = self.expr(t, scope, 1)
        message = ""
        if self.chance(0.3):
            self.use("assert.message")
            message = ', "never {}", %s' % self.expr(self.typeOf(), scope, 1)
        return ["assert((%s) | %s == %s or true%s)" % (text, "0" + t, self.literal(t), message)]

    def stmt_print(self, scope, context):
        """The lines come in the order of the points, but a megabyte of them only: few points print. In functions none does: who knows
        how often they are called."""
        if not context.get("prints") or self.loops > 0:
            return []
        self.use("print")
        types = [self.typeOf() if self.chance(0.8) else self.compositeType(0) for _ in range(self.r.randrange(0, 3))]
        values = [self.expr(t, scope, 1) for t in types]
        holes = "".join(" " + self.hole(t) for t in types)
        return ['if %s { print("%s%s"%s) }' % (context["prints"], self.name("line"), holes, "".join(", " + value for value in values))]

    def hole(self, t):
        """{} or how a value is to be shown."""
        if kindOf(t) != "scalar" or self.chance(0.6):
            return "{}"
        self.use("print.format")
        digits = ["", ".%d" % self.r.randrange(5), ".2e", "e"] if t in FLOATS or t in SMALL else ["", "x", "b"] if t != "bool" else [""]
        zeros = "0" if t != "bool" else ""
        return "{:%s%s}" % (self.r.choice(["8", "<12", ">3", zeros + "9", "", "1"]), self.r.choice(digits))

    def stmt_unchecked(self, scope, context):
        views = [v for v in scope.views if v[1] != "bool"]
        if not views or self.onHost:
            return []
        self.use("unchecked")
        view = self.r.choice(views)
        name = self.name("v")
        text = "let %s = unchecked { %s }" % (name, self.element(view, scope, 1))
        scope.values.append((name, view[1]))
        return [text]

    def stmt_slice(self, scope, context):
        if not scope.views or not self.inKernel or self.onHost:
            return []
        name, element, sizes = self.r.choice(scope.views)
        made = self.name("s")
        form = self.r.randrange(7)
        if form == 6 and len(sizes) == 1:
            self.use("view.variable")
            self.changing.add(made)
            lines = ["var %s = %s[0..]" % (made, name), "if %s { %s = %s[%s..] }" % (self.expr("bool", scope, 1), made, name, self.safeIndex(sizes[0], scope, 0))]
            if name in self.strided:
                self.strided.add(made)
            scope.views.append((made, element, ["%s.len" % made]))
            return lines
        if form == 0 and len(sizes) == 1:
            same = [v for v in scope.views if v[1] == element and len(v[2]) == 1 and (v[0] in self.strided) == (name in self.strided)]
            self.use("view.if")
            lines = ["let %s = if %s { %s } else { %s }" % (made, self.expr("bool", scope, 1), name, self.r.choice(same)[0])]
            if name in self.strided:
                self.strided.add(made)
            scope.views.append((made, element, ["%s.len" % made]))
            return lines
        if form == 1:  # every second, third
            self.use("view.strided")
            self.strided.add(made)
            low = self.r.choice(["0", "0", "%s / 2" % sizes[0]])
            by, before = str(self.r.randrange(1, 4)), []
            if self.chance(0.3):
                by, before = "%s_by * %s_by + 1" % (made, made), ["let %s_by = %s %% 3" % (made, self.expr("index", scope, 0))]
            slices = ["%s..%s step %s" % (low, sizes[0], by)] + [".." for _ in sizes[1:]]
            scope.views.append((made, element, ["%s.shape[%d]" % (made, k) for k in range(len(sizes))] if len(sizes) > 1 else ["%s.len" % made]))
            return before + ["let %s = %s[%s]" % (made, name, ", ".join(slices))]
        if len(sizes) > 1:
            if form < 4:
                self.use("element.row")
                if name in self.strided:
                    self.strided.add(made)
                scope.views.append((made, element, sizes[1:]))
                return ["let %s = %s[%s]" % (made, name, self.safeIndex(sizes[0], scope, 1))]
            self.strided.add(made)
            if form == 4:
                self.use("view.column")
                scope.views.append((made, element, sizes[:-1]))
                return ["let %s = %s[%s]" % (made, name, ", ".join([".."] * (len(sizes) - 1) + [self.safeIndex(sizes[-1], scope, 1)]))]
            self.use("view.part")
            scope.views.append((made, element, ["%s.shape[%d]" % (made, k) for k in range(len(sizes))]))
            return ["let %s = %s[%s]" % (made, name, ", ".join("%s / 2..%s" % (size, size) for size in sizes))]
        if form == 2 and name not in self.strided:
            self.use("view.flat")
            scope.views.append((made, element, ["%s.len" % made]))
            return ["let %s = %s.flat" % (made, name)]
        self.use("view.slice")
        if name in self.strided:
            self.strided.add(made)
        low = self.name("a")
        lines = ["let %s = %s" % (low, self.safeIndex(sizes[0], scope, 1)), "let %s = %s[%s..]" % (made, name, low)]
        scope.values.append((low, "index"))
        scope.views.append((made, element, ["%s.len" % made]))
        return lines

    def stmt_call(self, scope, context):
        """A function that changes its argument, or gives nothing."""
        functions = [f for f in scope.functions if f["result"] in ("mut", "nothing") and (not self.onHost or f.get("host"))]
        if not functions:
            return []
        f = self.r.choice(functions)
        if f["result"] == "nothing":
            return ["%s(%s)" % (f["name"], ", ".join(self.expr(t, scope, 1) for _, t in f["params"]))]
        of, lines = f["params"][0][1], []
        variables = [name for name, t in scope.variables if t == of]
        if not variables:
            variables = [self.name("w")]
            lines = ["var %s: %s = %s" % (variables[0], self.spell(of), self.expr(of, scope, 1))]
            scope.variables.append((variables[0], of))
        self.use("fn.mut")
        return lines + ["%s(%s, %s)" % (f["name"], self.r.choice(variables), self.expr(f["params"][1][1], scope, 1))]
