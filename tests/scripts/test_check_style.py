# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of style."""
import unittest

from load import load

style = load("check-style")
HEAD = "// " + style.SPDX + "\n"


def complaints(text, path="hw/a.c", head=HEAD):
    """The messages for a file."""
    return [message for _, message in sorted(style.check_c(path, head + text))]


class CheckStyle(unittest.TestCase):

    def bad(self, text, words, **more):
        found = complaints(text, **more)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def good(self, text, **more):
        self.assertEqual(complaints(text, **more), [])

    def test_licence(self):
        self.bad("int f(void);\n", "first line", head="")

    def test_function_length(self):
        body = "    x();\n"
        self.good("int f(void)\n{\n" + body * 118 + "}\n")
        self.bad("int f(void)\n{\n" + body * 119 + "}\n", "121 lines")

    def test_tables_do_not_count(self):
        table = "static const int t[] = {\n" + "    1,\n" * 2000 + "};\n"
        self.good(table)
        self.good("#define ROWS(X) \\\n" + "    X(a) \\\n" * 400 + "    X(b)\n", path="include/util/a.h")
        self.bad("int f(void);\n" * 1001, "1002 lines")
        self.bad("int f(void);\n" * 301, "302 lines", path="include/util/a.h")

    def test_width(self):
        self.bad("int f(int " + "a" * 100 + ");\n", "columns")
        self.good("static const int t[] = {\n    1, /* " + "a" * 100 + " */\n};\n")

    def test_forbidden(self):
        self.bad("void f(void)\n{\n    sprintf(a, b);\n}\n", "sprintf")
        self.bad("void f(void)\n{\n    x = atoi(b);\n}\n", "atoi")
        self.good('void f(void)\n{\n    snprintf(a, "atoi(x)"); /* sprintf(a) */\n}\n')
        self.good("void f(void)\n{\n    v->exit(x);\n}\n")
        self.bad("void f(void)\n{\n    exit(1);\n}\n", "exit")
        self.good("void f(void)\n{\n    exit(1);\n}\n", path="vl.c")
        self.bad("static void __attribute__((constructor)) f(void);\n", "constructors")

    def test_if_in_function(self):
        self.bad("void f(void)\n{\n#ifdef X\n    x();\n#endif\n}\n", "#if inside")
        self.good("#ifdef X\nvoid f(void)\n{\n}\n#endif\n")

    def test_data(self):
        self.bad("static int count;\n", "file scope")
        self.bad("int count = 5;\n", "file scope")
        self.bad("static struct {\n    int a;\n} state;\n", "file scope")
        self.bad("static __thread Foo *current;\n", "file scope")
        self.bad("static const char *name;\n", "file scope")
        self.good("/* one machine per process */\nstatic int count;\n")
        self.good("static int count; /* why */\n")
        for text in ["static const int a = 5;\n", "extern int a;\n", "typedef int A;\n", "struct A;\n",
                     "int f(int a);\n", "static const char *const names[] = {\n    0,\n};\n",
                     "typedef struct A {\n    int b;\n} A;\n", "enum {\n    A,\n};\n"]:
            self.good(text)

    def test_white_space(self):
        self.bad("int a(void); \n", "space")
        self.bad("\tint a(void);\n", "tab")

    def test_includes(self):
        self.good('#include <a.h>\n' * 16)
        self.bad('#include "a.h"\n' * 16, "included")


if __name__ == "__main__":
    unittest.main()
