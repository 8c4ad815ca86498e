# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/options-gen.py: rows, continued help, rewrites, refusals."""
import os
import tempfile
import unittest

from load import load

gen = load("options-gen")


class OptionsGen(unittest.TestCase):
    def parse(self, text):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "o.def")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            return gen.parse(path)

    def test_rows(self):
        rows = self.parse("= Head\nm,M :: size :: machine :: memory\n    more\n"
                          "x :: file :: => m a=%,b :: short\ny :: - :: run :: flag\n")
        self.assertEqual(rows[0]["alias"], "M")
        self.assertEqual(rows[0]["help"], "memory\nmore")
        self.assertEqual(rows[0]["heading"], "Head")
        self.assertIsNone(rows[1]["heading"])
        self.assertEqual(rows[1]["rewrite"], "m a=%,b")
        self.assertIsNone(rows[2]["args"])

    def test_refusals(self):
        for text in ("m :: size :: machine\n", "m :: - :: run :: x\nm :: - :: run :: x\n",
                     "m :: - :: => zz :: x\n", "m :: a :: run :: x\nn :: a :: => m b :: x\n"):
            with self.assertRaises(SystemExit):
                self.parse(text)

    def test_c_strings(self):
        self.assertEqual(gen.c_string('a"b\\\n'), '"a\\"b\\\\\\n"')
        self.assertEqual(gen.c_string(None), "NULL")

    def test_pages(self):
        rows = self.parse("= Head\nm,M :: size :: machine :: memory\n    .more\n"
                          "x :: file :: => m a=%,b :: short\n= Tail\ny :: - :: run :: flag\n")
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "help")
            with open(path, "w", encoding="utf-8") as f:
                f.write("Head:\n-m size        memory\n-y   flag\n")
            rows = gen.shown(rows, path)
        self.assertEqual([r["name"] for r in rows], ["m", "y"])
        text = gen.man("qemu-system-z", rows)
        self.assertIn(".SH NAME\nqemu\\-system\\-z ", text)
        self.assertIn(".SS Head\n.TP\n.B \\-m, \\-M size\nmemory\n.br\n\\&.more\n.SS Tail\n", text)
        self.assertIn("## Tail\n\n- `-y`: flag", gen.doc(rows))
