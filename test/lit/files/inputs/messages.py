# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""messages.py FOLDER DEVICE RADDLE...: programs that read what they cannot, and the whole message of each."""
import os
import subprocess
import sys

import numpy

folder, device, raddle = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
numpy.save("d.npy", numpy.zeros((3, 4)))
numpy.save("c.npy", numpy.zeros(3, "c8"))
numpy.save("named.npy", numpy.zeros(3, [("x", "f4")]))
numpy.save("seven.npy", numpy.array([0, 7], "i4"))
numpy.save("o.npy", numpy.array([None, 1]), allow_pickle=True)
numpy.save("scalar.npy", numpy.float32(2.5))
numpy.savez("z.npz", a=numpy.zeros(3))
open("text.npy", "w").write("x,y\n1,2\n")
whole = open("d.npy", "rb").read()
open("cut.npy", "wb").write(whole[:-8])
open("huge.npy", "wb").write(whole.replace(b"(3, 4)", b"(1073741824, 1073741824, 1073741824)").replace(b" " * 20, b"", 1)[:len(whole)])
open("ragged.csv", "w").write("# remark\nx,y\n1,2\n3\n")
open("word.csv", "w").write("1,2\n3,four\n")
open("real.csv", "w").write("1,2.5\n")
open("gap.csv", "w").write("1,,2\n")
open("wide.csv", "w").write("1,300\n")
os.makedirs("folder", exist_ok=True)

# program, exit status, what the message says (all parts)
CASES = [
    ('let a: [f32; n, m] = read_npy("d.npy")', 1,
     ["`d.npy` holds f64 (NumPy's <f8), but the type says f32", 'help: write f64 in the type, or save it with numpy.save(path, a.astype("f4"))']),
    ('let a: [f64; n] = read_npy("d.npy")', 1,
     ["`d.npy` holds an array of 2 dimensions, [3, 4], but the type says 1 dimension", "help: write one size for each dimension"]),
    ('let a: [f64; n, 5] = read_npy("d.npy")', 1, ["dimension 1 of `d.npy` has the size 4, but the type says 5", "note: the file holds [3, 4]"]),
    ('let a: [f32; n] = read_npy("scalar.npy")', 1, ["`scalar.npy` holds a single number, but the type says 1 dimension"]),
    ('let a: f64 = read_npy("d.npy")', 1, ["`d.npy` holds an array of 2 dimensions, [3, 4], but the type says a single number"]),
    ('let a: [f64x3; n] = read_npy("d.npy")', 1, ["dimension 1 of `d.npy` has the size 4, but the type says 3"]),
    ('let a: [f32; n] = read_npy("c.npy")', 1, ["`c.npy` holds complex numbers (<c8), but the type says f32", "help: save it with numpy.save"]),
    ('let a: [f32; n] = read_npy("named.npy")', 1, ["`named.npy` holds elements of NumPy's type [", "but the type says f32", "help: declare a struct with these members"]),
    ('struct P { x: f32, z: i32 }\nlet a: [P; n] = read_npy("named.npy")', 1, ["`named.npy` holds elements of NumPy's type [", "but the type says P, which is [('x', '<f4'), ('z', '<i4')]", "help: members have the names of the fields"]),
    ('struct P { x: f32 }\nlet a: [P; n, m] = read_npy("d.npy")', 1, ["`d.npy` holds elements of NumPy's type '<f8', but the type says P"]),
    ('enum E { a, b }\nlet a: [E; n] = read_npy("seven.npy")', 3, ["`seven.npy`: a number in it is no value of its enum", "help: an enum is saved as the position"]),
    ('struct P { x: f32 }\nwrite_csv("p.csv", zeros[P](2))', 1, ["expected integers, f32 or f64 for write_csv"]),
    ('write_npy("p.npy", 3)', 1, ["expected an array for write_npy"]),
    ('let a: [f32; n] = read_npy("o.npy")', 1, ["`o.npy` holds Python objects, but the type says f32"]),
    ('let a: [f32; n] = read_npy("z.npz")', 3, ["`z.npz`: it is not an NPY file", "help: save it with numpy.save; of an NPZ archive"]),
    ('let a: [f32; n] = read_npy("text.npy")', 3, ["`text.npy`: it is not an NPY file"]),
    ('let a: [f64; n, m] = read_npy("cut.npy")', 3, ["`cut.npy`: the file ends too early: 96 bytes of elements should follow its header, there are 88", "help: it was cut off"]),
    ('let a: [f64; n, m, k] = read_npy("huge.npy")', 3, ["`huge.npy`: its shape (1073741824, 1073741824, 1073741824) has more than 2^60 bytes"]),
    ('let a: [f64; -1, 4] = read_npy("d.npy")', 1, ["a size cannot be negative: -1"]),
    ('let a = read_npy[f64]("d.npy")', 1, ["`read_npy` takes no compile-time arguments", "help: the type stands in the `let`"]),
    ('let a: [f64; n] = read_npy("none.npy")', 3, ["cannot read the array in `none.npy`: No such file or directory", "help: paths are relative"]),
    ('let a: [f64; n] = read_npy("folder")', 3, ["cannot read the array in `folder`: Is a directory", "help: name a file in that folder"]),
    ('let p: [u8; h, w] = read_png("folder")', 3, ["cannot read the picture `folder`: Is a directory", "help: name a file in that folder"]),
    ('write_npy("folder", zeros[f32](2))', 3, ["cannot write the array in `folder`: Is a directory", "help: name a file in that folder"]),
    ('write_npy("no/such.npy", zeros[f32](2))', 3, ["cannot write the array in `no/such.npy`: No such file or directory", "help: the folder must exist"]),
    ('let a: [f64; n, m] = read_csv("ragged.csv")', 1, ["`ragged.csv`, line 4: 1 number, but line 3 has 2", "help: all rows of a matrix have one length"]),
    ('let a: [f64; n] = read_csv("word.csv")', 1, ["`word.csv`, line 2: `four` is not a number", "help: only the first line may be a heading"]),
    ('let a: [i32; n] = read_csv("real.csv")', 1, ["`real.csv`, line 1: `2.5` is not a whole number", "help: the type says i32"]),
    ('let a: [f32; n] = read_csv("gap.csv")', 1, ["`gap.csv`, line 1: number 2 is missing"]),
    ('let a: [u8; n] = read_csv("wide.csv")', 1, ["`wide.csv`, line 1: `300` does not fit into u8", "help: choose a wider type"]),
    ('print("{}", read_text("none.txt"))', 3, ["cannot read the text `none.txt`: No such file or directory", "help: paths are relative"]),
    ('write_text("folder", "x")', 3, ["cannot write the text `folder`: Is a directory"]),
]
failed = 0
for program, status, parts in CASES:
    done = subprocess.run([*raddle, "run", "-", "--device", device], input=program + "\n", capture_output=True, text=True)
    if done.returncode != status or not all(part in done.stderr for part in parts) or not done.stderr.startswith("<stdin>:%d:" % (1 + program.count("\n"))):
        failed += 1
        print("%s\nended with status %d (%d expected)\n%s" % (program, done.returncode, status, done.stderr))
print("%d programs, %d failed" % (len(CASES), failed))
sys.exit(failed > 0)
