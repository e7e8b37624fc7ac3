#!/usr/bin/env python3
"""devices.pcap: industrial devices that no program at hand speaks to.

Written byte by byte after what is public of each: FINS after Omron's W342
and W421; HART-IP after HCF_SPEC-085 with the units of HCF_SPEC-081; UMAS as
research on Modicon controllers has described it; Fox as the scripts of nmap
have it; Crimson's two questions likewise; Genisys and BSAP after the
descriptions of the ICSNPP parsers; TriStation as the published analyses of
TRITON agree; TASE.2 after IEC 60870-6-503 in MMS (ISO 9506). One station,
10.20.41.5, talks to a device each; another, 10.20.41.66, is not expected.
What stands on port 55565 has no public description: two hosts of a Honeywell
system say a few octets there, and one calls itself what it is in HTTP.

usage: devices.py [OUTPUT]
"""
import os
import struct
import sys

from written import Capture, Tcp, ber, crc16

ME, ODD = "10.20.41.5", "10.20.41.66"
out = Capture(1767520800)  # 2026-01-04 10:00:00 UTC


# --- FINS
def fins(answer, sid, code, data):
    head = [0xC0 if answer else 0x80, 0, 2] + ([0, 5, 0, 0, 11, 0] if answer else [0, 11, 0, 0, 5, 0]) + [sid]
    return bytes(head) + code + data


def omron():
    model = b"CJ2M-CPU31".ljust(20) + b"02.01".ljust(20) + bytes(40)
    steps = [
        (b"\x05\x01", b"\x00", b"\0\0" + model),
        (b"\x01\x01", b"\x82" + struct.pack(">HBH", 100, 0, 2), b"\0\0" + struct.pack(">HH", 1500, 40)),
        (b"\x01\x02", b"\x82" + struct.pack(">HBH", 100, 0, 1) + struct.pack(">H", 2900), b"\0\0"),
        (b"\x01\x02", b"\xb1" + struct.pack(">HBH", 600, 0, 1) + b"\0\1", b"\x11\x03"),
        (b"\x23\x01", b"\x00\x01" + b"\x00\x01" + b"\x30" + struct.pack(">HB", 10, 3), b"\0\0"),
        (b"\x07\x02", bytes([0x26, 3, 1, 12, 0, 0, 0]), b"\0\0"),
        (b"\x04\x02", b"\xff\xff", b"\0\0"),
        (b"\x04\x01", b"\xff\xff\x04", b"\0\0"),
    ]
    for sid, (code, ask, answer) in enumerate(steps, 1):
        who = ODD if code == b"\x04\x02" else ME
        out.udp(who, 9600, "10.20.41.11", 9600, fins(False, sid, code, ask))
        out.udp("10.20.41.11", 9600, who, 9600, fins(True, sid, code, answer))
    talk = Tcp(out, ME, 41001, "10.20.41.11", 9600)
    frame = lambda command, body: b"FINS" + struct.pack(">III", 8 + len(body), command, 0) + body
    talk.say(0, frame(0, bytes(4)))
    talk.say(1, frame(1, struct.pack(">II", 5, 11)))
    talk.say(0, frame(2, fins(False, 9, b"\x06\x01", b"")))
    talk.say(1, frame(2, fins(True, 9, b"\x06\x01", b"\0\0\x01\x04" + bytes(22))))
    talk.close()


# --- HART-IP
def hart(kind, number, sequence, body, status=0):
    return struct.pack(">BBBBHH", 1, kind, number, status, sequence, 8 + len(body)) + body


def unit(answer, command, data=b"", address=bytes.fromhex("a6065a0001")):
    body = bytes([0x86 if answer else 0x82]) + address + bytes([command, len(data)]) + data
    parity = 0
    for octet in body:
        parity ^= octet
    return body + bytes([parity])


def instrument():
    start = bytes([1]) + struct.pack(">I", 60000)
    say = lambda data: out.udp(ME, 41002, "10.20.41.12", 5094, data)
    reply = lambda data: out.udp("10.20.41.12", 5094, ME, 41002, data)
    say(hart(0, 0, 1, start))
    reply(hart(1, 0, 1, start))
    ok = b"\0\0"
    identity = bytes([254, 0x26, 0x06, 5, 7, 2, 3, 0x10, 0x09, 0x00, 0x5A, 0x00, 0x01, 5, 4, 0, 1, 0, 0x26, 0, 0x26, 1])
    steps = [
        (0, b"", ok + identity),
        (3, b"", ok + struct.pack(">f", 12.5) + b"\x20" + struct.pack(">f", 81.25) + b"\x06" + struct.pack(">f", 21.5)),
        (13, b"", ok + bytes.fromhex("41 54 81 04 14 20") + bytes(12) + bytes([1, 3, 126])),
        (35, b"\x06" + struct.pack(">ff", 120.0, 0.0), ok + b"\x06" + struct.pack(">ff", 120.0, 0.0)),
        (40, struct.pack(">f", 20.0), b"\0\x08" + struct.pack(">f", 20.0)),
        (44, b"\x20", b"\x07\0"),
        (42, b"", ok),
    ]
    for sequence, (command, ask, answer) in enumerate(steps, 2):
        say(hart(0, 3, sequence, unit(False, command, ask)))
        reply(hart(1, 3, sequence, unit(True, command, answer)))
    say(hart(0, 1, 20, b""))
    reply(hart(1, 1, 20, b""))


# --- UMAS
def modicon():
    talk = Tcp(out, ME, 41003, "10.20.41.13", 502)
    tid = 0

    def ask(key, code, body, answer, error=False):
        nonlocal tid
        tid += 1
        for side, octets in ((0, bytes([key, code]) + body), (1, bytes([key, 0xFD if error else 0xFE]) + answer)):
            talk.say(side, struct.pack(">HHHBB", tid, 0, 2 + len(octets), 0, 0x5A) + octets)

    ask(0, 0x02, b"", struct.pack("<HHI", 0x10, 0x30B, 0) + bytes(14) + b"\x0eBMX P34 2020  \0")
    ask(0, 0x03, b"\0", bytes(9) + b"\x08Filling\0")
    ask(0, 0x10, b"CL\0\0\x05ENG-1", b"\x21")
    ask(0x21, 0x20, b"\x01" + struct.pack("<HIH", 0x2B, 0, 16), bytes(range(16)))
    ask(0x21, 0x23, b"\x01" + struct.pack("<HH", 7, 2) + b"\x54\x0b", b"")
    ask(0x21, 0x33, b"\0\1\xfb\3", b"\0\1\xfb\3\0\0")
    program = b"LD %I0.1\nST %Q0.1\n" * 20
    for number in (1, 2):
        part = program[(number - 1) * 200:number * 200]
        ask(0x21, 0x34, b"\0\1" + struct.pack("<H", number), bytes([number == 2, 0]) + struct.pack("<H", len(part)) + part)
    ask(0x21, 0x35, b"\0\1\1\0", b"")
    ask(0x21, 0x41, b"\xff\0", b"")
    ask(0x21, 0x40, b"\xff\0", b"")
    ask(0x21, 0x11, b"", b"")
    ask(0, 0x41, b"\xff\0", b"\x80\x01", error=True)
    talk.close()


# --- Fox
def fox(word, number, answered, command, fields):
    return f"fox {word} {number} {answered} fox {command}\n{{\n".encode() + "".join(f"{k}={v}\n" for k, v in fields).encode() + b"};;\n"


def building():
    talk = Tcp(out, ME, 41004, "10.20.41.14", 1911)
    talk.say(0, fox("a", 1, -1, "hello", [("fox.version", "s:1.0"), ("id", "i:1"), ("hostName", "s:desk-5"), ("hostAddress", "s:" + ME),
                                          ("app.name", "s:Workbench"), ("app.version", "s:3.8.111"), ("lang", "s:en")]))
    talk.say(1, fox("a", 1, 1, "hello", [("fox.version", "s:1.0.1"), ("id", "i:7"), ("hostName", "s:hall-7"), ("hostAddress", "s:10.20.41.14"),
                                         ("app.name", "s:Station"), ("app.version", "s:3.8.111"), ("station.name", "s:Hall7"),
                                         ("vm.name", "s:Java HotSpot(TM) Embedded Client VM"), ("os.name", "s:QNX"), ("os.version", "s:6.5.0"),
                                         ("timeZone", "s:Etc/UTC;0;0;;"), ("hostId", "s:Qnx-0000-0000-0000-0007"), ("brandId", "s:plant")]))
    for number, word in ((2, "guess"), (3, "line-one")):
        talk.say(0, fox("a", number, -1, "login", [("method", "s:basic"), ("username", "s:operator"), ("password", "s:" + word)]))
        talk.say(1, fox("a", number, number, "rejected" if word == "guess" else "welcome", [("reason", "s:wrong password")] if word == "guess" else []))
    talk.close()


# --- Crimson
def crimson():
    talk = Tcp(out, ME, 41005, "10.20.41.15", 789)
    for question, text in ((b"\x2b\x1b\0", b"Red Lion Controls"), (b"\x2a\x1a\0", b"G310C2")):
        talk.say(0, b"\0\4\1" + question)
        talk.say(1, struct.pack(">H", 5 + len(text)) + b"\1" + question + text + b"\0")
    talk.close()


# --- Genisys
def genisys(header, station=None, pairs=(), check=True, spoil=False):
    plain = bytes([station]) + b"".join(bytes(p) for p in pairs) if station is not None else b""
    body = b"".join(bytes([0xF0, x & 15]) if x >= 0xF0 else bytes([x]) for x in plain)
    crc = struct.pack("<H", crc16(bytes([header]) + plain, 0xFFFF) ^ spoil) if check and plain else b""
    return bytes([header]) + body + crc + b"\xf6"


def signals():
    talk = Tcp(out, ME, 41006, "10.20.41.16", 10001)
    steps = [
        (genisys(0xFD, 7), genisys(0xF2, 7, [(0, 0x11), (1, 0x00), (2, 0xF3)])),
        (genisys(0xFA, 7), genisys(0xF1, 7, check=False)),
        (genisys(0xFC, 7, [(0, 0x04)]), genisys(0xF3, 7, [(0, 0x04)])),
        (genisys(0xFE, 7), genisys(0xF1, 7, check=False)),
        (genisys(0xFB, 7), genisys(0xF2, 7, [(0, 0x15)])),
        (genisys(0xFA, 7), genisys(0xF2, 7, [(1, 0x01)], spoil=True)),
        (genisys(0xFB, 9), b""),
        (genisys(0xFB, 7), genisys(0xF1, 7, check=False)),
    ]
    for ask, answer in steps:
        talk.say(0, ask)
        if answer:
            talk.say(1, answer)
        out.clock += 200_000
    talk.close()


# --- BSAP
def bsap(kind, sequence, answers, bodies):
    functions = b"".join(struct.pack("<IBI", 9 + len(body), 0, number) + body for number, body in bodies)
    return b"\x0e\0" + struct.pack("<HHII", len(bodies), kind, sequence, answers) + functions


def bristol():
    say = lambda data: out.udp(ME, 41007, "10.20.41.17", 1234, data)
    reply = lambda data: out.udp("10.20.41.17", 1234, ME, 41007, data)
    steps = [
        (b"\xa0\x00\x04\x01\xc0\x0f\x02FLOW.7.\0TANK.LEVEL.\0", b"\0\x02" + b"\x02" + struct.pack("<f", 72.5) + b"\x02" + struct.pack("<f", 3.25)),
        (b"\xa0\x00\x84\x0f\x01FLOW.SP.\0\x0b" + struct.pack("<f", 80.0), b"\0\x01"),
        (b"\xa0\x00\x84\x0f\x01PUMP.2.\0\x09", b"\x08\x01"),
        (b"\xa1\x00\x01\x01", b"\0"),
    ]
    for number, (ask, answer) in enumerate(steps, 100):
        say(bsap(6, number, number - 1, [(number, ask)]))
        reply(bsap(1, number, number, [(number, answer)]))


# --- TriStation
def tristation(kind, body=b""):
    data = struct.pack("<BBH", kind, 0, len(body)) + body
    return data + struct.pack("<H", crc16(data))


def command(direction, function, sequence, data=b""):
    body = bytes([direction, 0, function, sequence, 0, 0])
    return tristation(5, body + struct.pack("<HH", sum(body + data) & 0xFFFF, 10 + len(data)) + data)


def safety():
    for who, port, steps in (
        (ME, 41008, [(19, b"", 108, bytes(20)), (29, b"", 127, bytes(20))]),
        (ODD, 41009, [(19, b"", 108, bytes(20)), (65, b"\1\0", 162, b"program of line 7"), (1, b"LINE-7".ljust(16, b"\0"), 102, b""),
                      (56, b"\7\0" + bytes(40), 212, b""), (21, b"", 110, b"")]),
    ):
        out.udp(who, port, "10.20.41.18", 1502, tristation(1))
        out.udp("10.20.41.18", 1502, who, port, tristation(2))
        for sequence, (ask, data, answer, reply) in enumerate(steps, 1):
            out.udp(who, port, "10.20.41.18", 1502, command(0, ask, sequence, data))
            out.udp("10.20.41.18", 1502, who, port, command(1, answer, sequence, reply))
        out.udp(who, port, "10.20.41.18", 1502, tristation(4))
        out.udp("10.20.41.18", 1502, who, port, tristation(3))


# --- TASE.2
def tpkt(body):
    return struct.pack(">BBH", 3, 0, 4 + len(body)) + body


def iso_data(presentation):
    """User data of an established session."""
    return tpkt(b"\x02\xf0\x80" + b"\x01\x00\x01\x00" + presentation)


def user_data(mms, context=3):
    return ber(0x61, ber(0x30, ber(0x02, bytes([context])), ber(0xA0, mms)))


def name(item, domain=None):
    text = lambda s: ber(0x1A, s.encode())
    return ber(0xA1, text(domain), text(item)) if domain else ber(0x80, item.encode())


def variable(*names):
    return ber(0xA0, *(ber(0x30, ber(0xA0, one)) for one in names))


def real(x):
    return ber(0x87, b"\x08" + struct.pack(">f", x))


def integer(x, tag=0x85):
    return ber(tag, struct.pack(">b", x) if -128 <= x < 128 else struct.pack(">h", x))


def text(s):
    return ber(0x8A, s.encode())


def centre():
    talk = Tcp(out, ME, 41010, "10.20.41.19", 102)
    talk.say(0, tpkt(bytes([17, 0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 0, 1, 0xC2, 2, 0, 1, 0xC0, 1, 0x0A])))
    talk.say(1, tpkt(bytes([17, 0xD0, 0, 1, 0, 2, 0, 0xC1, 2, 0, 1, 0xC2, 2, 0, 1, 0xC0, 1, 0x0A])))
    transfer, mms_syntax, acse_syntax = b"\x51\x01", b"\x28\xca\x22\x02\x01", b"\x52\x01\x00\x01"

    def initiate(tag):
        return ber(tag, ber(0x80, struct.pack(">H", 32000)), ber(0x81, b"\x05"), ber(0x82, b"\x05"), ber(0x83, b"\x05"),
                   ber(0xA4, ber(0x80, b"\x01"), ber(0x81, b"\x05\xf1\x00"), ber(0x82, b"\x03\xee\x1c\x00\x00\x04\x08\x00\x00\x79\xef\x18")))

    def connect(side):
        title = lambda tag, n: ber(tag, ber(0x06, b"\x29\x01\x87\x67" + bytes([n])))
        user = ber(0xBE, ber(0x28, ber(0x06, transfer), ber(0x02, b"\x03"), ber(0xA0, initiate(0xA8 if side == 0 else 0xA9))))
        context = ber(0xA1, ber(0x06, b"\x28\xca\x22\x02\x03"))
        if side == 0:
            acse = ber(0x60, ber(0x80, b"\x07\x80"), context, title(0xA2, 19), title(0xA6, 5), user)
        else:
            acse = ber(0x61, ber(0x80, b"\x07\x80"), context, ber(0xA2, ber(0x02, b"\0")), ber(0xA3, ber(0xA1, ber(0x02, b"\0"))), user)
        inside = ber(0x61, ber(0x30, ber(0x02, b"\x01"), ber(0xA0, acse)))
        contexts = ber(0xA4, ber(0x30, ber(0x02, b"\x01"), ber(0x06, acse_syntax), ber(0x30, ber(0x06, transfer))),
                       ber(0x30, ber(0x02, b"\x03"), ber(0x06, mms_syntax), ber(0x30, ber(0x06, transfer))))
        results = ber(0xA5, *[ber(0x30, ber(0x80, b"\0"), ber(0x81, transfer))] * 2)
        selectors = ber(0x81, b"\0\0\0\1") + ber(0x82, b"\0\0\0\1") if side == 0 else ber(0x83, b"\0\0\0\1")
        presentation = ber(0x31, ber(0xA0, ber(0x80, b"\x01")), ber(0xA2, selectors, contexts if side == 0 else results, inside))
        parameters = bytes([5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x33, 2, 0, 1, 0x34, 2, 0, 1]) if side == 0 \
            else bytes([5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x34, 2, 0, 1])
        parameters += b"\xc1" + (bytes([len(presentation)]) if len(presentation) < 255 else b"\xff" + struct.pack(">H", len(presentation))) + presentation
        session = bytes([0x0D if side == 0 else 0x0E]) + (bytes([len(parameters)]) if len(parameters) < 255
                                                         else b"\xff" + struct.pack(">H", len(parameters))) + parameters
        talk.say(side, tpkt(b"\x02\xf0\x80" + session))

    connect(0)
    connect(1)
    number = 0

    def ask(request, answer):
        nonlocal number
        number += 1
        invoke = ber(0x02, bytes([number]))
        talk.say(0, iso_data(user_data(ber(0xA0, invoke, request))))
        talk.say(1, iso_data(user_data(ber(0xA1, invoke, answer) if answer[0] != 0xA2
                                       else ber(0xA2, ber(0x80, bytes([number])), answer))))

    read = lambda *names: ber(0xA4, ber(0xA1, variable(*names)))
    told = lambda *values: ber(0xA4, ber(0xA1, *values))
    written = lambda ok: ber(0xA5, ber(0x81) if ok else ber(0x80, b"\x03"))
    ask(read(name("Bilateral_Table_ID", "ICC1")), told(text("PLANT-2026")))
    ask(read(name("TASE2_Version")), told(ber(0xA2, integer(1996), integer(8))))
    ask(read(name("Supported_Features")), told(ber(0x84, b"\x04\xc0\x10")))
    ask(read(name("Feeder7_MW", "ICC1")), told(real(12.5)))
    ask(ber(0xAB, name("Feeders", "ICC1"), ber(0xA0, *(ber(0x30, ber(0xA0, name(n, "ICC1"))) for n in ("Feeder7_MW", "Breaker7")))), ber(0x8B))
    ask(read(name("Next_DSTransfer_Set", "ICC1")), told(ber(0xA2, integer(1), text("ICC1"), text("DSTrans1"))))
    settings = ber(0xA2, ber(0xA2, integer(1), text("ICC1"), text("Feeders")), integer(0), integer(10), integer(0), integer(0), integer(0),
                   ber(0x84, b"\x03\x10"), ber(0x83, b"\xff"), ber(0x83, b"\0"), ber(0x83, b"\xff"), ber(0x83, b"\xff"), integer(0))
    ask(ber(0xA5, variable(name("DSTrans1", "ICC1")), ber(0xA0, settings)), written(True))
    report = ber(0xA3, ber(0xA0, ber(0xA0, *(ber(0x30, ber(0xA0, n)) for n in (
        name("Transfer_Set_Name"), name("DSConditions_Detected"), name("Feeder7_MW", "ICC1"), name("Breaker7", "ICC1")))),
        ber(0xA0, ber(0xA2, integer(1), text("ICC1"), text("DSTrans1")), ber(0x84, b"\x03\x40"), real(12.75), integer(1))))
    talk.say(1, iso_data(user_data(report)))
    ask(ber(0xA5, variable(name("Setpoint7", "ICC1")), ber(0xA0, real(14.0))), written(True))
    ask(ber(0xA5, variable(name("Setpoint8", "ICC1")), ber(0xA0, real(99.0))), written(False))
    ask(ber(0xAD, ber(0x80, b"\0"), ber(0xA1, ber(0x30, name("Feeders", "ICC1")))), ber(0xAD, ber(0x80, b"\1"), ber(0x81, b"\1")))
    talk.close()


# --- a Honeywell system
def honeywell():
    page = b"<html><head><title>Experion PKS Station</title></head><body></body></html>"
    talk = Tcp(out, ME, 41011, "10.20.41.20", 80)
    talk.say(0, b"GET / HTTP/1.1\r\nHost: 10.20.41.20\r\nUser-Agent: Plant browser/1.0\r\n\r\n")
    talk.say(1, b"HTTP/1.1 200 OK\r\nServer: Honeywell Experion\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
    talk.close()
    talk = Tcp(out, "10.20.41.21", 41012, "10.20.41.20", 55565)
    for turn in range(3):
        talk.say(0, bytes([0, 16, 0, turn]) + bytes(12))
        talk.say(1, bytes([0, 16, 1, turn]) + bytes(12))
    talk.close()


for part in (omron, instrument, modicon, building, crimson, signals, bristol, safety, centre, honeywell):
    part()
    out.clock += 1_000_000
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "devices.pcap")
out.write(target)
