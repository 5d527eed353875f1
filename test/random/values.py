# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vectors, array values and tuples: expressions that make them, scalars out of them, and statements that change them."""
from structs import Structs
from vocabulary import ARITHMETIC, COMPARE, FLOATS, HALF, INTS, SIGNED, kindOf

BITS = {**INTS, **FLOATS}


class Values(Structs):
    def composite(self, t, scope, depth):
        r = self.r
        kind = kindOf(t)
        names = [name for name, of in scope.values + scope.variables if of == t]
        if kind == "vec" and t[1] == "bool":
            return r.choice(names) if names and self.chance(0.4) else self.mask(t, scope, depth)
        if names and (depth <= 0 or self.chance(0.3)):
            return r.choice(names)
        choices = ["make", "make"] if depth > 0 or kind == "tuple" else ["make"]
        if depth > 0:
            choices += ["if", "call", "element"]
            if kind in ("vec", "array"):
                choices += ["slice", "slice", "select"]
            if kind == "vec":
                choices += ["bitcast", "splat", "splat", "join", "convert", "arithmetic", "arithmetic", "arithmetic", "scaled", "math", "neg", "swizzle"]
            if kind == "array":
                choices += ["repeat"]
            if kind in ("struct", "enum"):
                choices += ["method", "operator"]
        for _ in range(4):
            text = getattr(self, "value_" + r.choice(choices))(t, scope, depth - 1)
            if text:
                return text
        return self.value_make(t, scope, 0)

    def value_if(self, t, scope, depth):
        return self.expr_if(t, scope, depth)

    def value_call(self, t, scope, depth):
        return self.expr_call(t, scope, depth)

    def value_element(self, t, scope, depth):
        return self.expr_element(t, scope, depth) or self.expr_item(t, scope, depth)

    def value_make(self, t, scope, depth):
        kind = kindOf(t)
        if kind in ("struct", "enum"):
            return self.value_makestruct(t, scope, depth) if kind == "struct" else self.value_makeenum(t, scope, depth)
        self.use(kind + ".make")
        if kind == "vec":
            if t[2] > 4:
                return self.value_splat(t, scope, depth)
            return "%s(%s)" % (self.spell(t), ", ".join(self.expr(t[1], scope, depth) for _ in range(t[2])))
        if kind == "array":
            if t[2] > 8:
                return self.value_repeat(t, scope, depth)
            numbers = t[1] if kindOf(t[1]) != "array" else t[1][1]
            if t[2] > 1 and numbers in ARITHMETIC and self.chance(0.3):
                # One item tells the type of the others.
                self.use("list.mixed")
                items = [self.bareList(t[1], []) if t[1] == numbers else self.bareList(numbers, [t[1][2]]) for _ in range(t[2])]
                items[self.r.randrange(t[2])] = self.expr(t[1], scope, depth)
                return "[%s]" % ", ".join(items)
            return "[%s]" % ", ".join(self.expr(t[1], scope, depth) for _ in range(t[2]))
        return "(%s)" % ", ".join(self.expr(item, scope, depth) for item in t[1:])

    def value_repeat(self, t, scope, depth):
        self.use("array.repeat")
        return "[%s; %d]" % (self.expr(t[1], scope, depth), t[2])

    def value_splat(self, t, scope, depth):
        self.use("vec.splat")
        return "%s(%s)" % (self.spell(t), self.expr(t[1], scope, depth))

    def value_join(self, t, scope, depth):
        if t[2] not in (3, 4, 8, 16):
            return None
        self.use("vec.join")
        if t[2] == 3:
            return "%s(%s, %s)" % (self.spell(t), self.expr(("vec", t[1], 2), scope, depth), self.expr(t[1], scope, depth))
        half = ("vec", t[1], t[2] // 2)
        return "%s(%s, %s)" % (self.spell(t), self.expr(half, scope, depth), self.expr(half, scope, depth))

    def value_convert(self, t, scope, depth):
        of = ("vec", self.r.choice([x for x in {**INTS, **FLOATS} if x != t[1] and {**INTS, **FLOATS}[x] * t[2] <= 512]), t[2])
        self.use("vec.convert")
        return "%s(%s)" % (self.spell(t), self.expr(of, scope, depth))

    def safeOperand(self, t, op, scope, depth):
        """What may stand behind an operator of vectors: no zero behind a division, no count beyond the width."""
        if op in "/%" and t[1] not in FLOATS:
            return "(%s | 1)" % self.expr(t, scope, depth)
        if op in ("<<", ">>"):
            return "%s(%d)" % (self.spell(t), self.r.randrange(INTS[t[1]]))
        return self.expr(t, scope, depth)

    def vectorOps(self, t):
        if t[1] in FLOATS:
            return ["+", "-", "*", "/", "%"]
        return ["&", "|", "^", ">>"] if self.onHost and t[1] in SIGNED else ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]

    def value_arithmetic(self, t, scope, depth):
        op = self.r.choice(self.vectorOps(t))
        self.use("vec.float" if t[1] in FLOATS else "vec.int")
        return "(%s %s %s)" % (self.expr(t, scope, depth), op, self.safeOperand(t, op, scope, depth))

    def value_scaled(self, t, scope, depth):
        op = self.r.choice([op for op in self.vectorOps(t) if op in "+-*&|^"])
        self.use("vec.scalar")
        pair = [self.expr(t, scope, depth), self.expr(t[1], scope, depth)]
        self.r.shuffle(pair)
        return "(%s %s %s)" % (pair[0], op, pair[1])

    def value_math(self, t, scope, depth):
        self.use("vec.math")
        of = [self.expr(t, scope, depth) for _ in range(3)]
        if t[1] in FLOATS:
            op = self.r.choice(["sqrt", "floor", "abs", "min", "max", "fma", "trunc"])
        else:
            op = self.r.choice(["min", "max"] if self.onHost else ["abs", "min", "max"])
        if op in ("min", "max"):
            return "%s(%s, %s)" % (op, self.plusZero(t[1], of[0]), self.plusZero(t[1], of[1]))
        return "%s(%s)" % (op, ", ".join(of if op == "fma" else of[:1]))

    def value_neg(self, t, scope, depth):
        if t[1] in INTS and (self.onHost or self.chance(0.5)):
            self.use("unary.bitnot.vec")
            return "(~%s)" % self.expr(t, scope, depth)
        if t[1] in INTS and t[1] not in SIGNED:
            return None
        self.use("unary.neg.vec")
        return "(-%s)" % self.expr(t, scope, depth)

    def value_swizzle(self, t, scope, depth):
        if t[2] > 4:
            return None
        count = self.r.choice([2, 3, 4])
        if count * {**INTS, **FLOATS}[t[1]] > 512:
            return None
        self.use("vec.swizzle")
        lanes = "".join(self.r.choice("xyzw"[:count]) for _ in range(t[2]))
        return "%s.%s" % (self.expr(("vec", t[1], count), scope, depth), lanes)

    def value_slice(self, t, scope, depth):
        """Elements of a longer one, next to each other or with gaps."""
        step = self.r.choice([1, 1, 2, 3])
        if kindOf(t) == "vec":
            longer = [n for n in (2, 3, 4, 8, 16) if n >= (t[2] - 1) * step + 1 and n * BITS[t[1]] <= 512]
            if not longer:
                return None
            whole = ("vec", t[1], self.r.choice(longer))
        else:
            if t[2] > 8:
                return None
            whole = ("array", t[1], (t[2] - 1) * step + 1 + self.r.randrange(3))
        first = self.r.randrange(whole[2] - (t[2] - 1) * step)
        last = first + (t[2] - 1) * step
        self.use(kindOf(t) + (".slice" if step == 1 else ".slice.step"))
        high = self.r.randrange(last + 1, min(last + step, whole[2]) + 1)
        return "%s[%d..%d%s]" % (self.expr(whole, scope, depth), first, high, "" if step == 1 else " step %d" % step)

    def value_select(self, t, scope, depth):
        if kindOf(t) == "vec" and self.chance(0.7):
            self.use("vec.select")
            condition = self.mask(("vec", "bool", t[2]), scope, depth)
        else:
            self.use("vec.select.bool" if kindOf(t) == "vec" else "array.select")
            condition = self.expr("bool", scope, depth)
        return "select(%s, %s, %s)" % (condition, self.expr(t, scope, depth), self.expr(t, scope, depth))

    def value_bitcast(self, t, scope, depth):
        """From integers: what floats have no number for has no bits that programs could rely on."""
        bits = BITS[t[1]] * t[2]
        of = [("vec", x, n) for x in INTS for n in (2, 3, 4, 8, 16) if INTS[x] * n == bits] + [x for x in INTS if INTS[x] == bits]
        if not of or t[1] in HALF:
            return None
        self.use("vec.bitcast")
        return "bitcast[%s](%s)" % (self.spell(t), self.expr(self.r.choice(of), scope, depth))

    # ---- vectors of bools ----
    def mask(self, t, scope, depth):
        form = self.r.randrange(8) if depth > 0 else 0
        if form == 5:
            self.use("vec.not")
            return "(not %s)" % self.mask(t, scope, depth - 1)
        if form in (6, 7):
            self.use("vec.logic")
            return "(%s %s %s)" % (self.mask(t, scope, depth - 1), self.r.choice(["and", "or"]), self.mask(t, scope, depth - 1))
        if form == 4:
            self.use("vec.bool")
            if self.chance(0.5) and t[2] <= 4:
                return "%s(%s)" % (self.spell(t), ", ".join(self.expr("bool", scope, 0) for _ in range(t[2])))
            return "%s(%s)" % (self.spell(t), self.expr("bool", scope, depth - 1))
        of = ("vec", self.typeOf([x for x in BITS if BITS[x] * t[2] <= 512]), t[2])
        self.use("vec.compare")
        pair = [self.expr(of, scope, min(depth, 2) - 1), self.expr(of if self.chance(0.7) else of[1], scope, min(depth, 2) - 1)]
        return "(%s %s %s)" % (pair[0], self.r.choice(list(COMPARE)), pair[1])

    def expr_mask(self, t, scope, depth):
        """One bool of a vector of bools."""
        op = self.r.choice(["all", "any"])
        self.use("vec." + op)
        return "%s(%s)" % (op, self.expr(("vec", "bool", self.r.choice([2, 3, 4, 8])), scope, depth))

    # ---- scalars, and parts, out of values ----
    def parts(self, t, text, of, scope):
        """How type `t` is reached from a value `text` of type `of`: texts."""
        if of == t:
            return [text]
        kind = kindOf(of)
        if kind == "tuple":
            return [part for k, item in enumerate(of[1:]) for part in self.parts(t, "%s.%d" % (text, k), item, scope)]
        if kind == "struct":
            return [part for member, item in self.structs[of[1]]["members"] for part in self.parts(t, "%s.%s" % (text, member), item, scope)]
        if kind == "vec" and of[1] == t:
            if of[2] <= 4 and self.chance(0.5):
                return ["%s.%s" % (text, self.r.choice("xyzw"[:of[2]]))]
            return ["%s[%s]" % (text, self.position(of, scope))]
        if kind == "array" and (of[1] == t or kindOf(of[1]) != "scalar"):
            return self.parts(t, "%s[%s]" % (text, self.position(of, scope)), of[1], scope)
        return []

    def position(self, of, scope):
        """An index of an element: a constant, or one that is checked."""
        if self.chance(0.5):
            return str(self.r.randrange(of[2]))
        self.use("vec.item.checked" if kindOf(of) == "vec" else "array.item.checked")
        if scope.points and self.chance(0.5):
            return "%s %% %d" % (self.r.choice(scope.points)[0], of[2])
        return self.safeIndex(str(of[2]), scope, 0)

    def expr_item(self, t, scope, depth):
        values = [(name, of) for name, of in scope.values + scope.variables if kindOf(of) != "scalar"]
        self.r.shuffle(values)
        for name, of in values:
            parts = self.parts(t, name, of, scope)
            if parts:
                self.use({"vec": "vec.item", "array": "array.item", "tuple": "tuple.item", "struct": "struct.member", "enum": "enum.make"}[kindOf(of)])
                return self.r.choice(parts)
        if t not in INTS and t not in FLOATS or self.onHost or depth < 1:
            return None
        if self.chance(0.3):
            op = self.r.choice(["sum", "min", "max"]) if t in INTS else "sum"
            self.use("array." + op)
            return "%s(%s)" % (op, self.expr(("array", t, self.r.randrange(1, 5)), scope, depth))
        of = ("vec", t, self.r.choice([2, 3, 4]))
        op = self.r.choice(["sum", "min", "max", "dot"])
        self.use("vec." + op)
        if op == "dot":
            return "dot(%s, %s)" % (self.expr(of, scope, depth), self.expr(of, scope, depth))
        text = self.expr(of, scope, depth)
        return "%s(%s)" % (op, text if op == "sum" else self.plusZero(t, text))

    # ---- statements ----
    def stmt_mask(self, scope, context):
        name, t = self.name("v"), ("vec", "bool", self.r.choice([2, 3, 4]))
        text = self.mask(t, scope, 2)
        scope.values.append((name, t))
        return ["let %s = %s" % (name, text)]

    def stmt_parts(self, scope, context):
        """Changes several elements of a vector or array value."""
        variables = [(name, t) for name, t in scope.variables if kindOf(t) in ("vec", "array") and 2 <= t[2] <= 8]
        if not variables:
            return []
        name, t = self.r.choice(variables)
        count = self.r.choice([n for n in (2, 3, 4) if n <= t[2]] if kindOf(t) == "vec" else range(1, t[2] + 1))
        of = (t[0], t[1], count)
        if kindOf(t) == "vec" and t[2] <= 4:
            self.use("vec.swizzle.assign")
            place = "%s.%s" % (name, "".join(self.r.sample("xyzw"[:t[2]], count)))
            if self.chance(0.4):
                op = self.r.choice(self.vectorOps(t))
                return ["%s %s= %s" % (place, op, self.safeOperand(of, op, scope, 1))]
            return ["%s = %s" % (place, self.expr(of, scope, 1))]
        if kindOf(t) == "vec":
            return []
        self.use("array.slice.assign")
        step = self.r.choice([s for s in (1, 1, 2, 3) if (count - 1) * s < t[2]])
        first = self.r.randrange(t[2] - (count - 1) * step)
        return ["%s[%d..%d%s] = %s" % (name, first, first + (count - 1) * step + 1, "" if step == 1 else " step %d" % step, self.expr(of, scope, 1))]

    def stmt_composite(self, scope, context):
        t = self.compositeType()
        if self.lists and self.chance(0.4):
            self.use("list.constant")
            text, extents = self.r.choice(self.lists)
            t = self.typeOf(ARITHMETIC)
            for extent in reversed(extents):
                t = ("array", t, extent)
            name = self.name("w")
            scope.variables.append((name, t))
            return ["var %s: %s = %s" % (name, self.spell(t), text)]
        text = self.expr(t, scope, self.r.choice([1, 1, 2]))
        if self.chance(0.5):
            name = self.name("v")
            scope.values.append((name, t))
            # Numbers without a suffix need the type; these have one.
            return ["let %s%s = %s" % (name, ": " + self.spell(t) if self.chance(0.4) else "", text)]
        name = self.name("w")
        scope.variables.append((name, t))
        return ["var %s: %s = %s" % (name, self.spell(t), text)]

    def stmt_part(self, scope, context):
        """Changes an element of a vector or array value."""
        variables = [(name, t) for name, t in scope.variables if kindOf(t) in ("vec", "array")]
        if not variables:
            return []
        name, t = self.r.choice(variables)
        kind = kindOf(t)
        if kind == "vec" and t[2] <= 4 and self.chance(0.5):
            place = "%s.%s" % (name, self.r.choice("xyzw"[:t[2]]))
        else:
            place = "%s[%s]" % (name, self.position(t, scope))
        if t[1] in FLOATS or t[1] in INTS and not (self.onHost and t[1] in SIGNED):
            if self.chance(0.4):
                self.use(kind + ".assign.op")
                op, text = self.opAssign(t[1], scope)
                return ["%s %s= %s" % (place, op, text)]
        self.use(kind + ".assign")
        return ["%s = %s" % (place, self.expr(t[1], scope, 1))]

    def stmt_pick(self, scope, context):
        """One element of a vector or array value, at a place that is known at run time only."""
        values = [(name, t) for name, t in scope.variables + scope.values if kindOf(t) in ("vec", "array")]
        if not values:
            return []
        whole, t = self.r.choice(values)
        name = self.name("v")
        text = "%s[abs(%s %% %d)]" % (whole, self.expr("index", scope, 1), t[2])
        self.use("vec.item.checked" if kindOf(t) == "vec" else "array.item.checked")
        scope.values.append((name, t[1]))
        return ["let %s = %s" % (name, text)]

    def stmt_copyvalue(self, scope, context):
        """A copy that is changed: the first one stays as it was."""
        arrays = [(name, t) for name, t in scope.values + scope.variables if kindOf(t) == "array"]
        if not arrays:
            return []
        self.use("array.copy")
        name, t = self.r.choice(arrays)
        other = self.name("w")
        scope.variables.append((other, t))
        return ["var %s = %s" % (other, name), "%s[%d] = %s" % (other, self.r.randrange(t[2]), self.expr(t[1], scope, 1))]

    def stmt_wholeop(self, scope, context):
        """v += w, of vectors"""
        variables = [(name, t) for name, t in scope.variables if kindOf(t) == "vec"]
        if not variables:
            return []
        name, t = self.r.choice(variables)
        op = self.r.choice(self.vectorOps(t))
        self.use("assign.op")
        self.use("vec.float" if t[1] in FLOATS else "vec.int")
        return ["%s %s= %s" % (name, op, self.safeOperand(t, op, scope, 1))]
