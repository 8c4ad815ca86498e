#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads states of a machine in which one field after the other has a wild value, and pokes the machine.

usage: fuzz-state.py [--binary PROGRAM] [--count N] [--all] [--seed N] [--only TEXT] [--pokes N] [--go-on]
                     [--accel qtest|tcg] [--machine NAME | -- EMULATOR_ARGS...]

The machine is saved into a qcow2 image; the stream is changed there, in place, and loaded again: an error
or another state, but the emulator must survive and go on answering. The seed is printed first.
"""
import argparse
import importlib.util
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
import qtest_client    # noqa: E402  (the path comes first)
from qtest_client import Qtest, QtestError    # noqa: E402

spec = importlib.util.spec_from_file_location("fuzz_banks", os.path.join(HERE, "fuzz-banks.py"))
banks_fuzzer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(banks_fuzzer)

RUN_ZERO = 1 << 31

# Machines with most devices that have state.
MACHINES = {
    "q35": "-M q35 -m 16M -nodefaults -device VGA,vgamem_mb=1 -device nvme,serial=1,drive=ro0 -device virtio-blk-pci,drive=ro1 "
           "-device virtio-scsi-pci,id=vs -device scsi-hd,bus=vs.0,drive=ro2 -device qemu-xhci,id=x "
           "-device usb-storage,bus=x.0,drive=ro3 -device usb-tablet,bus=x.0 -device usb-kbd,bus=x.0 "
           "-device ide-hd,drive=rw0,bus=ide.0 -device ide-cd,drive=ro4,bus=ide.1 -device virtio-net-pci -device e1000e "
           "-device e1000 -device vmxnet3 -device virtio-serial-pci -chardev null,id=c0 -device virtconsole,chardev=c0 "
           "-device virtio-balloon-pci -device virtio-rng-pci -device virtio-keyboard-pci -device ich9-intel-hda "
           "-device hda-duplex -device i6300esb -device pcie-root-port,id=rp -device ich9-usb-ehci1 "
           "-chardev null,id=c1 -device isa-serial,chardev=c1",
    "pc": "-M pc -m 16M -nodefaults -device cirrus-vga -device lsi53c895a,id=l -device scsi-hd,bus=l.0,drive=ro0 "
          "-device am53c974,id=am -device scsi-hd,bus=am.0,drive=ro1 -device megasas,id=ms -device scsi-hd,bus=ms.0,drive=ro2 "
          "-device mptsas1068,id=mp -device scsi-hd,bus=mp.0,drive=ro3 -device pvscsi,id=pv -device scsi-cd,bus=pv.0,drive=ro4 "
          "-device sdhci-pci -device sd-card,drive=rw0 -device floppy,drive=ro5 -device ide-hd,drive=rw1,bus=ide.0 "
          "-device ide-cd,drive=ro6,bus=ide.1 -device edu -device pci-testdev -device ib700 -chardev null,id=c0 "
          "-device isa-serial,chardev=c0 -chardev null,id=c1 -device isa-parallel,chardev=c1 -device ramfb "
          "-object cryptodev-backend-builtin,id=cr -device virtio-crypto-pci,cryptodev=cr",
    "net": "-M pc -m 16M -nodefaults -device isa-vga -device rtl8139 -device pcnet -device tulip -device i82550 -device ne2k_pci "
           "-device ne2k_isa -device AC97 -device ES1370 -device sb16 -device piix3-usb-uhci,id=u -device usb-mouse,bus=u.0 "
           "-device usb-hub,bus=u.0 -device pci-ohci,id=o,num-ports=6 -chardev null,id=c0 -device usb-serial,bus=o.0,chardev=c0 "
           "-device usb-net,bus=o.0 -device usb-audio,bus=o.0 -device usb-wacom-tablet,bus=o.0 -device usb-ehci,id=eh "
           "-device usb-uas,id=ua,bus=eh.0 -device usb-bot,id=ub,bus=eh.0 -device scsi-hd,bus=ub.0,drive=ro0",
    "iommu": "-M q35 -m 16M,slots=2,maxmem=1G -nodefaults -device intel-iommu,intremap=on "
             "-device virtio-net-pci,iommu_platform=on,packed=on -device virtio-blk-pci,drive=ro0,packed=on "
             "-device virtio-mouse-pci -device secondary-vga,vgamem_mb=1 -device bochs-display,vgamem=1M "
             "-device pvpanic-pci -device vmgenid -object memory-backend-ram,id=m0,size=16M "
             "-device virtio-mem-pci,memdev=m0,requested-size=8M -object memory-backend-ram,id=m1,size=16M "
             "-device pc-dimm,memdev=m1 -device pci-bridge,id=br,chassis_nr=1 -device e1000,bus=br,addr=1",
    "amd": "-M q35 -m 16M -nodefaults -device amd-iommu,intremap=on -device e1000",
}


class Item:
    """A field of a device in the stream."""

    def __init__(self, path, name, at, size):
        self.path, self.name, self.at, self.size = path, name, at, size

    def __str__(self):
        return f"{self.path}: {self.name} ({self.size} bytes)"


class Reader:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def number(self, form):
        v, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return v

    def text(self):
        size = self.number(">I")
        self.at += size
        return self.data[self.at - size:self.at].decode()


def parse(data):
    """The items of all devices; the image has the stream in one piece."""
    r = Reader(data, data.index(b"EMUSTATE") + 8)
    items = []
    r.number(">I")
    r.text()
    r.text()
    while kind := r.number("B"):
        if kind == 1:
            items.append(Item("machine", "time", r.at, 8))
            r.number(">Q")
        elif kind == 2:
            r.text()
            r.number(">Q")
            while True:
                r.number(">Q")
                size = r.number(">I")
                if size == 0:
                    break
                r.at += 0 if size & RUN_ZERO else size
        elif kind == 3:
            path = r.text()
            r.text()
            r.number(">I")
            end = r.number(">I") + r.at
            while r.at < end:
                name = r.text()
                size = r.number(">I")
                if size:
                    items.append(Item(path, name, r.at, size))
                r.at += size
        else:
            raise ValueError(f"section {kind} at {r.at}")
    return items


def change(rng, old):
    """Another value for the bytes of an item: (offset in it, bytes). Its elements may be of any size."""
    widths = [w for w in (1, 2, 4, 8) if len(old) % w == 0]
    width = len(old) if len(old) in widths and rng.randrange(8) else rng.choice(widths)
    # mostly the first elements, which are those in use
    count = len(old) // width
    at = width * (rng.randrange(count) if rng.randrange(2) else rng.randrange(min(count, 4)))
    before = int.from_bytes(old[at:at + width], "big")
    bits = 8 * width
    v = rng.choice([(1 << bits) - 1, 0, 1, 2, (1 << bits - 1) - 1, 1 << bits - 1, before + 1, before - 1,
                    before * 2 + 1, before ^ 1 << rng.randrange(bits), 0x3f, 0x80, 0x101, 0xffff, 0x10000,
                    (1 << bits) - 2, 0x7fffffff, 0x80000000, 1 << 40, (1 << 62) - 1, rng.getrandbits(bits)])
    return at, (v & (1 << bits) - 1).to_bytes(width, "big")


class Machine:
    """An emulator with a state to spoil."""

    def __init__(self, args, seed):
        self.args, self.seed = args, seed
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz-state-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.image = image = os.path.join(self.folder.name, "state.qcow2")
        tool = os.path.join(os.path.dirname(os.path.abspath(args.binary)), "qemu-img")
        self.disks = ["-blockdev", f"qcow2,file.driver=file,file.filename={image},node-name=state"]
        for i, name in enumerate([self.image] + [f"{self.folder.name}/rw{i}" for i in range(2)]):
            subprocess.run([tool, "create", "-q", "-f", "qcow2", name, "1M"], check=True)
            if i:
                self.disks += ["-blockdev", f"qcow2,file.driver=file,file.filename={name},node-name=rw{i - 1}"]
        for i in range(7):
            self.disks += ["-blockdev", f"driver=null-co,size=8M,node-name=ro{i},read-zeroes=on,read-only=on"]
        self.q = None
        self.functions, self.windows = [], []
        self.start()
        self.save()

    def start(self):
        if self.q:
            self.q.close()
        options = ["-no-shutdown", "-action", "panic=none"] + self.disks + self.args.args
        if self.args.accel != "qtest":
            options += ["-accel", self.args.accel]
        self.q = Qtest(os.path.abspath(self.args.binary), options, with_qmp=True)
        self.banks = {}
        for word in self.q.command("banks"):
            path, name, size = word.rsplit(":", 2)
            self.banks.setdefault(path, []).append((path, name, int(size, 0)))

    def hmp(self, line):
        reply = self.q.run_qmp({"execute": "human-monitor-command", "arguments": {"command-line": line}})
        return reply["return"].strip()

    def poke(self, rng, text):
        try:
            self.q.command(text)
        except QtestError:
            pass    # refused, as it may be

    def save(self):
        """A state in which devices are at work, as far as random pokes do that."""
        rng = random.Random(self.seed)
        if self.args.accel == "qtest":
            try:
                self.functions, self.windows = banks_fuzzer.map_pci(self.q)
            except QtestError:
                pass    # no PCI
            every = [b for banks in self.banks.values() for b in banks]
            for _ in range(self.args.before):
                for text in banks_fuzzer.next_commands(rng, every, self.functions, self.windows):
                    self.poke(rng, text)
        else:
            self.hmp("stop")
        said = self.hmp("savevm s")
        if said:
            raise QtestError(f"savevm: {said}")
        said = self.hmp("loadvm s")
        if said:
            raise QtestError(f"the state as it was saved: {said}")
        for name in os.listdir(self.folder.name):    # that of the first disk is taken
            self.image = os.path.join(self.folder.name, name)
            with open(self.image, "rb") as f:
                self.data = f.read()
            if b"EMUSTATE" in self.data:
                break
        self.items = [i for i in parse(self.data) if self.args.only in str(i)]

    def some(self, rng, count):
        """Elements of long arrays are not more likely than other fields."""
        kinds = {}
        for i in self.items:
            kinds.setdefault(re.sub(r"\d+", "", i.path + i.name), []).append(i)
        rows = list(kinds.values())
        return [rng.choice(rng.choice(rows)) for _ in range(count)]

    def commands(self, rng, item):
        """What makes the device look at its fields."""
        banks = self.banks.get(item.path, [])
        if banks:
            for _ in range(self.args.pokes):
                yield banks_fuzzer.bank_command(rng, banks)
        every = [b for b in self.banks.values() for b in b]
        for _ in range(self.args.pokes):
            yield from banks_fuzzer.next_commands(rng, every, self.functions, self.windows)
        yield f"clock_step {rng.choice([1, 1000, 1000000, 50000000])}"

    def run(self, rng):
        """The machine runs for a little (accelerators with CPUs)."""
        self.q.run_qmp({"execute": "cont"})
        for _ in range(3):
            self.q.command("readb 0")
        self.hmp("info registers -a")
        self.q.run_qmp({"execute": "stop"})

    def once(self, rng, item):
        """Whether the state was taken."""
        at, value = change(rng, self.data[item.at:item.at + item.size])
        self.what = f"{item} + {at} = {value.hex()}, was {self.data[item.at + at:item.at + at + len(value)].hex()}"
        with open(self.image, "r+b") as f:
            f.seek(item.at + at)
            f.write(value)
        try:
            self.said = self.hmp("loadvm s")
            if self.said == "":
                if self.args.accel == "qtest":
                    for text in self.commands(rng, item):
                        self.last = text
                        self.poke(rng, text)
                    self.hmp("info registers -a")
                    self.q.run_qmp({"execute": "screendump", "arguments": {"filename": "/dev/null"}})
                else:
                    self.run(rng)
            self.last = "stop"
            self.q.run_qmp({"execute": "stop"})
        finally:
            with open(self.image, "r+b") as f:
                f.seek(item.at + at)
                f.write(self.data[item.at + at:item.at + at + len(value)])
        return self.said == ""


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="./qemu-system-x86_64")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--all", action="store_true", help="each field in turn, count times")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="fields with this in their path or name")
    parser.add_argument("--pokes", type=int, default=6)
    parser.add_argument("--before", type=int, default=1500, help="pokes before the machine is saved")
    parser.add_argument("--go-on", action="store_true", help="with the next field after a failure")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--accel", default="qtest")
    parser.add_argument("--machine", choices=list(MACHINES), default="q35", help="one with many devices")
    parser.add_argument("args", nargs="*", help="another machine")
    args = parser.parse_args(argv[1:])
    args.args = args.args or MACHINES[args.machine].split()
    qtest_client.TIMEOUT_SECONDS = 20
    seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    print(f"fuzz-state: seed {seed}, {args.machine}", flush=True)
    rng = random.Random(seed)
    m = Machine(args, seed)
    taken = failed = 0
    work = m.items * args.count if args.all else m.some(rng, args.count)
    for item in work:
        try:
            good = m.once(rng, item)
            taken += good
            if "the machine has no" in m.said:
                m.start()    # the guest has unplugged a device
            if args.verbose:
                print(m.what, "->", m.said or "taken", flush=True)
        except (OSError, QtestError) as e:
            try:
                status = m.q.process.wait(2)
            except subprocess.TimeoutExpired:
                status = "hangs"
            print(f"fuzz-state: {m.what}: {e!r}, status {status}, last: {m.last if m.said == '' else 'loadvm'}\n{m.q.errors()[-6000:]}", flush=True)
            failed += 1
            if not args.go_on:
                break
            m.start()
            if args.accel != "qtest":
                m.hmp("stop")
    m.q.close()
    print(f"fuzz-state: {len(work)} states with {len(m.items)} fields, {taken} of them taken, {failed} failures")
    return failed != 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except QtestError as problem:
        sys.exit(f"fuzz-state: {problem}")
