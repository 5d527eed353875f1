# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads 8-bit PNG files into NumPy arrays, so that pictures can be compared without a library of pictures."""
import struct
import zlib

import numpy


def read(path):
    """The picture as uint8 of shape (height, width, channels); 8 bits a channel, no palette, not interlaced."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "%s is no PNG file" % path
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + chunk) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0], "broken %s" % kind
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(colour)
            assert depth == 8 and channels and not interlaced, "kind of PNG not handled: depth %d, colour %d" % (depth, colour)
        elif kind == b"IDAT":
            body += chunk
        at += 12 + length
    raw = zlib.decompress(body)
    stride = width * channels
    assert len(raw) == height * (stride + 1)
    rows = numpy.zeros((height + 1, stride + channels), numpy.int32)  # a row above and a pixel on the left, of zeros
    for y in range(height):
        kind = raw[y * (stride + 1)]
        line = numpy.frombuffer(raw, numpy.uint8, stride, y * (stride + 1) + 1).astype(numpy.int32)
        up, row = rows[y], rows[y + 1]
        if kind == 0:
            row[channels:] = line
        elif kind == 1:
            row[channels:] = (numpy.cumsum(line.reshape(width, channels), axis=0) & 255).reshape(stride)
        elif kind == 2:
            row[channels:] = (line + up[channels:]) & 255
        else:
            for x in range(channels, stride + channels):
                left, above, corner = int(row[x - channels]), int(up[x]), int(up[x - channels])
                if kind == 3:
                    guess = (left + above) // 2
                else:
                    p = left + above - corner
                    a, b, c = abs(p - left), abs(p - above), abs(p - corner)
                    guess = left if a <= b and a <= c else above if b <= c else corner
                row[x] = (int(line[x - channels]) + guess) & 255
    return rows[1:, channels:].astype(numpy.uint8).reshape(height, width, channels)
