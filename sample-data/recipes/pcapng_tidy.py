#!/usr/bin/env python3
"""Rewrite the section and interface blocks of a little-endian pcapng file.

Replaces the section options by a comment and the program name, so that a
sample does not describe the machine it was recorded on, and gives the
interfaces a description. Packets stay as they are. Keys may be added in a
decryption-secrets block of a type (a number).

usage: pcapng_tidy.py IN OUT [--comment TEXT] [--describe NAME=TEXT]... [--secrets TYPE=FILE]...
"""
import argparse
import struct

SHB, IDB, DSB = 0x0A0D0D0A, 1, 10
COMMENT, USERAPPL = 1, 4
IF_NAME, IF_DESCRIPTION, IF_HARDWARE, IF_OS = 2, 3, 15, 12


def options(data):
    while len(data) >= 4:
        code, size = struct.unpack("<HH", data[:4])
        if code == 0:
            return
        yield code, data[4:4 + size]
        data = data[4 + (size + 3) // 4 * 4:]


def pack(opts):
    out = b"".join(
        struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
        for code, value in opts
    )
    return out + struct.pack("<HH", 0, 0) if out else b""


def block(kind, body):
    n = len(body) + 12
    return struct.pack("<II", kind, n) + body + struct.pack("<I", n)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("input")
    p.add_argument("output")
    p.add_argument("--comment", default="")
    p.add_argument("--describe", action="append", default=[])
    p.add_argument("--secrets", action="append", default=[])
    a = p.parse_args()
    names = dict(d.split("=", 1) for d in a.describe)
    with open(a.input, "rb") as f:
        data = f.read()
    assert data[8:12] == b"\x4d\x3c\x2b\x1a", "not a little-endian pcapng file"
    out, at = b"", 0
    while at < len(data):
        kind, size = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + size - 4]
        at += size
        if kind == SHB:
            opts = [(USERAPPL, b"pcapper sample data")]
            if a.comment:
                opts.insert(0, (COMMENT, a.comment.encode()))
            # the length of the section is not given
            body = body[:8] + struct.pack("<q", -1) + pack(opts)
        elif kind == IDB:
            opts = [o for o in options(body[8:]) if o[0] not in (IF_DESCRIPTION, IF_OS, IF_HARDWARE)]
            name = dict(opts).get(IF_NAME, b"").decode()
            if name in names:
                opts.append((IF_DESCRIPTION, names[name].encode()))
            body = body[:8] + pack(opts)
        out += block(kind, body)
        if kind == SHB:
            for secrets in a.secrets:
                number, name = secrets.split("=", 1)
                with open(name, "rb") as f:
                    log = f.read()
                out += block(DSB, struct.pack("<II", int(number, 0), len(log)) + log + bytes(-len(log) % 4))
    with open(a.output, "wb") as f:
        f.write(out)


main()
