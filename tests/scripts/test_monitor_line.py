# SPDX-License-Identifier: GPL-2.0-or-later
"""The human monitor's line: what keys do, and what Tab completes wherever the cursor stands."""
import os
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.path.join(os.path.abspath(os.environ.get("BUILD_DIR", ".")), "qemu-system-x86_64")
TIMEOUT_SECONDS = 60
LEFT, RIGHT, HOME, END, DELETE, UP = b"\x1b[D", b"\x1b[C", b"\x01", b"\x05", b"\x04", b"\x10"


@unittest.skipUnless(os.path.exists(PROGRAM), "qemu-system-x86_64 is not built")
class MonitorLine(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "m")
        p = subprocess.Popen([PROGRAM, "-machine", "none", "-S", "-display", "none", "-monitor", f"unix:{path},server=on,wait=off"])
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.s = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.s.close)
        self.s.settimeout(TIMEOUT_SECONDS)
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                self.s.connect(path)
                break
            except OSError:
                self.assertIsNone(p.poll())
                self.assertLess(time.monotonic(), end)
        self.until("(qemu) ")

    def until(self, text):
        data = b""
        while text.encode() not in data:
            more = self.s.recv(4096)
            self.assertTrue(more, data)
            data += more
        return data.decode()

    def test_keys(self):
        self.s.sendall(b"nfo stx" + HOME + b"i" + END + b"\x7f" + b"a" + LEFT * 2 + RIGHT * 2 + b"tusz" + LEFT + DELETE + b"\n")
        self.until("VM status: paused")
        self.s.sendall(UP + b"\n")
        self.until("VM status: paused")

    def test_completion(self):
        self.s.sendall(b"info statu\t\n")
        self.until("VM status: paused")
        for at in range(1, 6):
            self.s.sendall(b"info " + LEFT * at + b"\t" + END + b"\t\x15")
        self.s.sendall(b"info status\n")
        self.until("VM status: paused")


if __name__ == "__main__":
    unittest.main()
