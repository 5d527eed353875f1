#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random Raddle programs: typed, terminating, without failures and without races, whose output is the same wherever and
however they are compiled.

    generate.py SEED                       one program to standard output
    generate.py --indices SEED             one whose indices may be out of range
    generate.py --features                 what programs are made of: one word a line

Every construct that a program may hold is a *feature* with a name; `Program.features` says which ones a program has, so
that a test can ask whether all of them turn up.
"""
import random
import sys

SIGNED = {"i8": 8, "i16": 16, "i32": 32, "i64": 64}
UNSIGNED = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}
INTS = {**SIGNED, **UNSIGNED}
FLOATS = {"f32": 32, "f64": 64}
NUMBERS = [*INTS, *FLOATS, "index"]
SCALARS = ["bool", *NUMBERS]

# By what they apply to. The names are also those of the features.
INT_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem", "&": "and", "|": "or", "^": "xor", "<<": "shl",
              ">>": "shr"}
FLOAT_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
FLOAT_MATH = {"sqrt": 1, "floor": 1, "ceil": 1, "round": 1, "trunc": 1, "abs": 1, "min": 2, "max": 2, "copysign": 2, "fma": 3}
INT_MATH = {"abs": 1, "min": 2, "max": 2}

FEATURES = sorted(
    ["int." + name for name in INT_BINARY.values()] + ["float." + name for name in FLOAT_BINARY.values()] +
    ["compare.%s.%s" % (name, kind) for name in COMPARE.values() for kind in ("int", "float")] +
    ["math.float." + name for name in FLOAT_MATH] + ["math.int." + name for name in INT_MATH] +
    ["type." + name for name in SCALARS] + ["literal." + name for name in SCALARS] +
    ["convert.%s.%s" % (a, b) for a in ("bool", "signed", "unsigned", "float", "index")
     for b in ("signed", "unsigned", "float", "index") if (a, b) != ("index", "index")] +
    ["unary.neg.int", "unary.neg.float", "unary.not", "unary.bitnot", "logic.and", "logic.or", "bitcast", "clamp",
     "assign", "assign.op", "assign.swap", "assign.element", "assign.element.op", "let", "let.tuple", "var", "var.late",
     "if", "if.else", "if.value", "block.value", "while", "for", "for.step", "for.down", "for.unroll", "for.unroll.n", "break",
     "continue", "return", "assert", "unchecked", "const", "const.untyped", "alias",
     "fn.expression", "fn.body", "fn.mut", "fn.generic", "fn.default", "fn.named", "fn.view", "fn.tuple", "fn.early", "tuple.item",
     "reduce.sum", "reduce.min", "reduce.max", "reduce.all", "reduce.any", "reduce.if", "reduce.two",
     "element.checked", "element.proven", "element.row", "view.len", "view.shape", "view.slice", "view.flat",
     "kernel.forall.1", "kernel.forall.2", "kernel.forall.3", "kernel.blocks", "kernel.blocks.2", "kernel.threads.2",
     "kernel.const", "kernel.scalar", "kernel.inplace", "kernel.inner", "shared.array", "shared.scalar", "shared.tile", "barrier",
     "barrier.loop", "block.sum", "block.min", "block.max", "block.index", "thread.index",
     "host.reduce", "host.reduce.if", "host.array.comprehension", "host.slice", "host.copy", "host.fill", "host.loop",
     "host.random", "host.row"])


class Scope:
    """What may be named: variables by type, arrays with the ranges that their indices come from."""

    def __init__(self, parent=None):
        self.values = list(parent.values) if parent else []  # (name, type)
        self.variables = list(parent.variables) if parent else []
        self.views = list(parent.views) if parent else []  # (name, element, [size expression of type index])
        self.points = list(parent.points) if parent else []  # names of type index that are not negative
        self.functions = list(parent.functions) if parent else []


class Program:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.features = set()
        self.names = 0
        self.depth = 0
        self.inKernel = False
        self.loops = 0

    # ---- helpers ----
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
        t = self.r.choice(pool or SCALARS)
        self.use("type." + t)
        return t

    @staticmethod
    def family(t):
        return "signed" if t in SIGNED else "unsigned" if t in UNSIGNED else "float" if t in FLOATS else t

    # ---- expressions: each returns text that may stand anywhere ----
    def literal(self, t):
        self.use("literal." + t)
        r = self.r
        if t == "bool":
            return r.choice(["true", "false"])
        if t == "index":
            return "index(%d)" % r.choice([0, 1, 2, 3, 7, 31, 1000, r.randrange(1 << 20)])
        if t in FLOATS:
            if self.chance(0.06):
                return "%s(%s)" % (t, r.choice(["inf", "nan", "-inf"]))
            value = r.choice([0.0, 1.0, 0.5, 2.0, 3.25, 1e-3, 1e10, r.uniform(-10, 10), r.uniform(-1e6, 1e6)])
            text = repr(abs(float("%.6g" % value)))
            if "e" in text and "." not in text.split("e")[0]:
                text = text.replace("e", ".0e")
            text = text.replace("e+", "e") + t
            return "(-%s)" % text if value < 0 else text
        bits = INTS[t]
        top = (1 << (bits - 1)) - 1 if t in SIGNED else (1 << bits) - 1
        value = r.choice([0, 1, 2, 3, 5, 7, top, top - 1, r.randrange(top + 1), r.randrange(min(top, 100) + 1)])
        text = (hex(value) if self.chance(0.1) else str(value)) + t
        return "(-%s)" % text if t in SIGNED and self.chance(0.3) else text

    def expr(self, t, scope, depth=None):
        depth = self.r.choice([1, 2, 2, 3]) if depth is None else depth
        r = self.r
        names = [name for name, kind in scope.values + scope.variables if kind == t]
        if depth <= 0 or self.chance(0.12):
            if names and self.chance(0.8):
                return r.choice(names)
            return self.literal(t)
        choices = ["leaf", "element", "element", "if", "convert", "call", "block", "reduce"]
        if t == "bool":
            choices += ["compare"] * 5 + ["logic"] * 3 + ["not", "all"]
        elif t in FLOATS:
            choices += ["binary"] * 6 + ["math"] * 4 + ["neg", "bitcast", "clamp"]
        elif t == "index":
            choices += ["indexbinary"] * 5 + ["len", "min", "point", "point"]
        else:
            choices += ["binary"] * 8 + ["math"] * 2 + ["neg", "bitnot", "bitcast", "clamp"]
        for _ in range(6):
            text = getattr(self, "expr_" + r.choice(choices))(t, scope, depth - 1)
            if text:
                return text
        return self.literal(t)

    def expr_leaf(self, t, scope, depth):
        return self.expr(t, scope, 0)

    def expr_element(self, t, scope, depth):
        views = [view for view in scope.views if view[1] == t]
        if not views:
            return None
        return self.element(self.r.choice(views), scope, depth)

    def element(self, view, scope, depth):
        name, _, sizes = view
        indices = []
        for size in sizes:
            here = [point for point, extent in scope.points if extent == size]
            if here and self.chance(0.5):
                self.use("element.proven")
                indices.append(self.r.choice(here))
            else:
                self.use("element.checked")
                indices.append(self.safeIndex(size, scope, depth))
        if len(sizes) > 1 and self.chance(0.2):
            self.use("element.row")
            return "%s[%s][%s]" % (name, indices[0], ", ".join(indices[1:]))
        return "%s[%s]" % (name, ", ".join(indices))

    def safeIndex(self, size, scope, depth):
        """An index below the size, which is at least 1, in one of the ways that people write."""
        r = self.r
        inner = self.expr("index", scope, max(depth - 1, 0))
        form = r.randrange(4)
        if form == 0:
            return "clamp(%s, 0, %s - 1)" % (inner, size)
        if form == 1:
            return "min(abs(%s %% 1000), %s - 1)" % (inner, size)
        if form == 2:
            small = self.expr(r.choice(["u8", "u16", "u32"]), scope, max(depth - 1, 0))
            return "index(%s) %% %s" % (small, size)
        return "abs(%s %% %s)" % (inner, size)

    def expr_binary(self, t, scope, depth):
        r = self.r
        a, b = self.expr(t, scope, depth), self.expr(t, scope, depth)
        if t in FLOATS:
            op = r.choice(list(FLOAT_BINARY))
            self.use("float." + FLOAT_BINARY[op])
            return "(%s %s %s)" % (a, op, b)
        op = r.choice(list(INT_BINARY))
        self.use("int." + INT_BINARY[op])
        if op in "/%":
            b = "(%s | 1%s)" % (b, t) if self.chance(0.6) else "%d%s" % (r.randrange(1, 100), t)
        if op in ("<<", ">>") and self.chance(0.4):
            b = "%d%s" % (r.randrange(INTS[t]), t)
        elif op in ("<<", ">>"):
            names = [name for name, kind in scope.values + scope.variables if kind == t]
            b = r.choice(names) if names else "%d%s" % (r.randrange(INTS[t]), t)
        return "(%s %s %s)" % (a, op, b)

    def expr_indexbinary(self, t, scope, depth):
        """Kept small: where statements run on the host, what overflows is an error."""
        a, b = self.expr(t, scope, min(depth, 1)), self.expr(t, scope, 0)
        op = self.r.choice(["+", "-", "*", "/", "%"])
        if op == "*":
            return "((%s %% 1000) * (%s %% 1000))" % (a, b)
        if op in "/%":
            return "(%s %s %d)" % (a, op, self.r.randrange(1, 50))
        return "((%s %% 100000) %s (%s %% 100000))" % (a, op, b)

    def expr_math(self, t, scope, depth):
        table = FLOAT_MATH if t in FLOATS else INT_MATH
        op = self.r.choice(list(table))
        self.use("math.%s.%s" % ("float" if t in FLOATS else "int", op))
        return "%s(%s)" % (op, ", ".join(self.expr(t, scope, depth) for _ in range(table[op])))

    def expr_min(self, t, scope, depth):
        return "%s(%s, %s)" % (self.r.choice(["min", "max"]), self.expr(t, scope, depth), self.expr(t, scope, depth))

    def expr_clamp(self, t, scope, depth):
        self.use("clamp")
        return "clamp(%s, %s, %s)" % tuple(self.expr(t, scope, depth) for _ in range(3))

    def expr_neg(self, t, scope, depth):
        if t in UNSIGNED:
            return None
        self.use("unary.neg.float" if t in FLOATS else "unary.neg.int")
        return "(-%s)" % self.expr(t, scope, depth)

    def expr_bitnot(self, t, scope, depth):
        self.use("unary.bitnot")
        return "(~%s)" % self.expr(t, scope, depth)

    def expr_not(self, t, scope, depth):
        self.use("unary.not")
        return "(not %s)" % self.expr(t, scope, depth)

    def expr_logic(self, t, scope, depth):
        op = self.r.choice(["and", "or"])
        self.use("logic." + op)
        return "(%s %s %s)" % (self.expr(t, scope, depth), op, self.expr(t, scope, depth))

    def expr_compare(self, t, scope, depth):
        of = self.r.choice(NUMBERS)
        op = self.r.choice(list(COMPARE))
        self.use("compare.%s.%s" % (COMPARE[op], "float" if of in FLOATS else "int"))
        return "(%s %s %s)" % (self.expr(of, scope, depth), op, self.expr(of, scope, depth))

    def expr_if(self, t, scope, depth):
        self.use("if.value")
        return "(if %s { %s } else { %s })" % (self.expr("bool", scope, depth), self.expr(t, scope, depth), self.expr(t, scope, depth))

    def expr_block(self, t, scope, depth):
        if not self.inKernel:
            return None
        self.use("block.value")
        inner = Scope(scope)
        name, of = self.name("k"), self.typeOf(NUMBERS)
        value = self.expr(of, scope, depth)
        inner.values.append((name, of))
        return "({ let %s = %s; %s })" % (name, value, self.expr(t, inner, depth))

    def expr_convert(self, t, scope, depth):
        if t == "bool":
            return None
        of = self.typeOf([x for x in SCALARS if x != t])
        self.use("convert.%s.%s" % (self.family(of), self.family(t)))
        return "%s(%s)" % (t, self.expr(of, scope, depth))

    def expr_bitcast(self, t, scope, depth):
        pairs = {"f32": ["u32", "i32"], "f64": ["u64", "i64"], "u32": ["i32"], "i32": ["u32"], "u64": ["i64"],
                 "i64": ["u64"], "u16": ["i16"], "i16": ["u16"], "u8": ["i8"], "i8": ["u8"]}
        of = self.r.choice(pairs[t])
        self.use("bitcast")
        return "bitcast[%s](%s)" % (t, self.expr(of, scope, depth))

    def expr_call(self, t, scope, depth):
        functions = [f for f in scope.functions if f["result"] == t]
        if not functions or self.depth > 2:
            return None
        f = self.r.choice(functions)
        arguments = []
        for k, (name, kind) in enumerate(f["params"]):
            if kind.startswith("view "):
                views = [v for v in scope.views if v[1] == kind[5:] and len(v[2]) == 1]
                if not views:
                    return None
                arguments.append(self.r.choice(views)[0])
                continue
            text = self.expr(kind, scope, min(depth, 1))
            if f.get("default") and k + 1 == len(f["params"]):
                if self.chance(0.4):
                    self.use("fn.default")
                    continue
                if self.chance(0.5):
                    self.use("fn.named")
                    text = "%s: %s" % (name, text)
            arguments.append(text)
        return "%s(%s)" % (f["name"], ", ".join(arguments))

    def expr_len(self, t, scope, depth):
        if not scope.views:
            return None
        name, _, sizes = self.r.choice(scope.views)
        if len(sizes) == 1:
            self.use("view.len")
            return name + ".len"
        self.use("view.shape")
        return "%s.shape[%d]" % (name, self.r.randrange(len(sizes)))

    def expr_point(self, t, scope, depth):
        return self.r.choice(scope.points)[0] if scope.points else None

    def reduceRange(self, scope):
        """A short range, and the scope of what runs over it."""
        inner = Scope(scope)
        name = self.name("r")
        views = [v for v in scope.views if len(v[2]) == 1]
        if views and self.chance(0.4):
            size = self.r.choice(views)[2][0]
            inner.points.append((name, size))
            inner.values.append((name, "index"))
            return "%s in 0..min(%s, 9)" % (name, size) if self.chance(0.5) else "%s in 0..%s" % (name, size), inner
        inner.values.append((name, "index"))
        return "%s in 0..index(%d)" % (name, self.r.randrange(0, 7)), inner

    def expr_reduce(self, t, scope, depth):
        if t == "bool" or not self.inKernel or self.loops > 1:
            return None
        op = self.r.choice(["sum", "min", "max"])
        self.use("reduce." + op)
        ranges, inner = self.reduceRange(scope)
        if self.chance(0.15):
            self.use("reduce.two")
            more, inner = self.reduceRange(inner)
            ranges += ", " + more
        self.loops += 1
        condition = ""
        if self.chance(0.3):
            self.use("reduce.if")
            condition = " if " + self.expr("bool", inner, 1)
        text = "%s(%s for %s%s)" % (op, self.expr(t, inner, min(depth, 1)), ranges, condition)
        self.loops -= 1
        return text

    def expr_all(self, t, scope, depth):
        if not self.inKernel or self.loops > 1:
            return None
        op = self.r.choice(["all", "any"])
        self.use("reduce." + op)
        ranges, inner = self.reduceRange(scope)
        self.loops += 1
        text = "%s(%s for %s)" % (op, self.expr("bool", inner, min(depth, 1)), ranges)
        self.loops -= 1
        return text

    # ---- statements: lists of lines ----
    def indent(self, lines):
        return ["    " + line for line in lines]

    def block(self, scope, count, context):
        inner = Scope(scope)
        lines = []
        for _ in range(count):
            lines += self.statement(inner, context)
        return lines

    def statement(self, scope, context):
        kinds = ["let", "let", "var", "var", "assign", "assign", "assign", "opassign", "if", "for", "while", "element", "lettuple", "swap",
                 "late", "assert", "unchecked", "slice", "call"]
        if context.get("inLoop"):
            kinds += ["leave"]
        if context.get("mayReturn"):
            kinds += ["return"]
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
        t = self.typeOf()
        name = self.name("w")
        self.use("var.late")
        lines = ["var %s: %s" % (name, t), "if %s { %s = %s } else { %s = %s }" % (
            self.expr("bool", scope, 1), name, self.expr(t, scope, 1), name, self.expr(t, scope, 1))]
        scope.variables.append((name, t))
        return lines

    def stmt_lettuple(self, scope, context):
        pairs = [f for f in scope.functions if f["result"] == "tuple"]
        if not pairs:
            return []
        f = self.r.choice(pairs)
        self.use("let.tuple")
        a, b = self.name("v"), self.name("v")
        arguments = ", ".join(self.expr(kind, scope, 1) for _, kind in f["params"])
        if self.chance(0.4):
            self.use("tuple.item")
            scope.values += [(a + ".0", f["items"][0]), (a + ".1", f["items"][1])]
            return ["let %s = %s(%s)" % (a, f["name"], arguments)]
        scope.values += [(a, f["items"][0]), (b, f["items"][1])]
        return ["let (%s, %s) = %s(%s)" % (a, b, f["name"], arguments)]

    def stmt_assign(self, scope, context):
        if not scope.variables:
            return []
        name, t = self.r.choice(scope.variables)
        self.use("assign")
        return ["%s = %s" % (name, self.expr(t, scope))]

    def opAssign(self, t, scope):
        if t in FLOATS:
            op = self.r.choice(list(FLOAT_BINARY))
            self.use("float." + FLOAT_BINARY[op])
            return op, self.expr(t, scope, 1)
        op = self.r.choice(list(INT_BINARY))
        self.use("int." + INT_BINARY[op])
        if op in "/%":
            return op, "(%s | 1%s)" % (self.expr(t, scope, 1), t)
        if op in ("<<", ">>"):
            return op, "%d%s" % (self.r.randrange(INTS[t]), t)
        return op, self.expr(t, scope, 1)

    def stmt_opassign(self, scope, context):
        variables = [v for v in scope.variables if v[1] in INTS or v[1] in FLOATS]
        if not variables:
            return []
        name, t = self.r.choice(variables)
        self.use("assign.op")
        op, text = self.opAssign(t, scope)
        return ["%s %s= %s" % (name, op, text)]

    def stmt_swap(self, scope, context):
        for a, t in self.r.sample(scope.variables, len(scope.variables)):
            others = [name for name, kind in scope.variables if kind == t and name != a]
            if others:
                b = self.r.choice(others)
                self.use("assign.swap")
                return ["(%s, %s) = (%s, %s)" % (a, b, b, a)]
        return []

    def stmt_element(self, scope, context):
        """Writes to the thread's own element only."""
        own = context.get("own")
        if not own:
            return []
        place, t = self.r.choice(own)
        if t in INTS or t in FLOATS:
            if self.chance(0.5):
                self.use("assign.element.op")
                op, text = self.opAssign(t, scope)
                return ["%s %s= %s" % (place, op, text)]
        self.use("assign.element")
        return ["%s = %s" % (place, self.expr(t, scope))]

    def nested(self, context, **more):
        return {**context, **more, "nesting": context.get("nesting", 0) + 1}

    def stmt_if(self, scope, context):
        if context.get("nesting", 0) > 2:
            return []
        self.use("if")
        lines = ["if %s {" % self.expr("bool", scope, 2)] + self.indent(self.block(scope, self.r.randrange(1, 4), self.nested(context)))
        while self.chance(0.2):
            lines += ["} else if %s {" % self.expr("bool", scope, 1)] + self.indent(self.block(scope, 1, self.nested(context)))
        if self.chance(0.5):
            self.use("if.else")
            lines += ["} else {"] + self.indent(self.block(scope, self.r.randrange(1, 3), self.nested(context)))
        return lines + ["}"]

    def stmt_for(self, scope, context):
        if self.loops > 1 or context.get("nesting", 0) > 2:
            return []
        name = self.name("at")
        inner = Scope(scope)
        inner.values.append((name, "index"))
        low, high = self.r.randrange(0, 3), self.r.randrange(0, 7)
        head, form = "for %s in index(%d)..%d" % (name, low, high), self.r.randrange(6)
        views = [v for v in scope.views if len(v[2]) == 1]
        if form == 0 and views:
            size = self.r.choice(views)[2][0]
            head = "for %s in 0..%s" % (name, size)
            inner.points.append((name, size))
            self.use("for")
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
        else:
            self.use("for")
        self.loops += 1
        body = self.block(inner, self.r.randrange(1, 4), self.nested(context, inLoop=form != 3))
        self.loops -= 1
        return [head + " {"] + self.indent(body) + ["}"]

    def stmt_while(self, scope, context):
        if self.loops > 1 or context.get("nesting", 0) > 2:
            return []
        self.use("while")
        fuel = self.name("fuel")
        condition = self.expr("bool", scope, 1)
        self.loops += 1
        body = self.block(scope, self.r.randrange(1, 4), self.nested(context, inLoop=True))
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
        return ["assert((%s) | %s == %s or true)" % (text, "0" + t, self.literal(t))]

    def stmt_unchecked(self, scope, context):
        views = [v for v in scope.views if v[1] != "bool"]
        if not views:
            return []
        self.use("unchecked")
        view = self.r.choice(views)
        name = self.name("v")
        text = "let %s = unchecked { %s }" % (name, self.element(view, scope, 1))
        scope.values.append((name, view[1]))
        return [text]

    def stmt_slice(self, scope, context):
        views = [v for v in scope.views if len(v[2]) >= 1]
        if not views or not self.inKernel:
            return []
        name, element, sizes = self.r.choice(views)
        made = self.name("s")
        if len(sizes) > 1:
            self.use("element.row")
            text = "let %s = %s[%s]" % (made, name, self.safeIndex(sizes[0], scope, 1))
            scope.views.append((made, element, sizes[1:]))
            return [text]
        if self.chance(0.3):
            self.use("view.flat")
            scope.views.append((made, element, ["%s.len" % made]))
            return ["let %s = %s.flat" % (made, name)]
        self.use("view.slice")
        low = self.name("a")
        lines = ["let %s = %s" % (low, self.safeIndex(sizes[0], scope, 1)), "let %s = %s[%s..]" % (made, name, low)]
        scope.values.append((low, "index"))
        scope.views.append((made, element, ["%s.len" % made]))
        return lines

    def stmt_call(self, scope, context):
        """A function that changes its argument."""
        functions = [f for f in scope.functions if f["result"] == "mut"]
        if not functions:
            return []
        f = self.r.choice(functions)
        variables = [name for name, t in scope.variables if t == f["params"][0][1]]
        if not variables:
            return []
        self.use("fn.mut")
        return ["%s(%s, %s)" % (f["name"], self.r.choice(variables), self.expr(f["params"][1][1], scope, 1))]

    # ---- declarations ----
    def function(self, scope):
        form = self.r.choice(["expression", "body", "mut", "generic", "default", "view", "tuple", "early"])
        name = self.name("fun")
        inner = Scope()
        inner.functions = [f for f in scope.functions if f["result"] != "mut"]
        params = [(self.name("p"), self.typeOf()) for _ in range(self.r.randrange(1, 4))]
        t = self.typeOf()
        self.inKernel, self.depth = True, self.depth + 1
        lines = []
        self.use("fn." + form if form != "default" else "fn.expression")
        if form == "mut":
            kind = self.typeOf()
            params = [(self.name("p"), kind), (self.name("p"), self.typeOf())]
            inner.values, inner.variables = [params[1]], [params[0]]
            lines = ["fn %s(mut %s: %s, %s: %s) {" % (name, *params[0], *params[1])] + self.indent(self.block(inner, 3, {"mayReturn": True})) + ["}"]
            made = {"name": name, "result": "mut", "params": params}
        elif form == "generic":
            t = self.typeOf([*INTS, *FLOATS])
            a, b = self.name("p"), self.name("p")
            lines = ["fn %s[T: Number](%s: T, %s: T) -> T = if %s < %s { %s + %s } else { %s * %s - %s }" % (name, a, b, a, b, a, b, a, a, b)]
            made = {"name": name, "result": t, "params": [(a, t), (b, t)]}
        elif form == "default":
            params = [(n, k) for n, k in params] + [(self.name("p"), "i32")]
            inner.values = params
            head = ", ".join("%s: %s" % p for p in params[:-1]) + ", %s: i32 = %d" % (params[-1][0], self.r.randrange(9))
            lines = ["fn %s(%s) -> %s = %s" % (name, head, t, self.expr(t, inner))]
            made = {"name": name, "result": t, "params": params, "default": True}
        elif form == "view":
            t = self.typeOf(NUMBERS)
            x, i = self.name("p"), self.name("p")
            inner.values, inner.views = [(i, "index")], [(x, t, ["%s.len" % x])]
            body = self.block(inner, 2, {})
            lines = ["fn %s(%s: [%s; n], %s: index) -> %s {" % (name, x, t, i, t)] + self.indent(body + [self.element((x, t, ["n"]), inner, 1)]) + ["}"]
            made = {"name": name, "result": t, "params": [(x, "view " + t), (i, "index")]}
        elif form == "tuple":
            items = [self.typeOf(), self.typeOf()]
            inner.values = params
            lines = ["fn %s(%s) -> (%s, %s) { (%s, %s) }" % (name, ", ".join("%s: %s" % p for p in params), *items,
                                                             self.expr(items[0], inner), self.expr(items[1], inner))]
            made = {"name": name, "result": "tuple", "items": items, "params": params}
        else:
            inner.values = params
            head = "fn %s(%s) -> %s" % (name, ", ".join("%s: %s" % p for p in params), t)
            if form == "expression":
                lines = [head + " = " + self.expr(t, inner)]
            else:
                body = self.block(inner, 3, {})
                if form == "early":
                    body.append("if %s { return %s }" % (self.expr("bool", inner, 1), self.expr(t, inner, 1)))
                lines = [head + " {"] + self.indent(body + [self.expr(t, inner)]) + ["}"]
            made = {"name": name, "result": t, "params": params}
        self.inKernel, self.depth = False, self.depth - 1
        scope.functions.append(made)
        return lines

    def kernel(self, scope, index):
        """A kernel, and the host lines that call it and print what it made."""
        form = self.r.choice(["forall1", "forall1", "forall2", "forall3", "inplace", "inner", "blocks", "blocks", "blocks2", "tile"])
        name = self.name("kernel")
        self.inKernel = True
        lines, host = getattr(self, "kernel_" + form)(scope, name)
        self.inKernel = False
        return lines, host

    def inputs(self, scope, sizes):
        """Read-only array parameters with the given sizes: texts for the signature, and host lines that make them."""
        params, made, arguments = [], [], []
        for _ in range(self.r.randrange(1, 3)):
            t, name = self.typeOf([x for x in NUMBERS if x != "index"]), self.name("x")
            scope.views.append((name, t, [d for d, _ in sizes]))
            params.append("%s: [%s; %s]" % (name, t, ", ".join(d for d, _ in sizes)))
            array = self.name("a")
            made += self.arrayOf(array, t, [extent for _, extent in sizes])
            arguments.append(array)
        return params, made, arguments

    def arrayOf(self, name, t, extents):
        """Host lines that make an array of values of all kinds."""
        shape = ", ".join(map(str, extents))
        if t == "f32" and self.chance(0.4):
            self.use("host.random")
            return ["let %s = random.uniform[f32](%s, seed: %d)" % (name, shape, self.r.randrange(1000))]
        if len(extents) == 1 and self.chance(0.5):
            self.use("host.array.comprehension")
            i = self.name("q")
            # Conversions keep the low bits: every type gets values of both signs.
            return ["let %s = [%s(i32(%s) * %d - %d) for %s in 0..%d]" % (name, t, i, self.r.randrange(1, 5000), self.r.randrange(1, 3000), i, extents[0])]
        lines = ["let %s = zeros[%s](%s)" % (name, t, shape)]
        if self.chance(0.5):
            self.use("host.fill")
            lines.append("%s.flat[..] = %s" % (name, self.literal(t)))
        self.use("host.loop")
        count = 1
        for extent in extents:
            count *= extent
        i = self.name("q")
        low = "i32(%s) * %d - %d" % (i, self.r.randrange(1, 500), self.r.randrange(1, 300))
        return lines + ["for %s in 0..%d { %s.flat[%s] = %s(%s) }" % (i, min(count, 40), name, i, t, low)]

    def show(self, array, t, count):
        lines = []
        for k in sorted(self.r.sample(range(count), min(count, 6))):
            lines.append('print("%s[%d] = {}", %s.flat[%d])' % (array, k, array, k))
        if t in INTS:
            self.use("host.reduce")
            i = self.name("q")
            lines.append('print("%s: {} {}", sum(i64(%s.flat[%s]) & 0xffff for %s in 0..%d), max(%s.flat[%s] for %s in 0..%s.flat.len))' % (
                array, array, i, i, count, array, i, i, array))
        elif t in FLOATS:
            self.use("host.reduce.if")
            i = self.name("q")
            lines.append('print("%s: {}", min(%s.flat[%s] for %s in 0..%d if %s.flat[%s] > 0.0))' % (array, array, i, i, count, array, i))
        return lines

    def scalars(self, inner):
        if not self.chance(0.6):
            return [], []
        self.use("kernel.scalar")
        t, name = self.typeOf(), self.name("c")
        inner.values.append((name, t))
        return ["%s: %s" % (name, t)], [self.literal(t)]

    def forall(self, scope, name, dims, inPlace=False, border=0):
        inner = Scope(scope)
        sizes = [(self.name("n"), self.r.choice([1, 2, 3, 5, 17] if len(dims) > 1 else [1, 7, 32, 100, 257])) for _ in dims]
        if border:
            sizes = [(n, extent + 2) for n, extent in sizes]
        params, made, arguments = self.inputs(inner, sizes)
        moreParams, moreArguments = self.scalars(inner)
        for dim, (size, _) in zip(dims, sizes):
            inner.values.append((dim, "index"))
            inner.points.append((dim, size))
        t, out = self.typeOf(), self.name("y")
        params.append("mut %s: [%s; %s]" % (out, t, ", ".join(d for d, _ in sizes)))
        own = [("%s[%s]" % (out, ", ".join(dims)), t)]
        if inPlace:
            inner.values.append((own[0][0], t))
        if border:
            x = [v for v in inner.views if v[2] == [d for d, _ in sizes]][0]
            neighbours = ["%s[%s]" % (x[0], ", ".join(d + self.r.choice([" - 1", " + 1", ""]) for d in dims)) for _ in range(3)]
            inner.values += [(text, x[1]) for text in neighbours]
        body = self.block(inner, self.r.randrange(2, 7), {"own": own, "mayReturn": True})
        body.append("%s = %s" % (own[0][0], self.expr(t, inner)))
        ranges = ["%s in %s..%s" % (dim, "1" if border else "0", size + " - 1" if border else size) for dim, (size, _) in zip(dims, sizes)]
        lines = ["kernel %s(%s) forall %s {" % (name, ", ".join(params + moreParams), ", ".join(ranges))] + self.indent(body) + ["}"]
        array = self.name("a")
        made += self.arrayOf(array, t, [extent for _, extent in sizes]) if t != "bool" else ["let %s = zeros[bool](%s)" % (array, ", ".join(str(e) for _, e in sizes))]
        call = "%s(%s)" % (name, ", ".join(arguments + [array] + moreArguments))
        count = 1
        for _, extent in sizes:
            count *= extent
        host = made + [call] * self.r.choice([1, 1, 2]) + self.show(array, t, count)
        if len(dims) == 2 and t != "bool" and self.chance(0.5):
            self.use("host.row")
            host.append('print("{}", %s[%d])' % (array, self.r.randrange(sizes[0][1])))
        if len(dims) == 1 and t != "bool" and self.chance(0.3):
            self.use("host.slice")
            self.use("host.copy")
            half = sizes[0][1] // 2
            other = self.name("a")
            host += ["let %s = copy(%s[%d..])" % (other, array, half), 'print("{}", %s)' % other]
        return lines, host

    def kernel_forall1(self, scope, name):
        self.use("kernel.forall.1")
        return self.forall(scope, name, [self.name("at")])

    def kernel_forall2(self, scope, name):
        self.use("kernel.forall.2")
        return self.forall(scope, name, [self.name("at"), self.name("j")])

    def kernel_forall3(self, scope, name):
        self.use("kernel.forall.3")
        return self.forall(scope, name, [self.name("at"), self.name("j"), self.name("k")])

    def kernel_inplace(self, scope, name):
        self.use("kernel.inplace")
        return self.forall(scope, name, [self.name("at")], inPlace=True)

    def kernel_inner(self, scope, name):
        self.use("kernel.inner")
        return self.forall(scope, name, [self.name("at") for _ in range(self.r.choice([1, 2]))], border=1)

    def kernel_blocks(self, scope, name):
        self.use("kernel.blocks")
        inner = Scope(scope)
        threads = self.r.choice([32, 64, 96, 256])
        size, extent = self.name("n"), self.r.choice([1, 31, 100, 300])
        params, made, arguments = self.inputs(inner, [(size, extent)])
        moreParams, moreArguments = self.scalars(inner)
        b, t, i = self.name("b"), self.name("t"), self.name("at")
        kind, out = self.typeOf(NUMBERS[:-1]), self.name("y")
        params.append("mut %s: [%s; ceil_div(%s, %d)]" % (out, kind, size, threads))
        tile, one = self.name("tile"), self.name("one")
        self.use("shared.array")
        self.use("barrier")
        static, count = "", str(threads)
        if self.chance(0.4):
            self.use("kernel.const")
            static, count = "[const SIZE: index = %d]" % threads, "SIZE"
            params[-1] = "mut %s: [%s; ceil_div(%s, SIZE)]" % (out, kind, size)
        body = ["shared %s: [%s; %s]" % (tile, kind, count)]
        useOne = self.chance(0.4)
        if useOne:
            self.use("shared.scalar")
            body.append("shared %s: %s" % (one, kind))
        body.append("let %s = %s * %s + %s" % (i, b, count, t))
        inner.values += [(b, "index"), (t, "index"), (i, "index")]
        if self.chance(0.5):
            self.use("block.index")
            self.use("thread.index")
            extra = self.name("v")
            body.append("let %s = index(block.index) + index(thread.index)" % extra)
            inner.values.append((extra, "index"))
        body += self.block(inner, self.r.randrange(1, 4), {})
        mine = self.name("w")
        body.append("var %s: %s = %s" % (mine, kind, self.expr(kind, inner)))
        inner.variables.append((mine, kind))
        body += self.block(inner, self.r.randrange(0, 3), {})
        body += ["%s[%s] = %s" % (tile, t, mine), "barrier()"]
        if useOne:
            body += ["if %s == %d { %s = %s }" % (t, self.r.randrange(threads), one, mine), "barrier()", "%s = max(%s, %s)" % (mine, mine, one)]
        rounds = self.r.randrange(0, 4)
        if rounds:
            self.use("barrier.loop")
            other = self.name("o")
            step = self.name("d")
            body += ["for %s in 0..%d {" % (step, rounds),
                     "    let %s = %s[(%s + (index(1) << %s)) %% %s]" % (other, tile, t, step, count),
                     "    barrier()",
                     "    %s[%s] = %s" % (tile, t, self.r.choice(["max(%s, %s[%s])", "min(%s, %s[%s])", "%s + %s[%s]"]) % (other, tile, t)),
                     "    barrier()", "}", "%s = %s[%s]" % (mine, tile, t)]
        which = self.r.choice(["sum", "min", "max"] if kind in INTS else ["min", "max", "sum"])
        self.use("block." + which)
        total = self.name("v")
        body.append("let %s = block.%s(%s)" % (total, which, mine))
        inner.values.append((total, kind))
        body.append("if %s == 0 { %s[%s] = %s }" % (t, out, b, self.expr(kind, inner, 1) if self.chance(0.3) else total))
        lines = ["kernel %s%s(%s)" % (name, static, ", ".join(params + moreParams)),
                 "    blocks %s in 0..ceil_div(%s, %s) threads %s in 0..%s {" % (b, size, count, t, count)] + self.indent(body) + ["}"]
        array = self.name("a")
        blocks = -(-extent // threads)
        host = made + ["let %s = zeros[%s](%d)" % (array, kind, blocks), "%s(%s)" % (name, ", ".join(arguments + [array] + moreArguments))]
        return lines, host + self.show(array, kind, blocks)

    def kernel_blocks2(self, scope, name):
        """Blocks and threads in two dimensions; each thread has its own element."""
        self.use("kernel.blocks.2")
        self.use("kernel.threads.2")
        inner = Scope(scope)
        h, w = self.name("n"), self.name("n")
        eh, ew = self.r.choice([3, 8, 20]), self.r.choice([1, 9, 40])
        params, made, arguments = self.inputs(inner, [(h, eh), (w, ew)])
        kind, out = self.typeOf(NUMBERS[:-1]), self.name("y")
        params.append("mut %s: [%s; %s, %s]" % (out, kind, h, w))
        by, bx, ty, tx, i, j = (self.name(s) for s in ("b", "b", "t", "t", "row", "col"))
        body = ["let %s = %s * 4 + %s" % (i, by, ty), "let %s = %s * 16 + %s" % (j, bx, tx)]
        inner.values += [(i, "index"), (j, "index"), (ty, "index")]
        here = Scope(inner)
        here.points += [(i, h), (j, w)]
        own = [("%s[%s, %s]" % (out, i, j), kind)]
        inside = self.block(here, self.r.randrange(1, 4), {"own": own})
        inside.append("%s = %s" % (own[0][0], self.expr(kind, here)))
        if self.chance(0.5):
            self.use("return")
            body += ["if %s >= %s or %s >= %s { return }" % (i, h, j, w)] + inside
        else:
            body += ["if %s < %s and %s < %s {" % (i, h, j, w)] + self.indent(inside) + ["}"]
        lines = ["kernel %s(%s)" % (name, ", ".join(params)),
                 "    blocks %s in 0..ceil_div(%s, 4), %s in 0..ceil_div(%s, 16) threads %s in 0..4, %s in 0..16 {" % (by, h, bx, w, ty, tx)] + self.indent(body) + ["}"]
        array = self.name("a")
        host = made + ["let %s = zeros[%s](%d, %d)" % (array, kind, eh, ew), "%s(%s)" % (name, ", ".join(arguments + [array]))]
        return lines, host + self.show(array, kind, eh * ew)

    def kernel_tile(self, scope, name):
        """A transposition through shared memory."""
        self.use("shared.tile")
        h, w = self.name("n"), self.name("n")
        eh, ew = self.r.choice([1, 8, 19]), self.r.choice([5, 8, 30])
        inner = Scope(scope)
        kind = self.typeOf(NUMBERS[:-1])
        x, y = self.name("x"), self.name("y")
        value = self.name("v")
        inner.values.append((value, kind))
        lines = ["kernel %s(%s: [%s; %s, %s], mut %s: [%s; %s, %s])" % (name, x, kind, h, w, y, kind, w, h),
                 "    blocks p in 0..ceil_div(%s, 8), q in 0..ceil_div(%s, 8) threads r in 0..8, s in 0..8 {" % (h, w),
                 "    shared tile: [%s; 8, 9]" % kind,
                 "    if p * 8 + r < %s and q * 8 + s < %s {" % (h, w),
                 "        let %s = %s[p * 8 + r, q * 8 + s]" % (value, x),
                 "        tile[r, s] = %s" % self.expr(kind, inner),
                 "    }",
                 "    barrier()",
                 "    if q * 8 + r < %s and p * 8 + s < %s { %s[q * 8 + r, p * 8 + s] = tile[s, r] }" % (w, h, y),
                 "}"]
        a, b = self.name("a"), self.name("a")
        host = self.arrayOf(a, kind, [eh, ew]) + ["let %s = zeros[%s](%d, %d)" % (b, kind, ew, eh), "%s(%s, %s)" % (name, a, b)]
        return lines, host + self.show(b, kind, eh * ew)

    def text(self):
        scope = Scope()
        lines = []
        for _ in range(self.r.randrange(0, 3)):
            name = self.name("C")
            if self.chance(0.5):
                self.use("const.untyped")
                lines.append("const %s = %d" % (name, self.r.randrange(100)))
                t = self.r.choice(["i32", "u8", "i64", "index", "u64", "f32"])
                scope.values.append(("%s(%s)" % (t, name), t))
            else:
                t = self.typeOf()
                self.use("const")
                lines.append("const %s: %s = %s" % (name, t, self.literal(t).replace("index(", "(")))
                scope.values.append((name, t))
        if self.chance(0.2):
            self.use("alias")
            lines.append("type Real = f32")
            name = self.name("fun")
            lines.append("fn %s(x: Real) -> Real = x * x" % name)
            scope.functions.append({"name": name, "result": "f32", "params": [("x", "f32")]})
        constants = list(scope.values)
        for _ in range(self.r.randrange(1, 5)):
            lines += self.function(scope)
        host = []
        for k in range(self.r.randrange(1, 4)):
            kernelLines, hostLines = self.kernel(scope, k)
            lines += kernelLines
            host += hostLines
        assert scope.values == constants
        return "\n".join(lines + host) + "\n"


class Indices(Program):
    """A program around one kernel whose indices may or may not be in range: for `--verify-proofs`, which tells a check that was
    taken for superfluous from one that was not."""

    def linear(self, names, depth=1):
        r = self.r
        text = r.choice(names)
        form = r.randrange(12)
        if form == 0:
            return str(r.randrange(0, 6))
        if form == 1:
            text = "%s * %d" % (text, r.choice([2, 3, 4]))
        elif form == 2:
            text = "%s / %d" % (text, r.choice([2, 3, 4]))
        elif form == 3:
            text = "%s %% %s" % (text, r.choice(["n", "m", "7", "4"]))
        elif form == 4:
            text = "%s & %d" % (text, r.choice([1, 3, 7, 15]))
        elif form == 5 and depth:
            text = "min(%s, %s)" % (self.linear(names, 0), self.linear(names, 0))
        elif form == 6 and depth:
            text = "max(%s, %s)" % (self.linear(names, 0), self.linear(names, 0))
        elif form == 7 and depth:
            text = "clamp(%s, %s, %s)" % (self.linear(names, 0), self.linear(names, 0), self.linear(names, 0))
        elif form == 8 and depth:
            text = "abs(%s)" % self.linear(names, 0)
        elif form == 9 and depth:
            text = "%s * %s" % (r.choice(names), r.choice(names))
        elif form == 10 and depth:
            text = "pick(%s, %s)" % (self.linear(names, 0), self.linear(names, 0))
        if self.chance(0.5):
            text = "(%s) %s %s" % (text, r.choice(["+", "-"]), r.choice([r.choice(names), str(r.randrange(0, 4))]))
        return text

    def condition(self, names):
        parts = ["%s %s %s" % (self.linear(names), self.r.choice(["<", "<", "<=", ">", ">=", "==", "!="]), self.linear(names))
                 for _ in range(self.r.randrange(1, 3))]
        return self.r.choice([" and ", " and ", " or "]).join("%s" % part for part in parts)

    def access(self, names):
        array, sizes = self.r.choice([("x", 1), ("x", 1), ("z", 1), ("w", 2), ("flat", 1)])
        indices = [self.linear(names) for _ in range(sizes)]
        if self.chance(0.2) and sizes == 1:
            return "at(%s, %s)" % (array, indices[0])
        return "%s[%s]" % (array, ", ".join(indices))

    def lines_(self, names, variables, depth):
        r = self.r
        lines = []
        for _ in range(r.randrange(1, 4)):
            form = r.randrange(9) if depth else r.randrange(5)
            if form < 2:
                lines.append("total += %s" % self.access(names))
            elif form == 2:
                name = self.name("v")
                lines.append("let %s: index = %s" % (name, self.linear(names)))
                names = [*names, name]
            elif form == 3 and variables:
                lines.append("%s %s= %s" % (r.choice(variables), r.choice(["+", "-", "*", ""]), self.linear(names)))
            elif form == 4:
                name = self.name("u")
                lines.append("var %s: index = %s" % (name, self.linear(names)))
                names, variables = [*names, name], [*variables, name]
            elif form == 5:
                lines += ["if %s {" % self.condition(names)] + self.indent(self.lines_(names, variables, depth - 1)) + ["}"]
                if self.chance(0.3):
                    lines[-1:] = ["} else {"] + self.indent(self.lines_(names, variables, depth - 1)) + ["}"]
            elif form == 6:
                name = self.name("k")
                low, high = self.linear(names), self.linear(names)
                if self.chance(0.3):
                    head = "for %s in %s..%s step -%d" % (name, low, high, r.randrange(1, 4))
                else:
                    head = "for %s in %s..%s step %d" % (name, low, high, r.randrange(1, 4))
                body = self.lines_([*names, name], variables, depth - 1)
                if self.chance(0.3):
                    body.append("if %s { %s }" % (self.condition([*names, name]), r.choice(["break", "continue"])))
                lines += [head + " {"] + self.indent(["fuel -= 1", "if fuel < 0 { break }"] + body) + ["}"]
            elif form == 7 and variables:
                name = r.choice(variables)
                step = r.choice(["%s += %d", "%s -= %d", "%s *= %d", "%s /= %d"]) % (name, r.randrange(1, 4))
                body = self.lines_(names, variables, depth - 1)
                if self.chance(0.3):
                    body.append("if %s { %s }" % (self.condition(names), r.choice(["break", "continue"])))
                body.insert(r.randrange(len(body) + 1), step)
                lines += ["while %s {" % self.condition([*names, name])] + self.indent(["fuel -= 1", "if fuel < 0 { break }"] + body) + ["}"]
            elif form == 8:
                lines.append("if %s { return }" % self.condition(names))
        return lines

    def text(self):
        r = self.r
        n, m = r.choice([1, 2, 5, 8, 33]), r.choice([1, 3, 8, 20])
        low, high = r.choice([("0", "n"), ("0", "n"), ("1", "n - 1"), ("0", "m"), ("2", "n + 2"), ("c", "n")])
        names = ["i", "i", "n", "m", "c"]
        body = ["var total = 0.0", "var fuel = 60"] + self.lines_(names, [], 3) + ["if i >= 0 and i < n { y[i] = total }"]
        lines = ["fn at(x: [f32; n], i: index) -> f32 = x[i]",
                 "fn pick(a: index, b: index) -> index = if a < b { a } else { b }",
                 "kernel go(x: [f32; n], z: [f32; m], w: [f32; n, m], flat: [f32; n * m], mut y: [f32; n], c: i32) forall i in %s..%s {" % (low, high)]
        lines += self.indent(body) + ["}", "let y = zeros[f32](%d)" % n,
                 "go(ones[f32](%d), ones[f32](%d), ones[f32](%d, %d), ones[f32](%d), y, %d)" % (n, m, n, m, n * m, r.randrange(-2, 5)),
                 'print("{}", y)']
        return "\n".join(lines) + "\n"


FEATURES_SET = set(FEATURES)


def main():
    if sys.argv[1:] == ["--features"]:
        print("\n".join(FEATURES))
        return
    made = Indices(int(sys.argv[2])) if sys.argv[1] == "--indices" else Program(int(sys.argv[1]))
    print(made.text(), end="")


if __name__ == "__main__":
    main()
