"""A second, much simpler Modbus/TCP device, for what a library hides.

usage: modbus_edge.py ADDRESS

It knows functions 3 and 4 (register n holds 1000 + n), answers exception 1
to any other function, 2 above register 99, 3 to an impossible quantity,
6 (busy) to function 16, and nothing at all to another unit than 1. Several
requests in one segment are answered one after the other, in one segment.
"""
import socket
import struct
import sys
import threading


def answer(pdu):
    function = pdu[0]
    if function == 16:
        return bytes([function | 0x80, 6])
    if function not in (3, 4):
        return bytes([function | 0x80, 1])
    start, count = struct.unpack(">HH", pdu[1:5])
    if not 1 <= count <= 125:
        return bytes([function | 0x80, 3])
    if start + count > 100:
        return bytes([function | 0x80, 2])
    values = [1000 + start + i for i in range(count)]
    return struct.pack(">BB%dH" % count, function, 2 * count, *values)


def serve(s):
    buffer = b""
    with s:
        while part := s.recv(1024):
            buffer += part
            out = b""
            while len(buffer) >= 7:
                tid, proto, length, unit = struct.unpack(">HHHB", buffer[:7])
                if len(buffer) < 6 + length:
                    break
                pdu, buffer = buffer[7:6 + length], buffer[6 + length:]
                if unit == 1 and proto == 0:
                    reply = answer(pdu)
                    out += struct.pack(">HHHB", tid, 0, len(reply) + 1, unit) + reply
            if out:
                s.sendall(out)


def main():
    with socket.create_server((sys.argv[1], 502)) as listener:
        while True:
            s, _ = listener.accept()
            threading.Thread(target=serve, args=(s,), daemon=True).start()


main()
