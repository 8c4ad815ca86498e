# SPDX-License-Identifier: GPL-2.0-or-later
"""Option ROMs are padded and summed."""
import unittest

from load import load

rom = load("sign-rom")


class SignRom(unittest.TestCase):

    def test_pads_and_sums(self):
        image = rom.sign(b"\x55\xaa\x00" + b"\x12" * 600)
        self.assertEqual(len(image), 1024)
        self.assertEqual(image[2], 2)
        self.assertEqual(sum(image) % 256, 0)

    def test_room_for_the_sum(self):
        self.assertEqual(len(rom.sign(b"\x55\xaa\x00" + bytes(509))), 1024)
        self.assertEqual(len(rom.sign(b"\x55\xaa\x00" + bytes(508))), 512)

    def test_declared_length(self):
        self.assertEqual(len(rom.sign(b"\x55\xaa\x04" + bytes(10))), 2048)
        with self.assertRaises(ValueError):
            rom.sign(b"\x55\xaa\x01" + bytes(600))

    def test_no_rom(self):
        self.assertEqual(rom.sign(b"abc"), b"abc")


if __name__ == "__main__":
    unittest.main()
