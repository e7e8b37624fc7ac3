#!/bin/bash
# tcp.pcapng: what TCP does when things go well and when they do not: a
# plain exchange, a refused port, a silent port (SYN again and again), lost
# segments (retransmission, duplicate and selective acknowledgements), a
# full receiver (zero window), keep-alive, a half-closed connection, a
# reset in the middle, IPv6, and a reused port. The losses are made by a
# packet filter behind the recording point.
. "$(dirname "$0")/common.sh"
need python3 nft editcap

ns cli
ns srv
ipv6_on cli
ipv6_on srv
wire cli eth0 srv eth0
ip -n sd-cli link set eth0 address 02:00:00:00:06:50
ip -n sd-srv link set eth0 address 02:00:00:00:06:01
ip -n sd-cli addr add 10.20.30.50/24 dev eth0
ip -n sd-srv addr add 10.20.30.10/24 dev eth0
ip -n sd-cli addr add 2001:db8:20:30::50/64 dev eth0 nodad
ip -n sd-srv addr add 2001:db8:20:30::10/64 dev eth0 nodad
# no route cache surprises, small buffers: quick and repeatable
on srv sysctl -qw net.ipv4.tcp_rmem='4096 16384 32768'
# port 7004: every 10th segment with data is lost; port 7002: all are lost
on srv nft -f - <<'N'
table inet f {
    chain i {
        type filter hook input priority 0;
        tcp dport 7002 drop
        tcp dport 7004 meta length > 1000 numgen inc mod 10 6 drop
    }
}
N
cat >"$T/peer.py" <<'P'
import socket
import struct
import sys
import threading
import time

V4, V6 = "10.20.30.10", "2001:db8:20:30::10"
LINGER0 = struct.pack("ii", 1, 0)


def echo(c):
    while d := c.recv(4096):
        c.sendall(d)


def sink(c):
    while c.recv(65536):
        pass


def slow(c):
    time.sleep(2.5)  # reads nothing: the window closes
    sink(c)


def late(c):
    while c.recv(4096):
        pass
    time.sleep(0.3)  # the other side is done, this one still talks
    c.sendall(b"still talking\n" * 20)


def idle(c):
    c.recv(10)
    c.recv(10)


def abort(c):
    c.recv(10)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER0)


def serve(port, how, family=socket.AF_INET):
    s = socket.create_server((V4 if family == socket.AF_INET else V6, port), family=family)

    def loop():
        while True:
            c, _ = s.accept()
            threading.Thread(target=lambda: (how(c), c.close()), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def server():
    for port, how in [(7001, echo), (7004, sink), (7005, slow), (7006, idle), (7007, late), (7008, abort)]:
        serve(port, how)
    serve(7001, echo, socket.AF_INET6)
    time.sleep(60)


def connect(port, host=V4, bind=None, timeout=10):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.settimeout(timeout)
    if bind:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", bind))
    try:
        s.connect((host, port))
    except OSError:
        s.close()
        return None
    return s


def client():
    for host in (V4, V6):  # a plain exchange
        s = connect(7001, host, 40001)
        s.sendall(b"line 1 report please\n")
        s.recv(100)
        s.close()
        time.sleep(0.1)
    connect(7003, bind=40003)  # nobody listens: reset
    connect(7003, V6, 40003)
    connect(7002, bind=40002, timeout=3.5)  # silence: SYN again and again
    s = connect(7004, bind=40004)  # losses
    s.sendall(bytes(i * 37 % 251 for i in range(60000)))
    s.close()
    time.sleep(0.5)
    s = connect(7005, bind=40005)  # zero window
    s.sendall(b"0123456789abcdef" * 3000)
    s.close()
    s = connect(7006, bind=40006)  # keep-alive every second
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    s.sendall(b"idle\n")
    time.sleep(2.6)
    s.close()
    s = connect(7007, bind=40007)  # half closed
    s.sendall(b"that is all\n")
    s.shutdown(socket.SHUT_WR)
    while s.recv(4096):
        pass
    s.close()
    s = connect(7008, bind=40008)  # the server resets
    s.sendall(b"go away\n")
    try:
        s.recv(10)
    except OSError:
        pass
    s.close()
    for _ in range(2):  # the same four-tuple twice, ended by a reset each time
        s = connect(7001, bind=40009)
        s.sendall(b"again\n")
        s.recv(10)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER0)
        s.close()
        time.sleep(0.2)


client() if sys.argv[1] == "client" else server()
P
bg srv python3 "$T/peer.py" server
wait_tcp srv 7008
record cli eth0 "$T/tcp.pcap" 'tcp'
on cli python3 "$T/peer.py" client
record_stop
editcap -F pcapng "$T/tcp.pcap" "$T/tcp.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/tcp.pcapng" "$OUT/tcp.pcapng" --comment 'TCP sample: losses, refusals, resets'
