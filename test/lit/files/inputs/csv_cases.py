# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""csv_cases.py make|check FOLDER: text files of numbers as NumPy and people write them; what csv.rad writes of them, as NumPy reads it."""
import os
import sys

import numpy

command, folder = sys.argv[1:]
random = numpy.random.default_rng(3)
table = random.standard_normal((40, 3)) * 10.0 ** random.integers(-30, 30, (40, 3))
whole = random.integers(-2**63, 2**63 - 1, 50)
bytes_ = numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
if command == "make":
    numpy.savetxt("table.csv", table, delimiter=",", header="x,y,z", comments="")
    numpy.savetxt("whole.txt", whole, fmt="%d", header="a remark")
    numpy.savetxt("bytes.txt", bytes_, fmt="%d", delimiter="\t", newline="\r\n")
    open("mixed.txt", "w").write("\n 1.5 , -2;3e2\n# remark\n\n+4 inf  nan")
else:
    def same(name, expected, dtype):
        found = numpy.loadtxt(name, delimiter=",", dtype=dtype)
        assert found.shape == expected.shape and found.tobytes() == expected.astype(dtype).tobytes(), name
    same("table.out", table, "f8")
    same("single.out", table, "f4")
    same("whole.out", whole, "i8")
    same("bytes.out", bytes_, "u1")
    print("equal")
