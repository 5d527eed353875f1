# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_struct_layout.py RADDLE FOLDER: where the members of structs lie, on both devices, against a C compiler. Each member is written by a
kernel of its own to the second element of an array; the store's offset is the size of the struct and the place of the member."""
import re
import shlex
import subprocess
import sys

raddle, folder = shlex.split(sys.argv[1]), sys.argv[2]
source = """
enum Phase { solid, liquid }
struct Inner { a: u8, b: i64, c: u8 }
struct Pair[T: Number] { x: T, y: T }
struct All {
    flag: bool, small: u16, phase: Phase, inner: Inner, triple: f32x3, tail: u8, pair: Pair[f16], four: f32x4, two: i16x2
    list: array[f32x2, 3], last: (u8, f64), third: u8x3, wide: f64x2, place: index, end: i8
}
"""
members = {  # of All: what C calls it, and the value that is stored
    "flag": ("flag", "true"), "small": ("small", "7"), "phase": ("phase", ".liquid"), "inner.a": ("inner.a", "7"), "inner.b": ("inner.b", "7"),
    "inner.c": ("inner.c", "7"), "triple.y": ("triple[1]", "7.0"), "tail": ("tail", "7"), "pair.x": ("pair.x", "7.0"), "pair.y": ("pair.y", "7.0"),
    "four": ("four", "f32x4(7.0)"), "two": ("two", "i16x2(7)"), "list[1]": ("list[1]", "f32x2(7.0)"), "last.0": ("last.a", "7"),
    "last.1": ("last.b", "7.0"), "third.z": ("third[2]", "7"), "wide": ("wide", "f64x2(7.0)"), "place": ("place", "7"), "end": ("end", "7"),
}
c = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x2 __attribute__((vector_size(8)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef int16_t i16x2 __attribute__((vector_size(4)));
enum Phase { solid, liquid };
struct Inner { uint8_t a; int64_t b; uint8_t c; };
struct Pair { uint16_t x, y; };
struct Last { uint8_t a; double b; };
struct All {
  _Bool flag; uint16_t small; enum Phase phase; struct Inner inner; float triple[3]; uint8_t tail; struct Pair pair; f32x4 four; i16x2 two;
  f32x2 list[3]; struct Last last; uint8_t third[3]; f64x2 wide; int64_t place; int8_t end;
};
int main() {
"""
for name, (in_c, _) in members.items():
    c += '  printf("%s %%zu\\n", sizeof(struct All) + offsetof(struct All, %s));\n' % (name, in_c)
with open(folder + "/all.c", "w") as file:
    file.write(c + "}\n")
subprocess.run(["cc", "-o", folder + "/all", folder + "/all.c"], check=True)
printed = subprocess.run([folder + "/all"], check=True, capture_output=True, text=True).stdout
expected = {line.split()[0]: int(line.split()[1]) for line in printed.splitlines()}

kernels = ["w%d" % i for i in range(len(members))]
for kernel, (name, (_, value)) in zip(kernels, members.items()):
    source += "kernel %s(mut x: [All; n]) forall i in 0..1 { x[1].%s = %s }\n" % (kernel, name, value)
with open(folder + "/all.rad", "w") as file:
    file.write(source)


def emitted(*options):
    command = raddle + ["build", "--unchecked", folder + "/all.rad"] + list(options)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def offset_in_ptx(text, kernel):
    body = re.search(r"\.entry %s\(.*?\n}" % kernel, text, re.S).group(0)
    (offset,) = re.findall(r"st\.global\S*\s+\[%rd\d+\+(\d+)\]", body)
    return int(offset)


def offset_on_host(text, kernel):
    body = re.search(r"define void @%s\(.*?\n}" % kernel, text, re.S).group(0)
    (pointer,) = re.findall(r"store [^\n]*, ptr (%[\w.]+), align", body)
    return int(re.search(re.escape(pointer) + r" = getelementptr inbounds nuw i8, ptr %[\w.]+, i64 (\d+)", body).group(1))


for text, offset in ((emitted("--emit=ptx", "--arch", "sm_90"), offset_in_ptx), (emitted("--emit=llvm-opt", "--arch", "host"), offset_on_host)):
    for kernel, name in zip(kernels, members):
        found = offset(text, kernel)
        assert found == expected[name], "%s lies at %d, in C at %d" % (name, found, expected[name])
print("equal: %d members, struct of %d bytes" % (len(members), expected["flag"]))
