# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_fft.py FOLDER BITS: the transform of examples/fft.rad against numpy.fft in double precision."""
import os
import sys

import numpy

import splitmix

folder, n = sys.argv[1], 1 << int(sys.argv[2])
signal = numpy.load(os.path.join(folder, "fft_signal.npy"))
found = numpy.load(os.path.join(folder, "fft_spectrum.npy"))
assert signal.shape == found.shape == (n, 2) and found.dtype == numpy.float32
time = numpy.arange(n) / n
tones = numpy.sin(2 * numpy.pi * 50 * time) + 0.5 * numpy.sin(2 * numpy.pi * 120 * time)
assert numpy.abs(signal[:, 0] - (tones + 2.0 * splitmix.uniform32(3, n).astype(numpy.float64) - 1.0)).max() < 1e-4
assert not signal[:, 1].any()
expected = numpy.fft.fft(signal[:, 0].astype(numpy.float64))
error = numpy.abs(found[:, 0] + 1j * found[:, 1] - expected).max() / numpy.abs(expected).max()
assert error < 2e-6, error
print("equal: %d frequencies" % n)
