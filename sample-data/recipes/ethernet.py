#!/usr/bin/env python3
"""ethernet.pcap: EtherCAT, PROFINET, and routers that share an address.

Written byte by byte: EtherCAT after ETG.1000, seen beside the master, so
that each frame passes twice, and once more with what the devices wrote;
PROFINET after IEC 61158-6-10: DCP, context management over DCE/RPC, cyclic
data and an alarm; HSRP after RFC 2281 and, in version 2, after what is
public of it; GLBP likewise.

usage: ethernet.py [OUTPUT]
"""
import os
import struct
import sys

from written import Capture, mac

out = Capture(1767607200)  # 2026-01-05 10:00:00 UTC


# --- EtherCAT: a master (a card of RFC 7042's documentation range, since the
# first device marks what comes back in the bit of local addresses), two slaves
MASTER = bytes.fromhex("00005e005301")


def datagram(command, index, address, offset, data, counter, more=False):
    return struct.pack("<BBHHHH", command, index, address & 0xFFFF, offset, len(data) | more << 15, 0) + data + struct.pack("<H", counter)


def pass_by(datagrams, answers, master=MASTER):
    for source, grams in ((master, datagrams), (bytes([master[0] | 2]) + master[1:], answers)):
        body = b"".join(datagram(*g, more=i + 1 < len(grams)) for i, g in enumerate(grams))
        out.ether(source, b"\xff" * 6, 0x88A4, struct.pack("<H", len(body) | 0x1000) + body, wait=200)
    out.clock += 1600


BRD, APWR, FPRD, FPWR, LRW = 7, 2, 4, 5, 12


def one(command, index, address, offset, data, answer=None, counter=1):
    pass_by([(command, index, address, offset, data, 0)], [(command, index, address, offset, data if answer is None else answer, counter)])


def mailbox(count, service, rest):
    body = struct.pack("<H", service << 12) + rest
    return (struct.pack("<HHBB", len(body), 0, 0, 3 | count << 4) + body).ljust(24, b"\0")


def ethercat():
    one(BRD, 1, 0, 0x0000, b"\0\0", b"\x11\x00", 2)
    one(APWR, 2, 0, 0x0010, struct.pack("<H", 1001))
    one(APWR, 3, -1, 0x0010, struct.pack("<H", 1002))
    for slave in (1001, 1002):
        one(FPWR, 4, slave, 0x0120, b"\x02\x00")
        one(FPRD, 5, slave, 0x0130, bytes(6), b"\x02\0\0\0\0\0")
    one(FPWR, 6, 1001, 0x1000, mailbox(1, 2, b"\x2b" + struct.pack("<HBHH", 0x6060, 0, 8, 0)))
    one(FPRD, 7, 1001, 0x1080, bytes(24), mailbox(1, 3, b"\x60" + struct.pack("<HBI", 0x6060, 0, 0)))
    for state in (4, 8):
        for slave in (1001, 1002):
            one(FPWR, 8, slave, 0x0120, bytes([state, 0]))
            one(FPRD, 9, slave, 0x0130, bytes(6), bytes([state]) + bytes(5))
    for turn in range(6):
        told = struct.pack("<HH", 100 + turn, 0)
        pass_by([(LRW, 0x20 + turn, 0, 1, told, 0)], [(LRW, 0x20 + turn, 0, 1, told[:2] + struct.pack("<H", 90 + turn), 6 if turn < 5 else 3)])
    # The second leaves its state: watchdog of the sync manager.
    one(FPRD, 9, 1002, 0x0130, bytes(6), b"\x14\0\0\0\x1b\0")
    one(FPWR, 10, 1002, 0x0120, b"\x12\0")


# --- PROFINET: a controller, an I/O station, an engineer's computer, an odd one
CONTROLLER, STATION, DESK, ODD = "10.20.42.1", "10.20.42.10", "10.20.42.5", "10.20.42.66"
AR = bytes.fromhex("0badcafe00020003000400000000a001")
DCP_ALL = bytes.fromhex("010ecf000000")


def block_dcp(option, suboption, value):
    body = struct.pack(">BBH", option, suboption, len(value)) + value
    return body + bytes(len(body) % 2)


def dcp(src, dst, frame, service, kind, xid, blocks, delay=0):
    body = b"".join(blocks)
    out.ether(src, dst, 0x8892, struct.pack(">HBBIHH", frame, service, kind, xid, delay, len(body)) + body)


def rpc(src, dst, port_from, port_to, kind, operation, sequence, activity, stub, interface=1):
    uuid = struct.pack("<IHH", 0xDEA00000 + interface, 0x6C97, 0x11D1) + bytes.fromhex("827100a02442df7d")
    target = struct.pack("<IHH", 0xDEA00000, 0x6C97, 0x11D1) + bytes.fromhex("8271000100070001")
    head = bytes([4, kind, 0x20 if kind == 0 else 0x0A, 0, 0x10, 0, 0, 0]) + target + uuid + struct.pack("<I", activity) + bytes(12)
    head += struct.pack("<IIIHHHHHBB", 0, 1, sequence, operation, 0xFFFF, 0xFFFF, len(stub), 0, 0, 0)
    out.udp(src, port_from, dst, port_to, head + stub)


def block(kind, body):
    return struct.pack(">HHH", kind, 2 + len(body), 0x0100) + body


def ask(blocks, room=1024):
    return struct.pack("<IIIII", room, len(blocks), room, 0, len(blocks)) + blocks


def tell(blocks, status=(0, 0, 0, 0), room=1024):
    return bytes(status) + struct.pack("<IIII", len(blocks), room, 0, len(blocks)) + blocks


def relation(kind, reference, frame):
    api = struct.pack(">IHHHHH", 0, 1, 1, 1, 0, 0)
    return block(0x0102, struct.pack(">HHHIHHHHHHIHHH", kind, reference, 0x8892, 1, 40, frame, 32, 32, 1, 0, 0xFFFFFFFF, 3, 3, 0xC000)
                 + bytes(6) + struct.pack(">H", 1) + api)


def header(kind, number, index, length):
    more = bytes(24) if kind == 8 or kind == 9 else bytes(24)
    return block(kind, struct.pack(">H", number) + AR + struct.pack(">IHHHHI", 0, 1, 1, 0, index, length) + more)


def profinet():
    c, s, d = mac(CONTROLLER), mac(STATION), mac(DESK)
    dcp(d, DCP_ALL, 0xFEFE, 5, 0, 0x101, [block_dcp(255, 255, b"")], delay=1)
    name = block_dcp(2, 2, b"\0\0io-station-7")
    about = [block_dcp(2, 1, b"\0\0Plant IO 8"), name, block_dcp(2, 3, struct.pack(">HHH", 0, 0x02FF, 7)),
             block_dcp(2, 4, b"\0\0\x01\0"), block_dcp(1, 2, b"\0\x01" + bytes([10, 20, 42, 10, 255, 255, 255, 0, 0, 0, 0, 0]))]
    dcp(s, d, 0xFEFF, 5, 1, 0x101, about)
    dcp(c, d, 0xFEFF, 5, 1, 0x101, [block_dcp(2, 1, b"\0\0Plant CPU"), block_dcp(2, 2, b"\0\0cpu-7"), block_dcp(2, 4, b"\0\0\x02\0")])
    dcp(c, DCP_ALL, 0xFEFE, 5, 0, 0x102, [block_dcp(2, 2, b"io-station-7")], delay=1)
    dcp(s, c, 0xFEFF, 5, 1, 0x102, about)

    # Connection, parameters, ready.
    first = block(0x0101, struct.pack(">H", 1) + AR + struct.pack(">H", 1) + c + AR + struct.pack(">IHHH", 0x11, 600, 0x8892, 5) + b"cpu-7")
    alarms = block(0x0103, struct.pack(">HHIHHHHHH", 1, 0x8892, 0, 1, 3, 2, 200, 0xC000, 0xA000))
    expected = block(0x0104, struct.pack(">HIHIHHHIHHHBB", 1, 0, 1, 0x30, 0, 1, 1, 0x1, 1, 1, 1, 1, 1))
    rpc(CONTROLLER, STATION, 49152, 34964, 0, 0, 0, 1, ask(first + relation(1, 1, 0x8001) + relation(2, 2, 0x8002) + alarms + expected))
    answer = block(0x8101, struct.pack(">H", 1) + AR + struct.pack(">H", 1) + s + struct.pack(">H", 0x8892))
    answer += block(0x8102, struct.pack(">HHH", 1, 1, 0x8001)) + block(0x8102, struct.pack(">HHH", 2, 2, 0x8002))
    answer += block(0x8103, struct.pack(">HHH", 1, 3, 200))
    rpc(STATION, CONTROLLER, 34964, 49152, 2, 0, 0, 1, tell(answer))
    data = b"\0\x05\0\x0a"
    rpc(CONTROLLER, STATION, 49152, 34964, 0, 3, 1, 1, ask(header(0x0008, 0, 0x0010, len(data)) + data))
    rpc(STATION, CONTROLLER, 34964, 49152, 2, 3, 1, 1, tell(header(0x8008, 0, 0x0010, len(data))))
    control = lambda kind, word: block(kind, bytes(2) + AR + struct.pack(">HHHH", 1, 0, word, 0))
    rpc(CONTROLLER, STATION, 49152, 34964, 0, 4, 2, 1, ask(control(0x0110, 1)))
    rpc(STATION, CONTROLLER, 34964, 49152, 2, 4, 2, 1, tell(control(0x8110, 8)))
    rpc(STATION, CONTROLLER, 49153, 34964, 0, 4, 0, 2, ask(control(0x0112, 2)), interface=2)
    rpc(CONTROLLER, STATION, 34964, 49153, 2, 4, 0, 2, tell(control(0x8112, 8)), interface=2)

    # Cyclic data.
    for turn in range(12):
        for source, to, frame in ((s, c, 0x8001), (c, s, 0x8002)):
            out.ether(source, to, 0x8892, struct.pack(">H", frame) + b"\x80" + bytes([turn]) + bytes(38) + struct.pack(">HBB", 1024 * turn & 0xFFFF, 0x35, 0),
                      wait=16000)

    # Identification read; a record that is not there.
    identity = struct.pack(">H", 0x02FF) + b"PLANT-IO-8".ljust(20) + b"SN-000042".ljust(16) + struct.pack(">H", 3) + b"V\x02\x01\x00" + \
        struct.pack(">HHHHH", 0, 0, 0, 0x0101, 0)
    rpc(DESK, STATION, 49160, 34964, 0, 2, 0, 3, ask(header(0x0009, 1, 0xAFF0, 4096)))
    rpc(STATION, DESK, 34964, 49160, 2, 2, 0, 3, tell(header(0x8009, 1, 0xAFF0, 60) + block(0x0020, identity)))
    rpc(DESK, STATION, 49160, 34964, 0, 2, 1, 3, ask(header(0x0009, 2, 0x7000, 4096)))
    rpc(STATION, DESK, 34964, 49160, 2, 2, 1, 3, tell(header(0x8009, 2, 0x7000, 0), status=(0, 0xB0, 0x80, 0xDE)))

    # An alarm of a channel, and its confirmation.
    alarm = block(0x0001, struct.pack(">HIHHIIH", 1, 0, 1, 1, 0x30, 1, 0xA801) + struct.pack(">HHHHHH", 0x8000, 1, 0x0800, 6, 0, 0)[:8])
    out.ether(s, c, 0x8892, struct.pack(">HHHBBHHH", 0xFC01, 1, 2, 0x11, 0x11, 0xFFFF, 0xFFFE, len(alarm)) + alarm)
    out.ether(c, s, 0x8892, struct.pack(">HHHBBHHH", 0xFC01, 2, 1, 0x13, 0x01, 0xFFFE, 0xFFFF, 0))

    # Somebody else gives the station another name and another address.
    o = mac(ODD)
    dcp(o, s, 0xFEFD, 4, 0, 0x201, [block_dcp(2, 2, b"\0\x01io-station-8")])
    dcp(s, o, 0xFEFD, 4, 1, 0x201, [block_dcp(5, 4, b"\x02\x02\0")])
    dcp(o, s, 0xFEFD, 4, 0, 0x202, [block_dcp(1, 2, b"\0\x01" + bytes([10, 20, 42, 99, 255, 255, 255, 0, 0, 0, 0, 0]))])
    dcp(s, o, 0xFEFD, 4, 1, 0x202, [block_dcp(5, 4, b"\x01\x02\x05")])

    rpc(CONTROLLER, STATION, 49152, 34964, 0, 1, 3, 1, ask(control(0x0114, 4)))
    rpc(STATION, CONTROLLER, 34964, 49152, 2, 1, 3, 1, tell(control(0x8114, 8)))


# --- HSRP and GLBP
def routers():
    virtual = bytes([10, 20, 43, 254])
    one = lambda operation, state, priority: bytes([0, operation, state, 3, 10, priority, 7, 0]) + b"line-1\0\0" + virtual
    for src, operation, state, priority in (("10.20.43.1", 0, 16, 110), ("10.20.43.2", 0, 8, 100), ("10.20.43.66", 1, 4, 255), ("10.20.43.1", 2, 16, 110)):
        out.udp(src, 1985, "224.0.0.2", 1985, one(operation, state, priority), ttl=1, wait=500_000)
    two = bytes([1, 40, 2, 0, 6, 4]) + struct.pack(">H", 307) + mac("10.20.43.1") + struct.pack(">III", 120, 3000, 10000) + virtual + bytes(12)
    digest = bytes([4, 28, 1, 0, 0, 0]) + bytes([10, 20, 43, 1]) + bytes(4) + bytes(range(16))
    out.udp("10.20.43.1", 1985, "224.0.0.102", 1985, two + digest, ttl=1, wait=500_000)
    hello = bytes([1, 28, 0, 32, 0, 110, 0, 0]) + struct.pack(">IIHHHBB", 3000, 10000, 600, 14400, 0, 1, 4) + virtual
    hello = hello[:1] + bytes([len(hello)]) + hello[2:]
    forwarder = bytes([2, 20, 1, 32, 0, 167, 100]) + bytes(7) + bytes.fromhex("0007b4000901")
    password = bytes([3, 4 + 7, 1, 7]) + b"line-2\0"
    for src in ("10.20.43.1", "10.20.43.2"):
        out.udp(src, 3222, "224.0.0.102", 3222, bytes([1, 0, 0, 9, 0, 0]) + mac(src) + hello + forwarder + password, ttl=255, wait=500_000)


for part in (ethercat, profinet, routers):
    part()
    out.clock += 1_000_000
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ethernet.pcap")
out.write(target)
