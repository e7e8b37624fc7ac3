#!/usr/bin/env python3
"""winrm.pcap: a shell over WS-Management, after MS-WSMV and DSP0226.

Written byte by byte, since no Windows host is at hand: a client at
10.20.30.50 asks the server 10.20.30.20 what it is, is refused without a
name, then with Basic makes a shell, runs a command in it, receives its
output, starts a pipeline of PowerShell, and deletes the shell. Last, an
exchange whose body is encrypted.

usage: winrm.py [OUTPUT]
"""
import base64
import os
import struct
import sys

START = 1767434400 * 10**6  # 2026-01-03 10:00:00 UTC, in microseconds
CLIENT, SERVER = ("10.20.30.50", 50123), ("10.20.30.20", 5985)
packets = []
clock = START
seq = [1000, 9000]
SHELL = "0A1B2C3D-1111-2222-3333-444455556666"
COMMAND = "77777777-8888-9999-AAAA-BBBBCCCCDDDD"


def total(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def segment(side, flags, data=b""):
    global clock
    (src, sport), (dst, dport) = (CLIENT, SERVER) if side == 0 else (SERVER, CLIENT)
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    ack = seq[1 - side] if flags & 0x10 else 0
    body = struct.pack(">HHIIBBHHH", sport, dport, seq[side], ack, 0x50, flags, 8192, 0, 0) + data
    check = total(a + b + struct.pack(">BBH", 0, 6, len(body)) + body)
    body = body[:16] + struct.pack(">H", check) + body[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), len(packets) + 1, 0x4000, 64, 6, 0) + a + b
    head = head[:10] + struct.pack(">H", total(head)) + head[12:]
    mac = lambda ip: bytes([2, 0, 0, 0, 0x30, ip[3]])
    packets.append((clock, mac(b) + mac(a) + b"\x08\x00" + head + body))
    clock += 1500
    seq[side] += len(data) + (1 if flags & 3 else 0)


def say(side, data):
    for at in range(0, len(data), 1400):
        segment(side, 0x18, data[at:at + 1400])


def soap(action, resource, body, selector=""):
    names = ('xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
             'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"')
    head = f"<a:Action>{action}</a:Action>" if action else ""
    if resource:
        head += f"<w:ResourceURI>{resource}</w:ResourceURI><w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize><a:MessageID>uuid:{len(packets):08X}</a:MessageID>"
    return f"<s:Envelope {names}><s:Header>{head}{selector}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def exchange(ask, answer, status="200 OK", login="Basic cGxhbnRcb3BlcmF0b3I6bGluZS1vbmU=", kind="application/soap+xml;charset=UTF-8"):
    extra = f"Authorization: {login}\r\n" if login else ""
    say(0, f"POST /wsman HTTP/1.1\r\nHost: win1.plant.example:5985\r\nUser-Agent: recipe\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(ask)}\r\n\r\n".encode() + ask)
    say(1, f"HTTP/1.1 {status}\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)


segment(0, 2)
segment(1, 0x12)
segment(0, 0x10)
CMD = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
POWERSHELL = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
PICK = f'<w:SelectorSet><w:Selector Name="ShellId">{SHELL}</w:Selector></w:SelectorSet>'
exchange(soap("", "", '<wsmid:Identify xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>'), b"", "401 ", None)
exchange(soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", CMD, "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams></rsp:Shell>"),
         soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse", "", f"<rsp:Shell><rsp:ShellId>{SHELL}</rsp:ShellId></rsp:Shell>"))
exchange(soap(WSMAN + "Command", CMD, "<rsp:CommandLine><rsp:Command>ipconfig</rsp:Command><rsp:Arguments>/all</rsp:Arguments></rsp:CommandLine>", PICK),
         soap(WSMAN + "CommandResponse", "", f"<rsp:CommandResponse><rsp:CommandId>{COMMAND}</rsp:CommandId></rsp:CommandResponse>"))
out = base64.b64encode(b"Windows IP Configuration\r\n").decode()
exchange(soap(WSMAN + "Receive", CMD, f'<rsp:Receive><rsp:DesiredStream CommandId="{COMMAND}">stdout stderr</rsp:DesiredStream></rsp:Receive>', PICK),
         soap(WSMAN + "ReceiveResponse", "", f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="{COMMAND}">{out}</rsp:Stream><rsp:CommandState CommandId="{COMMAND}"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>'))
clixml = b'\xef\xbb\xbf<Obj RefId="0"><MS><Obj N="PowerShell"><MS><Obj N="Cmds"><LST><Obj><MS><S N="Cmd">Get-Process</S></MS></Obj></LST></Obj></MS></Obj></MS></Obj>'
blob = struct.pack("<II", 2, 0x00021006) + bytes(32) + clixml
fragment = struct.pack(">QQBI", 3, 0, 3, len(blob)) + blob
exchange(soap(WSMAN + "Command", POWERSHELL, f"<rsp:CommandLine><rsp:Command></rsp:Command><rsp:Arguments>{base64.b64encode(fragment).decode()}</rsp:Arguments></rsp:CommandLine>", PICK),
         soap(WSMAN + "CommandResponse", "", f"<rsp:CommandResponse><rsp:CommandId>{COMMAND}</rsp:CommandId></rsp:CommandResponse>"))
exchange(soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete", CMD, "", PICK), soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/DeleteResponse", "", ""))
sealed = b"--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\r\n" + bytes(range(64)) + b"--Encrypted Boundary--\r\n"
exchange(sealed, sealed, login=None, kind='multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"')
for side in (0, 1):
    segment(side, 0x11)

here = os.path.dirname(os.path.abspath(__file__))
target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(here), "winrm.pcap")
with open(target, "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for when, frame in packets:
        f.write(struct.pack("<IIII", when // 10**6, when % 10**6, len(frame), len(frame)) + frame)
