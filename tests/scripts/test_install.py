# SPDX-License-Identifier: GPL-2.0-or-later
"""make install and uninstall: what lands where, that it runs from there, that it goes again."""
import os
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("BUILD_DIR", "")


def make(*args):
    """Runs make in the build folder, without what a calling make has left in the environment."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    p = subprocess.run(["make", "-s", "-C", BUILD, *args], env=env, text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        raise AssertionError(p.stdout)


@unittest.skipUnless(os.path.exists(os.path.join(BUILD, "qemu-system-x86_64")), "nothing is built")
class Install(unittest.TestCase):

    def test_install_and_uninstall(self):
        with tempfile.TemporaryDirectory() as dest:
            where = ("DESTDIR=" + dest, "PREFIX=/opt/here")
            top = os.path.join(dest, "opt/here")
            make("install", *where)
            program = os.path.join(top, "bin/qemu-system-x86_64")
            for name in ("bin/qemu-system-x86_64", "share/man/man1/qemu-system-x86_64.1",
                         "share/qemu/linuxboot.bin"):
                self.assertTrue(os.path.exists(os.path.join(top, name)), name)
            # it runs from there
            p = subprocess.run([program, "-display", "none", "-device", "help"], cwd="/", text=True,
                               capture_output=True, check=False)
            self.assertEqual(p.returncode, 0, p.stderr)
            make("uninstall", *where)
            left = [os.path.join(d, f) for d, _, files in os.walk(dest) for f in files]
            self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
