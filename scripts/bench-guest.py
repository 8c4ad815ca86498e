#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-guest.py BUILD [WHAT...] : this build's emulator (A) against the reference (B), alternating, inside of Linux guests.

WHAT, all of them when none is named:
  disks    virtio-blk and NVMe: 1 MiB sequential, 4 KiB random, one and 32 under way (tests/guest/bench-io.c)
  net      virtio-net and e1000e through the user-mode network: streams both ways, round trips
  microvm  -M microvm to the first line of init: wall and CPU time, memory
  debian   Debian from a disk by SeaBIOS and by OVMF to its shell; needs GUESTS_DIR/img/debian-amd64.qcow2
REFERENCE is the other emulator, ROUNDS (default 3) how often, SIZE (default 256) the MiB of disks and streams, ONLY=text picks
devices ("nvme raw", "OVMF"), JOB=name one job of the disks (seqread_1m:20, say: 20 times), IMAGES the folder of the disks (default /var/tmp), TIMEOUT
(default 300) the seconds a guest has. Times are the smallest of the rounds and their median. CPU time is the process's, threads that ended included.
"""
import importlib.machinery, importlib.util, os, re, select, socket, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, SIZE, ONLY = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("SIZE", "256")), os.environ.get("ONLY", "")
REFERENCE = os.environ.get("REFERENCE", "/usr/bin/qemu-system-x86_64")
TIMEOUT_SECONDS = int(os.environ.get("TIMEOUT", "300"))
JOB, IMAGES = os.environ.get("JOB", ""), os.environ.get("IMAGES", "/var/tmp")
RELEASE = "6.1.0-50-amd64"
MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "nvme", "e1000e")
INIT = r"""#!/bin/busybox sh
echo LAB-INIT
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for w in $(cat /proc/cmdline); do
    case $w in disk=*) disk=${w#disk=};; net=*) net=${w#net=};; esac
done
[ -n "$disk$net" ] && for m in $(cat /order); do insmod /mod/$m; done
[ -n "$disk" ] && for i in 1 2 3 4 5 6 7 8 9; do [ -e /dev/${disk%%:*} ] || sleep 1; done
[ -n "$disk" ] && /bench-io disk /dev/${disk%%:*} $(echo ${disk#*:} | tr : ' ')
if [ -n "$net" ]; then
    ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
    /bench-io net 10.0.2.2 ${net%:*} ${net#*:}
fi
echo LAB-DONE
while :; do sleep 1000; done
"""


def script(name):
    """A script of this folder without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def make_guest(folder):
    """(kernel, initrd) of Debian's kernel with what INIT needs."""
    guest = script("check-guest")
    root = guest.package(f"linux-image-{RELEASE}", f"linux-image-{RELEASE}")
    box = guest.package("busybox-static", "busybox-static")
    if not root or not box:
        sys.exit("bench-guest: the packages of the kernel and of busybox cannot be had")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O2", "-static", "-o", f"{folder}/bench-io", f"{HERE}/../tests/guest/bench-io.c"], check=True)
    modules = f"{root}/lib/modules/{RELEASE}"
    if not os.path.exists(f"{modules}/modules.dep"):
        subprocess.run(["/sbin/depmod", "-b", root, RELEASE], check=True)
    needs = {}
    with open(f"{modules}/modules.dep", encoding="utf-8") as f:
        for line in f:
            name, deps = line.split(":")
            needs[name] = deps.split()
    order, files = [], {d: (0o40755, b"") for d in ("bin", "proc", "sys", "dev", "mod")}
    for m in MODULES:
        path = next(p for p in needs if os.path.basename(p) == m + ".ko")
        for dep in list(reversed(needs[path])) + [path]:
            base = os.path.basename(dep)
            if base not in order:
                order.append(base)
                with open(f"{modules}/{dep}", "rb") as f:
                    files[f"mod/{base}"] = (0o100644, f.read())
    with open(f"{box}/bin/busybox", "rb") as f:
        files["bin/busybox"] = (0o100755, f.read())
    with open(f"{folder}/bench-io", "rb") as f:
        files["bench-io"] = (0o100755, f.read())
    files["order"] = (0o100644, "\n".join(order).encode())
    files["init"] = (0o100755, INIT.encode())
    files["dev/console"] = (0o20600, b"")
    archive = guest.cpio(files)
    # the console is character device 5:1
    at = archive.index(b"dev/console\0") - 110
    archive = archive[:at + 78] + b"0000000500000001" + archive[at + 94:]
    with open(f"{folder}/initrd", "wb") as f:
        f.write(archive)
    return f"{root}/boot/vmlinuz-{RELEASE}", f"{folder}/initrd"


class Emulator:
    """A running emulator whose console is read by lines."""

    def __init__(self, cmd):
        self.begin, self.seen = time.monotonic(), b""
        self.p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def cpu(self):
        # pid's clock as clock_getcpuclockid() makes it
        return time.clock_gettime((~self.p.pid << 3) | 2)

    def rss(self):
        with open(f"/proc/{self.p.pid}/status", encoding="utf-8") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024

    def until(self, pattern, each=None):
        """Reads until the pattern is there; each(line) sees the lines. False when it does not come."""
        at = 0
        while not re.search(pattern, self.seen):
            left = self.begin + TIMEOUT_SECONDS - time.monotonic()
            data = b""
            if left > 0 and select.select([self.p.stdout], [], [], left)[0]:
                data = os.read(self.p.stdout.fileno(), 65536)
            if not data:
                print("bench-guest: the guest stopped:", self.seen[-600:].decode(errors="replace"), file=sys.stderr)
                return False
            self.seen += data
            while each and (nl := self.seen.find(b"\n", at)) >= 0:
                each(self.seen[at:nl].decode(errors="replace"))
                at = nl + 1
        return True

    def stop(self):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


class Table:
    def __init__(self):
        self.rows = {}

    def add(self, row, unit, side, value):
        self.rows.setdefault((row, unit), {"A": [], "B": []})[side].append(value)

    def show(self):
        print("\n| | A: best (median) | B | A/B of the best, of medians |\n|---|---|---|---|")
        for (row, unit), v in self.rows.items():
            text = {s: f"{min(x):.3g} ({statistics.median(x):.3g}) {unit}" if x else "-" for s, x in v.items()}
            ratio = "-"
            if v["A"] and v["B"]:
                ratio = f"{min(v['A']) / min(v['B']):.2f}, {statistics.median(v['A']) / statistics.median(v['B']):.2f}"
            print(f"| {row} | {text['A']} | {text['B']} | {ratio} |")
        print(flush=True)


def alternate(sides, once):
    for i in range(ROUNDS):
        for side, path in sides if i % 2 == 0 else reversed(sides):
            once(side, path)


def run_jobs(table, side, cmd, title, unit):
    """Boots and adds CPU and wall time of each job per unit of its work."""
    e = Emulator(cmd)
    cpu = [0.0]

    def line(text):
        if text.startswith("BEGIN "):
            cpu[0] = e.cpu()
        elif m := re.match(r"BENCH (\w+) work=(\d+) ns=(\d+)", text):
            name, work, ns = m.group(1), int(m.group(2)), int(m.group(3))
            table.add(f"{title} {name}: CPU", unit(name), side, (e.cpu() - cpu[0]) * 1e6 / work)
            table.add(f"{title} {name}: wall", unit(name), side, ns / 1e3 / work)
    e.until(rb"LAB-DONE", line)
    table.add(f"{title}: RSS", "MiB", side, e.rss())
    e.stop()


def guest_command(path, guest, append, more):
    return [path, "-M", "q35", "-accel", "tcg", "-m", "512", "-nodefaults", "-nographic", "-serial", "stdio", "-kernel", guest[0],
            "-initrd", guest[1], "-append", "console=ttyS0 quiet " + append, *more]


def bench_disks(sides, guest, folder):
    table = Table()
    for fmt in ("raw", "qcow2"):
        for dev, node in (("virtio-blk-pci", "vda"), ("nvme,serial=1", "nvme0n1")):
            if ONLY not in f"{dev} {fmt}":
                continue

            def once(side, path):
                image = f"{folder}/disk.{fmt}"
                if os.path.exists(image):
                    os.unlink(image)
                subprocess.run(["qemu-img", "create", "-q", "-f", fmt, image, f"{SIZE}M"], check=True)
                more = ["-drive", f"file={image},format={fmt},if=none,id=d0", "-device", f"{dev},drive=d0"]
                run_jobs(table, side, guest_command(path, guest, f"disk={node}:{SIZE}" + (f":{JOB}" if JOB else ""), more), f"{dev.split(',')[0]} {fmt}",
                         lambda name: "us/op")
            alternate(sides, once)
    table.show()


def serve(mib):
    """A TCP server that takes mib MiB, gives as many, then answers bytes; its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4)

    def forever():
        buf = bytearray(1 << 18)
        while True:
            c, _ = listener.accept()
            try:
                c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                left = mib << 20
                while left > 0 and (n := c.recv_into(buf, min(left, len(buf)))):
                    left -= n
                c.sendall(b"k")
                c.recv(1)
                for _ in range(mib):
                    c.sendall(bytes(1 << 20))
                while c.recv(1):
                    c.sendall(b"q")
            except OSError:
                pass
            c.close()
    threading.Thread(target=forever, daemon=True).start()
    return listener.getsockname()[1]


def bench_net(sides, guest, folder):
    table, port = Table(), serve(SIZE)
    for dev in ("virtio-net-pci", "e1000e"):
        if ONLY in dev:
            alternate(sides, lambda side, path: run_jobs(
                table, side, guest_command(path, guest, f"net={port}:{SIZE}", ["-netdev", "user,id=n0", "-device", f"{dev},netdev=n0"]),
                dev, lambda name: "us/trip" if name == "trips" else "us/MiB"))
    table.show()


def to_text(table, side, cmd, title, pattern):
    e = Emulator(cmd)
    if e.until(pattern):
        table.add(f"{title}: wall", "s", side, time.monotonic() - e.begin)
        table.add(f"{title}: CPU", "s", side, e.cpu())
        table.add(f"{title}: RSS", "MiB", side, e.rss())
    e.stop()


def bench_microvm(sides, guest, folder):
    table = Table()
    kinds = {"microvm": ["-M", "microvm"], "microvm, tsc known": ["-M", "microvm", "-cpu", "max"]}
    words = {"microvm": "", "microvm, tsc known": " tsc_early_khz=1000000 tsc=reliable"}

    def once(side, path):
        for name, options in kinds.items():
            if ONLY in name:
                to_text(table, side, [path, *options, "-accel", "tcg", "-m", "256", "-nodefaults", "-nographic", "-no-reboot", "-serial",
                                      "stdio", "-kernel", guest[0], "-initrd", guest[1], "-append",
                                      "console=ttyS0 quiet reboot=t panic=-1" + words[name]], name, rb"LAB-INIT")
    alternate(sides, once)
    table.show()


def bench_debian(sides, guest, folder):
    image = os.path.join(os.environ.get("GUESTS_DIR", ""), "img/debian-amd64.qcow2")
    if not os.path.exists(image):
        print("debian: left out, GUESTS_DIR/img/debian-amd64.qcow2 is not there (shared/guests/fetch.sh makes it)")
        return
    table = Table()
    code, variables = "/usr/share/OVMF/OVMF_CODE_4M.fd", f"{folder}/vars.fd"

    def once(side, path):
        for name in ("SeaBIOS", "OVMF"):
            if ONLY not in name:
                continue
            more = []
            if name == "OVMF":
                with open(code.replace("CODE", "VARS"), "rb") as f, open(variables, "wb") as out:
                    out.write(f.read())
                more = ["-drive", f"if=pflash,format=raw,readonly=on,file={code}", "-drive", f"if=pflash,format=raw,file={variables}"]
            to_text(table, side, [path, "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "1G", "-smp", "2", "-nographic", "-no-reboot", *more,
                                  "-drive", f"if=virtio,format=qcow2,file={image},snapshot=on", "-nic", "user,model=virtio-net-pci"],
                    f"Debian by {name}", rb"root@lab:~#")
    alternate(sides, once)
    table.show()


KINDS = {"disks": bench_disks, "net": bench_net, "microvm": bench_microvm, "debian": bench_debian}


def main(argv):
    if not argv or argv[0] in ("-h", "--help") or any(w not in KINDS for w in argv[1:]):
        print(__doc__)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    sides = [("A", os.path.join(os.path.abspath(argv[0]), "qemu-system-x86_64"))]
    if os.access(REFERENCE, os.X_OK):
        sides.append(("B", REFERENCE))
    with tempfile.TemporaryDirectory(dir=IMAGES) as folder:
        guest = make_guest(folder)
        for what in argv[1:] or KINDS:
            print(f"==> {what}", flush=True)
            KINDS[what](sides, guest, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
