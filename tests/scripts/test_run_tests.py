# SPDX-License-Identifier: GPL-2.0-or-later
"""How the test runner reads TAP."""
import unittest

from load import load

runner = load("run-tests")


def read(text, status=0):
    """(passed, failed, skipped) of a program that printed text."""
    r = runner.Result("x")
    runner.read_tap(r, text, status)
    return r.passed, len(r.failed), len(r.skipped)


class ReadTap(unittest.TestCase):

    def test_counts(self):
        self.assertEqual(read("1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no kernel\n", 1), (1, 1, 1))
        self.assertEqual(read("ok 1 /a/b\nok 2 /a/c\n1..2\n"), (2, 0, 0))

    def test_early_end(self):
        self.assertEqual(read("1..3\nok 1 - a\n"), (1, 1, 0))
        self.assertEqual(read("1..1\nok 1 - a\n", -6), (1, 1, 0))
        self.assertEqual(read(""), (0, 1, 0))
        self.assertEqual(read("1..0 # SKIP nothing\n"), (0, 0, 0))

    def test_noise(self):
        self.assertEqual(read("okay\n# ok 1\nok 1 - a\n1..1\n"), (1, 0, 0))


if __name__ == "__main__":
    unittest.main()
