# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the plots of lines.rad back: where the dots are."""
import sys

text = open(sys.argv[1], encoding="utf-8").read()
assert "\x1b" not in text
lines = text.split("\n")
assert all(len(line) <= 80 for line in lines)


def dots(rows):
    """The dots of a plot as a set of (x, y), y upwards."""
    found = set()
    for r, row in enumerate(rows):
        body = row[row.index("┤" if "┤" in row else "│") + 1:]
        for c, char in enumerate(body):
            bits = ord(char) - 0x2800 if 0x2800 <= ord(char) < 0x2900 else 0
            assert char == " " or bits, char
            for bit, (x, y) in zip(range(8), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
                if bits >> bit & 1:
                    found.add((2 * c + x, 4 * len(rows) - 1 - (4 * r + y)))
    return found


plots = []
at = 0
while at < len(lines):
    if "┤" in lines[at]:
        plots.append((lines[at:at + 16], lines[at + 16], lines[at + 17]))
        at += 18
    else:
        at += 1
ramp, wave, spike, gaps, flat, row = plots

points = dots(ramp[0])
width = ramp[1].count("─") * 2
assert ramp[0][0].lstrip().startswith("99 ┤") and ramp[0][15].lstrip().startswith("0 ┤"), ramp[0]
assert ramp[2].split() == ["0", "99"]
assert min(points) == (0, 0) and max(points) == (width - 1, 63), (min(points), max(points))
assert all(abs(y - x * 63 / (width - 1)) <= 1 for x, y in points)  # straight
assert len({x for x, _ in points}) == width  # without gaps

points = dots(wave[0])
assert wave[0][0].lstrip().startswith("1.0 ┤") and wave[0][15].lstrip().startswith("-1.0 ┤"), wave[0]
columns = {x: sorted(y for a, y in points if a == x) for x, _ in points}
assert all(ys[0] == 0 and ys[-1] == 63 for ys in columns.values())  # each column has whole waves
assert wave[2].split() == ["0", "999999"]

points = dots(spike[0])
high = [x for x, y in points if y == 63]
width = spike[1].count("─") * 2
assert len(high) == 1 and abs(high[0] - 0.7 * width) <= 1, high
assert spike[0][0].lstrip().startswith("1.15e+18 ┤"), spike[0][0]

points = dots(gaps[0])
width = gaps[1].count("─") * 2
for missing in (5, 15, 25):
    x = round(missing / 29 * (width - 1))
    assert not any(a == x for a, _ in points), missing
assert "3 of 30 values are not finite" in text

assert dots(flat[0]) and len({y for _, y in dots(flat[0])}) == 1
labels = [line.split("┤")[0].strip() for line in flat[0] if "┤" in line]
assert labels[0] == labels[2] == "" != labels[1], labels  # one value is said once
assert {0, 63} <= {y for _, y in dots(row[0])} and any(30 < y < 45 for _, y in dots(row[0]))
assert "nothing to plot: there are no elements" in text and "nothing to plot: no value is finite" in text
