# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs whose indices may or may not be in range."""
from core import Core


class Indices(Core):
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
