# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/gen-decode.py: what rows mean, their order, overlaps, extraction of fields."""
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SCRIPT = os.path.join(SOURCE, "scripts/gen-decode.py")


def generate(text, prefix="toy", index="15-12"):
    """Exit status, messages, header and source."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "toy.decode")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        r = subprocess.run([sys.executable, SCRIPT, prefix, index, folder, path], capture_output=True, text=True, check=False)
        made = []
        for end in ("h", "c"):
            name = os.path.join(folder, f"{prefix.partition('/')[0]}-decode.{end}")
            text = ""
            if os.path.exists(name):
                with open(name, encoding="utf-8") as f:
                    text = f.read()
            made.append(text)
        return r.returncode, r.stderr, made[0], made[1]


class GenDecode(unittest.TestCase):
    def test_fields(self):
        code, _, header, source = generate('ADD 0001dddd iiiinnnn rd=d imm=-i<<2 rn=n op=FOO "add %rd" 1.2\n')
        self.assertEqual(code, 0)
        self.assertIn("int32_t rd;", header)
        self.assertIn("bool trans_ADD(struct ArmCtx *s, const ToyInsn *i);", header)
        self.assertIn("i->op = (int32_t)(FOO);", source)
        self.assertIn("{\"ADD\", 0xf000, 0x1000,", source)

    def test_shared_function(self):
        code, _, header, _ = generate('A 0000dddd dddddddd @both rd=d x=0 "a" 1\nB 0001dddd dddddddd @both rd=d x=1 "b" 1\n')
        self.assertEqual(code, 0)
        self.assertEqual(header.count("trans_both("), 1)

    def test_special_first(self):
        code, _, _, source = generate('ANY 0000dddd dddddddd rd=d "any" 1\nONE 00000001 dddddddd rd=d "one" 1\n')
        self.assertEqual(code, 0)
        self.assertLess(source.index('"ONE"'), source.index('"ANY"'))

    def test_overlap(self):
        text = 'A 0000dddd dddd0000 rd=d "a" 1\nB 00000000 dddddddd {}rd=d "b" 1\n'
        code, message, _, _ = generate(text.format(""))
        self.assertNotEqual(code, 0)
        self.assertIn("'B' overlaps 'A'", message)
        self.assertEqual(generate(text.format("^ "))[0], 0)

    def test_mistakes(self):
        for text, message in (('A 0000 "a" 1\n', "4 bits"), ('A 0000dddd dddddddd rd=q "a" 1\n', "no field 'q'"),
                              ('A 0000dddd dddddddd rd=d\n', "a row is"), ('A 0000dddd dddddddd "a" 1\n' * 2, "a second row"),
                              ('A 0000dddd dddddddd ? "a" 1\n', "what is '?'")):
            code, said, _, _ = generate(text)
            self.assertNotEqual(code, 0)
            self.assertIn(message, said)

    def test_shared_struct(self):
        code, _, header, source = generate('A 0000dddd dddddddd rd=d "a" 1\n', "toy/Big")
        self.assertEqual(code, 0)
        self.assertIn("/big.h\"", header)
        self.assertNotIn("typedef struct BigInsn", header)
        self.assertIn("bool toy_decode(BigInsn *i", source)


if __name__ == "__main__":
    unittest.main()
