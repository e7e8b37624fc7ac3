#!/usr/bin/env python3
"""windows.pcap: WMI and OPC Classic over DCOM, and TeamViewer.

Written byte by byte, since no Windows host is at hand: DCE/RPC after C706,
activations after MS-DCOM, logins after MS-NLMP (the answer is right for the
password `Line-One-2026`), the calls after MS-WMI and OPC Data Access 2.05.
WMI is asked from 10.20.44.5: a query, then a process is made, under packet
privacy, so that its arguments are arbitrary octets. OPC Classic is spoken
without any login. TeamViewer's commands are framed as researchers found;
what stands in them is arbitrary.

usage: windows.py [OUTPUT]
"""
import hashlib
import hmac
import os
import struct
import sys
import uuid

from written import Capture, Tcp

out = Capture(1767780000)  # 2026-01-07 10:00:00 UTC
NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
ACTIVATOR = "000001a0-0000-0000-c000-000000000046"
EXPORTER = "99fcfec4-5260-101b-bbcb-00aa0021347a"
UNKNOWN2 = "00000131-0000-0000-c000-000000000046"
LOGIN = "f309ad18-d86a-11d0-a075-00c04fb68820"
SERVICES = "9556dc99-828c-11cf-a37e-00aa003240c7"
OPC_SERVER = "39c13a4d-011e-11d0-9675-0020afd8adb3"
OPC_ITEMS = "39c13a54-011e-11d0-9675-0020afd8adb3"
OPC_IO = "39c13a52-011e-11d0-9675-0020afd8adb3"
OPC_LIST = "13486d50-4821-11d2-a494-3cb306c10000"
guid = lambda text: uuid.UUID(text).bytes_le
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, ALTER, ALTERED, AUTH3 = 0, 2, 3, 11, 12, 14, 15, 16


# --- NTLM
def md4(data):
    """MD4 (RFC 1320), which libraries no longer offer."""
    def turn(x, n):
        return (x << n | x >> 32 - n) & 0xFFFFFFFF
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    rounds = [
        (lambda b, c, d: b & c | ~b & d, 0, range(16), (3, 7, 11, 19)),
        (lambda b, c, d: b & c | b & d | c & d, 0x5A827999, [4 * (i % 4) + i // 4 for i in range(16)], (3, 5, 9, 13)),
        (lambda b, c, d: b ^ c ^ d, 0x6ED9EBA1, [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], (3, 9, 11, 15)),
    ]
    for at in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[at:at + 64])
        a, b, c, d = state
        for mix, add, order, shifts in rounds:
            for i, k in enumerate(order):
                a, b, c, d = d, turn(a + mix(b, c, d) + words[k] + add & 0xFFFFFFFF, shifts[i % 4]), b, c
        state = [x + y & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


FLAGS = 0xE2888235
VERSION = b"\x0a\x00\x63\x45\0\0\0\x0f"
CHALLENGE = bytes.fromhex("0123456789abcdef")
wide = lambda text: text.encode("utf-16-le")


def negotiate():
    return b"NTLMSSP\0" + struct.pack("<II", 1, 0xE2088297) + bytes(16) + VERSION


def challenge():
    name = wide("HIST-7")
    pair = lambda kind, data: struct.pack("<HH", kind, len(data)) + data
    info = pair(2, wide("PLANT")) + pair(1, name) + pair(4, wide("plant.example")) + pair(3, wide("hist-7.plant.example")) + pair(0, b"")
    head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, 10, 10, 56, FLAGS) + CHALLENGE + bytes(8) + struct.pack("<HHI", len(info), len(info), 66) + VERSION
    return head + wide("PLANT") + info, info


def authenticate(user, word, station):
    info = challenge()[1]
    key = hmac.new(md4(wide(word)), wide(user.upper() + "PLANT"), hashlib.md5).digest()
    blob = b"\1\1" + bytes(6) + struct.pack("<Q", (1767780000 + 11644473600) * 10**7) + bytes(range(8)) + bytes(4) + info + bytes(4)
    ntlm = hmac.new(key, CHALLENGE + blob, hashlib.md5).digest() + blob
    lm = hmac.new(key, CHALLENGE + bytes(range(8)), hashlib.md5).digest() + bytes(range(8))
    parts, at, fields = [wide("PLANT"), wide(user), wide(station), lm, ntlm, bytes(range(16))], 88, {}
    for i, part in enumerate(parts):
        fields[i] = struct.pack("<HHI", len(part), len(part), at)
        at += len(part)
    return b"NTLMSSP\0" + struct.pack("<I", 3) + b"".join(fields[i] for i in (3, 4, 0, 1, 2, 5)) + struct.pack("<I", FLAGS) + VERSION + \
        bytes(16) + b"".join(parts)


# --- DCE/RPC
class Rpc:
    def __init__(self, client, sport, server, port, level=None):
        self.talk, self.call, self.level = Tcp(out, client, sport, server, port), 1, level

    def pdu(self, side, kind, body, auth=b"", flags=3):
        pad = -len(body) % 4 if auth else 0
        trailer = bytes(pad) + bytes([10, self.level, pad, 0]) + struct.pack("<I", 79231) + auth if auth else b""
        head = struct.pack("<BBBBIHHI", 5, 0, kind, flags, 0x10, 16 + len(body) + len(trailer), len(auth), self.call)
        self.talk.say(side, head + body + trailer)

    def bind(self, *interfaces, alter=False, login=None):
        contexts = b"".join(struct.pack("<HBB", i, 1, 0) + guid(x) + struct.pack("<I", 0) + NDR for i, x in enumerate(interfaces))
        self.interfaces = list(interfaces)
        self.pdu(0, BIND, struct.pack("<HHII", 5840, 5840, 0, len(interfaces)) + contexts, negotiate() if login else b"")
        results = b"".join(struct.pack("<HH", 0, 0) + NDR for _ in interfaces)
        self.pdu(1, BIND_ACK, struct.pack("<HHIH", 5840, 5840, 0x5A01, 6) + b"49664\0" + struct.pack("<I", len(interfaces)) + results,
                 challenge()[0] if login else b"")
        if login:
            self.pdu(0, AUTH3, bytes(4), authenticate(*login))

    def ask(self, interface, operation, stub, answer, status=None, target=None):
        """A call and its answer; with a status, a fault."""
        self.call += 1
        sealed = self.level == 6
        signed = (b"\1\0\0\0" + bytes(12)) if self.level else b""
        hide = lambda data: hashlib.shake_128(b"%d" % self.call + data).digest((len(data) + 15) // 16 * 16) if sealed else data
        context = self.interfaces.index(interface)
        extra = guid(target) if target else b""
        self.pdu(0, REQUEST, struct.pack("<IHH", len(stub), context, operation) + extra + hide(stub), signed, 0x83 if target else 3)
        if status is None:
            self.pdu(1, RESPONSE, struct.pack("<IHBB", len(answer), context, 0, 0) + hide(answer), signed)
        else:
            self.pdu(1, FAULT, struct.pack("<IHBBII", 0, context, 0, 0, status, 0), signed)

    def close(self):
        self.talk.close()


def this(number):
    return struct.pack("<HHII", 5, 7, 0, 0) + bytes(15) + bytes([number]) + bytes(4)


def that(result, data=b""):
    return bytes(8) + data + struct.pack("<I", result)


def activation(number, made, interfaces):
    """The arguments of RemoteCreateInstance."""
    wrapped = lambda body: bytes.fromhex("01100800cccccccc") + struct.pack("<II", len(body), 0) + body
    info = wrapped(guid(made) + struct.pack("<IIIIII", 0x17, 0, 0, len(interfaces), 0, 0x20000) +
                   struct.pack("<IHHI", 72 + 16 * len(interfaces), 5, 7, len(interfaces)) + b"".join(map(guid, interfaces)))
    # Sizes of the header and of all, two pointed-to arrays of one: the property and its size.
    size = 16 + 4 + 4 + 4 + 4 + 4 + 16 + 12 + 4 + 16 + 4 + 4
    properties = wrapped(struct.pack("<IIIII", size + len(info), size, 0, 2, 1) + bytes(16) + struct.pack("<III", 0x20000, 0x20004, 0) +
                         struct.pack("<I", 1) + guid("000001ab-0000-0000-c000-000000000046") + struct.pack("<II", 1, len(info))) + info
    pointer = b"MEOW" + struct.pack("<I", 4) + guid("000001a2-0000-0000-c000-000000000046") + guid("00000338-0000-0000-c000-000000000046") + \
        struct.pack("<IIII", 0, len(properties) + 8, len(properties), 0) + properties
    return this(number) + struct.pack("<IIII", 0, 0x20000, len(pointer), len(pointer)) + pointer


def wmi():
    desk, server = "10.20.44.5", "10.20.44.10"
    login = ("anna", "Line-One-2026", "PC-7")
    first = Rpc(desk, 50001, server, 135, level=5)
    first.bind(EXPORTER, ACTIVATOR, login=login)
    first.ask(ACTIVATOR, 4, activation(1, "8bc3f05e-d86b-11d0-a075-00c04fb68820", [LOGIN]), that(0, bytes(200)))
    work = Rpc(desk, 50002, server, 49664, level=6)
    work.bind(LOGIN, SERVICES, UNKNOWN2, login=login)
    target = "00007c01-0000-0000-0000-000000000001"
    work.ask(LOGIN, 6, bytes(80), bytes(120), target=target)
    work.ask(UNKNOWN2, 5, bytes(40), bytes(16), target=target)
    work.ask(SERVICES, 20, bytes(160), bytes(120), target=target)
    work.ask(SERVICES, 6, bytes(90), bytes(400), target=target)
    work.ask(SERVICES, 24, bytes(600), bytes(160), target=target)
    work.ask(UNKNOWN2, 5, bytes(40), bytes(16), target=target)
    work.close()
    first.close()


def opc():
    desk, server = "10.20.44.6", "10.20.44.11"
    lists = Rpc(desk, 50011, server, 135)
    lists.bind(ACTIVATOR)
    lists.ask(ACTIVATOR, 4, activation(2, "13486d51-4821-11d2-a494-3cb306c10000", [OPC_LIST]), that(0, bytes(200)))
    lists.ask(ACTIVATOR, 4, activation(3, "f8582cf2-88fb-11d0-b850-00c0f0104305", [OPC_SERVER]), that(0, bytes(200)))
    work = Rpc(desk, 50012, server, 49665)
    work.bind(OPC_SERVER, OPC_ITEMS, OPC_IO, OPC_LIST, UNKNOWN2)
    target = "00007c02-0000-0000-0000-000000000002"
    work.ask(OPC_LIST, 3, this(3) + bytes(48), that(0, bytes(64)), target=target)
    work.ask(OPC_SERVER, 6, this(4) + bytes(8), that(0, bytes(80)), target=target)
    work.ask(OPC_SERVER, 3, this(5) + bytes(60), that(0, bytes(60)), target=target)
    work.ask(OPC_ITEMS, 3, this(6) + bytes(120), that(0, bytes(80)), target=target)
    work.ask(OPC_IO, 3, this(7) + bytes(24), that(0, bytes(60)), target=target)
    work.ask(OPC_IO, 4, this(8) + bytes(48), that(0, bytes(24)), target=target)
    work.ask(OPC_IO, 4, this(9) + bytes(48), that(0x80040004, bytes(24)), target=target)
    work.ask(OPC_SERVER, 7, this(10) + bytes(8), b"", status=0x1C010003, target=target)
    work.close()
    lists.close()


def teamviewer():
    talk = Tcp(out, "10.20.44.5", 50021, "203.0.113.30", 5938)
    command = lambda code, data: b"\x17\x24" + bytes([code]) + struct.pack("<H", len(data)) + data
    talk.say(0, command(10, bytes(28)))
    talk.say(1, command(10, bytes(4)))
    for turn in range(3):
        talk.say(0, command(16, bytes([turn])))
        talk.say(1, command(17, bytes([turn])))
    talk.close()


for part in (wmi, opc, teamviewer):
    part()
    out.clock += 1_000_000
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "windows.pcap")
out.write(target)
