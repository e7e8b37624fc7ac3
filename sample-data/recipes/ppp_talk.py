"""What pppd would say to agree on a line and log in, for hosts whose kernel
has no PPP: LCP (RFC 1661), then PAP (RFC 1334) or CHAP with MD5 (RFC 1994),
in the octet-stuffed frames of RFC 1662 on its standard input and output.

usage: ppp_talk.py server pap|chap NAME [-- ...]       (asks the other for its name)
       ppp_talk.py client NAME PASSWORD [pap] [-- ...]
After `--` come the arguments that pppd would have got; the terminal among
them, if any, is the line.
"""
import hashlib
import os
import select
import struct
import sys
import time
import tty

LCP, PAP, CHAP, IPCP = 0xC021, 0xC023, 0xC223, 0x8021
args = sys.argv[1:sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
role, rest = args[0], args[1:]
for name in sys.argv[len(args) + 1:]:
    if name.startswith("/dev/pts/"):
        device = os.open(name, os.O_RDWR | os.O_NOCTTY)
        os.dup2(device, 0)
        os.dup2(device, 1)
if os.isatty(0):
    tty.setraw(0)


def fcs(data):
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return struct.pack("<H", crc ^ 0xFFFF)


def send(protocol, code, number, data):
    frame = b"\xff\x03" + struct.pack(">HBBH", protocol, code, number, 4 + len(data)) + data
    stuffed = b"".join(bytes([0x7D, x ^ 0x20]) if x < 0x20 or x in (0x7D, 0x7E) else bytes([x]) for x in frame + fcs(frame))
    os.write(1, b"\x7e" + stuffed + b"\x7e")


def frames(seconds):
    """Protocol, code, number and data of what the other says, until it has been silent for so long."""
    held, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([0], [], [], left)[0]:
            return
        got = os.read(0, 4096)
        if not got:
            return
        *whole, held = (held + got).split(b"\x7e")
        for frame in whole:
            plain, escaped = bytearray(), False
            for octet in frame:
                if octet == 0x7D:
                    escaped = True
                else:
                    plain.append(octet ^ 0x20 if escaped else octet)
                    escaped = False
            if plain[:2] == b"\xff\x03":
                del plain[:2]
            if len(plain) >= 8:
                protocol, code, number, size = struct.unpack(">HBBH", plain[:6])
                yield protocol, code, number, bytes(plain[6:2 + size])


magic = bytes.fromhex("00020000" if role == "server" else "00500000")
line = b"\x01\x04\x05\xdc\x05\x06" + magic
if role == "server":
    line += b"\x03\x04\xc0\x23" if rest[0] == "pap" else b"\x03\x05\xc2\x23\x05"
challenge = bytes(range(16))
time.sleep(0.3)
send(LCP, 1, 1, line)
agreed = set()
for protocol, code, number, data in frames(4):
    if (protocol, code) == (LCP, 1):
        send(LCP, 2, number, data)
        agreed.add("theirs")
    elif (protocol, code) == (LCP, 2):
        agreed.add("ours")
    elif (protocol, code) == (LCP, 5):
        send(LCP, 6, number, b"")
        break
    elif (protocol, code) == (PAP, 1):
        send(PAP, 2, number, b"\x0dLogin is good")
    elif (protocol, code) == (CHAP, 1) and role == "client":
        secret = hashlib.md5(bytes([number]) + rest[1].encode() + data[1:1 + data[0]]).digest()
        send(CHAP, 2, number, b"\x10" + secret + rest[0].encode())
    elif (protocol, code) == (CHAP, 2):
        send(CHAP, 3, number, b"Welcome")
    elif (protocol, code) in ((PAP, 2), (CHAP, 3)) and role == "client":
        send(IPCP, 1, 1, b"\x03\x06\x0a\x14\x32\x32")
    elif (protocol, code) == (IPCP, 1):
        send(IPCP, 2, number, data)
        time.sleep(0.3)
        send(LCP, 5, 9, b"done")
    if len(agreed) == 2 and "login" not in agreed:
        agreed.add("login")
        if role == "client" and len(rest) > 2 and rest[2] == "pap":
            name, word = (x.encode() for x in rest[:2])
            send(PAP, 1, 1, bytes([len(name)]) + name + bytes([len(word)]) + word)
        elif role == "server" and rest[0] == "chap":
            send(CHAP, 1, 1, b"\x10" + challenge + rest[1].encode())
