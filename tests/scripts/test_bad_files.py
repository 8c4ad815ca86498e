# SPDX-License-Identifier: GPL-2.0-or-later
"""Missing, truncated, oversized and unreadable files, and ports in use: one line, status 1, nothing left."""
import os
import socket
import struct
import subprocess
import tempfile
import unittest

PROGRAM = os.path.join(os.path.abspath(os.environ.get("BUILD_DIR", ".")), "qemu-system-x86_64")
TIMEOUT_SECONDS = 60


def kernel(length):
    """A bzImage that says it has 1 MiB of code behind its setup part, cut to length."""
    head = bytearray(5 * 512)
    head[0x1f1] = 4
    struct.pack_into("<I", head, 0x1f4, (1 << 20) // 16)
    head[0x1fe:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, 0x20c)
    head[0x211] = 1
    return (bytes(head) + bytes(1 << 20))[:length]


@unittest.skipUnless(os.path.exists(PROGRAM), "qemu-system-x86_64 is not built")
class BadFiles(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name, data in (("empty", b""), ("short", kernel(300)), ("setup", kernel(2000)),
                           ("cut", kernel(100000)), ("good", kernel(1 << 30)), ("odd", bytes(1000))):
            with open(self.path(name), "wb") as f:
                f.write(data)
        with open(self.path("huge"), "wb") as f:
            f.truncate(8 << 30)
        os.mkdir(self.path("folder"))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def refuse(self, words, *args):
        """Runs with these options and looks for one line with the words."""
        before = sorted(os.listdir(self.folder.name))
        p = subprocess.run([PROGRAM, "-display", "none", *args], stdin=subprocess.DEVNULL, text=True,
                           capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertEqual(p.stdout, "")
        self.assertEqual(len(p.stderr.splitlines()), 1, p.stderr)
        self.assertIn(words, p.stderr)
        self.assertEqual(sorted(os.listdir(self.folder.name)), before)

    def test_kernel(self):
        for name, words in (("missing", "No such file"), ("folder", "Is a directory"), ("empty", "too short"),
                            ("short", "too short"), ("setup", "truncated"), ("cut", "truncated"),
                            ("huge", "too large")):
            with self.subTest(name):
                self.refuse(words, "-kernel", self.path(name))

    def test_initrd(self):
        for name, words in (("missing", "No such file"), ("folder", "Is a directory"), ("empty", "is empty"),
                            ("huge", "too large")):
            with self.subTest(name):
                self.refuse(words, "-kernel", self.path("good"), "-initrd", self.path(name))

    def test_firmware(self):
        for name, words in (("missing", "could not find"), ("folder", "could not find"), ("huge", "too large"),
                            ("empty", "multiple of 64 KiB"), ("odd", "multiple of 64 KiB")):
            with self.subTest(name):
                self.refuse(words, "-bios", self.path(name))

    def test_disk(self):
        for name, words in (("missing", "No such file"), ("folder", "regular file")):
            with self.subTest(name):
                self.refuse(words, "-drive", "format=raw,file=" + self.path(name))
                self.refuse(words, "-cdrom", self.path(name))

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable(self):
        os.chmod(self.path("good"), 0)
        self.refuse("Permission denied", "-kernel", self.path("good"))
        self.refuse("Permission denied", "-drive", "format=raw,file=" + self.path("good"))

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            for args in (("-serial", f"tcp:127.0.0.1:{port},server=on"),
                         ("-qmp", f"tcp:127.0.0.1:{port},server=on,wait=off"),
                         ("-gdb", f"tcp:127.0.0.1:{port}"),
                         ("-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:22")):
                with self.subTest(args):
                    self.refuse("Address already in use", *args)

    def test_memory(self):
        self.refuse("cannot set up guest memory 'pc.ram'", "-m", "100T")


if __name__ == "__main__":
    unittest.main()
