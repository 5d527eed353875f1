# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How exact the math functions are, in ulp, against MPFR (through gmpy2), or against mpmath where gmpy2 is not installed.

    math_functions.py program TYPE COUNT [FUNCTION...]       prints a Raddle program that writes samples and results to args[0]
    math_functions.py check TYPE WHERE PICTURE [FUNCTION...]    compares them with docs/math.md; WHERE: host, strict, cuda:0
    math_functions.py measure RADDLE DEVICE COUNT [FP]          a table of what all functions and types give

COUNT samples: every value of f16 and bf16 (65536); of f32 and f64 all edges with all edges, then patterns spread evenly over all
that there are, and numbers from -8 to 8 and from 0.5 to 2."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import numpy

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "examples", "inputs"))
import png
from small_floats import VALUES

ONE = "sqrt rsqrt exp exp2 log log2 log10 sin cos tan asin acos atan sinh cosh tanh erf".split()
TWO = "atan2 pow".split()
FORMATS = {  # bits, bits of the fraction, least exponent of a normal number, exponent behind the largest
    "f16": (16, 10, -14, 16), "bf16": (16, 7, -126, 128), "f32": (32, 23, -126, 128), "f64": (64, 52, -1022, 1024)}

PROGRAM = """
/// The 42 edges: both signs, seven exponents, three fractions. NaN are quiet ones.
fn edge(i: index) -> {B} {
    let power = if i / 6 == 0 { 0{B} } else if i / 6 == 1 { 1 } else if i / 6 == 2 { {bias} - 1 } else if i / 6 == 3 { {bias} }
        else if i / 6 == 4 { {bias} + 1 } else if i / 6 == 5 { 2 * {bias} } else { 2 * {bias} + 1 }
    let rest = if i % 3 == 0 { 0{B} } else if i % 3 == 2 { {fraction_mask} } else if i / 6 == 6 { {quiet} } else { 1 }
    {B}(i / 3 % 2) << {sign_place} | power << {fraction} | rest
}
fn sample(i: index, stratum: index, seed: u64) -> {T} {
    let word = random.bits(seed, u64(i))
    if stratum < 2 { bitcast[{T}]({B}({spread})) }
    else if stratum == 2 { {T}(f64(word >> 11) * 1.7763568394002505e-15 - 8.0) }
    else { {T}(0.5 + f64(word >> 11) * 1.6653345369377348e-16) }
}
kernel fill_x(mut x: [{T}; n]) forall i in 0..n {
    x[i] = if {all} { bitcast[{T}]({B}(i)) } else if i < 42 * 42 { bitcast[{T}](edge(i % 42)) } else { sample(i, i % 4, 1) }
}
kernel fill_y(mut y: [{T}; n]) forall i in 0..n {
    y[i] = if i < 42 * 42 { bitcast[{T}](edge(i / 42)) } else { sample(i, i / 4 % 4, 2) }
}
kernel bytes_of(x: [{T}; n], mut out: [u8; {size} * n]) forall i in 0..n {
    let bits = bitcast[{B}](x[i])
    for k in 0..{size} { out[{size} * i + k] = u8(bits >> {B}(8 * k)) }
}
let n = {count}
let (x, y, result) = (zeros[{T}](n), zeros[{T}](n), zeros[{T}](n))
fill_x(x)
fill_y(y)
let picture = zeros[u8]({parts} * {size} * n / 4096, 4096)
let bytes = picture.flat
bytes_of(x, bytes[0..{size} * n])
bytes_of(y, bytes[{size} * n..2 * {size} * n])
"""


def program(kind, count, functions):
    bits, fraction, _, top = FORMATS[kind]
    stride = (1 << bits) // count  # patterns between two samples
    texts = {"T": kind, "B": "u%d" % bits, "size": bits // 8, "fraction": fraction, "bias": top - 1,
             "fraction_mask": (1 << fraction) - 1, "quiet": 1 << (fraction - 1), "sign_place": bits - 1, "count": count, "parts": 2 + len(functions),
             "all": "true" if count == 1 << bits else "false",
             "spread": "u64(i) * %d + word %% %d" % (stride, stride)}
    text = PROGRAM
    for name, value in texts.items():
        text = text.replace("{%s}" % name, str(value))
    for at, name in enumerate(functions):
        arguments = "x[i], y[i]" if name in TWO else "x[i]"
        text += ("kernel do_%s(x: [%s; n], y: [%s; n], mut out: [%s; n]) forall i in 0..n { out[i] = %s(%s) }\n"
                 "do_%s(x, y, result)\nbytes_of(result, bytes[%d * n..%d * n])\n" %
                 (name, kind, kind, kind, name, arguments, name, (at + 2) * bits // 8, (at + 3) * bits // 8))
    return text + "write_png(args[0], picture)\n"


# ---- the reference: float64, and, if `exactly`, what it lacks times 2^50 (so that it does not vanish beside subnormal numbers) ----

def by_mpfr(name, x, y, exactly):
    gmpy2.set_context(gmpy2.context(precision=160 if exactly else 80, emax=1 << 20, emin=-(1 << 20)))
    if name == "pow":
        function = lambda a, b: gmpy2.mpfr(a) ** gmpy2.mpfr(b)
    elif name == "rsqrt":
        function = lambda a: 1 / gmpy2.sqrt(gmpy2.mpfr(a))
    else:
        function = getattr(gmpy2, name)
    high, low = numpy.empty(len(x)), numpy.zeros(len(x))
    pairs = zip(x.tolist(), y.tolist()) if name in TWO else zip(x.tolist())
    for i, operands in enumerate(pairs):
        exact = function(*operands)
        near = float(exact)
        high[i] = near
        if exactly and near - near == 0:
            low[i] = (exact - near) * 2 ** 50
    return high, low


def by_mpmath(name, x, y, exactly):
    import mpmath
    mpmath.mp.prec = 140 if exactly else 80
    one = {"rsqrt": lambda a: 1 / mpmath.sqrt(a), "exp2": lambda a: mpmath.power(2, a), "log2": lambda a: mpmath.log(a, 2)}
    function = {"pow": mpmath.power}.get(name) or one.get(name) or getattr(mpmath, name)
    domain = {"sqrt": x >= 0, "rsqrt": x >= 0, "asin": abs(x) <= 1, "acos": abs(x) <= 1, "log": x >= 0, "log2": x >= 0,
              "log10": x >= 0, "pow": (x >= 0) | (y == numpy.floor(y)) | numpy.isinf(x)}.get(name, x == x)
    numpys = {"rsqrt": lambda a: 1 / numpy.sqrt(a), "asin": numpy.arcsin, "acos": numpy.arccos, "atan": numpy.arctan,
              "atan2": numpy.arctan2, "pow": numpy.power, "erf": lambda a: numpy.where(numpy.isinf(a), numpy.sign(a), a)}
    # Zeros, infinities and NaN as NumPy has them; what is far beyond float64 too, where mpmath would take for ever.
    plain = numpys.get(name) or getattr(numpy, name)
    high, low = numpy.array(plain(x, y) if name in TWO else plain(x)), numpy.zeros(len(x))
    high[~domain & (x == x)] = numpy.nan
    special = ~domain | ~numpy.isfinite(x) | (x == 0)
    if name in TWO:
        special |= ~numpy.isfinite(y) | (y == 0)
    if name in ("exp", "exp2", "sinh", "cosh", "tanh", "erf"):
        special |= abs(x) > 3000
    if name == "erf":
        high[abs(x) > 3000] = numpy.sign(x[abs(x) > 3000])
    if name == "pow":
        with numpy.errstate(all="ignore"):
            special |= abs(y * numpy.log2(abs(x))) > 3000
    for i in numpy.flatnonzero(~special):
        operands = [mpmath.mpf(float(x[i]))] + ([mpmath.mpf(float(y[i]))] if name in TWO else [])
        exact = function(*operands)
        high[i] = float(exact)
        if exactly and numpy.isfinite(high[i]):
            low[i] = float((exact - mpmath.mpf(float(high[i]))) * 2 ** 50)
    return high, low


try:
    import gmpy2
    reference, cores = by_mpfr, 1
except ImportError:
    reference, cores = by_mpmath, os.cpu_count()


# ---- comparing ----

def errors_in_ulp(kind, found, high, low):
    """|found - exact| in units of the last place of the exact number; infinite where NaN, or the sign of a zero, is wrong."""
    _, fraction, least, top = FORMATS[kind]
    limit = numpy.ldexp(1.0, top) if top < 1024 else numpy.inf
    with numpy.errstate(all="ignore"):
        if top < 1024:  # infinity stands for the power of two that would follow the largest number
            found = numpy.where(numpy.isinf(found), numpy.copysign(limit, found), found)
            high, low = numpy.clip(high, -limit, limit), numpy.where(abs(high) >= limit, 0, low)
        _, power = numpy.frexp(high)
        last = numpy.maximum(power - 1, least) - fraction
        error = abs(numpy.ldexp(found - high, -last) - numpy.ldexp(low, -last - 50))
        error = numpy.where(found == high, numpy.where(numpy.isfinite(high), abs(numpy.ldexp(low, -last - 50)), 0), error)
        error = numpy.where(numpy.isnan(found) & numpy.isnan(high), 0, error)
        wrong = (numpy.isnan(found) != numpy.isnan(high)) | \
            ((high == 0) & (low == 0) & (found == 0) & (numpy.signbit(found) != numpy.signbit(high)))
        return numpy.where(wrong, numpy.inf, error)


def measure(kind, picture, functions, jobs):
    """The largest error of each function and where it is: name -> (ulp, text)."""
    bits = FORMATS[kind][0]
    raw = png.read(picture).reshape(2 + len(functions), -1)
    patterns = raw.view("<u%d" % (bits // 8))
    if kind == "bf16":
        columns = VALUES["bf16"][patterns]
    else:
        with numpy.errstate(all="ignore"):  # NaN of all kinds
            columns = raw.view("<f%d" % (bits // 8)).astype(numpy.float64)
    x, y = columns[0], columns[1]
    worst = {}
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        step = max(1, len(x) // jobs)
        for name, found in zip(functions, columns[2:]):
            parts = [(x[a:a + step], y[a:a + step], kind == "f64") for a in range(0, len(x), step)]
            if jobs == 1:
                results = [reference(name, *part) for part in parts]
            else:
                results = list(pool.map(reference, [name] * len(parts), *zip(*parts)))
            high, low = (numpy.concatenate(column) for column in zip(*results))
            error = errors_in_ulp(kind, found, high, low)
            at = int(numpy.argmax(error))
            operands = "%r, %r" % (float(x[at]), float(y[at])) if name in TWO else repr(float(x[at]))
            worst[name] = (float(error[at]), "%s(%s) gives %r instead of %r" % (name, operands, float(found[at]), float(high[at])))
    return worst


def bounds(where):
    """docs/math.md: (function, type) -> ulp. `where`: host, strict (the host under --fp=strict) or a GPU."""
    columns = [(kind, place) for kind in FORMATS for place in (["all"] if kind in ("f16", "bf16") else ["host", "strict", "GPU"])]
    place = where if where in ("host", "strict") else "GPU"
    table = {}
    with open(os.path.join(here, "..", "..", "..", "..", "docs", "math.md")) as file:
        for line in file:
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if cells[0] in ONE + TWO:
                assert len(cells) == 1 + len(columns), "docs/math.md: the row of %s" % cells[0]
                table.update({(cells[0], kind): float(cell) for (kind, of), cell in zip(columns, cells[1:]) if of in ("all", place)})
    assert len(table) == len(ONE + TWO) * len(FORMATS), "docs/math.md lacks a row"
    return table


def main():
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "program":
        sys.stdout.write(program(arguments[0], int(arguments[1]), arguments[2:] or ONE + TWO))
        return 0
    if verb == "check":
        kind, where, picture = arguments[:3]
        limits = bounds(where)
        failed = 0
        for name, (ulp, text) in measure(kind, picture, arguments[3:] or ONE + TWO, cores).items():
            print("%-6s %-5s %8.3f of %g ulp: %s" % (name, kind, ulp, limits[name, kind], text))
            if not ulp <= limits[name, kind]:
                print("  beyond the bound in docs/math.md")
                failed += 1
        return failed != 0
    tool, device, count, mode = arguments + ["default"][:4 - len(arguments)]
    print("| function |" + "".join(" %s |" % kind for kind in FORMATS))
    for name in ONE + TWO:
        cells = []
        for kind, (bits, *_) in FORMATS.items():
            with tempfile.TemporaryDirectory() as folder:
                source, picture = os.path.join(folder, "f.rad"), os.path.join(folder, "f.png")
                with open(source, "w") as file:
                    file.write(program(kind, 65536 if bits == 16 else int(count), [name]))
                subprocess.run([tool, "run", "--fp", mode, "--device", device, source, "--", picture], check=True)
                ulp, text = measure(kind, picture, [name], os.cpu_count())[name]
                cells.append(" %.3f |" % ulp)
                print("%s %s: %s" % (name, kind, text), file=sys.stderr)
        print("| %s |%s" % (name, "".join(cells)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
