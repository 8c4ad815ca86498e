# SPDX-License-Identifier: GPL-2.0-or-later
"""Monitors: QMP commands made from the schema that the emulator shows, and commands of the human monitor."""
import json

from process import Qmp

NAMES = (
    "disk cd nic chr0 chr1 net0 net1 mem0 thr0 iot0 rng0 sec0 node0 node1 node2 bm0 job0 snap0 exp0 xhci pcie ide.0 "
    "usb-bus.0 pci.0 pcie.0 /machine /machine/peripheral/disk /machine/unattached/device[0] /objects/mem0 realized type a.raw "
    "b.qcow2 c.qcow2 missing/file raw qcow2 file null-co vnc default tcp:127.0.0.1:0 unix:nobody exec:true defer".split()
)
TEXTS = [
    "",
    "\0",
    "a" * 5000,
    "%s%n%p",
    "\u00e4\u20ac\U0001f600",
    "-1",
    "0",
    "yes",
    "on",
    ",",
    "=",
    "json:{",
    "1G",
    "../..",
]
NUMBERS = [
    0,
    1,
    2,
    -1,
    7,
    31,
    255,
    512,
    4095,
    65536,
    1 << 20,
    1 << 31,
    (1 << 32) - 1,
    1 << 40,
    (1 << 63) - 1,
    -(1 << 63),
]
# these end the emulator, or this connection, as they should
NOT_SENT = {"quit", "set-action", "qmp_capabilities", "query-qmp-schema"}
HMP_NOT_SENT = {"quit", "q", "help", "?"}


class Schema:
    """Values that are mostly of the type that the schema wants."""

    def __init__(self, entries, rng):
        self.types = {e["name"]: e for e in entries}
        self.rng = rng
        self.commands = sorted(e["name"] for e in entries if e["meta-type"] == "command" and e["name"] not in NOT_SENT)

    def text(self):
        return self.rng.choice(NAMES if self.rng.random() < 0.85 else TEXTS)

    def number(self):
        return self.rng.choice(NUMBERS) if self.rng.random() < 0.7 else self.rng.randrange(0, 100)

    def wrong(self):
        """A value of any type."""
        return self.rng.choice([None, True, self.number(), self.text(), [], {}, [self.text()], {"a": 1}, 1.5, [[[]]]])

    def value(self, name, depth=0):
        rng = self.rng
        if rng.random() < 0.02:
            return self.wrong()
        t = self.types[name]
        kind = t["meta-type"]
        if kind == "builtin":
            return {
                "string": self.text,
                "int": self.number,
                "number": lambda: rng.choice([0.0, -1.5, 1e300, self.number()]),
                "boolean": lambda: rng.random() < 0.5,
                "null": lambda: None,
            }.get(t["json-type"], self.wrong)()
        if kind == "enum":
            values = t.get("values") or [m["name"] for m in t["members"]]
            return rng.choice(values)
        if kind == "array":
            return [self.value(t["element-type"], depth + 1) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        if kind == "alternate":
            return self.value(rng.choice(t["members"])["type"], depth + 1)
        return self.object(t, depth)

    def object(self, t, depth):
        rng = self.rng
        members = list(t.get("members", []))
        result = {}
        for m in members:
            optional = "default" in m
            if optional and (depth > 4 or rng.random() < 0.6):
                continue
            if not optional and rng.random() < 0.01:
                continue
            result[m["name"]] = self.value(m["type"], depth + 1)
        chosen = result.get(t.get("tag"))
        for v in t.get("variants", []):
            if v["case"] == chosen:
                more = self.value(v["type"], depth + 1)
                if isinstance(more, dict):
                    result.update(more)
        if rng.random() < 0.01:
            result["x-no-such"] = self.wrong()
        return result


class QmpTarget:
    """Commands with arguments of their types, on a machine that has one of everything that can be named."""

    options = (
        "-M q35 -m 64M -accel qtest -nodefaults -S -no-shutdown -chardev null,id=chr0 -chardev ringbuf,id=chr1 "
        "-object memory-backend-ram,id=mem0,size=1M -object throttle-group,id=thr0 -object iothread,id=iot0 "
        "-object secret,id=sec0,data=abc -object rng-builtin,id=rng0 "
        "-blockdev null-co,node-name=node0,size=1M,read-zeroes=on -blockdev null-co,node-name=node1,size=1M,read-zeroes=on "
        "-blockdev null-co,node-name=node2,size=1M,read-zeroes=on "
        "-device virtio-blk-pci,id=disk,drive=node0,addr=5 -device ahci,id=ide -device ide-cd,bus=ide.0,id=cd "
        "-device pcie-root-port,id=pcie,chassis=1,addr=6 -device qemu-xhci,id=xhci,addr=7 -netdev hubport,hubid=0,id=net0 "
        "-device virtio-net-pci,netdev=net0,id=nic,addr=8 -vga std -display none "
        "-qmp unix:fuzzed,server=on,wait=off -monitor unix:human,server=on,wait=off"
    )

    @classmethod
    def build(cls):
        return cls.options.split()

    def __init__(self, emulator, rng, log):
        self.emulator, self.rng, self.log = emulator, rng, log
        self.client = Qmp(emulator.socket("fuzzed"))
        self.schema = Schema(emulator.qmp.run("query-qmp-schema")["return"], rng)
        self.drivers = [d["name"] for d in emulator.qmp.run("qom-list-types", {"implements": "device"})["return"]]
        self.objects = [
            d["name"] for d in emulator.qmp.run("qom-list-types", {"implements": "user-creatable"})["return"]
        ]

    def properties(self, command, name):
        """Some properties of a device or an object, with values of about their types."""
        answer = self.emulator.qmp.run(command, {"typename": name}).get("return", [])
        result = {}
        for p in answer:
            if self.rng.random() < 3 / (len(answer) + 1):
                t = p["type"]
                if t == "bool":
                    v = self.rng.random() < 0.5
                elif "int" in t or t == "size":
                    v = self.schema.number()
                else:
                    v = self.schema.text()
                result[p["name"]] = v
        return result

    def request(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.15:
            driver = rng.choice(self.drivers)
            arguments = {"driver": driver, "id": rng.choice(NAMES), **self.properties("device-list-properties", driver)}
            if rng.random() < 0.3:
                arguments["bus"] = rng.choice(["pcie", "pcie.0", "xhci.0", "ide.0", "ide.1", "missing"])
            return {"execute": "device_add", "arguments": arguments}
        if roll < 0.2:
            kind = rng.choice(self.objects)
            arguments = {"qom-type": kind, "id": rng.choice(NAMES), **self.properties("qom-list-properties", kind)}
            return {"execute": "object-add", "arguments": arguments}
        name = rng.choice(self.schema.commands)
        command = self.schema.types[name]
        request = {"execute": name, "arguments": self.schema.value(command["arg-type"])}
        if command.get("allow-oob") and rng.random() < 0.5:
            request = {"exec-oob": name, "arguments": request["arguments"]}
        if rng.random() < 0.1:
            request["id"] = self.schema.wrong()
        return request

    def step(self):
        """One request; at times bytes that are none."""
        rng = self.rng
        if rng.random() < 0.03:
            garbage = bytes(rng.choice(b'{}[]":,\\u0123e.-tfn \xff\x00\n') for _ in range(rng.randrange(1, 60)))
            self.log(repr(garbage))
            self.client.s.sendall(garbage + b"\xff\n")
            self.client.s.close()
            self.client = Qmp(self.emulator.socket("fuzzed"))
            return
        text = json.dumps(self.request())
        self.log(text)
        self.client.raw(text.encode())


class HumanTarget(QmpTarget):
    """The human monitor: commands that `help` lists, with words for arguments."""

    def __init__(self, emulator, rng, log):
        super().__init__(emulator, rng, log)
        self.commands = sorted(
            {
                name
                for line in self.human("help").splitlines()
                for name in line.split(" ", 1)[0].split("|")
                if name and name not in HMP_NOT_SENT
            }
        )
        self.infos = [line.split()[1] for line in self.human("help info").splitlines() if line.startswith("info ")]

    def human(self, line):
        return self.emulator.qmp.run("human-monitor-command", {"command-line": line}).get("return", "")

    def word(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.3:
            return str(self.schema.number())
        if roll < 0.4:
            return hex(rng.getrandbits(64))
        if roll < 0.5:
            return rng.choice(
                ["-a", "-f", "-d", "-n", "-r", "/4xg", "/100i", "/s", "/3c", "$pc", "(1+", "1/0", "-1%0", '"', "\\"]
            )
        if roll < 0.6:
            return ",".join(f"{self.schema.text()}={self.schema.text()}" for _ in range(rng.randrange(1, 4)))
        return self.schema.text().replace("\0", "")

    def step(self):
        rng = self.rng
        name = f"info {rng.choice(self.infos)}" if rng.random() < 0.2 and self.infos else rng.choice(self.commands)
        line = " ".join([name, *(self.word() for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])))])
        self.log(line)
        self.human(line)


TARGETS = {"qmp": QmpTarget, "hmp": HumanTarget}
