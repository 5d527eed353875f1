# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Structs and enums: declarations with methods and operators, values of them, what is taken out of them and changed in them.

The type of a struct is ("struct", name), that of an enum ("enum", name); `structs` and `enums` say what is in them."""
from core import Scope
from expressions import Expressions
from vocabulary import ARITHMETIC, FLOATS, INTS, SIGNED, UNSIGNED, kindOf

BINARY = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
COMPARES = ["<", "<=", ">", ">="]


class Structs(Expressions):
    def memberType(self):
        form = self.r.randrange(10)
        if form < 6:
            return self.typeOf()
        if form == 6 and self.enums:
            return self.r.choice(self.enumTypes())
        if form == 7 and self.structs:
            self.use("struct.nested")
            return self.r.choice(self.structTypes())
        return self.compositeType(0)

    def structTypes(self):
        return [("struct", name) for name in self.structs]

    def enumTypes(self):
        return [("enum", name) for name in self.enums]

    # ---- declarations ----
    def declarations(self, scope):
        """Some enums and structs, the later of which may hold the earlier."""
        lines = []
        if self.chance(0.5):
            name = self.name("Enum")
            self.use("enum")
            self.enums[name] = [self.name("e") for _ in range(self.r.randrange(1, 6))]
            lines += ["enum %s {" % name, "    " + ", ".join(self.enums[name]), "}"] if self.chance(0.3) else [
                "enum %s { %s }" % (name, ", ".join(self.enums[name]))]
            if self.chance(0.4):
                lines += self.enumOperator(("enum", name))
        for _ in range(self.r.choice([1, 1, 2])):
            lines += self.genericStruct() if self.chance(0.25) else self.struct()
        return lines

    def enumOperator(self, t):
        self.use("operator.enum")
        names = self.enums[t[1]]
        self.operators.append({"op": "+", "result": t, "params": [t, "i32"], "host": True})
        return ["operator +(a: %s, b: i32) -> %s = if b & 1 == 0 { a } else { .%s }" % (t[1], t[1], self.r.choice(names))]

    def struct(self):
        self.use("struct")
        name = self.name("Struct")
        t = ("struct", name)
        members = [(self.name("m"), self.memberType()) for _ in range(self.r.randrange(1, 6))]
        lines = ["struct %s {" % name]
        defaults = {}
        for k, (member, of) in enumerate(members):
            default = ""
            if defaults or self.chance(0.3):  # those behind one have some as well
                self.use("struct.default")
                defaults[member] = True
                default = " = " + self.constantOf(of)
            lines.append("    %s: %s%s" % (member, self.spell(of), default))
        if self.chance(0.3):  # on one line
            lines = [lines[0], "    " + ", ".join(line.strip() for line in lines[1:])]
        self.structs[name] = {"members": members, "defaults": defaults, "make": name, "methods": []}
        for _ in range(self.r.randrange(0, 4)):
            lines += self.indent(self.method(t))
        lines.append("}")
        for _ in range(self.r.randrange(0, 3)):
            made = self.operator(t)
            if self.chance(0.3):  # beside the members
                self.use("operator.inside")
                lines[lines.index("}") :lines.index("}")] = self.indent(made)
            else:
                lines += made
        return lines

    def genericStruct(self):
        """Members of the types that are given; two instances."""
        self.use("struct.generic")
        name, a, b, swapped, changed = (self.name(s) for s in ("Pair", "m", "m", "method", "method"))
        lines = ["struct %s[T: Number, U: Number = i32] {" % name, "    %s: T, %s: U" % (a, b),
                 "    fn %s(self) -> %s[U, T] = %s(self.%s, self.%s)" % (swapped, name, name, b, a),
                 "    fn %s(mut self, by: T) { self.%s = by; self.%s = U(by) }" % (changed, a, b), "}"]
        T, U = self.typeOf(ARITHMETIC), self.typeOf(ARITHMETIC)
        for x, y in dict.fromkeys([(T, U), (U, T)]):
            text = "%s[%s]" % (name, x) if y == "i32" and self.chance(0.6) else "%s[%s, %s]" % (name, x, y)
            self.structs[text] = {"members": [(a, x), (b, y)], "defaults": {}, "make": self.r.choice([name, text]), "methods": []}
        known = {tuple(of for _, of in s["members"]): text for text, s in self.structs.items() if text.startswith(name + "[")}
        for text, s in self.structs.items():
            if text.startswith(name + "["):
                x, y = (of for _, of in s["members"])
                s["methods"] = [{"name": swapped, "result": ("struct", known[y, x]), "params": [], "host": True, "form": "self"},
                                {"name": changed, "result": "nothing", "params": [("by", x)], "host": True, "form": "mut"}]
        if self.chance(0.5):
            self.use("operator.generic")
            lines.append("operator +[T: Number, U: Number](a: %s[T, U], b: %s[T, U]) -> %s[T, U] = %s(max(a.%s, b.%s), min(a.%s, b.%s))" % (
                name, name, name, name, a, a, b, b))
            self.operators += [{"op": "+", "result": ("struct", text), "params": [("struct", text)] * 2, "host": True}
                               for text in known.values() if not set(of for _, of in self.structs[text]["members"]) & set(FLOATS)]
        return lines

    def inside(self, values, variables=()):
        """The scope of a body, which is for the host as well or not: (scope, whether)."""
        inner = Scope()
        inner.values, inner.variables = list(values), list(variables)
        self.inKernel, self.onHost, self.depth = True, self.chance(0.6), self.depth + 1
        return inner, self.onHost

    def outside(self):
        self.inKernel, self.onHost, self.depth = False, False, self.depth - 1

    def method(self, t):
        form = self.r.choice(["self", "self", "mut", "static"])
        self.use({"self": "method", "mut": "method.mut", "static": "method.static"}[form])
        name = self.name("method")
        params = [(self.name("p"), self.typeOf()) for _ in range(self.r.randrange(0, 3))]
        heads = {"self": ["self"], "mut": ["mut self"], "static": []}[form] + ["%s: %s" % p for p in params]
        members = [("self." + member, of) for member, of in self.structs[t[1]]["members"]] + [("self", t)]
        values, variables = {"self": (members + params, []), "mut": (params, members), "static": (params, [])}[form]
        inner, host = self.inside(values, variables)
        if form == "mut":
            body = [line for _ in range(self.r.randrange(1, 4)) for line in self.r.choice([self.stmt_assign, self.stmt_opassign, self.stmt_if])(inner, {})]
            lines, result = ["fn %s(%s) {" % (name, ", ".join(heads))] + self.indent(body or ["return"]) + ["}"], "nothing"
        else:
            result = t if form == "static" or self.chance(0.3) else self.typeOf() if self.chance(0.8) else self.compositeType(0)
            spelled = self.r.choice(["Self", t[1]]) if result == t else self.spell(result)
            if self.chance(0.5):
                lines = ["fn %s(%s) -> %s = %s" % (name, ", ".join(heads), spelled, self.expr(result, inner, 2))]
            else:
                body = self.block(inner, self.r.randrange(0, 3), {})
                lines = ["fn %s(%s) -> %s {" % (name, ", ".join(heads), spelled)] + self.indent(body + [self.expr(result, inner, 1)]) + ["}"]
        self.outside()
        self.structs[t[1]]["methods"].append({"name": name, "result": result, "params": params, "host": host, "form": form})
        return lines

    def operator(self, t):
        """What a sign means for the struct and itself, or a number."""
        form = self.r.choice(["binary", "binary", "compare", "equal", "unary", "mixed"])
        op = self.r.choice({"binary": BINARY, "compare": COMPARES, "equal": ["=="], "unary": ["-", "~"], "mixed": BINARY}[form])
        other = self.typeOf(["f32", "i32", "u8", "f64"])
        params = {"unary": [t], "mixed": self.r.choice([[t, other], [other, t]])}.get(form, [t, t])
        if any(o["op"] == op and len(o["params"]) == len(params) and t in o["params"] for o in self.operators):
            return []
        self.use("operator." + form)
        names = [self.name("p") for _ in params]
        inner, host = self.inside(zip(names, params))
        result = "bool" if form in ("compare", "equal") else t
        self.equated = t if op == "==" else None
        text = self.expr(result, inner, 2)
        self.equated = None
        self.outside()
        self.operators.append({"op": op, "result": result, "params": params, "host": host})
        head = "operator %s(%s) -> %s" % (op, ", ".join("%s: %s" % (p, self.spell(of)) for p, of in zip(names, params)), self.spell(result))
        return ["%s = %s" % (head, text) if self.chance(0.5) else "%s { %s }" % (head, text)]

    # ---- values ----
    def value_makestruct(self, t, scope, depth):
        known = self.structs[t[1]]
        arguments, named = [], False
        for member, of in known["members"]:
            if member in known["defaults"] and self.chance(0.4):
                self.use("struct.left.out")
                named = True
                continue
            text = self.expr(of, scope, depth)
            if kindOf(of) == "enum" and self.chance(0.4):
                self.use("enum.dot")
                text = "." + self.r.choice(self.enums[of[1]])
            if named or self.chance(0.2):
                self.use("struct.named")
                named = True
                text = "%s: %s" % (member, text)
            arguments.append(text)
        self.use("struct.make")
        return "%s(%s)" % (known["make"], ", ".join(arguments))

    def value_makeenum(self, t, scope, depth):
        self.use("enum.make")
        return "%s.%s" % (t[1], self.r.choice(self.enums[t[1]]))

    def operatorOf(self, t, scope, depth):
        fitting = [o for o in self.operators if o["result"] == t and (o["host"] or not self.onHost)]
        if not fitting or self.depth > 2:
            return None
        o = self.r.choice(fitting)
        self.use("operator.call")
        operands = [self.expr(of, scope, min(depth, 1)) for of in o["params"]]
        return "(%s %s %s)" % (operands[0], o["op"], operands[1]) if len(operands) == 2 else "(%s%s)" % (o["op"], operands[0])

    def value_operator(self, t, scope, depth):
        return self.operatorOf(t, scope, depth)

    def methodOf(self, t, scope, depth):
        fitting = [(name, m) for name, s in self.structs.items() for m in s["methods"]
                   if m["result"] == t and m.get("form") in ("self", "static") and (m["host"] or not self.onHost)]
        if not fitting or self.depth > 2:
            return None
        name, m = self.r.choice(fitting)
        self.use("method.call")
        arguments = ", ".join(self.expr(of, scope, min(depth, 1)) for _, of in m["params"])
        whole = name if m["form"] == "static" else self.expr(("struct", name), scope, min(depth, 1))
        return "%s.%s(%s)" % (whole, m["name"], arguments)

    def value_method(self, t, scope, depth):
        return self.methodOf(t, scope, depth)

    def expr_method(self, t, scope, depth):
        return self.methodOf(t, scope, depth)

    def expr_structs(self, t, scope, depth):
        """A bool of two structs, tuples or enums; a number of an enum; a member of an element."""
        if t == "bool" and self.chance(0.6):
            if self.chance(0.4):
                return self.operatorOf(t, scope, depth)
            types = self.structTypes() + self.enumTypes()
            if not types:
                return None
            of = self.r.choice(types)
            op = self.r.choice(["==", "!="])
            # A body that is being generated must not use what is declared behind it, nor itself.
            if of == self.equated or any(o["op"] == "==" and not o["host"] and of in o["params"] for o in self.operators) and self.onHost:
                return None
            if of[0] == "enum":
                self.use("enum.equal")
                if self.chance(0.5):
                    self.use("enum.dot")
                    return "(%s %s .%s)" % (self.expr(of, scope, depth), op, self.r.choice(self.enums[of[1]]))
            else:
                self.use("struct.equal")
            return "(%s %s %s)" % (self.expr(of, scope, depth), op, self.expr(of, scope, depth))
        if t in INTS and self.enums and self.chance(0.4):
            self.use("enum.number")
            text = "i32(%s)" % self.expr(self.r.choice(self.enumTypes()), scope, depth)
            return text if t == "i32" else "%s(%s)" % (t, text)
        views = [v for v in scope.views if kindOf(v[1]) == "struct"]
        if not views:
            return None
        view = self.r.choice(views)
        parts = self.parts(t, "", view[1], scope)
        if not parts:
            return None
        self.use("element.member")
        return self.element(view, scope, depth) + self.r.choice(parts)

    # ---- statements ----
    def place(self, text, t, scope):
        """A part of a place, down to what is no struct: (text, type)."""
        while kindOf(t) == "struct":
            member, t = self.r.choice(self.structs[t[1]]["members"])
            text = "%s.%s" % (text, member)
        return text, t

    def stmt_member(self, scope, context):
        """Changes a member of a variable, or of the point's own element."""
        places = [v for v in scope.variables + context.get("own", []) if kindOf(v[1]) == "struct"]
        if not places:
            return []
        text, t = self.place(*self.r.choice(places), scope)
        self.use("struct.assign")
        if (t in FLOATS or t in INTS and not (self.onHost and t in SIGNED)) and self.chance(0.5):
            op, value = self.opAssign(t, scope)
            return ["%s %s= %s" % (text, op, value)]
        if kindOf(t) == "enum" and self.chance(0.5):
            self.use("enum.dot")
            return ["%s = .%s" % (text, self.r.choice(self.enums[t[1]]))]
        return ["%s = %s" % (text, self.expr(t, scope, 1))]

    def stmt_methodmut(self, scope, context):
        if self.depth > 2:
            return []
        places = [(text, m) for text, t in scope.variables + context.get("own", []) if kindOf(t) == "struct" for m in self.structs[t[1]]["methods"]
                  if m.get("form") == "mut" and (m["host"] or not self.onHost)]
        if not places:
            return []
        text, m = self.r.choice(places)
        self.use("method.mut.call")
        return ["%s.%s(%s)" % (text, m["name"], ", ".join(self.expr(of, scope, 1) for _, of in m["params"]))]

    def stmt_operatorassign(self, scope, context):
        """a += b by the declared operator."""
        fitting = [(name, o) for name, t in scope.variables for o in self.operators
                   if len(o["params"]) == 2 and o["params"][0] == o["result"] == t and (o["host"] or not self.onHost)]
        if not fitting or self.depth > 2:
            return []
        name, o = self.r.choice(fitting)
        self.use("operator.assign")
        return ["%s %s= %s" % (name, o["op"], self.expr(o["params"][1], scope, 1))]

    # ---- host values, which depend on a number ----
    def hostValue(self, t, i):
        """A value that differs from element to element, made of the index variable `i`."""
        kind = kindOf(t)
        if kind == "scalar":
            if t == "bool":
                return "(%s %% %d == 1)" % (i, self.r.randrange(2, 5))
            return "%s(i32(%s) * %d - %d)" % (t, i, self.r.randrange(1, 500), self.r.randrange(300))
        if kind == "enum":
            names = self.enums[t[1]]
            return "(if %s %% 3 == 1 { %s.%s } else { .%s })" % (i, t[1], self.r.choice(names), self.r.choice(names))
        if kind == "struct":
            return "%s(%s)" % (t[1], ", ".join(self.hostValue(of, i) for _, of in self.structs[t[1]]["members"]))
        if kind == "tuple":
            return "(%s)" % ", ".join(self.hostValue(of, i) for of in t[1:])
        if kind == "array" and t[2] > 4:
            return "[%s; %d]" % (self.hostValue(t[1], i), t[2])
        items = ", ".join(self.hostValue(t[1], i) for _ in range(t[2]))
        return "%s(%s)" % (self.spell(t), items) if kind == "vec" else "[%s]" % items
