# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may include whom."""
import unittest

from load import load

layers = load("check-layers")


class CheckLayers(unittest.TestCase):

    def test_allowed(self):
        for path, header in [("util/a.c", "util/b.h"), ("util/a.c", "stdio.h"), ("util/a.c", "sys/uio.h"),
                             ("hw/net/e1000.c", "net/net.h"), ("hw/a/b.c", "hw/pci/pci.h"),
                             ("target-i386/cpu.c", "tcg/ir.h"), ("vl.c", "target-i386/cpu.h"),
                             ("target-i386/a.c", "target-i386/b.h"), ("include/hw/a.h", "qom/device.h"),
                             ("tests/unit/test-a.c", "target-i386/cpu.h"), ("tcg/a.c", "private.h")]:
            self.assertIsNone(layers.check_include(path, header), (path, header))

    def test_refused(self):
        for path, header in [("util/a.c", "qapi/qapi.h"), ("qom/a.c", "exec/memory.h"),
                             ("hw/i386/pc.c", "target-i386/cpu.h"), ("hw/i386/pc.c", "tcg/ir.h"),
                             ("block/raw.c", "exec/memory.h"), ("block/raw.c", "hw/pci/pci.h"),
                             ("target-i386/a.c", "target-arm/cpu.h"), ("include/util/a.h", "qom/object.h"),
                             ("monitor/a.c", "tcg/ir.h"), ("exec/a.c", "tcg/ir.h")]:
            self.assertIsNotNone(layers.check_include(path, header), (path, header))

    def test_text(self):
        text = '#include <glib.h>\n#  include "tcg/ir.h"\n'
        self.assertEqual([line for line, _ in layers.check_text("hw/a.c", text)], [2])
        self.assertEqual(list(layers.check_text("tests/a.c", text)), [])


if __name__ == "__main__":
    unittest.main()
