#!/usr/bin/env python3
"""industrial.pcap: protocols of controllers that no program at hand speaks.

Written byte by byte after what is public of each: DF1 and PCCC after
Rockwell's 1770-6.5.16; CSPv4 as open-source clients have it; SRTP after
GE's GFK-0529 and the published study of Series 90-30; the identification
exchanges of PC Worx, ProConOS and CODESYS 2 as nmap's scripts have them;
CODESYS 3 after the vendor's library documentation; IEC 60870-5-101 frames
(FT 1.2) after IEC 60870-5-1 and -5-101; SLMP after Mitsubishi's SH-080956.
One client, 10.20.40.5, talks to a
controller each; UDP port 5313 is used by two stations that nobody knows.

usage: industrial.py [OUTPUT]
"""
import os
import struct
import sys

START = 1767348000 * 10**6  # 2026-01-02 10:00:00 UTC, in microseconds
CLIENT = "10.20.40.5"
packets = []
clock = START


def mac(ip):
    return bytes([2, 0, 0, 0, 0x40, int(ip.split(".")[3])])


def total(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ip4(src, dst, proto, body):
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), len(packets) + 1, 0x4000, 64, proto, 0) + a + b
    head = head[:10] + struct.pack(">H", total(head)) + head[12:]
    pseudo = a + b + struct.pack(">BBH", 0, proto, len(body))
    at = {6: 16, 17: 6}[proto]
    body = body[:at] + struct.pack(">H", total(pseudo + body)) + body[at + 2:]
    return mac(dst) + mac(src) + b"\x08\x00" + head + body


def put(frame, wait=2000):
    global clock
    packets.append((clock, frame))
    clock += wait


def udp(src, sport, dst, dport, data):
    put(ip4(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data))


class Tcp:
    """A connection that opens, carries messages and closes."""

    def __init__(self, server, port, sport):
        self.ends = ((CLIENT, sport), (server, port))
        self.seq = [1000, 5000]
        self.segment(0, 0x02)
        self.seq[0] += 1
        self.segment(1, 0x12)
        self.seq[1] += 1
        self.segment(0, 0x10)

    def segment(self, side, flags, data=b""):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        ack = self.seq[1 - side] if flags & 0x10 else 0
        body = struct.pack(">HHIIBBHHH", sport, dport, self.seq[side], ack, 0x50, flags, 8192, 0, 0) + data
        put(ip4(src, dst, 6, body))

    def say(self, side, data):
        self.segment(side, 0x18, data)
        self.seq[side] += len(data)

    def close(self):
        for side in (0, 1):
            self.segment(side, 0x11)
            self.seq[side] += 1
        self.segment(0, 0x10)


# --- PCCC, in CSPv4 and in DF1
def pccc(command, transaction, rest, status=0):
    return bytes([command, status]) + struct.pack("<H", transaction) + rest


def csp(mode, submode, connection, context, body=b"", status=0):
    return struct.pack(">BBHII", mode, submode, len(body), connection, status) + context.ljust(16, b"\0") + body


def csp_session():
    talk = Tcp("10.20.40.11", 2222, 40001)
    opening = b"\0\4\0\5"
    talk.say(0, csp(1, 1, 0, opening))
    talk.say(1, csp(2, 1, 0x4D01, opening))
    bulletin = bytes([0, 0xEE, 0x34, 0x5B, 0x21]) + b"5/04       " + bytes(8)
    steps = [
        (pccc(0x06, 1, b"\x03"), pccc(0x46, 1, bulletin)),
        (pccc(0x0F, 2, bytes([0xA2, 4, 7, 0x89, 10, 0])), pccc(0x4F, 2, struct.pack("<hh", 1234, -5))),
        (pccc(0x0F, 3, bytes([0xAA, 2, 7, 0x89, 10, 0]) + struct.pack("<h", 1500)), pccc(0x4F, 3, b"")),
        (pccc(0x0F, 4, bytes([0xAB, 2, 0, 0x82, 0, 0]) + struct.pack("<HH", 8, 8)), pccc(0x4F, 4, b"")),
        (pccc(0x0F, 5, bytes([0x80, 1])), pccc(0x4F, 5, b"\x0b", 0xF0)),
    ]
    for i, (ask, answer) in enumerate(steps):
        context = struct.pack(">I", i + 1)
        talk.say(0, csp(1, 7, 0x4D01, context, b"\x01\x05\x00\x00" + ask))
        talk.say(1, csp(2, 7, 0x4D01, context, b"\x00\x05\x01\x00" + answer))
    talk.close()


def crc16(data, start=0):
    crc = start
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def df1(data):
    return b"\x10\x02" + data.replace(b"\x10", b"\x10\x10") + b"\x10\x03" + struct.pack("<H", crc16(data + b"\x03"))


def df1_line():
    talk = Tcp("10.20.40.12", 4001, 40002)
    steps = [
        (pccc(0x0F, 0x10, bytes([0xA2, 2, 7, 0x89, 0, 0])), pccc(0x4F, 0x10, struct.pack("<h", 77))),
        (pccc(0x0F, 0x11, bytes([0xAA, 4, 8, 0x8A, 3, 0]) + struct.pack("<f", 21.5)), pccc(0x4F, 0x11, b"")),
        (pccc(0x0F, 0x12, bytes([0x3A, 0])), pccc(0x4F, 0x12, b"")),
    ]
    for ask, answer in steps:
        talk.say(0, df1(bytes([5, 0]) + ask))
        talk.say(1, b"\x10\x06")
        talk.say(1, df1(bytes([0, 5]) + answer))
        talk.say(0, b"\x10\x06")
    talk.say(0, df1(bytes([5, 0]) + pccc(0x06, 0x13, b"\0"))[:-1] + b"\xff")
    talk.say(1, b"\x10\x15")
    talk.close()


# --- SRTP
def srtp(kind, sequence, message, **at):
    octets = bytearray(56)
    octets[0], octets[2], octets[31], octets[40], octets[41] = kind, sequence, message, 1, 1
    for place, value in at.items():
        n = int(place[1:])
        value = bytes([value]) if isinstance(value, int) else value
        octets[n:n + len(value)] = value
    return bytes(octets)


def srtp_session():
    talk = Tcp("10.20.40.13", 18245, 40003)
    talk.say(0, bytes(56))
    talk.say(1, b"\x01" + bytes(55))
    running, stopped = struct.pack("<H", 0x0100), struct.pack("<H", 0x2000)
    steps = [
        (srtp(2, 1, 0xC0, _42=0x43), srtp(3, 1, 0xD4, _51=2, _54=running)),
        (srtp(2, 2, 0xC0, _42=0x04, _43=8, _44=struct.pack("<HH", 9, 2)), srtp(3, 2, 0xD4, _44=struct.pack("<HH", 100, 200), _51=2, _54=running)),
        (srtp(2, 3, 0xC0, _42=0x07, _43=8, _44=struct.pack("<HHHH", 9, 2, 7, 8)), srtp(3, 3, 0xD4, _51=2, _54=running)),
        (srtp(2, 4, 0xC0, _42=0x21), srtp(3, 4, 0xD1, _42=2, _43=0xF5, _54=running)),
        (srtp(2, 5, 0xC0, _42=0x23, _43=0), srtp(3, 5, 0xD4, _51=4, _54=stopped)),
    ]
    for ask, answer in steps:
        talk.say(0, ask)
        talk.say(1, answer)
    talk.close()


# --- identities
def placed(size, **texts):
    octets = bytearray(size)
    for place, text in texts.items():
        n = int(place[1:])
        octets[n:n + len(text)] = text
    return bytes(octets)


def pcworx_session():
    talk = Tcp("10.20.40.14", 1962, 40004)
    talk.say(0, b"\x01\x01\x00\x1a\x00\x00\x00\x00\x78\x80\x00\x03\x00\x0cIBETH01N0_M\x00")
    talk.say(1, placed(20, _0=b"\x81\x01\x00\x14", _17=b"\x2a"))
    talk.say(0, b"\x01\x05\x00\x16\x00\x01\x00\x00\x78\x80\x00\x2a\x00\x00\x00\x06\x00\x04\x02\x95\x00\x00")
    talk.say(1, b"\x81\x05\x00\x0a" + bytes(6))
    talk.say(0, b"\x01\x06\x00\x0e\x00\x02\x00\x00\x00\x00\x00\x2a\x04\x00")
    identity = placed(168, _0=b"\x81\x06\x00\xa8", _30=b"ILC 330 ETH", _66=b"3.95T", _79=b"Mar  2 2012", _91=b"09:39:02", _152=b"2737193")
    talk.say(1, identity)
    talk.close()


def proconos_session():
    talk = Tcp("10.20.40.15", 20547, 40005)
    talk.say(0, bytes.fromhex("cc01000b4002000047ee"))
    talk.say(1, placed(128, _0=b"\xcc", _12=b"ProConOS V3.0.1040 Oct 29 2002", _44=b"ADAM5510KW 1.24 Build 005", _77=b"510-projec\x00510-projec\x00Exist"))
    talk.close()


def codesys_sessions():
    talk = Tcp("10.20.40.16", 2455, 40006)
    talk.say(0, bytes.fromhex("bbbb0100000001"))
    body = placed(150, _58=b"Nucleus PLUS", _90=b"Nucleus PLUS version 1.13", _122=b"4.01 PLC 2.4.7.0")
    talk.say(1, b"\xbb\xbb" + struct.pack("<I", len(body)) + body)
    talk.close()
    talk = Tcp("10.20.40.17", 11740, 40007)

    def message(group, service, session, content=b""):
        services = struct.pack("<HHHHIII", 0xCD55, 16, group, service, session, len(content), 0) + content
        channel = struct.pack("<BBHIIII", 1, 0x81, 7, 1, 0, len(services), 0)
        datagram = bytes([0xC5, 0x6B, 0x40, 64, 0, 0x11, 0, 5, 0, 17]) + bytes(2) + channel + services
        return bytes.fromhex("000117e8") + struct.pack("<I", 8 + len(datagram)) + datagram

    talk.say(0, message(0x01, 0x02, 0))
    talk.say(1, message(0x8001, 0x02, 0x55AA))
    talk.say(0, message(0x11, 0x01, 0x55AA, b"pinf"))
    talk.say(1, message(0x8011, 0x01, 0x55AA))
    talk.close()
    udp("10.20.40.17", 1740, "10.20.40.255", 1740, bytes([0xC5, 0x0B, 0x40, 1, 0, 0x10, 0, 17]))


def vnet():
    for i in range(6):
        udp("10.20.40.21", 5313, "239.192.24.4", 5313, bytes([1, i]) + bytes(30))
        udp("10.20.40.22", 5313, "239.192.24.4", 5313, bytes([1, i]) + bytes(30))


# --- IEC 60870-5-101 in TCP: frames of FT 1.2
def fixed(control, address):
    body = bytes([control, address])
    return b"\x10" + body + bytes([sum(body) & 0xFF, 0x16])


def variable(control, address, asdu):
    body = bytes([control, address]) + asdu
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])


def iec101_line():
    talk = Tcp("10.20.40.18", 4005, 40008)
    talk.say(0, fixed(0x49, 3))
    talk.say(1, fixed(0x0B, 3))
    talk.say(0, fixed(0x40, 3))
    talk.say(1, fixed(0x00, 3))
    # A general interrogation, its confirmation, two points, the end of it.
    talk.say(0, variable(0x73, 3, bytes([100, 1, 6, 3, 0, 0, 20])))
    talk.say(1, fixed(0x20, 3))
    talk.say(0, fixed(0x5A, 3))
    talk.say(1, variable(0x28, 3, bytes([100, 1, 7, 3, 0, 0, 20])))
    talk.say(0, fixed(0x7A, 3))
    talk.say(1, variable(0x28, 3, bytes([1, 2, 20, 3, 10, 0, 1, 11, 0, 0])))
    talk.say(0, fixed(0x5A, 3))
    talk.say(1, variable(0x08, 3, bytes([100, 1, 10, 3, 0, 0, 20])))
    # A single command: on, executed, confirmed.
    talk.say(0, variable(0x73, 3, bytes([45, 1, 6, 3, 50, 0, 1])))
    talk.say(1, fixed(0x20, 3))
    talk.say(0, fixed(0x5A, 3))
    talk.say(1, variable(0x08, 3, bytes([45, 1, 7, 3, 50, 0, 1])))
    talk.close()


# --- SLMP: frames 3E in binary, one exchange in ASCII
def slmp(command, data, subcommand=0):
    body = struct.pack("<HHH", 16, command, subcommand) + data
    return bytes([0x50, 0, 0, 0xFF, 0xFF, 3, 0]) + struct.pack("<H", len(body)) + body


def slmp_answer(end, data=b""):
    body = struct.pack("<H", end) + data
    return bytes([0xD0, 0, 0, 0xFF, 0xFF, 3, 0]) + struct.pack("<H", len(body)) + body


def device(number, code, points):
    return struct.pack("<I", number)[:3] + bytes([code]) + struct.pack("<H", points)


def slmp_session():
    talk = Tcp("10.20.40.19", 5007, 40009)
    steps = [
        (slmp(0x0101, b""), slmp_answer(0, b"Q03UDVCPU       " + b"\x66\x03")),
        (slmp(0x0401, device(100, 0xA8, 2)), slmp_answer(0, struct.pack("<HH", 321, 65535))),
        (slmp(0x1401, device(100, 0xA8, 2) + struct.pack("<HH", 5, 6)), slmp_answer(0)),
        (slmp(0x1401, device(31, 0x9D, 3) + bytes([0x10, 0x10]), 1), slmp_answer(0)),
        (slmp(0x1630, struct.pack("<H", 4) + b"1234"), slmp_answer(0xC810)),
        (slmp(0x1002, struct.pack("<H", 1)), slmp_answer(0)),
        (b"500000FF03FF000018001004010000W*00001F0001", b"D00000FF03FF000008000004D2"),
    ]
    for ask, answer in steps:
        talk.say(0, ask)
        talk.say(1, answer)
    talk.close()


for part in (csp_session, df1_line, srtp_session, pcworx_session, proconos_session, codesys_sessions, vnet, iec101_line, slmp_session):
    part()
    clock += 10**6

here = os.path.dirname(os.path.abspath(__file__))
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(here), "industrial.pcap")
with open(target, "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for when, frame in packets:
        f.write(struct.pack("<IIII", when // 10**6, when % 10**6, len(frame), len(frame)) + frame)
