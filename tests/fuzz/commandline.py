# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines: options that `-help` lists, with values made of the words that `-help` has for them, right and wrong."""
import os
import re
import subprocess

import monitor
from process import Died, Emulator

# what leaves processes, changes the user or the terminal, or waits for somebody
NOT_GIVEN = set(
    "daemonize runas chroot h help version D pidfile qmp qmp-pretty mon monitor S accel incoming loadvm readconfig writeconfig "
    "sandbox enable-kvm name trace d dfilter only-migratable preconfig plugin no-shutdown action serial parallel qtest gdb s "
    "curses sdl full-screen nographic display semihosting semihosting-config mem-prealloc overcommit xen-domid xen-attach".split()
)
VALUES = "on off 0 1 2 3 4 64 512 1k 1M 1G 99999999999999999999 -1 0x10 1.5 a node0 n0 c0 m0 none null pc q35 file.raw file.raw file.raw file.raw / max help".split()

BACK_ENDS = {"drive": "node0", "netdev": "n0", "chardev": "c0", "memdev": "m0", "bus": "pci.0", "iothread": "io0"}
# what devices find there: a bus of each kind, and what they stand for
MACHINE = (
    "-accel qtest -S -display none -chardev null,id=c0 -netdev hubport,id=n0,hubid=0 -object iothread,id=io0 "
    "-blockdev null-co,node-name=node0,size=1M,read-zeroes=on -object memory-backend-ram,id=m0,size=64M"
).split()
BUSES = (
    "-usb -device virtio-scsi-pci -device virtio-serial-pci -device ahci -device intel-hda -device sdhci-pci".split()
)


class CommandLine:
    """Each step is one process, which must end with status 0 or 1, or run until it is told to end."""

    def __init__(self, binary, rng):
        self.binary, self.rng = binary, rng
        self.names = [m.group(1) for m in re.finditer(r'^name "([^"]+)"', self.ask("-device", "help"), re.M)]
        self.devices = [name for name in self.names if not name.endswith("-cpu")]
        self.options = {}  # name: the names of its members, and whether it takes a value
        for line in self.ask("-help").splitlines():
            m = re.match(r"-+([a-z0-9][\w-]*)(?: (.*))?$", line)
            if m and m.group(1) not in NOT_GIVEN:
                keys = re.findall(r"([a-z][\w.-]*)=", m.group(2) or "")
                words = re.findall(r"[=|]([\w.-]+)", m.group(2) or "")
                self.options.setdefault(m.group(1), (bool(m.group(2)), keys, words))
        self.machines = re.findall(r"^(\S+) ", self.ask("-M", "help"), re.M)
        self.properties = {}

    def ask(self, *arguments):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=60, check=False).stdout

    def value(self, words=()):
        rng = self.rng
        roll = rng.random()
        if words and roll < 0.3:
            return rng.choice(words)
        if roll < 0.8:
            return rng.choice(VALUES)
        return rng.choice(monitor.NAMES + monitor.TEXTS).replace("\0", "")

    def typed(self, name, kind):
        """A value of a property's type, as `-device X,help` calls it."""
        rng = self.rng
        if rng.random() < 0.1:
            return self.value()
        if kind == "bool":
            return rng.choice(["on", "off"])
        if "int" in kind or kind == "size":
            return rng.choice(
                ["0", "1", "2", "3", "4", "7", "8", "16", "64", "255", "512", "4096", "65535", "1048576", "-1"]
            )
        return BACK_ENDS.get(name) or rng.choice(VALUES)

    def device(self):
        rng = self.rng
        name = rng.choice(self.names if rng.random() < 0.1 else self.devices)
        if name not in self.properties:
            self.properties[name] = re.findall(r"^  ([\w.-]+)=<([^ ]+)>", self.ask("-device", f"{name},help"), re.M)
        known = self.properties[name]
        parts = [name] + [
            f"{p}={self.typed(p, t)}" for p, t in rng.sample(known, min(len(known), rng.choice([0, 1, 2, 3])))
        ]
        return ["-device", ",".join(parts)]

    def option(self):
        rng = self.rng
        if rng.random() < 0.6:
            return self.device()
        name = rng.choice(sorted(self.options))
        has_value, keys, words = self.options[name]
        if not has_value:
            return [f"-{name}"]
        parts = [self.value(words)] if rng.random() < 0.6 or not keys else []
        parts += [f"{rng.choice(keys)}={self.value(words)}" for _ in range(rng.choice([0, 1, 2, 3])) if keys]
        return [f"-{name}", ",".join(parts)]

    def step(self):
        rng = self.rng
        arguments = [*MACHINE, "-M", rng.choice(self.machines if rng.random() < 0.2 else ["pc", "q35"])]
        if rng.random() < 0.8:
            arguments += ["-nodefaults", *BUSES]
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            arguments += self.option()
        with Emulator(self.binary, arguments) as emulator:
            with open(os.path.join(emulator.folder, "file.raw"), "wb") as f:
                f.write(bytes(rng.getrandbits(8) for _ in range(600)))
            try:
                emulator.connect()
                emulator.alive()
                emulator.qmp.run("quit")
            except Died:
                pass
            try:
                status = emulator.process.wait(60)
            except subprocess.TimeoutExpired:
                status = None
            return arguments, status, emulator.said()
