# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Expressions of scalar types. Each method returns text that may stand anywhere, or None where it has nothing to say."""
from core import Core, Scope
from vocabulary import (COMPARE, FAMILIES, FLOATS, FLOAT_BINARY, FLOAT_MATH, HALF, INTS, INT_BINARY, INT_MATH, NUMBERS, SCALARS, SIGNED, SMALL, UNSIGNED,
                        family, kindOf)


class Expressions(Core):
    def expr(self, t, scope, depth=None):
        depth = self.r.choice([1, 1, 2, 2, 3]) if depth is None else depth
        if kindOf(t) != "scalar":
            return self.composite(t, scope, depth)
        r = self.r
        names = [name for name, kind in scope.values + scope.variables if kind == t]
        if depth <= 0 or self.chance(0.12):
            if names and self.chance(0.8):
                return r.choice(names)
            # What is known at run time only, where there is something of another type.
            others = [(name, kind) for name, kind in scope.values + scope.variables if kind in SCALARS and kind != t]
            if others and self.chance(0.6):
                name, kind = r.choice(others)
                self.use("convert.bool" if t == "bool" else "convert.%s.%s" % (family(kind), family(t)))
                return "%s(%s)" % (t, name)
            return self.literal(t)
        for _ in range(6):
            text = getattr(self, "expr_" + r.choice(self.choices(t)))(t, scope, depth - 1)
            if text:
                return text
        return self.literal(t)

    def choices(self, t):
        choices = ["leaf", "element", "element", "if", "convert", "call", "block", "reduce", "item", "item"] + ["method", "structs"] * bool(self.structs)
        if t == "bool":
            return choices + ["compare"] * 5 + ["logic"] * 3 + ["not", "all", "library", "mask", "mask"]
        if t == "index":
            return choices + ["indexbinary"] * 5 + ["len", "device", "min", "point", "point"]
        if t in SMALL:
            return choices + ["convert", "convert", "bitcast"]
        if t in FLOATS:
            return choices + ["binary"] * 6 + ["math"] * 4 + ["neg", "bitcast", "clamp", "library", "fold"]
        if self.onHost and t in SIGNED:  # nothing that may overflow
            return choices + ["hostbinary"] * 6 + ["bitnot", "bitcast", "clamp", "min"]
        return choices + ["binary"] * 8 + ["math"] * 2 + ["neg", "bitnot", "bitcast", "clamp", "library", "fold"]

    # A NaN has no sign that programs could rely on, and min and max may take either of 0.0 and -0.0.
    def plusZero(self, t, text):
        return "(%s + 0.0)" % text if t in FLOATS else text

    def notNan(self, t, scope, depth):
        if self.chance(0.3):
            return self.finite(t)
        return "%s(%s)" % (t, self.expr(self.r.choice(["i32", "u8", "i16"]), scope, depth))

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
            if here and self.chance(0.6):
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
        inner = self.expr("index", scope, max(min(depth, 2) - 1, 0))
        form = r.randrange(4)
        if form == 0:
            return "clamp(%s, 0, %s - 1)" % (inner, size)
        if form == 1:
            return "min(abs(%s %% 1000), %s - 1)" % (inner, size)
        if form == 2:
            small = self.expr(r.choice(["u8", "u16", "u32"]), scope, 0)
            return "index(%s) %% %s" % (small, size)
        return "abs(%s %% %s)" % (inner, size)

    def expr_binary(self, t, scope, depth):
        r = self.r
        a, b = self.expr(t, scope, depth), self.expr(t, scope, depth)
        if t in FLOATS:
            op = r.choice(list(FLOAT_BINARY))
            self.use(("half." if t in HALF else "float.") + FLOAT_BINARY[op])
            return "(%s %s %s)" % (a, op, b)
        op = r.choice(list(INT_BINARY))
        self.use("int." + INT_BINARY[op])
        if op in "/%":
            b = "(%s | 1%s)" % (b, t) if self.chance(0.6) else "%d%s" % (r.randrange(1, 100), t)
        if op in ("<<", ">>"):
            names = [name for name, kind in scope.values + scope.variables if kind == t]
            b = r.choice(names) if names and self.chance(0.6) else "%d%s" % (r.randrange(INTS[t]), t)
        return "(%s %s %s)" % (a, op, b)

    def expr_hostbinary(self, t, scope, depth):
        """Signed integers where overflow is an error: kept small."""
        r = self.r
        a, b = self.expr(t, scope, depth), self.expr(t, scope, depth)
        op = r.choice(["+", "-", "*", "%", "&", "|", "^", ">>"])
        self.use("int." + INT_BINARY[op])
        if op in "+-*":
            small = {"i8": 10, "i16": 100}.get(t, 1000)
            return "((%s %% %d) %s (%s %% %d))" % (a, small, op, b, small)
        if op == "%" or op == ">>":
            b = "%d%s" % (r.randrange(1, INTS[t]), t)
        return "(%s %s %s)" % (a, op, b)

    def expr_indexbinary(self, t, scope, depth):
        """Kept small: where statements run on the host, what overflows is an error."""
        a, b = self.expr(t, scope, min(depth, 1)), self.expr(t, scope, 0)
        op = self.r.choice(["+", "-", "*", "/", "%", "&", "|", "^", ">>", "<<", "-x", "~"])
        if op == "-x":
            return "(-(%s %% 1000))" % a
        if op == "~":
            return "(~%s)" % a
        if op == "<<":
            return "((%s %% 1000) << %s)" % (a, self.r.choice(["%d" % self.r.randrange(20), "(%s & 15)" % b]))
        if op == "*":
            return "((%s %% 1000) * (%s %% 1000))" % (a, b)
        if op in "/%":
            return "(%s %s %d)" % (a, op, self.r.randrange(1, 50))
        if op == ">>":
            return "(%s >> %d)" % (a, self.r.randrange(40))
        return "((%s %% 100000) %s (%s %% 100000))" % (a, op, b)

    def expr_fold(self, t, scope, depth):
        """Arithmetic of numbers without suffixes, which take the type of what stands beside them."""
        op = self.r.choice(["+", "-", "*"])
        return "(%s %s (%d %s %d))" % (self.expr(t, scope, depth), op, self.r.randrange(1, 9), self.r.choice("+*"), self.r.randrange(1, 9))

    def expr_math(self, t, scope, depth):
        table = FLOAT_MATH if t in FLOATS else INT_MATH
        op = self.r.choice(list(table))
        self.use("math.%s.%s" % ("half" if t in HALF else "float" if t in FLOATS else "int", op))
        if op == "copysign":
            return "copysign(%s, %s)" % (self.expr(t, scope, depth), self.notNan(t, scope, depth))
        operands = [self.expr(t, scope, depth) for _ in range(table[op])]
        if op in ("min", "max"):
            operands = [self.plusZero(t, operand) for operand in operands]
        return "%s(%s)" % (op, ", ".join(operands))

    def expr_min(self, t, scope, depth):
        return "%s(%s, %s)" % (self.r.choice(["min", "max"]), self.expr(t, scope, depth), self.expr(t, scope, depth))

    def expr_clamp(self, t, scope, depth):
        self.use("clamp")
        return "clamp(%s, %s, %s)" % tuple(self.plusZero(t, self.expr(t, scope, depth)) for _ in range(3))

    def expr_library(self, t, scope, depth):
        """What the prelude declares."""
        self.use("library")
        if t == "bool":
            of = self.r.choice(list(FLOATS))
            return "%s(%s)" % (self.r.choice(["is_nan", "is_finite"]), self.expr(of, scope, depth))
        if t in FLOATS:
            if self.chance(0.25):
                return "lerp(%s, %s, %s)" % tuple(self.expr(t, scope, min(depth, 1)) for _ in range(3))
            return "%s(%s)" % (self.r.choice(["square", "sign", "fract"]), self.expr(t, scope, depth))
        if t in UNSIGNED and self.chance(0.5):
            return "ceil_div(%s, %d)" % (self.expr(t, scope, depth), self.r.randrange(1, 20))
        return "square(%s)" % self.expr(t, scope, depth)

    def expr_neg(self, t, scope, depth):
        if t in UNSIGNED:
            return None
        self.use("unary.neg.half" if t in HALF else "unary.neg.float" if t in FLOATS else "unary.neg.int")
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
        of = self.r.choice([*NUMBERS, "bool"])
        op = self.r.choice(["==", "!="] if of == "bool" else list(COMPARE))
        kind = {"float": "float", "half": "half", "small": "small", "bool": "bool"}.get(family(of), "int")
        self.use("compare.%s.%s" % (COMPARE[op], kind))
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
            self.use("convert.bool")
            return "bool(%s)" % self.expr(self.typeOf(NUMBERS), scope, depth)
        kind = self.r.choice(FAMILIES)  # each as often
        of = self.typeOf([x for x in SCALARS if family(x) == kind and x != t] or ["bool"])
        self.use("convert.%s.%s" % (family(of), family(t)))
        return "%s(%s)" % (t, self.expr(of, scope, depth))

    def expr_bitcast(self, t, scope, depth):
        pairs = {"f32": ["u32", "i32"], "f64": ["u64", "i64"], "f16": ["u16", "i16", "bf16"], "bf16": ["u16", "i16"], "f8e4m3": ["u8", "i8"],
                 "f8e5m2": ["u8", "i8"], "u32": ["i32", "f32"], "i32": ["u32", "f32"], "u64": ["i64", "f64"], "i64": ["u64", "f64"],
                 "u16": ["i16", "f16", "bf16"], "i16": ["u16", "f16", "bf16"], "u8": ["i8", "f8e4m3", "f8e5m2"],
                 "i8": ["u8", "f8e4m3", "f8e5m2"]}
        of = self.r.choice(pairs[t])
        if of in SMALL:  # from what can be no NaN
            self.use("bitcast.bits")
            return "bitcast[%s](%s(%s))" % (t, of, self.expr(self.r.choice(["i32", "u8", "bool"]), scope, depth))
        if of in FLOATS:
            self.use("bitcast.bits")
            return "bitcast[%s](%s)" % (t, self.notNan(of, scope, depth))
        self.use("bitcast.half" if t in HALF else "bitcast.small" if t in SMALL else "bitcast")
        return "bitcast[%s](%s)" % (t, self.expr(of, scope, depth))

    def expr_call(self, t, scope, depth):
        functions = [f for f in scope.functions if f["result"] == t and (not self.onHost or f.get("host"))]
        if not functions or self.depth > 2:
            return None
        f = self.r.choice(functions)
        if self.onHost:
            self.use("host.call")
        arguments = []
        for k, (name, kind) in enumerate(f["params"]):
            if kindOf(kind) == "view":
                text = self.viewArgument(kind, scope)
                if not text:
                    return None
                arguments.append(text)
                continue
            if kindOf(kind) == "fn":
                self.depth += 1
                arguments.append(self.functionArgument(kind, scope))
                self.depth -= 1
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
        static = ""
        if "static" in f:
            static = "[%s%d]" % ("%s: " % f["static"] if self.chance(0.3) else "", self.r.randrange(0, 5))
        return "%s%s(%s)" % (f["name"], static, ", ".join(arguments))

    def viewArgument(self, kind, scope):
        """A view of one dimension for a parameter ("view", element, may have gaps)."""
        views = [v for v in scope.views if v[1] == kind[1] and len(v[2]) == 1 and (kind[2] or v[0] not in self.strided)]
        return self.r.choice(views)[0] if views else None

    def expr_len(self, t, scope, depth):
        arrays = [(name, kind) for name, kind in scope.values + scope.variables if kindOf(kind) == "array"]
        if arrays and self.chance(0.5):
            self.use("array.len")
            return self.r.choice(arrays)[0] + ".len"
        if not scope.views:
            return None
        name, _, sizes = self.r.choice(scope.views)
        if len(sizes) == 1:
            self.use("view.len")
            return name + ".len"
        self.use("view.shape")
        return "%s.shape[%d]" % (name, self.r.randrange(len(sizes)))

    def expr_device(self, t, scope, depth):
        """Of what differs between devices, a part that does not."""
        if self.depth or not (self.inKernel or self.onHost):
            return None  # functions do not know it in kernels
        self.use("device.size")
        name, least = self.r.choice([("multiprocessors", 1), ("max_threads_per_block", 7), ("max_shared_bytes_per_block", 5), ("memory_bytes", 9)])
        return "min(device.%s, %d)" % (name, self.r.randrange(1, least + 1))

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
        if t == "bool" or t in SMALL or not self.inKernel or self.onHost or self.loops > 1:
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
        of = self.expr(t, inner, min(depth, 1))
        text = "%s(%s for %s%s)" % (op, of if op == "sum" else self.plusZero(t, of), ranges, condition)
        self.loops -= 1
        return text

    def expr_all(self, t, scope, depth):
        if not self.inKernel or self.onHost or self.loops > 1:
            return None
        op = self.r.choice(["all", "any"])
        self.use("reduce." + op)
        ranges, inner = self.reduceRange(scope)
        self.loops += 1
        text = "%s(%s for %s)" % (op, self.expr("bool", inner, min(depth, 1)), ranges)
        self.loops -= 1
        return text
