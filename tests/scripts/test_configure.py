# SPDX-License-Identifier: GPL-2.0-or-later
"""configure: what it accepts, refuses and writes."""
import os
import subprocess
import tempfile
import unittest

from load import TOP


def configure(*args):
    """(exit status, output, config.mk) of a run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.run([os.path.join(TOP, "configure"), *args], cwd=folder, text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        config = ""
        if os.path.exists(os.path.join(folder, "config.mk")):
            with open(os.path.join(folder, "config.mk"), encoding="utf-8") as f:
                config = f.read()
        return p.returncode, p.stdout, config


class Configure(unittest.TestCase):

    def test_help(self):
        status, text, _ = configure("--help")
        self.assertEqual(status, 0)
        for word in ("--target-list=", "--enable-sanitizers", "slirp"):
            self.assertIn(word, text)

    def test_refused(self):
        for arg, words in (("--enable-nonsense", "unknown feature 'nonsense'"), ("--foo", "unknown option"),
                           ("--target-list=pdp11", "unknown target 'pdp11'"),
                           ("--cc=/nonexistent/cc", "cannot make a program")):
            status, text, config = configure(arg)
            self.assertEqual((status, config), (1, ""), arg)
            self.assertIn(words, text)

    def test_disabled_library(self):
        status, text, config = configure("--disable-slirp", "-j3", "--prefix=/opt/x y")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"slirp +disabled: no -netdev user")
        self.assertRegex(config, r"(?m)^DROPPED_FILES :=.*net/slirp%")
        self.assertNotIn("lslirp", config)
        self.assertIn("MAKEFLAGS += -j3", config)
        self.assertIn("--prefix=/opt/x\\ y", config)


if __name__ == "__main__":
    unittest.main()
