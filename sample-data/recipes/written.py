"""Frames of captures that are written byte by byte: addresses, checksums,
conversations over TCP and UDP, and the file."""
import struct


def total(data):
    """The ones' complement sum of IP."""
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def mac(ip):
    """The card of an address: 02:00:00 and its last three octets."""
    return bytes([2, 0, 0] + [int(x) for x in ip.split(".")[1:]])


class Capture:
    """Frames in order of time, one each 2 ms unless told otherwise."""

    def __init__(self, start, link=1):
        self.clock, self.link, self.frames = start * 10**6, link, []

    def put(self, frame, wait=2000):
        self.frames.append((self.clock, frame))
        self.clock += wait

    def ether(self, src, dst, kind, body, wait=2000):
        self.put((dst + src + struct.pack(">H", kind) + body).ljust(60, b"\0"), wait)

    def llc(self, src, dst, body, wait=2000):
        """A frame with a length instead of a type."""
        self.put((dst + src + struct.pack(">H", len(body)) + body).ljust(60, b"\0"), wait)

    def ip(self, src, dst, proto, body, to=None, ttl=64, wait=2000):
        a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), len(self.frames) + 1, 0x4000, ttl, proto, 0) + a + b
        head = head[:10] + struct.pack(">H", total(head)) + head[12:]
        at = {6: 16, 17: 6}.get(proto)
        if at:
            check = total(a + b + struct.pack(">BBH", 0, proto, len(body)) + body)
            body = body[:at] + struct.pack(">H", check) + body[at + 2:]
        if to is None:
            to = b"\x01\x00\x5e" + bytes([b[1] & 0x7F, b[2], b[3]]) if b[0] >= 224 else mac(dst)
        self.put(to + mac(src) + b"\x08\x00" + head + body, wait)

    def udp(self, src, sport, dst, dport, data, **more):
        self.ip(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, **more)

    def write(self, path):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, self.link))
            for clock, frame in self.frames:
                f.write(struct.pack("<IIII", clock // 10**6, clock % 10**6, len(frame), len(frame)) + frame)


class Tcp:
    """A connection that opens, carries messages and closes."""

    def __init__(self, capture, client, sport, server, port):
        self.capture, self.ends, self.seq = capture, ((client, sport), (server, port)), [1000, 5000]
        for side, flags in ((0, 2), (1, 0x12), (0, 0x10)):
            self.segment(side, flags)

    def segment(self, side, flags, data=b""):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        ack = self.seq[1 - side] if flags & 0x10 else 0
        self.capture.ip(src, dst, 6, struct.pack(">HHIIBBHHH", sport, dport, self.seq[side], ack, 0x50, flags, 8192, 0, 0) + data)
        self.seq[side] += len(data) + (1 if flags & 3 else 0)

    def say(self, side, data):
        for at in range(0, len(data), 1400):
            self.segment(side, 0x18, data[at:at + 1400])

    def close(self):
        for side in (0, 1):
            self.segment(side, 0x11)
        self.segment(0, 0x10)


# --- BER
def ber(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)
    return (bytes([tag]) if isinstance(tag, int) else tag) + size + body


def crc16(data, start=0):
    """The CRC of Modbus and its kin."""
    crc = start
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc
