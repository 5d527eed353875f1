# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: check_atomics.py FOLDER RADDLE: compiles every atomic operation and compares its instruction with a table of our own."""
import itertools
import os
import re
import shlex
import subprocess
import sys

folder, raddle = sys.argv[1], shlex.split(sys.argv[2])
os.makedirs(folder, exist_ok=True)

TYPES = ["i32", "u32", "i64", "u64", "index", "f32", "f64"]
OPERATIONS = ["load", "store", "add", "sub", "min", "max", "and", "or", "xor", "exchange", "compare_exchange"]
ARCHES = ["sm_75", "sm_80", "sm_90a", "sm_100a"]
SUFFIX = {"i32": "s32", "u32": "u32", "i64": "s64", "u64": "u64", "index": "s64", "f32": "f32", "f64": "f64"}


def instruction(op, kind, scope, space, used):
    """The one instruction that has to stand in the kernel; from the tables of the PTX ISA."""
    bits = SUFFIX[kind][1:]
    where = "%s.%s" % ({"device": "gpu", "block": "cta"}[scope], space)
    verb = "atom" if used else "red"
    if op == "load":
        return "ld.relaxed.%s.b%s" % (where, bits)
    if op == "store":
        return "st.relaxed.%s.b%s" % (where, bits)
    if op == "exchange":
        return "atom.relaxed.%s.exch.b%s" % (where, bits)
    if op == "compare_exchange" or (op in ("min", "max") and kind[0] == "f"):
        return "atom.relaxed.%s.cas.b%s" % (where, bits)
    if op in ("add", "sub"):
        return "%s.relaxed.%s.add.%s" % (verb, where, kind if kind[0] == "f" else "u" + bits)
    if op in ("min", "max"):
        return "%s.relaxed.%s.%s.%s" % (verb, where, op, SUFFIX[kind])
    return "%s.relaxed.%s.%s.b%s" % (verb, where, op, bits)


def call(op, place, scope):
    operands = {"load": "", "compare_exchange": ", v, v + 1"}.get(op, ", v")
    return "atomic.%s(&%s%s, scope: .%s)" % (op, place, operands, scope)


kernels, expected = [], {}
for op, kind, scope, space, used in itertools.product(OPERATIONS, TYPES, ["device", "block"], ["global", "shared"], [True, False]):
    if op in ("and", "or", "xor") and kind[0] == "f":
        continue
    if (op == "load" and not used) or (op == "store" and used):
        continue
    name = "_".join([op, kind, scope, space, "used" if used else "unused"])
    place = "y[t]" if space == "global" else "s[t]"
    act = call(op, place, scope)
    if used:
        act = "out[t] = " + act
    kernels.append("""kernel %s(v: %s, mut y: [%s; 32], mut out: [%s; 32]) blocks b in 0..1 threads t in 0..32 {
    shared s: [%s; 32]
    s[t] = v
    barrier()
    %s
    barrier()
    y[t] = s[31 - t]
}
""" % (name, kind, kind, kind, kind, act))
    # Shared memory is the block's whatever the scope says.
    expected[name] = instruction(op, kind, "block" if space == "shared" else scope, space, used)

source = os.path.join(folder, "atomics.rad")
with open(source, "w") as file:
    file.writelines(kernels)


def run(*arguments):
    done = subprocess.run(raddle + list(arguments), capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s failed:\n%s%s" % (" ".join(arguments), done.stdout, done.stderr))


for arch in ARCHES:
    ptx = os.path.join(folder, arch + ".ptx")
    run("build", source, "--emit=ptx", "--arch", arch, "-o", ptx)
    run("build", ptx, "--from=ptx", "--emit=cubin", "--arch", arch, "--no-cache", "-o", os.path.join(folder, arch + ".cubin"))
    with open(ptx) as file:
        bodies = dict(re.findall(r"\.entry (\w+)\((.*?)\n}", file.read(), re.DOTALL))
    wrong = []
    for name, wanted in expected.items():
        body = bodies.get(name, "")
        # Atomic instructions of this kernel; loads that begin a loop of compare and swap stand beside it.
        found = re.findall(r"\b(?:atom|red|ld\.relaxed|st\.relaxed)[.\w]*", body)
        rest = [one for one in found if one != wanted]
        loop = ".cas." in wanted and "compare_exchange" not in name
        allowed = {wanted.replace("atom.", "ld.").replace(".cas", "")} if loop else set()
        if wanted not in found or set(rest) - allowed:
            wrong.append("%s on %s: expected %s, found %s" % (name, arch, wanted, found))
    if wrong:
        sys.exit("\n".join(wrong))
print("%d cells on %s" % (len(expected), ", ".join(ARCHES)))
