#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pads an option ROM to its length in 512-byte units and makes its bytes sum to zero.

usage: sign-rom.py RAW OUT

An image that does not begin with 55 AA is no option ROM and is copied as it is. Byte 2, the length,
is filled in when the source left it 0; the checksum goes into the last byte.
"""
import sys


def sign(data):
    """The padded and signed image, as bytes."""
    if data[:2] != b"\x55\xaa":
        return data
    image = bytearray(data)
    units = (len(image) + 1 + 511) // 512
    if image[2] == 0:
        image[2] = units
    if image[2] < units:
        raise ValueError(f"the header says {image[2]} units, the image needs {units}")
    image += bytes(image[2] * 512 - len(image))
    image[-1] = (image[-1] - sum(image)) & 0xFF
    return bytes(image)


def main(argv):
    with open(argv[1], "rb") as f:
        data = f.read()
    try:
        data = sign(data)
    except ValueError as e:
        print(f"{argv[1]}: {e}", file=sys.stderr)
        return 1
    with open(argv[2], "wb") as f:
        f.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
