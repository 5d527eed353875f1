# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_pricing.py OUTPUT N: the prices of examples/pricing.rad, against NumPy on the same random numbers, in double precision; and the
exact price from the standard library's error function."""
import math
import re
import sys

import numpy

import splitmix

n = int(sys.argv[2])
share, strike, rate, volatility, months = 100.0, 105.0, 0.05, 0.2, 12
u = splitmix.unit32(splitmix.words_at(42, numpy.arange(n * months))).astype(numpy.float64).reshape(n, months // 2, 2)
r = numpy.sqrt(-2 * numpy.log(1 - u[:, :, 0]))
normal = numpy.stack([r * numpy.cos(2 * numpy.pi * u[:, :, 1]), r * numpy.sin(2 * numpy.pi * u[:, :, 1])], axis=2).reshape(n, months)
prices = share * numpy.exp(numpy.cumsum((rate - volatility ** 2 / 2) / months + volatility * math.sqrt(1 / months) * normal, axis=1))
european = math.exp(-rate) * numpy.maximum(prices[:, -1] - strike, 0).mean()
asian = math.exp(-rate) * numpy.maximum(prices.mean(axis=1) - strike, 0).mean()
d = (math.log(share / strike) + rate + volatility ** 2 / 2) / volatility
below = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))
exact = share * below(d) - strike * math.exp(-rate) * below(d - volatility)
found = [float(x) for x in re.findall(r"[-+0-9.]+[0-9]", open(sys.argv[1]).read())]
assert found[0] == n
for value, expected, tolerance in zip(found[1:], (european, exact, asian), (1e-5, 1e-12, 1e-5)):
    assert abs(value / expected - 1) < tolerance, (found, european, exact, asian)
print("equal: %.4f, exactly %.4f" % (european, exact))
