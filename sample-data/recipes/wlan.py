#!/usr/bin/env python3
"""wlan.pcap: wireless networks as a monitoring card hears them.

Written byte by byte after IEEE 802.11: beacons of a protected, an old (WEP),
an open and a hidden network, and of a second card that takes the protected
one's name without its protection; a station that asks for networks,
associates, and agrees on keys (the four messages' codes are right for the
passphrase `line-one-2026`), sends, is thrown out by forged frames, and comes
back; another that fails with a wrong passphrase. Frames stand behind a
radiotap header with rate, channel and signal. What is sent under the keys
holds arbitrary octets.

usage: wlan.py [OUTPUT]
"""
import hashlib
import hmac
import os
import struct
import sys

from written import Capture

out = Capture(1767693600, link=127)  # 2026-01-06 10:00:00 UTC
ALL = b"\xff" * 6
AP, OLD, OPEN, HIDDEN = (bytes.fromhex("02000000110%d" % n) for n in (1, 2, 3, 4))
EVIL = bytes.fromhex("06000000aa66")
STA, LOST = bytes.fromhex("020000001150"), bytes.fromhex("020000001151")
NAME, WORD = b"plant-7", b"line-one-2026"
sequence = 0


def radio(frame, channel=6, signal=-50, wait=5000):
    tap = struct.pack("<BBHI", 0, 0, 15, 1 << 2 | 1 << 3 | 1 << 5) + bytes([2, 0]) + struct.pack("<HHb", 2407 + 5 * channel, 0x00A0, signal)
    out.put(tap + frame, wait)


def frame(control, to, source, bssid, body, **more):
    """Type and subtype in the low octet, flags in the high one."""
    global sequence
    sequence += 1
    radio(struct.pack("<HH", control, 0x013A) + to + source + bssid + struct.pack("<H", sequence << 4 & 0xFFFF) + body, **more)


def element(number, data):
    return bytes([number, len(data)]) + data


RATES = element(1, bytes([0x82, 0x84, 0x8B, 0x96]))
RSN = element(48, bytes.fromhex("0100 000fac04 0100 000fac04 0100 000fac02 0000"))


def beacon(bssid, name, capabilities, more=b"", channel=6, signal=-50, kind=0x0080, to=ALL):
    body = struct.pack("<QHH", out.clock, 100, capabilities) + element(0, name) + RATES + element(3, bytes([channel])) + more
    frame(kind, to, bssid, bssid, body, channel=channel, signal=signal, wait=20000)


def eapol(source, to, bssid, from_ap, info, counter, nonce, data=b"", key=None):
    body = bytes([2]) + struct.pack(">HHQ", info, 16 if info & 8 else 0, counter) + nonce + bytes(32)
    tail = struct.pack(">H", len(data)) + data
    head = b"\x02\x03" + struct.pack(">H", len(body) + 16 + len(tail))
    code = bytes(16)
    if key:
        code = hmac.new(key, head + body + code + tail, hashlib.sha1).digest()[:16]
    llc = b"\xaa\xaa\x03\0\0\0\x88\x8e"
    if from_ap:
        frame(0x0208, to, bssid, source, llc + head + body + code + tail)
    else:
        frame(0x0108, bssid, source, to, llc + head + body + code + tail)


def expand(master, a, b, na, nb):
    text = b"Pairwise key expansion\0" + min(a, b) + max(a, b) + min(na, nb) + max(na, nb)
    return b"".join(hmac.new(master, text + bytes([i]), hashlib.sha1).digest() for i in range(4))[:64]


def handshake(station, word, counter, complete=True):
    master = hashlib.pbkdf2_hmac("sha1", word, NAME, 4096, 32)
    na, ns = hashlib.sha256(b"a%d" % counter).digest(), hashlib.sha256(b"s%d" % counter).digest()
    key = expand(master, AP, station, na, ns)[:16]
    eapol(AP, station, AP, True, 0x008A, counter, na)
    eapol(station, AP, AP, False, 0x010A, counter, ns, RSN, key)
    if complete:
        eapol(AP, station, AP, True, 0x13CA, counter + 1, na, bytes(range(56)), key)
        eapol(station, AP, AP, False, 0x030A, counter + 1, bytes(32), b"", key)


def join(station, word, counter, complete=True):
    frame(0x00B0, AP, station, AP, struct.pack("<HHH", 0, 1, 0))
    frame(0x00B0, station, AP, AP, struct.pack("<HHH", 0, 2, 0))
    frame(0x0000, AP, station, AP, struct.pack("<HH", 0x0431, 10) + element(0, NAME) + RATES + RSN)
    frame(0x0010, station, AP, AP, struct.pack("<HHH", 0x0431, 0, 0xC001) + RATES)
    handshake(station, word, counter, complete)


def networks():
    beacon(AP, NAME, 0x0431, RSN)
    beacon(OLD, b"old-scale", 0x0411, channel=1, signal=-70)
    beacon(OPEN, b"visitors", 0x0401, channel=11, signal=-60)
    beacon(HIDDEN, b"\0" * 6, 0x0431, RSN, channel=11, signal=-65)


for _ in range(2):
    networks()
frame(0x0040, ALL, STA, ALL, element(0, b"") + RATES)
frame(0x0040, ALL, STA, ALL, element(0, b"home-of-anna") + RATES)
beacon(AP, NAME, 0x0431, RSN, kind=0x0050, to=STA)
join(STA, WORD, 1)
for number in range(4):
    packet = struct.pack("<H", number + 1) + b"\0\x20" + bytes(4) + hashlib.sha256(b"%d" % number).digest()
    frame(0x4188, AP, STA, AP, b"\0\0" + packet)
    frame(0x4288, STA, AP, AP, b"\0\0" + packet)
join(LOST, b"wrong-guess", 10, complete=False)
frame(0x00C0, LOST, AP, AP, struct.pack("<H", 15))
networks()
for _ in range(3):
    beacon(EVIL, NAME, 0x0401, channel=1, signal=-40)
# Somebody speaks in the network's name.
for _ in range(24):
    frame(0x00C0, STA, AP, AP, struct.pack("<H", 7), signal=-35, wait=2000)
frame(0x00A0, AP, STA, AP, struct.pack("<H", 8))
join(STA, WORD, 20)
networks()
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wlan.pcap")
out.write(target)
