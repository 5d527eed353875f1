# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Block kernels: shared memory, barriers, operations of the block."""
from core import Scope
from forall_kernels import ForallKernels
from vocabulary import ARITHMETIC, FLOATS, HALF, INTS, kindOf


class BlockKernels(ForallKernels):
    def kernel_blocks(self, scope, name):
        self.use("kernel.blocks")
        inner = Scope(scope)
        threads = self.r.choice([32, 32, 64, 96, 256])
        size, extent = self.name("n"), self.r.choice([1, 31, 100, 300])
        params, made, arguments = self.inputs(inner, [(size, extent)])
        moreParams, moreArguments = self.scalars(inner)
        b, t, i = self.name("b"), self.name("t"), self.name("at")
        alike = Scope(inner)  # what all threads of the block compute alike
        alike.functions = []
        alike.values += [(b, "index"), (size, "index")]
        kind, out = self.typeOf(ARITHMETIC), self.name("y")
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
            extra = self.name("v")
            which = self.r.choice(["block.index", "thread.index", "block.size"])
            self.use(which)
            body.append("let %s = index(%s)" % (extra, which))
            inner.values.append((extra, "index"))
        body += self.block(inner, self.r.randrange(0, 3), {})
        mine = self.name("w")
        body.append("var %s: %s = %s" % (mine, kind, self.expr(kind, inner)))
        inner.variables.append((mine, kind))
        body += self.block(inner, self.r.randrange(0, 3), {"prints": "%s %% 40 == 3" % t})
        body += ["%s[%s] = %s" % (tile, t, mine), "barrier()"]
        if useOne:
            body += ["if %s == %d { %s = %s }" % (t, self.r.randrange(threads), one, mine), "barrier()",
                     "%s = max(%s, %s)" % (mine, self.plusZero(kind, mine), self.plusZero(kind, one))]
        rounds = self.r.randrange(0, 4)
        if rounds:
            body += self.rounds(kind, tile, t, count, rounds) + ["%s = %s[%s]" % (mine, tile, t)]
        if self.chance(0.3):  # under a condition that is the same for the block
            self.use("barrier.if")
            body += ["if %s > 1 { %s = %s[%s - 1 - %s]; barrier(); %s[%s] = %s }" % (size, mine, tile, count, t, tile, t, mine)]
        helper = []
        if self.chance(0.3):  # what the compiler cannot know: all threads read it behind the same barrier
            self.use("uniform")
            same = self.name("v")
            body += ["barrier()", "let %s = uniform(%s[%d])" % (same, tile, self.r.randrange(threads)), "if %s == %s { barrier() }" % (same, same)]
            inner.values.append((same, kind))
        if self.chance(0.5):
            body += self.uniformly(kind, tile, t, count, alike)
        if self.chance(0.3):  # a function with barriers and several ways out
            self.use("barrier.fn")
            fn, part, value = self.name("fun"), self.name("p"), self.name("v")
            helper = ["fn %s(mut %s: [%s; n], rounds: i32) -> %s {" % (fn, part, kind, kind),
                      "    for i in 0..rounds {",
                      "        let %s = %s[(thread.index + 1) %% %d]" % (value, part, threads),
                      "        barrier()",
                      "        %s[thread.index] = %s" % (part, value),
                      "        barrier()",
                      "        if i == 2 { return %s[%d] }" % (part, self.r.randrange(threads)),
                      "    }", "    %s[0]" % part, "}"]
            got = self.name("v")
            body += ["barrier()", "let %s = %s(%s, %d)" % (got, fn, tile, self.r.randrange(0, 5)), "barrier()"]
            inner.values.append((got, kind))
        which = self.r.choice(["sum", "min", "max"])
        self.use("block." + which)
        total = self.name("v")
        body.append("let %s = block.%s(%s)" % (total, which, mine if which == "sum" else self.plusZero(kind, mine)))
        inner.values.append((total, kind))
        body.append("if %s == 0 { %s[%s] = %s }" % (t, out, b, self.expr(kind, inner, 1) if self.chance(0.3) else total))
        lines = helper + ["%skernel %s%s(%s)" % (self.attribute(), name, static, ", ".join(params + moreParams)),
                 "    blocks %s in 0..ceil_div(%s, %s) threads %s in 0..%s {" % (b, size, count, t, count)] + self.indent(body) + ["}"]
        array = self.name("a")
        blocks = -(-extent // threads)
        chosen = ""
        if static and self.chance(0.5):  # known when the program runs
            self.use("kernel.open")
            chosen = "[%sargs.len + %d]" % (self.r.choice(["", "SIZE: "]), threads)
        host = made + ["let %s = zeros[%s](%d)" % (array, kind, blocks), "%s%s(%s)" % (name, chosen, ", ".join(arguments + [array] + moreArguments))]
        return lines, host + self.show(array, kind, blocks)

    def uniformly(self, kind, tile, t, count, alike):
        """Barriers under a condition, or in a number of rounds, that is promised to be the same."""
        form = self.r.choice(["if", "else", "for", "while"])
        self.use("uniform." + form)
        moved = self.rounds(kind, tile, t, count, 1)
        if form in ("if", "else"):
            lines = ["if uniform(%s) {" % self.expr("bool", alike, 2)] + self.indent(moved)
            if form == "else":
                lines += ["} else {"] + self.indent(self.rounds(kind, tile, t, count, 2))
        elif form == "for":
            lines = ["for %s in 0..uniform(abs(%s %% 4)) {" % (self.name("d"), self.expr("index", alike, 2))] + self.indent(moved)
        else:
            fuel = self.name("fuel")
            lines = ["var %s = %d" % (fuel, self.r.randrange(1, 4)), "while uniform(%s > 0 and %s) {" % (fuel, self.expr("bool", alike, 2))]
            lines += self.indent(["%s -= 1" % fuel] + moved)
        return ["barrier()"] + lines + ["}"]

    def rounds(self, kind, tile, t, count, rounds):
        """Each thread takes its element together with one that is 1, 2, 4... further on."""
        self.use("barrier.loop")
        other, step = self.name("o"), self.name("d")
        form = self.r.choice(["max(%s, %s)", "min(%s, %s)", "%s + %s"])
        both = [other, "%s[%s]" % (tile, t)]
        if "+" not in form:
            both = [self.plusZero(kind, one) for one in both]
        return ["for %s in 0..%d {" % (step, rounds),
                "    let %s = %s[(%s + (index(1) << %s)) %% %s]" % (other, tile, t, step, count),
                "    barrier()",
                "    %s[%s] = %s" % (tile, t, form % tuple(both)),
                "    barrier()", "}"]

    def kernel_blocks2(self, scope, name):
        """Blocks and threads in two dimensions; each thread has its own element."""
        self.use("kernel.blocks.2")
        self.use("kernel.threads.2")
        inner = Scope(scope)
        h, w = self.name("n"), self.name("n")
        eh, ew = self.r.choice([3, 8, 20]), self.r.choice([1, 9, 40])
        params, made, arguments = self.inputs(inner, [(h, eh), (w, ew)])
        kind, out = self.typeOf(ARITHMETIC), self.name("y")
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

    def kernel_blocks3(self, scope, name):
        """A grid of three dimensions that does not begin at 0; what lives across a barrier is a value of many parts."""
        self.use("kernel.blocks.3")
        self.use("shared.value")
        inner = Scope(scope)
        kind, out = self.typeOf(ARITHMETIC), self.name("y")
        a, b, c = (self.r.randrange(1, 4) for _ in range(3))
        bs = [self.name("b") for _ in range(3)]
        t, tile, kept = self.name("t"), self.name("tile"), self.name("w")
        inner.values += [(name, "index") for name in [*bs, t]]
        of = self.compositeType()
        body = ["shared %s: [%s; 8]" % (tile, kind), "var %s: %s = %s" % (kept, self.spell(of), self.expr(of, inner, 2))]
        body += ["%s[%s] = %s" % (tile, t, self.expr(kind, inner, 1)), "barrier()"]
        inner.variables.append((kept, of))
        inner.values.append(("%s[7 - %s]" % (tile, t), kind))
        body += self.block(inner, self.r.randrange(1, 3), {})
        text = self.expr(kind, inner, 2)
        body += ["let %s_r = %s" % (kept, text), "barrier()"]
        place = "%s[%s - 1, %s - 2, %s, %s]" % (out, *bs, t)
        body.append("%s = %s_r" % (place, kept))
        lines = ["kernel %s(mut %s: [%s; %d, %d, %d, 8])" % (name, out, kind, a, b, c),
                 "    blocks %s in 1..%d, %s in 2..%d, %s in 0..%d threads %s in 0..8 {" % (bs[0], a + 1, bs[1], b + 2, bs[2], c, t)]
        array = self.name("a")
        host = ["let %s = zeros[%s](%d, %d, %d, 8)" % (array, kind, a, b, c), "%s(%s)" % (name, array)]
        return lines + self.indent(body) + ["}"], host + self.show(array, kind, a * b * c * 8)

    def kernel_tile(self, scope, name):
        """A transposition through shared memory."""
        self.use("shared.tile")
        h, w = self.name("n"), self.name("n")
        eh, ew = self.r.choice([1, 8, 19]), self.r.choice([5, 8, 30])
        inner = Scope(scope)
        kind = self.typeOf(ARITHMETIC)
        if self.chance(0.3):
            self.use("shared.vec")
            kind = self.vectorType()
        elif self.structs and self.chance(0.5):
            self.use("shared.struct")
            kind = self.r.choice(self.structTypes())
        x, y = self.name("x"), self.name("y")
        value = self.name("v")
        inner.values.append((value, kind))
        spelled = self.spell(kind)
        lines = ["kernel %s(%s: [%s; %s, %s], mut %s: [%s; %s, %s])" % (name, x, spelled, h, w, y, spelled, w, h),
                 "    blocks p in 0..ceil_div(%s, 8), q in 0..ceil_div(%s, 8) threads r in 0..8, s in 0..8 {" % (h, w),
                 "    shared tile: [%s; 8, 9]" % spelled,
                 "    if p * 8 + r < %s and q * 8 + s < %s {" % (h, w),
                 "        let %s = %s[p * 8 + r, q * 8 + s]" % (value, x),
                 "        tile[r, s] = %s" % self.expr(kind, inner, 2),
                 "    }",
                 "    barrier()",
                 "    if q * 8 + r < %s and p * 8 + s < %s { %s[q * 8 + r, p * 8 + s] = tile[s, r] }" % (w, h, y),
                 "}"]
        a, b = self.name("a"), self.name("a")
        host = self.arrayOf(a, kind, [eh, ew]) + ["let %s = zeros[%s](%d, %d)" % (b, spelled, ew, eh), "%s(%s, %s)" % (name, a, b)]
        return lines, host + self.show(b, kind, eh * ew)

    def kernel_bins(self, scope, name):
        """A histogram in shared memory."""
        self.use("atomic.shared")
        self.use("atomic.scope")
        inner = Scope(scope)
        n, extent = self.name("n"), self.r.choice([1, 70, 200])
        params, made, arguments = self.inputs(inner, [(n, extent)])
        kind = self.r.choice(["i32", "u32", "i64", "u64", "f32", "f64"])
        b, t, i, out, bins = self.name("b"), self.name("t"), self.name("at"), self.name("y"), self.name("bins")
        params.append("mut %s: [%s; ceil_div(%s, 64), 8]" % (out, kind, n))
        inner.values += [(t, "index"), (i, "index")]
        here = Scope(inner)
        here.points.append((i, n))
        block = self.r.choice([", scope: .block", ""])
        body = ["shared %s: [%s; 8]" % (bins, kind), "let %s = %s * 64 + %s" % (i, b, t), "if %s < 8 { %s[%s] = 1 }" % (t, bins, t), "barrier()",
                "if %s < %s {" % (i, n)]
        body += self.indent(self.block(here, self.r.randrange(0, 2), {}) + self.atomicAdd(kind, "%s[%s]" % (bins, self.safeIndex("8", here, 1)), here, block))
        body += ["}", "barrier()", "if %s < 8 { %s[%s, %s] = %s[%s] }" % (t, out, b, t, bins, t)]
        lines = ["kernel %s(%s)" % (name, ", ".join(params)), "    blocks %s in 0..ceil_div(%s, 64) threads %s in 0..64 {" % (b, n, t)]
        array, blocks = self.name("a"), -(-extent // 64)
        host = made + ["let %s = zeros[%s](%d, 8)" % (array, kind, blocks), "%s(%s)" % (name, ", ".join(arguments + [array]))]
        return lines + self.indent(body) + ["}"], host + ['print("{}", %s)' % array]
