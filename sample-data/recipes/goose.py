#!/usr/bin/env python3
"""goose.pcap (nanosecond pcap): GOOSE messages after IEC 61850-8-1.

Written byte by byte, since no publisher is at hand: two publishers in
VLAN 100 with priority 4. Each sends a heartbeat; on a change of state the
state number goes up, the sequence number starts again at 0 and the message
is repeated after 2, 4, 8, 16, ... ms until the heartbeat interval is
reached. The first publisher trips (stNum 1 to 2) and resets (to 3), the
second reacts 3 ms after the trip (stNum 1 to 2). One message claims a
further trip of the first publisher, with the simulation flag set.

usage: goose.py [OUTPUT]
"""
import os
import struct
import sys

START = 1767261600 * 10**9  # 2026-01-01 10:00:00 UTC, in nanoseconds
MS = 10**6
HEARTBEAT = 1000 * MS


def tlv(tag, body):
    n = len(body)
    if n < 0x80:
        size = bytes([n])
    elif n < 0x100:
        size = bytes([0x81, n])
    else:
        size = bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + size + body


def unsigned(value):
    """ASN.1 INTEGER of a value that is not negative."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def signed(value):
    n = 1
    while not -(1 << (8 * n - 1)) <= value < 1 << (8 * n - 1):
        n += 1
    return value.to_bytes(n, "big", signed=True)


def utc(ns):
    """UtcTime: seconds, 24 bits of fraction, quality (10 bits accuracy)."""
    s, rest = divmod(ns, 10**9)
    return struct.pack(">I", s) + (rest * (1 << 24) // 10**9).to_bytes(3, "big") + b"\x0a"


# values of a data set
def boolean(v):
    return tlv(0x83, b"\xff" if v else b"\x00")


def bits(text):
    pad = -len(text) % 8
    return tlv(0x84, bytes([pad]) + int(text + "0" * pad, 2).to_bytes((len(text) + pad) // 8, "big"))


def integer(v):
    return tlv(0x85, signed(v))


def floating(v):
    return tlv(0x87, b"\x08" + struct.pack(">f", v))


QUALITY_GOOD = "0" * 13


class Publisher:
    def __init__(self, src, dst, appid, ref, dataset, goid, conf_rev):
        self.src, self.dst, self.appid = bytes.fromhex(src), bytes.fromhex(dst), appid
        self.ref, self.dataset, self.goid, self.conf_rev = ref, dataset, goid, conf_rev

    def frame(self, state, sq, simulation=False):
        st, changed, values, ttl = state
        pdu = tlv(
            0x61,
            tlv(0x80, self.ref.encode())
            + tlv(0x81, unsigned(ttl))
            + tlv(0x82, self.dataset.encode())
            + tlv(0x83, self.goid.encode())
            + tlv(0x84, utc(changed))
            + tlv(0x85, unsigned(st))
            + tlv(0x86, unsigned(sq))
            + tlv(0x87, b"\xff" if simulation else b"\x00")
            + tlv(0x88, unsigned(self.conf_rev))
            + tlv(0x89, b"\x00")
            + tlv(0x8A, unsigned(len(values)))
            + tlv(0xAB, b"".join(values)),
        )
        # the S bit of reserved1 says the same as the simulation flag
        head = struct.pack(">HHHH", self.appid, len(pdu) + 8, 0x8000 if simulation else 0, 0)
        tag = struct.pack(">HH", 0x8100, 4 << 13 | 100)
        return self.dst + self.src + tag + b"\x88\xb8" + head + pdu

    def run(self, states, end):
        """Yield (time, frame): heartbeats and the retransmission curve.

        states: [(time, values)]; the first is the state before the start.
        """
        for i, (begin, values) in enumerate(states):
            until = states[i + 1][0] if i + 1 < len(states) else end
            t, sq, gap = begin, 0, 2 * MS
            if i == 0:
                t, sq, gap = begin, 41, HEARTBEAT  # seen in the middle of a quiet time
            while t < until:
                changed = begin - 41 * HEARTBEAT if i == 0 else begin
                yield t, self.frame((i + 1, changed, values, 2 * gap // MS), sq)
                t, sq = t + gap, sq + 1
                gap = min(gap * 2, HEARTBEAT)


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "goose.pcap")
    out = sys.argv[1] if len(sys.argv) > 1 else default
    relay = Publisher(
        "02000000aa01", "010ccd010001", 0x0001,
        "RELAY1LD0/LLN0$GO$gcbTrip", "RELAY1LD0/LLN0$dsTrip", "RELAY1_TRIP", 3,
    )
    bay = Publisher(
        "02000000aa02", "010ccd010002", 0x0002,
        "BAY1LD0/LLN0$GO$gcbPos", "BAY1LD0/LLN0$dsPos", "BAY1_POS", 1,
    )
    trip, reset = START + 3_200 * MS + 417_231, START + 6_500 * MS + 88_019
    end = START + 10_000 * MS

    def relay_set(tripped, current):
        return [boolean(tripped), bits(QUALITY_GOOD), integer(7 if tripped else 0), floating(current)]

    # breaker position: 10 closed, 01 open
    def bay_set(pos, count):
        return [bits(pos), bits(QUALITY_GOOD), integer(count)]

    frames = list(
        relay.run(
            [(START, relay_set(False, 412.5)), (trip, relay_set(True, 6830.0)), (reset, relay_set(False, 0.0))],
            end,
        )
    )
    frames += bay.run(
        [(START + 350 * MS + 1_905, bay_set("10", 118)), (trip + 3 * MS + 71, bay_set("01", -119))],
        end,
    )
    at = START + 8_250 * MS + 512
    frames.append((at, relay.frame((4, at, relay_set(True, 6830.0), 4), 0, simulation=True)))
    frames.sort(key=lambda f: f[0])
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for t, data in frames:
            f.write(struct.pack("<IIII", t // 10**9, t % 10**9, len(data), len(data)) + data)


main()
