# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What random programs are made of: types, operators, functions, and the names of all features.

A type is the name of a scalar, or a tuple: ("vec", scalar, count), ("array", type, count), ("tuple", type, type...),
("struct", name), ("enum", name)."""

SIGNED = {"i8": 8, "i16": 16, "i32": 32, "i64": 64}
UNSIGNED = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}
INTS = {**SIGNED, **UNSIGNED}
WIDE = {"f32": 32, "f64": 64}
HALF = {"f16": 16, "bf16": 16}
SMALL = {"f8e4m3": 8, "f8e5m2": 8}  # converted and compared only
FLOATS = {**WIDE, **HALF}  # that compute
ARITHMETIC = [*INTS, *FLOATS]
NUMBERS = [*ARITHMETIC, *SMALL, "index"]
SCALARS = ["bool", *NUMBERS]
# Chosen more often: what programs hold most of.
LIKELY = [*SCALARS, "bool", "i32", "i32", "u32", "f32", "f32", "f64", "index"]
WIDTH = {**INTS, **FLOATS, **SMALL, "index": 64}
ATOMIC = ["i32", "u32", "i64", "u64", "index", "f32", "f64"]

# By what they apply to. The names are also those of the features.
INT_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem", "&": "and", "|": "or", "^": "xor", "<<": "shl",
              ">>": "shr"}
FLOAT_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem"}
COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
FLOAT_MATH = {"sqrt": 1, "floor": 1, "ceil": 1, "round": 1, "trunc": 1, "abs": 1, "min": 2, "max": 2, "copysign": 2, "fma": 3}
INT_MATH = {"abs": 1, "min": 2, "max": 2}
# Functions of the table of builtins that no random program calls: their results differ between devices, within bounds.
INEXACT = ["rsqrt", "exp", "exp2", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
           "erf", "pow"]
ATOMIC_OPS = {"int": ["add", "sub", "min", "max", "and", "or", "xor"], "float": ["add", "sub", "min", "max"]}
ATOMIC_OWN = ["load", "store", "exchange", "compare_exchange"]  # where one point alone has the element

FAMILIES = ["bool", "signed", "unsigned", "float", "half", "small", "index"]


def family(t):
    for name, types in (("signed", SIGNED), ("unsigned", UNSIGNED), ("float", WIDE), ("half", HALF), ("small", SMALL)):
        if t in types:
            return name
    return t


def kindOf(t):
    """scalar, vec, array or tuple"""
    return t[0] if isinstance(t, tuple) else "scalar"


FEATURES = sorted(
    ["int." + name for name in INT_BINARY.values()] + ["float." + name for name in FLOAT_BINARY.values()] +
    ["half." + name for name in FLOAT_BINARY.values()] +
    ["compare.%s.%s" % (name, kind) for name in COMPARE.values() for kind in ("int", "float", "half", "small", "bool")
     if kind != "bool" or name in ("eq", "ne")] +
    ["math.float." + name for name in FLOAT_MATH] + ["math.half." + name for name in FLOAT_MATH] + ["math.int." + name for name in INT_MATH] +
    ["type." + name for name in SCALARS] + ["literal." + name for name in SCALARS] +
    ["convert.%s.%s" % (a, b) for a in FAMILIES for b in FAMILIES if b != "bool" and (a, b) != ("index", "index")] +
    ["convert.bool", "unary.neg.int", "unary.neg.float", "unary.neg.half", "unary.neg.vec", "unary.not", "unary.bitnot", "unary.bitnot.vec",
     "logic.and", "logic.or", "bitcast", "bitcast.half", "bitcast.small", "bitcast.bits", "clamp", "library", "library.module",
     "assign", "assign.op", "assign.swap", "assign.element", "assign.element.op", "let", "let.tuple", "var", "var.late",
     "if", "if.else", "if.value", "if.const", "block.value", "while", "for", "for.step", "for.step.variable", "for.down", "for.down.unsigned", "for.unroll", "for.unroll.n",
     "for.extent", "break", "continue", "return", "assert", "assert.message", "print", "print.format", "unchecked", "const", "const.composite", "const.untyped", "const.expression", "const.local", "alias",
     "alias.tuple",
     "fn.expression", "fn.body", "fn.mut", "fn.generic", "fn.default", "fn.named", "fn.view", "fn.strided", "fn.tuple", "fn.early", "fn.const",
     "fn.vec", "fn.array", "fn.noinline", "fn.inline", "fn.sizes", "fn.nothing", "tuple.item", "tuple.make", "tuple.nested",
     "vec.make", "vec.splat", "vec.join", "vec.convert", "vec.int", "vec.float", "vec.scalar", "vec.math", "vec.item", "vec.item.checked",
     "vec.swizzle", "vec.swizzle.assign", "vec.slice", "vec.slice.step", "vec.bitcast", "vec.compare", "vec.logic", "vec.not", "vec.bool", "vec.all",
     "vec.any", "vec.select", "vec.select.bool", "vec.sum", "vec.min", "vec.max", "vec.dot", "vec.assign", "vec.assign.op",
     "array.make", "array.repeat", "array.large", "array.item", "array.item.checked", "array.nested", "array.of.vec", "array.of.tuple",
     "list.bare", "list.mixed", "list.constant", "array.sum", "array.min", "array.max", "array.len", "array.slice", "array.slice.step", "array.slice.assign", "array.select", "array.assign", "array.assign.op", "array.copy",
     "reduce.sum", "reduce.min", "reduce.max", "reduce.all", "reduce.any", "reduce.if", "reduce.two",
     "element.checked", "element.proven", "element.row", "view.len", "device.size", "device.domain", "view.shape", "view.slice", "view.flat", "view.strided", "view.column",
     "view.part", "view.if", "view.variable",
     "kernel.forall.1", "kernel.forall.2", "kernel.forall.3", "kernel.forall.4", "kernel.blocks", "kernel.blocks.2", "kernel.blocks.3",
     "kernel.threads.2", "kernel.step", "kernel.step.parameter", "kernel.const", "kernel.open", "kernel.scalar", "kernel.value", "kernel.inplace", "kernel.inner", "kernel.attribute",
     "kernel.strided", "kernel.vec", "kernel.doubled", "kernel.scalar.size",
     "kernel.fast", "kernel.unlaunched", "extern", "size.+", "size.-", "size.*", "size./", "size.%", "size.min", "size.max", "size.ceil_div",
     "shared.array", "shared.scalar", "shared.tile", "shared.vec", "shared.value", "barrier",
     "barrier.loop", "barrier.if", "barrier.fn", "uniform", "block.sum", "block.min", "block.max", "block.index", "block.size", "thread.index",
     "atomic.shared", "atomic.array", "atomic.scope"] +
    ["atomic.%s.%s" % (op, kind) for kind in ("int", "float") for op in ATOMIC_OPS[kind]] + ["atomic." + op for op in ATOMIC_OWN] +
    ["host.reduce", "host.reduce.if", "host.reduce.all", "host.array.comprehension", "host.array.range", "host.array.comprehension.n", "host.array.value", "host.fn.arrays", "fn.any.shape",
     "print.format.parts", "host.slice", "host.copy", "host.fill", "host.loop",
     "host.random", "host.row", "host.strided", "host.statement", "host.variable", "host.call", "host.value", "host.text", "host.fn",
     "host.assert", "host.full", "import", "import.as", "import.names", "private"] +
    ["struct", "struct.default", "struct.left.out", "struct.named", "struct.nested", "struct.generic", "struct.make", "struct.member", "struct.assign",
     "struct.equal", "enum", "enum.make", "enum.dot", "enum.equal", "enum.number", "method", "method.mut", "method.static", "method.call",
     "method.mut.call", "operator.binary", "operator.compare", "operator.equal", "operator.unary", "operator.mixed", "operator.generic",
     "operator.enum", "operator.inside", "operator.call", "operator.assign", "array.of.struct", "element.member", "kernel.struct", "kernel.struct.mut",
     "shared.struct"] +
    ["fn.given", "given.name", "given.math", "given.type", "given.loop", "lambda", "lambda.typed", "lambda.block", "lambda.let", "lambda.value", "lambda.array",
     "kernel.given", "kernel.given.generic", "library.map", "library.map2", "library.count", "library.reduce", "library.transform_reduce", "library.filter",
     "host.forall", "host.forall.fn", "host.forall.step",
     "uniform.if", "uniform.else", "uniform.for", "uniform.while", "if.const.type", "const.call", "const.call.size"])
FEATURES_SET = set(FEATURES)
